"""How a training runs: precision, quantisation, batch, checkpoints and processes, so that it fits and is fast.

Of all ways that fit with the margin the fastest is taken, and of equally fast ones that with the fewest changes. The
global batch stays as asked. What a profile fixes is not touched; quantisation, which changes what is learned, is
chosen only where nothing else fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeVar

from forge_assets.training.jobs.spec import GrpoJob, Lora, Quantisation, SftJob, TrainingJob
from forge_assets.training.planning.memory import Prediction, predict
from forge_assets.training.planning.memory_overhead import CPU, CUDA, UNIFIED, Machine
from forge_assets.training.planning.model_shape import Shape
from forge_assets.training.planning.speed import training
from forge_resources.config.hardware import Device, devices, multiplies_bfloat16
from forge_resources.config.profile import Hardware, Loading, Profile, Student, Teacher

ANY = "0" * 64
"""Stands for weights and data, which a placement does not need."""


class DoesNotFit(Exception):
    """A job fits in no way that is allowed; the message says what would make it fit."""


@dataclass(frozen=True)
class Placed:
    """A job as it can run."""

    job: TrainingJob
    prediction: Prediction


def machine(device: Device) -> Machine:
    """How a device's memory behaves."""
    if device.device == "cpu":
        return CPU
    return UNIFIED if device.unified else CUDA


def place(job: TrainingJob, shape: Shape, hardware: Hardware, fixed: Loading, adapter: Lora | None = None) -> Placed:
    """The fastest way to run a training.

    Args:
        job: as asked; `batch_size x accumulation x processes` is the global batch.
        fixed: what the profile has decided.
        adapter: of a GRPO job, see `predict`.

    Raises:
        DoesNotFit: with what would.
    """
    device = hardware.row
    envelope = hardware.memory_gb * 1e9
    tried: list[Placed] = []
    for quantisation in _quantisations(job, device, fixed):
        fitting = []
        for way in _ways(job, quantisation, device, hardware.count, fixed):
            found = Placed(way, predict(way, shape, machine(device), adapter=adapter))
            tried.append(found)
            if found.prediction.safe <= envelope:
                fitting.append(found)
        if fitting:
            return min(fitting, key=lambda placed: round(training(placed.job, shape, device, adapter).seconds, 3))
    least = min(tried, key=lambda placed: placed.prediction.safe)
    raise DoesNotFit(
        f"needs {least.prediction.safe / 1e9:.0f} GB with its margin, {hardware.memory_gb:g} GB are allowed: "
        + "; or ".join(_mends(least.job, shape, hardware, fixed, adapter))
    )


def resolve_loading(profile: Profile, teacher: Shape, student: Shape) -> Profile:
    """A profile with all that it leaves open decided for its largest trial, and for its student.

    Raises:
        DoesNotFit: one of them fits in no way.
    """
    space: dict[str, tuple[Any, ...]] = dict(profile.search.space)
    rank = int(max(space.get("rank", (16,))))
    adapter = Lora(
        rank=rank,
        alpha=rank,
        dropout=max(space.get("dropout", (0.0,))),
        target_modules=max(space.get("target_modules", ("all-linear",)), key=modules),
    )
    pupil = profile.student.lora_rank
    with_pupil = Lora(rank=pupil, alpha=pupil) if pupil else None
    return profile.model_copy(
        update={
            "teacher": _resolved(profile, profile.teacher, adapter if profile.teacher.lora else None, teacher),
            "student": _resolved(profile, profile.student, with_pupil, student),
        }
    )


def modules(targets: Any) -> int:
    """How many modules LoRA adapts in a layer; `all-linear` are seven, and the output layer is none of them."""
    return 7 if isinstance(targets, str) else len(targets)


T = TypeVar("T", Teacher, Student)


def _resolved(profile: Profile, part: T, lora: Lora | None, shape: Shape) -> T:
    native = profile.hardware.device == "cpu" and multiplies_bfloat16()
    if part.loading.compute is None and part.loading.precision is None and native:
        part = part.model_copy(update={"loading": part.loading.model_copy(update={"compute": "bfloat16"})})
    job = SftJob(
        base=ANY,
        dataset=ANY,
        lora=lora,
        learning_rate=1.0,
        batch_size=part.batch_size,
        accumulation=part.accumulation,
        steps=1,
        max_length=profile.max_length,
        **part.loading.spec,
    )
    found = place(job, shape, profile.hardware, part.loading).job
    loading = part.loading.model_copy(update={name: getattr(found, name) for name in part.loading.spec})
    return part.model_copy(
        update={"loading": loading, "batch_size": found.batch_size, "accumulation": found.accumulation}
    )


def _frozen(job: TrainingJob) -> bool:
    """Whether an adapter is trained and the weights are not."""
    return job.lora is not None if isinstance(job, SftJob) else job.adapter is not None


def _quantisations(job: TrainingJob, device: Device, fixed: Loading) -> list[Quantisation]:
    if fixed.quantisation:
        return [fixed.quantisation]
    frozen = _frozen(job)
    # On a CPU 4 bits are slower and unpack what they save; a profile may still ask for them.
    return ["none", "nf4"] if frozen and device.device == "cuda" else ["none"]


def _ways(
    job: TrainingJob, quantisation: Quantisation, device: Device, count: int, fixed: Loading
) -> Iterator[TrainingJob]:
    """Jobs that learn the same, plainest first."""
    batch = job.batch_size * job.accumulation * job.processes
    counts = [fixed.processes or max(n for n in range(1, count + 1) if batch % n == 0)]
    checkpoints = [False, True] if fixed.gradient_checkpointing is None else [fixed.gradient_checkpointing]
    frozen = _frozen(job)
    shardings = [fixed.sharding] if fixed.sharding else ["none", "full"] if frozen or max(counts) == 1 else ["full"]
    for processes, sharding, again in product(counts, shardings, checkpoints):
        if sharding == "full" and (processes == 1 or quantisation != "none"):
            continue
        # Small updates of weights in 16 bits are lost to rounding: what is trained is in 32, as FSDP holds it too.
        precision = "bfloat16" if device.bf16 and (frozen or sharding == "full") else "float32"
        share = batch // processes
        for rows in range(min(job.batch_size, share), 0, -1):
            if share % rows:
                continue
            changes: dict[str, Any] = {
                "precision": fixed.precision or precision,
                "quantisation": quantisation,
                "gradient_checkpointing": again,
                "processes": processes,
                "sharding": sharding,
                "batch_size": rows,
                "accumulation": share // rows,
            }
            yield job.model_copy(update=changes)


def _mends(job: TrainingJob, shape: Shape, hardware: Hardware, fixed: Loading, adapter: Lora | None) -> list[str]:
    """What would make it fit, in words."""
    found = []
    envelope, here = hardware.memory_gb * 1e9, machine(hardware.row)

    def need(way: TrainingJob, where: Machine) -> int:
        return predict(way, shape, where, adapter=adapter).safe

    frozen = _frozen(job)
    if not frozen:
        found.append("train an adapter instead of every weight")
    elif fixed.quantisation != "nf4":
        found.append("hold the weights in nf4")
    if fixed.gradient_checkpointing is False:
        found.append("allow gradient checkpointing")
    length = job.max_new_tokens if isinstance(job, GrpoJob) else job.max_length
    for shorter in (length // 2, length // 4):
        name = "max_new_tokens" if isinstance(job, GrpoJob) else "max_length"
        way = job.model_copy(update={name: shorter})
        if shorter >= 16 and need(way, here) <= envelope:
            found.append(f"{name} {shorter}")
            break
    for count in (2, 4, 8, 16, 32, 64):
        way = job.model_copy(update={"processes": count, "sharding": "full", "quantisation": "none"})
        if hardware.device == "cuda" and count > hardware.count and need(way, here) <= envelope:
            found.append(f"{count} such devices, sharded")
            break
    larger = [
        name
        for name, row in devices().items()
        if row.device == hardware.device
        and row.usable_gb > hardware.memory_gb
        and (job.processes == 1 or row.link >= hardware.row.link)
        and need(job, machine(row)) <= row.usable_gb * 1e9
    ]
    if larger:
        found.append(f"as many of {', '.join(larger)}")
    return found or ["choose a smaller model"]
