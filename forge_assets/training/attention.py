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

ROWS = "sdpa_rows"
"""Name under which Transformers knows it."""


def rows_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,  # by `_no_mask`
    cu_seq_lens_q: torch.Tensor | None = None,
    sliding_window: int | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each row.

    Args:
        query: 1 x heads x tokens x width; key and value alike.
        cu_seq_lens_q: where each row begins, and the number of tokens at the end; None for a single row.
        sliding_window: how many tokens back a layer sees; None for all.

    Returns:
        1 x tokens x heads x width.
    """
    tokens = query.shape[2]
    bounds = [0, tokens] if cu_seq_lens_q is None else cu_seq_lens_q.tolist()
    assert attention_mask is None
    lengths = [end - start for start, end in pairwise(bounds)]
    outputs = []
    for q, k, v in zip(query.split(lengths, 2), key.split(lengths, 2), value.split(lengths, 2), strict=True):
        mask = None
        if sliding_window is not None and q.shape[2] > sliding_window:
            apart = torch.arange(q.shape[2], device=q.device)
            apart = apart[:, None] - apart[None, :]
            mask = ((apart >= 0) & (apart < sliding_window))[None, None]
        outputs.append(sdpa_attention_forward(module, q, k, v, mask, **kwargs)[0])
    return torch.cat(outputs, dim=1), None


def attend_by_rows(model: PreTrainedModel) -> None:
    """Let a model that uses SDPA attend row by row; others mask rows that lie one behind the other by themselves."""
    if model.config._attn_implementation == "sdpa":
        AttentionInterface.register(ROWS, rows_attention)
        AttentionMaskInterface.register(ROWS, _no_mask)
        model.set_attn_implementation(ROWS)


def attend_as_before(model: PreTrainedModel) -> None:
    """Undo it: generation keeps keys and values of earlier tokens, which rows do not."""
    if model.config._attn_implementation == ROWS:
        model.set_attn_implementation("sdpa")


def _no_mask(*_: Any, **__: Any) -> None:
    """Transformers is to make no mask: `rows_attention` needs none."""
