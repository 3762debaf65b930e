"""Attention over rows that lie one behind the other in one sequence: each row on its own, no padding, no mask.

Transformers masks such a batch with one square over all rows, so every row pays for the others; and padded batches
pay for the longest row in every layer. Kernels that avoid both exist for GPUs; this does it with SDPA on any device.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

ROWS = "row_by_row"
"""Name under which Transformers knows it."""


def rows_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,  # by `_no_mask`
    cu_seq_lens_q: torch.Tensor | None = None,
    sliding_window: int | None = None,
    s_aux: torch.Tensor | None = None,
    *,
    scaling: float,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each row.

    Args:
        query: 1 x heads x tokens x width; key and value alike.
        cu_seq_lens_q: where each row begins, and the number of tokens at the end; None for a single row.
        sliding_window: how many tokens back a layer sees; None for all.
        s_aux: for each head the logit of a sink, a first token without value that every token sees (gpt-oss).

    Returns:
        1 x tokens x heads x width.
    """
    tokens = query.shape[2]
    bounds = [0, tokens] if cu_seq_lens_q is None else cu_seq_lens_q.tolist()
    assert attention_mask is None
    lengths = [end - start for start, end in pairwise(bounds)]
    sinks = 0 if s_aux is None else 1
    outputs = []
    rows = (torch.split(tensor, lengths, dim=2) for tensor in (query, key, value))
    for q, k, v in zip(*rows, strict=True):
        if s_aux is not None:
            q, k, v = _with_sink(q, k, v, s_aux / scaling)
        mask = None
        if sliding_window is not None and q.shape[2] - sinks > sliding_window:
            place = torch.arange(q.shape[2], device=q.device)
            apart = place[:, None] - place[None, :]
            mask = (apart >= 0) & ((apart < sliding_window) | (place < sinks))[None, None]
        out = sdpa_attention_forward(module, q, k, v, mask, scaling=scaling, **kwargs)[0]
        outputs.append(out[:, sinks:, :, : value.shape[-1]])
    return torch.cat(outputs, dim=1), None


def _with_sink(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, logits: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Put a token before the row whose product with every query is the head's logit and whose value is zero.

    Eight more numbers a head, not one: kernels want widths in eights.
    """
    asks = logits.to(q.dtype).view(1, -1, 1, 1).expand(-1, -1, q.shape[2], -1)
    more = torch.nn.functional.pad
    q = more(torch.cat([q, asks], dim=-1), (0, 7, 1, 0))
    k = more(k, (0, 8, 1, 0))
    k[:, :, 0, v.shape[-1]] = 1
    return q, k, more(v, (0, 8, 1, 0))


def attend_by_rows(model: PreTrainedModel) -> None:
    """Let a model that uses SDPA, or has sinks, attend row by row.

    Others mask rows that lie one behind the other by themselves; gpt-oss does not, nor does it have SDPA.
    """
    if model.config._attn_implementation == _usual(model):
        AttentionInterface.register(ROWS, rows_attention)
        AttentionMaskInterface.register(ROWS, _no_mask)
        model.set_attn_implementation(ROWS)


def attend_as_before(model: PreTrainedModel) -> None:
    """Undo it: generation keeps keys and values of earlier tokens, which rows do not."""
    if model.config._attn_implementation == ROWS:
        model.set_attn_implementation(_usual(model))


def _usual(model: PreTrainedModel) -> str:
    return "eager" if any(hasattr(module, "sinks") for module in model.modules()) else "sdpa"


def _no_mask(*_: Any, **__: Any) -> None:
    """Transformers is to make no mask: `rows_attention` needs none."""
