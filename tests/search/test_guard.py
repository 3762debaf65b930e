"""Before a trial runs it is made to fit, at the least cost to what it would teach."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from forge_assets.search.guard.calibration import Measured, calibrate
from forge_assets.search.guard.guard import DoesNotFit, guard
from forge_assets.training.jobs.spec import Lora, SftJob
from forge_assets.training.planning.memory import predict
from forge_assets.training.planning.memory_overhead import CPU, CUDA
from tests.helpers import sft_job, shape_of

SHAPE = shape_of("smollm2-135m-instruct")
HEADED = ("q_proj", "v_proj", "lm_head")


def _job(**changes: Any) -> SftJob:
    return sft_job(**{"lora": Lora(rank=32, alpha=64), "max_length": 384} | changes)


def _need(job: SftJob, **changes: Any) -> int:
    return predict(job.model_copy(update=changes), SHAPE, CPU).safe


def test_a_job_that_fits_is_left_alone() -> None:
    job = _job()
    allowed = guard(job, SHAPE, CPU, _need(job))
    assert (allowed.job, allowed.interventions, allowed.predicted_bytes) == (job, (), _need(job))


def test_the_first_step_is_fewer_rows_at_once_with_the_same_gradient() -> None:
    job = _job(accumulation=3)
    allowed = guard(job, SHAPE, CPU, _need(job) - 1)
    assert allowed.job == job.model_copy(update={"batch_size": 2, "accumulation": 6})
    [said] = allowed.interventions
    assert (said.rule, said.parameter, said.before, said.after) == ("batch x sequence length", "batch_size", 4, 2)
    assert f"{_need(job) / 1e9:.2f} GB predicted, {(_need(job) - 1) / 1e9:.2f} GB allowed: activations" in said.reason


@pytest.mark.parametrize(("batch", "splits"), [(8, (4, 2, 1)), (6, (3, 2, 1)), (5, (1,))])
def test_a_batch_is_split_once_and_no_further_than_needed(batch: int, splits: tuple[int, ...]) -> None:
    job = _job(batch_size=batch)
    for rows in splits:
        allowed = guard(job, SHAPE, CPU, _need(job, batch_size=rows, accumulation=batch // rows))
        assert (allowed.job.batch_size, len(allowed.interventions)) == (rows, 1)
        assert allowed.job.batch_size * allowed.job.accumulation == batch


def test_checkpointing_comes_before_what_changes_the_adapter() -> None:
    job = _job(batch_size=1, lora=Lora(rank=32, alpha=64, target_modules=HEADED))
    allowed = guard(job, SHAPE, CPU, _need(job) - 1)
    assert allowed.job == job.model_copy(update={"gradient_checkpointing": True})
    assert [said.rule for said in allowed.interventions] == ["layers x sequence length"]


def test_the_output_layer_is_left_out_before_the_rank_is_cut() -> None:
    job = _job(batch_size=1, gradient_checkpointing=True, lora=Lora(rank=32, alpha=64, target_modules=HEADED))
    allowed = guard(job, SHAPE, CPU, _need(job) - 1)
    assert allowed.job.lora == Lora(rank=32, alpha=64, target_modules=HEADED[:2])
    [said] = allowed.interventions
    assert (said.rule, said.before, said.after) == ("lm_head x rank", HEADED, HEADED[:2])


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"max_length": 256}, "rank x matrices"),
        ({"max_length": 16384}, "rank x sequence length"),
        ({"max_length": 256, "lora": Lora(rank=32, alpha=64, target_modules=("lm_head",))}, "lm_head x rank"),
    ],
)
def test_a_rank_is_halved_with_its_ratio_kept_under_the_rule_of_what_holds_the_memory(
    changes: dict[str, Any], rule: str
) -> None:
    job = _job(batch_size=1, gradient_checkpointing=True, **changes)
    allowed = guard(job, SHAPE, CPU, _need(job) - 1)
    [said] = allowed.interventions
    assert (said.rule, said.parameter, said.before, said.after) == (rule, "rank", 32, 16)
    assert allowed.job.lora and (allowed.job.lora.rank, allowed.job.lora.alpha) == (16, 32)
    deeper = guard(job, SHAPE, CPU, _need(job, lora=job.lora and job.lora.model_copy(update={"rank": 4, "alpha": 8})))
    assert [(one.before, one.after) for one in deeper.interventions] == [(32, 4)], "one step, to the rank that fits"


def _undone(allowed: SftJob, asked: SftJob, parameters: tuple[str, ...]) -> SftJob:
    """The job that runs, but these parameters as they were asked for."""
    assert asked.lora and allowed.lora
    back = {name: getattr(asked.lora, name) for name in ("target_modules",) if name in parameters}
    if "rank" in parameters:
        back |= {"rank": asked.lora.rank, "alpha": asked.lora.alpha}
    change: dict[str, Any] = {"lora": allowed.lora.model_copy(update=back)}
    if "batch_size" in parameters:
        change |= {"batch_size": asked.batch_size, "accumulation": asked.accumulation}
    if "gradient_checkpointing" in parameters:
        change["gradient_checkpointing"] = False
    return allowed.model_copy(update=change)


def test_at_every_envelope_it_fits_by_no_step_too_many_and_is_refused_only_where_nothing_fits() -> None:
    job = _job(lora=Lora(rank=32, alpha=64, target_modules=HEADED))
    least = _job(
        batch_size=1, accumulation=4, gradient_checkpointing=True,
        lora=Lora(rank=1, alpha=2, target_modules=HEADED[:2]),
    )  # fmt: skip
    taken = set()
    for share in (0.0, 0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9):
        envelope = _need(least) + share * (_need(job) - _need(least))
        allowed = guard(job, SHAPE, CPU, envelope)
        assert allowed.predicted_bytes == predict(allowed.job, SHAPE, CPU).safe <= envelope
        assert allowed == guard(job, SHAPE, CPU, envelope)
        assert allowed.job.batch_size * allowed.job.accumulation == 4, "the gradient is that of the job asked for"
        parameters = tuple(said.parameter for said in allowed.interventions)
        for count in range(1, len(parameters) + 1):
            for some in combinations(parameters, count):
                assert predict(_undone(allowed.job, job, some), SHAPE, CPU).safe > envelope
        taken.add(parameters)
    assert max(map(len, taken)) == 4 and min(map(len, taken)) == 1
    with pytest.raises(DoesNotFit):
        guard(job, SHAPE, CPU, _need(least) - 1)


def test_a_model_that_fits_in_no_way_is_refused_with_the_mend() -> None:
    with pytest.raises(DoesNotFit, match="1.00 GB allowed, at batch 1 with .* rank 1: choose a smaller model, a short"):
        guard(_job(), SHAPE, CPU, 1e9)
    with pytest.raises(DoesNotFit, match="checkpointing: choose"):
        guard(_job(lora=None), SHAPE, CPU, 1e9)


def test_learned_tokens_that_are_fewer_than_all_need_less() -> None:
    job = _job(lora=Lora(rank=32, alpha=64, target_modules=HEADED))
    envelope = predict(job, SHAPE, CUDA, completion=0.3).safe
    assert guard(job, SHAPE, CUDA, envelope).interventions
    assert not guard(job, SHAPE, CUDA, envelope, completion=0.3).interventions


@pytest.mark.parametrize(("ratio", "rows"), [(0.8, 4), (1.2, 2)])
def test_it_asks_for_what_earlier_peaks_say(ratio: float, rows: int) -> None:
    """Peaks below the prediction let a job through that was refused, and those above make one smaller that was not."""
    job = _job()
    seen = [predict(_job(batch_size=batch), SHAPE, CPU) for batch in (1, 2, 4, 2, 1, 2)]
    found = calibrate([Measured(one, round(ratio * one.peak)) for one in seen])
    allowed = guard(job, SHAPE, CPU, _need(job) * (0.97 if ratio < 1 else 1.03), found)
    assert allowed.job.batch_size == rows
    assert allowed.predicted_bytes == found.safe(predict(allowed.job, SHAPE, CPU))
