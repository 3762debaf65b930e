"""Bytes that a training step keeps for its way back, from what Transformers' layers, PEFT and autograd save.

Korthikanti et al. 2022 (arXiv 2205.05198, eq. 2) count a GPT layer of 2022 as `tokens x (34 hidden + 5 heads x
length)` bytes. Today's layers differ: fused attention keeps no square, norms are in fp32 without a bias, the MLP is
gated, keys are fewer than queries, and a frozen matrix keeps nothing while its LoRA keeps its input. So each tensor
is counted here, as found with `torch.autograd.graph.saved_tensors_hooks` on each family (see tests).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forge_assets.training.jobs.spec import Lora
from forge_assets.training.planning.model_shape import ATTENTION, HEAD, MLP, Shape


@dataclass(frozen=True)
class Step:
    """How a batch passes through the layers.

    Attributes:
        tokens: of the whole batch of a process, laid one row behind the other.
        row: tokens of a row.
        width: bytes of a value, 4 or 2; at 2 norms are still computed in fp32 and every LoRA casts its own input.
        lora: None where all weights are trained.
        mask_bytes: bytes of a value of a dropout mask.
    """

    tokens: int
    row: int
    width: int
    lora: Lora | None
    mask_bytes: int


def layer_bytes(shape: Shape, step: Step) -> int:
    """Kept by one layer. The mean of sliding and other layers."""
    per_token = _norms(shape, step) + _attention(shape, step) + _mlp(shape, step)
    return step.tokens * per_token + _adapter_copies(shape, step)


def passing_bytes(shape: Shape, step: Step) -> int:
    """Made and dropped again inside one layer on the way back: gradients of what it kept last."""
    inner = (shape.top_k or 1) * shape.intermediate
    return step.tokens * step.width * (4 * inner + 3 * shape.hidden)


def checkpoint_bytes(shape: Shape, step: Step) -> int:
    """Kept by one layer that will be computed again: its input."""
    return step.tokens * shape.hidden * step.width


def head_bytes(shape: Shape, step: Step, learned: int) -> int:
    """Kept for an adapter of the output layer, which sees `learned` tokens only; a frozen one keeps nothing."""
    if step.lora is None or HEAD not in shape.targets(step.lora.target_modules):
        return 0
    copies = step.lora.rank * (shape.hidden + shape.vocabulary) * step.width if step.width == 2 else 0
    return learned * _inputs(shape, shape.hidden, (HEAD,), step) + copies


def _norms(shape: Shape, step: Step) -> int:
    """Inputs in fp32, and where their weights are trained what these are multiplied with."""
    widths = shape.norms * shape.hidden + (shape.query + shape.key if shape.head_norms else 0)
    # Gemma multiplies before it goes back to 16 bits.
    multiplied = 4 if shape.family == "gemma3_text" else step.width
    return widths * (4 + (0 if step.lora else multiplied))


def _attention(shape: Shape, step: Step) -> int:
    """Queries, keys, values and output as the kernel keeps them, and the input of each projection."""
    width, w = shape.head_dim + (8 if shape.sinks else 0), step.width  # a sink is eight more numbers a head
    q, k = shape.heads * width, shape.kv_heads * width
    kept = w * (2 * q + 2 * k) + 4 * shape.heads
    if shape.window is not None and step.row > shape.window:
        # A masked kernel takes keys repeated, and the mask as numbers.
        masked = w * (2 * q - 2 * k + step.row)
        kept += masked * shape.sliding_layers // shape.layers
    return kept + _inputs(shape, shape.hidden, ATTENTION[:3], step) + _inputs(shape, shape.query, ATTENTION[3:], step)


def _mlp(shape: Shape, step: Step) -> int:
    """Gate, its activation, what it gates and their product; with experts once for each that a token goes through."""
    h, i, w, k = shape.hidden, shape.intermediate, step.width, shape.top_k
    if not shape.experts:
        return 3 * w * i + _inputs(shape, h, MLP[:2], step) + _inputs(shape, i, MLP[2:], step)
    # gpt-oss clamps gate and value: 2 as computed, gate clamped, sigmoid, value plus one, gated.
    kept = w * k * (6 * i + h)
    if step.lora is None or step.lora.experts:
        kept += w * k * (i + h)  # inputs of both projections
    if step.lora is None:
        kept += w * h  # the router's
    return kept


def _inputs(shape: Shape, size: int, names: Sequence[str], step: Step) -> int:
    """Inputs of matrices that share theirs: kept once, but by each LoRA that casts it or drops some of it.

    A frozen matrix without LoRA keeps none.
    """
    if step.lora is None:
        return step.width * size
    modules = len(shape.targets(step.lora.target_modules) & set(names))
    if not modules:
        return 0
    rank = step.lora.rank * step.width * modules
    if step.lora.dropout:
        return modules * size * (step.width + step.mask_bytes) + rank
    return (step.width * size * (modules if step.width == 2 else 1)) + rank


def _adapter_copies(shape: Shape, step: Step) -> int:
    """Adapters are in fp32; computing in 16 bits keeps a copy."""
    if step.lora is None or step.width == 4:
        return 0
    inside = shape.targets(step.lora.target_modules) - {HEAD}
    return shape.adapter(step.lora.rank, step.lora.experts, inside) // shape.layers * step.width
