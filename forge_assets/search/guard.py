"""Before a trial runs: does it fit the memory envelope, and if not, the least damaging step that makes it fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from forge_assets.training.job import SftJob
from forge_assets.training.machines import Machine
from forge_assets.training.memory import predict
from forge_assets.training.placement import DoesNotFit
from forge_assets.training.shapes import Shape


@dataclass(frozen=True)
class Guarded:
    """The job that may run and, in words, every step taken away from the one asked for."""

    job: SftJob
    predicted_bytes: int
    interventions: tuple[str, ...]


def guard(job: SftJob, shape: Shape, machine: Machine, envelope_bytes: float) -> Guarded:
    """Downgrade until the prediction and its margin fit: divide the batch (the gradient stays the same through
    accumulation), then checkpoint activations, then halve the rank.

    Raises:
        DoesNotFit: the model is too large for the envelope in any of these ways.
    """
    said: list[str] = []
    while (need := predict(job, shape, machine).safe) > envelope_bytes:
        gigabytes = f"{need / 1e9:.1f} GB predicted with its margin, {envelope_bytes / 1e9:.1f} GB allowed"
        change: dict[str, Any]
        if job.batch_size > 1:
            less = next(b for b in range(job.batch_size // 2, 0, -1) if job.batch_size % b == 0)
            change = {"batch_size": less, "accumulation": job.accumulation * job.batch_size // less}
            said.append(f"batch {job.batch_size} to {less} with accumulation: {gigabytes}")
        elif not job.gradient_checkpointing:
            change = {"gradient_checkpointing": True}
            said.append(f"gradient checkpointing on: {gigabytes}")
        elif job.lora is not None and job.lora.rank > 4:
            rank = job.lora.rank // 2
            smaller = {"rank": rank, "alpha": max(1, job.lora.alpha // 2)}
            change = {"lora": job.lora.model_copy(update=smaller)}
            said.append(f"rank {job.lora.rank} to {rank}: {gigabytes}")
        else:
            raise DoesNotFit(f"{gigabytes}, at batch 1 with gradient checkpointing: choose a smaller model")
        job = job.model_copy(update=change)
    return Guarded(job, need, tuple(said))
