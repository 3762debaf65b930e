"""What a chain of jobs needs before anything runs: memory against the envelope, tokens, time and money, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forge_assets.training.jobs.spec import EvaluateJob, GenerateJob, GgufAnswersJob, GgufJob, GrpoJob, Lora, SftJob
from forge_assets.training.planning.gguf_needs import GgufPlanned, gguf_memory, gguf_work
from forge_assets.training.planning.memory import PROMPT, Planned, Prediction, predict
from forge_assets.training.planning.memory_overhead import CPU
from forge_assets.training.planning.model_shape import Shape
from forge_assets.training.planning.placement import DoesNotFit, machine, place
from forge_assets.training.planning.speed import Work, evaluation, generation, training
from forge_resources.config.hardware import Device
from forge_resources.config.profile import Hardware, Loading
from forge_resources.presentation.text_table import TextTable


@dataclass(frozen=True)
class JobPlan:
    """A job of the chain, as a profile asks for it.

    Attributes:
        times: how often it runs.
        prompts: answered by it, for generation, each of `prompt` tokens; for evaluation, its rows.
        adapter: that a GRPO job goes on with.
    """

    title: str
    job: Planned | GgufPlanned
    shape: Shape
    loading: Loading
    times: int = 1
    prompts: int = 0
    prompt: int = PROMPT
    adapter: Lora | None = None


@dataclass(frozen=True)
class Line:
    """A job as it will run; `refused` says why it cannot."""

    asked: JobPlan
    job: Planned | GgufPlanned
    prediction: Prediction | None
    work: Work
    refused: str = ""


def plan(plans: Sequence[JobPlan], hardware: Hardware) -> list[Line]:
    """Place every job of a chain."""
    return [_line(asked, hardware) for asked in plans]


def _line(asked: JobPlan, hardware: Hardware) -> Line:
    device, job = hardware.row, asked.job
    if isinstance(job, SftJob | GrpoJob):
        try:
            placed = place(job, asked.shape, hardware, asked.loading, asked.adapter)
        except DoesNotFit as error:
            return Line(asked, job, None, Work(0, 0.0), str(error))
        work = training(placed.job, asked.shape, device, asked.adapter)
        return Line(asked, placed.job, placed.prediction, _times(work, asked))
    envelope = hardware.memory_gb * 1e9
    work = Work(0, 0.0)
    if isinstance(job, GgufJob | GgufAnswersJob):
        prediction = gguf_memory(job, asked.shape, asked.prompt)
        work = _times(gguf_work(job, asked.shape, asked.prompts, asked.prompt), asked)
    else:
        prediction = predict(job, asked.shape, machine(device), prompt=asked.prompt)
    if isinstance(job, GenerateJob):
        work = _times(generation(job, asked.shape, device, asked.prompts, asked.prompt), asked)
    elif isinstance(job, EvaluateJob):
        work = _times(evaluation(job, asked.shape, device, asked.prompts), asked)
    if prediction.safe <= envelope:
        return Line(asked, job, prediction, work)
    need = f"needs {prediction.safe / 1e9:.0f} GB with its margin, {hardware.memory_gb:g} GB are allowed"
    return Line(asked, job, prediction, work, f"{need}: {_smaller(asked, device, envelope)}")


def _smaller(asked: JobPlan, device: Device, envelope: float) -> str:
    """What would make answers fit."""
    job = asked.job
    if isinstance(job, GenerateJob):
        for rows in range(job.sampling.batch_size - 1, 0, -1):
            sampling = job.sampling.model_copy(update={"batch_size": rows})
            fewer = job.model_copy(update={"sampling": sampling})
            if predict(fewer, asked.shape, machine(device), prompt=asked.prompt).safe <= envelope:
                return f"answers.batch_size {rows}"
    return "hold the weights in nf4, or choose a smaller model"


def _times(work: Work, asked: JobPlan) -> Work:
    return Work(work.tokens * asked.times, work.seconds * asked.times)


def table(name: str, hardware: Hardware, lines: Sequence[Line]) -> TextTable:
    """The plan as a person reads it."""
    device = hardware.row
    envelope = f"{hardware.count} x {hardware.name}, {hardware.memory_gb:g} GB each"
    return TextTable(
        head=("job", "runs as", "peak GB", "of it", "tokens", "time", "USD"),
        rows=tuple(_row(line, hardware) for line in lines),
        title=f"{name}: {envelope}, {device.usd_hour:g} USD an hour each (an example: see hardware.yaml)",
        note=_note(lines, device),
        left=frozenset({0, 1, 3}),
    )


def _note(lines: Sequence[Line], device: Device) -> str:
    if refused := [line for line in lines if line.refused]:
        return "\n".join(f"{line.asked.title} does not fit: {line.refused}" for line in refused)
    tokens, seconds = sum(line.work.tokens for line in lines), sum(line.work.seconds for line in lines)
    money = sum(_usd(line, device) for line in lines)
    return f"In all {_count(tokens)} tokens, {_span(seconds)}, {money:.2f} USD. {_caveat(device)}"


def _row(line: Line, hardware: Hardware) -> tuple[str, ...]:
    title = line.asked.title + (f" x {line.asked.times}" if line.asked.times > 1 else "")
    if line.prediction is None:
        return (title, "does not fit", "-", "", "-", "-", "-")
    worst = f"{line.prediction.safe / 1e9:.1f}" + ("!" if line.refused else "")
    return (
        title,
        _way(line.job),
        worst,
        _parts(line.prediction),
        _count(line.work.tokens),
        _span(line.work.seconds),
        f"{_usd(line, hardware.row):.2f}",
    )


def _way(job: Planned | GgufPlanned) -> str:
    """e.g. `bf16 nf4, 1 x 8 rows, checkpoints`."""
    if isinstance(job, GgufAnswersJob):
        return f"{job.file}, {job.slots} slots"
    words = {"float32": "fp32", "bfloat16": "bf16"}[job.precision]
    if isinstance(job, GgufJob):
        return words
    words += "" if job.quantisation == "none" else f" {job.quantisation}"
    if isinstance(job, GenerateJob):
        return f"{words}, {job.sampling.batch_size} rows"
    if isinstance(job, EvaluateJob):
        return f"{words}, {job.batch_size} rows"
    words += f", {job.batch_size} x {job.accumulation} rows"
    if job.processes > 1:
        words += f" on {job.processes}" + (", sharded" if job.sharding == "full" else "")
    return words + (", checkpoints" if job.gradient_checkpointing else "")


def _parts(prediction: Prediction) -> str:
    """The three largest parts of the peak, and the margin."""
    largest = sorted(prediction.parts.items(), key=lambda item: -item[1])[:3]
    told = [f"{part} {size / 1e9:.1f}" for part, size in largest if size]
    return ", ".join([*told, f"margin {(prediction.safe - prediction.peak) / 1e9:.1f}"])


def _usd(line: Line, device: Device) -> float:
    count = line.job.processes if isinstance(line.job, SftJob | GrpoJob) else 1
    return line.work.seconds / 3600 * count * device.usd_hour


def _count(tokens: int) -> str:
    for size, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if tokens >= size:
            return f"{tokens / size:.1f}{name}"
    return str(tokens)


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _caveat(device: Device) -> str:
    if machine(device) is CPU:
        return "Memory was measured on CPUs (docs/plan.md); rows are taken as full and answers as long as allowed."
    return "No figure was measured on this device; rows are taken as full and answers as long as allowed."
