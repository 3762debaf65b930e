"""How long a job takes on a device, from operations and bytes: an estimate to plan and to choose by, not a promise.

Training: 6 operations a weight and token, 2 forward and 4 back (Kaplan et al. 2020, arXiv 2001.08361, section 2.1).
Frozen weights get no gradient: with LoRA 4, and 6 for the adapter. Checkpointed layers are computed once more: 2.
Attention: 2 x 2 x query width x length / 2 for a causal token forward, twice that back. A device does `mfu` of its
peak; sharded, weights travel three times a step beside that (two gathers, one reduction).

Generation: a step moves all weights that its rows use and their cache once, at the device's bandwidth, and needs
2 operations a weight and row; the larger of the two counts. Transformers starts kernels layer by layer: `step_ms`.
"""

from __future__ import annotations

from dataclasses import dataclass

from forge_assets.training.jobs.spec import (
    EvaluateJob,
    GenerateJob,
    GrpoJob,
    Lora,
    Precision,
    Quantisation,
    SftJob,
    TrainingJob,
)
from forge_assets.training.planning.memory import NF4_BYTES, PROMPT, adapter_of, trained
from forge_assets.training.planning.model_shape import Shape
from forge_resources.config.hardware import Device

SLOWER: dict[Quantisation, float] = {"none": 1.0, "int8": 1.5, "nf4": 1.25}
"""What making weights from 8 or 4 bits costs a step; Dettmers et al. 2023 report QLoRA some 25% slower than LoRA."""

FP32_SHARE = 67 / 989
"""Of a GPU's bf16 peak, what it does in fp32: data sheet of the H100."""

FULL_SPEED_TOKENS = 1024
"""Tokens of a batch from which a GPU does what `mfu` says; with fewer it idles. CPUs are busy with any."""


@dataclass(frozen=True)
class Work:
    """What a job does."""

    tokens: int
    seconds: float


def training(job: TrainingJob, shape: Shape, device: Device, adapter: Lora | None = None) -> Work:
    """All steps of a training, all processes together. SFT rows are taken as full.

    Args:
        adapter: of a GRPO job, see `predict`.
    """
    rows = job.batch_size * job.accumulation * job.processes
    prompt = min(PROMPT, job.max_prompt) if isinstance(job, GrpoJob) else 0
    length = job.max_length if isinstance(job, SftJob) else prompt + job.max_new_tokens
    tokens = rows * length * job.steps
    seconds = _train_seconds(job, adapter_of(job, adapter), shape, device, tokens, job.batch_size * length)
    if isinstance(job, GrpoJob):
        drawn = _decode(shape, device, rows // job.processes, prompt, job.max_new_tokens, job.quantisation)
        if job.sharding == "full" and job.processes > 1:
            # Every token gathers all weights anew.
            drawn = max(drawn, job.max_new_tokens * shape.parameters * 2 / (device.link * 1e9 / 2))
        # Besides, one forward pass for the log-probabilities before the update.
        seconds += job.steps * drawn + seconds / 3
    return Work(tokens, seconds)


def generation(job: GenerateJob, shape: Shape, device: Device, prompts: int, prompt: int) -> Work:
    """Answers to `prompts` prompts of `prompt` tokens, each to its full length."""
    sampling = job.sampling
    batches = -(-prompts // sampling.batch_size)
    rows = min(prompts, sampling.batch_size)
    one = _decode(shape, device, rows, prompt, sampling.max_new_tokens, job.quantisation)
    return Work(prompts * sampling.max_new_tokens, batches * one)


def evaluation(job: EvaluateJob, shape: Shape, device: Device, rows: int) -> Work:
    """One pass over rows, taken as full, without learning from them."""
    tokens = rows * job.max_length
    peak = _peak(device, job.precision, job.batch_size * job.max_length)
    return Work(tokens, 2 * _forward(shape, job.max_length) * tokens / peak * SLOWER[job.quantisation])


def _forward(shape: Shape, length: int) -> int:
    """Multiplications of a token in one pass, those of causal attention included."""
    return shape.active + shape.layers * shape.query * length


def _peak(device: Device, precision: Precision, batch_tokens: int) -> float:
    """Operations a second that a device does of matrix products."""
    peak = device.tflops * 1e12 * device.mfu
    if device.bf16 and precision == "float32":
        peak *= FP32_SHARE
    if device.device == "cuda":
        peak *= min(1.0, 2 * batch_tokens / (batch_tokens + FULL_SPEED_TOKENS))
    return peak


def _train_seconds(
    job: TrainingJob, lora: Lora | None, shape: Shape, device: Device, tokens: int, batch_tokens: int
) -> float:
    length = batch_tokens // job.batch_size
    again = 2 if job.gradient_checkpointing else 0
    each = _forward(shape, length) * ((4 if lora else 6) + again) + (6 * trained(lora, shape) if lora else 0)
    compute = each * tokens / job.processes / _peak(device, job.precision, batch_tokens) * SLOWER[job.quantisation]
    if job.sharding == "none" or job.processes == 1:
        return compute
    passes = job.steps * job.accumulation
    moved = 3 * shape.parameters * 2 * passes / (device.link * 1e9 / 2)
    return max(compute, moved)


def _decode(shape: Shape, device: Device, rows: int, prompt: int, new: int, quantisation: Quantisation) -> float:
    """Seconds until all rows of a batch have their tokens."""
    width = 2 if device.bf16 else 4
    bits = {"none": float(width), "int8": 1.0, "nf4": NF4_BYTES}[quantisation]
    peak = device.tflops * 1e12 * device.mfu
    used = shape.linear
    if shape.experts:
        # Of E experts, rows x k draws hit E (1 - (1 - 1/E)^draws).
        share = 1 - (1 - 1 / shape.experts) ** (rows * shape.top_k)
        used = round(shape.layers * (shape.attention + shape.mlp * share))
    cache = 2 * rows * (prompt + new / 2) * shape.layers * shape.key * width
    moved = (used * bits + shape.embedding * width + cache) / (device.bandwidth * 1e9)
    computed = 2 * rows * shape.active / peak
    step = max(moved, computed) * SLOWER[quantisation] + shape.layers * device.step_ms / 1000
    return new * step + 2 * rows * prompt * shape.active / peak
