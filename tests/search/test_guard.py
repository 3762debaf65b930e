"""Before a trial runs it is made to fit, at the least cost to what it would teach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forge_assets.search.guard import DoesNotFit, guard
from forge_assets.training.job import Lora, SftJob
from forge_assets.training.machines import CPU
from forge_assets.training.memory import predict
from forge_assets.training.shapes import Shape
from forge_resources.models import ModelLibrary

A = "a" * 64
SHAPE = Shape.parse(ModelLibrary(Path("nowhere")).config("smollm2-135m-instruct"))


def _job(**changes: Any) -> SftJob:
    defaults: dict[str, Any] = {
        "base": A, "dataset": A, "lora": Lora(rank=32, alpha=64), "learning_rate": 1e-3,
        "batch_size": 4, "steps": 10, "max_length": 384,
    }  # fmt: skip
    return SftJob(**defaults | changes)


def _need(job: SftJob, **changes: Any) -> int:
    return predict(job.model_copy(update=changes), SHAPE, CPU).safe


def test_a_job_that_fits_is_left_alone() -> None:
    job = _job()
    allowed = guard(job, SHAPE, CPU, _need(job))
    assert (allowed.job, allowed.interventions, allowed.predicted_bytes) == (job, (), _need(job))


def test_the_first_step_is_half_the_batch_with_the_same_gradient() -> None:
    job = _job(accumulation=3)
    allowed = guard(job, SHAPE, CPU, _need(job) - 1)
    assert allowed.job == job.model_copy(update={"batch_size": 2, "accumulation": 6})
    [said] = allowed.interventions
    assert said.startswith("batch 4 to 2 with accumulation: ")
    assert "GB predicted" in said and "GB allowed" in said


def test_checkpointing_comes_before_a_smaller_rank() -> None:
    job = _job(batch_size=1)
    allowed = guard(job, SHAPE, CPU, _need(job) - 1)
    assert allowed.job == job.model_copy(update={"gradient_checkpointing": True})


def test_the_rank_is_halved_last_and_keeps_its_ratio() -> None:
    job = _job(batch_size=1, gradient_checkpointing=True)
    allowed = guard(job, SHAPE, CPU, _need(job) - 1)
    assert allowed.job.lora == Lora(rank=16, alpha=32)
    assert allowed.interventions[0].startswith("rank 32 to 16: ")


def test_no_step_is_taken_that_was_not_needed() -> None:
    job, ladder = _job(), {0: _need(_job())}
    smallest = _need(job, batch_size=1, accumulation=4, gradient_checkpointing=True, lora=Lora(rank=4, alpha=8))
    for envelope in range(_need(job), smallest, -50_000_000):
        allowed = guard(job, SHAPE, CPU, envelope)
        assert allowed.predicted_bytes == predict(allowed.job, SHAPE, CPU).safe <= envelope
        assert allowed.job.batch_size * allowed.job.accumulation == 4, "the gradient is that of the job asked for"
        words = [said.split()[0] for said in allowed.interventions]
        assert words == sorted(words, key=("batch", "gradient", "rank").index)
        assert all(need > envelope for steps, need in ladder.items() if steps < len(words))
        ladder[len(words)] = allowed.predicted_bytes
    assert len(ladder) > 4


@pytest.mark.parametrize("batch", [3, 5, 6])
def test_an_odd_batch_keeps_its_gradient_too(batch: int) -> None:
    job = _job(batch_size=batch)
    allowed = guard(job, SHAPE, CPU, _need(job, batch_size=1))
    assert allowed.job.batch_size * allowed.job.accumulation == batch


def test_a_model_that_fits_in_no_way_is_refused_with_the_mend() -> None:
    with pytest.raises(DoesNotFit, match="1.0 GB allowed, at batch 1 with gradient checkpointing: choose a smaller"):
        guard(_job(), SHAPE, CPU, 1e9)
    with pytest.raises(DoesNotFit):
        guard(_job(lora=None), SHAPE, CPU, 1e9)
