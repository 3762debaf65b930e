"""What making GGUF files and answering with them needs, memory and time, from the model's config alone.

Both run on the processor, whatever trains beside it: times are those of the row `cpu` of `hardware.yaml`, two cores.
Making: the merged weights are held while the f16 file is written; what is quantised is held a matrix at a time.
Answering: a step moves every weight once, in the file's bits; keys and values are in 16 bits; all slots share a step.
"""

from __future__ import annotations

from forge_assets.training.jobs.spec import GgufAnswersJob, GgufJob, GgufType
from forge_assets.training.planning.memory import Prediction
from forge_assets.training.planning.memory_overhead import CPU
from forge_assets.training.planning.model_shape import Shape
from forge_assets.training.planning.speed import Work
from forge_resources.config.hardware import Device, devices

BITS: dict[GgufType, float] = {"f16": 16.0, "q8_0": 8.5, "q4_k_m": 4.9}
"""Of a weight, its block's scales included; q4_k_m as of models whose rows fill super-blocks."""
MADE_A_SECOND = 25e6
"""Weights that are merged, converted and quantised in a second: 77 million in 3.1 s on two cores, 2026-12-01."""
UBATCH = 512
"""Tokens of prompts that llama.cpp takes in at once."""

GgufPlanned = GgufJob | GgufAnswersJob


def gguf_memory(job: GgufPlanned, shape: Shape, prompt: int) -> Prediction:
    """Peak memory of a job: `prompt` tokens and an answer for each slot."""
    runtime = {"runtime": CPU.runtime}
    if isinstance(job, GgufJob):
        width = 2 if job.precision == "bfloat16" else 4
        matrix = max(shape.embedding, shape.hidden * shape.intermediate * max(shape.experts, 1))
        moments = {
            "merging": runtime | {"weights": shape.parameters * width},
            "quantising": runtime | {"file": shape.parameters * 2, "buffers": matrix * 5},
        }
    else:
        length = prompt + job.max_new_tokens
        moments = {
            "answering": runtime
            | {
                "weights": round(shape.parameters * BITS[job.file] / 8),
                "cache": job.slots * length * shape.layers * shape.key * 2 * 2,
                "logits": UBATCH * shape.vocabulary * 4,
            }
        }
    return Prediction(moments, CPU.margin)


def gguf_work(job: GgufPlanned, shape: Shape, prompts: int, prompt: int) -> Work:
    """Tokens and seconds; answers are taken as long as allowed."""
    if isinstance(job, GgufJob):
        return Work(0, shape.parameters / MADE_A_SECOND)
    device: Device = devices()["cpu"]
    peak = device.tflops * 1e12 * device.mfu
    moved = shape.active * BITS[job.file] / 8 / (device.bandwidth * 1e9)
    step = max(moved, 2 * job.slots * shape.active / peak)
    rounds = -(-prompts // job.slots)
    read = prompts * prompt * 2 * shape.active / peak
    return Work(prompts * job.max_new_tokens, rounds * job.max_new_tokens * step + read)
