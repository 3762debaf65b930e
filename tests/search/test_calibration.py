"""Measured peaks correct the memory prediction, by as much as they can be trusted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from forge_assets.search.guard.calibration import HELD, UNMEASURED, Calibration, Measured, calibrate
from forge_assets.training.jobs.spec import Lora, SftJob, parse_job
from forge_assets.training.planning.memory import Prediction, predict
from forge_assets.training.planning.memory_overhead import CPU
from forge_assets.training.planning.model_shape import Shape
from tests.helpers import shape_of

A = "a" * 64
SHAPE = shape_of("smollm2-135m-instruct")
MEASURED = Path(__file__).parents[1] / "training" / "planning" / "memory_measured.json"


def prediction(batch: int, length: int = 384, **changes: Any) -> Prediction:
    given: dict[str, Any] = {"base": A, "dataset": A, "lora": Lora(rank=16, alpha=16), "learning_rate": 1.0, "steps": 1}
    return predict(SftJob(**given | changes, batch_size=batch, max_length=length), SHAPE, CPU)


def filled(said: Prediction, fill: float) -> int:
    """The peak if that share of what goes with tokens is there."""
    moments = [sum(s if name in HELD else fill * s for name, s in p.items()) for p in said.moments.values()]
    return round(max(moments))


def after(ratios: Sequence[float], batches: Sequence[int] = (1, 2, 4, 8)) -> Calibration:
    """From jobs of these batches, each peak that many times what was predicted."""
    said = [prediction(batches[at % len(batches)]) for at in range(len(ratios))]
    return calibrate([Measured(one, round(ratio * one.peak)) for one, ratio in zip(said, ratios, strict=True)])


def test_before_anything_is_measured_the_machines_margin_holds() -> None:
    said = prediction(4)
    assert calibrate([]) == UNMEASURED
    assert (UNMEASURED.safe(said), UNMEASURED.expected(said)) == (said.safe, said.peak)


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_peaks_as_predicted_never_ask_for_more_than_the_margin(count: int) -> None:
    said, found = prediction(4), after([1.0] * count)
    assert found.expected(said) == pytest.approx(said.peak, rel=1e-6)
    assert said.peak < found.safe(said) <= said.safe


def test_rows_that_are_not_full_are_told_from_what_is_held_anyway() -> None:
    """From batches of one and two rows a batch of eight is predicted, where a single factor would be far off."""
    small = [prediction(batch) for batch in (1, 2, 1, 2, 1, 2)]
    found = calibrate([Measured(one, filled(one, 0.6)) for one in small])
    large = prediction(8)
    truth = filled(large, 0.6)
    assert found.expected(large) == pytest.approx(truth, rel=0.04)
    assert truth < found.safe(large) < large.safe
    assert abs(max(filled(one, 0.6) / one.peak for one in small) * large.peak / truth - 1) > 0.08, "a single factor"


@pytest.mark.parametrize("fill", [0.4, 0.6])
def test_doubt_shrinks_with_what_is_expected(fill: float) -> None:
    """Room above the peak is a share of what short rows take, not of what full ones would have taken."""
    small, large = [prediction(batch) for batch in (1, 2, 4, 1, 2, 4)], prediction(8)
    found = calibrate([Measured(one, filled(one, fill)) for one in small])
    assert 1.05 < found.safe(large) / filled(large, fill) < 1.18


def test_peaks_above_the_prediction_ask_for_more_than_the_margin() -> None:
    said, found = prediction(4), after([1.15] * 4)
    assert found.safe(said) > 1.05 * said.safe
    assert found.expected(said) == pytest.approx(1.15 * said.peak, rel=0.02)


def test_steady_peaks_are_trusted_more_than_scattered_ones_and_many_more_than_few() -> None:
    said = prediction(4)

    def slack(found: Calibration) -> float:
        return found.safe(said) / found.expected(said)

    steady, few = after([0.8, 0.81] * 10), after([0.8, 0.81])
    scattered = after([0.7, 0.9] * 10)
    assert slack(steady) < slack(few) and slack(steady) < slack(scattered)
    assert slack(after([0.8, 0.81] * 100)) < 1.08


def test_the_order_of_trials_does_not_matter() -> None:
    said = prediction(4)
    seen = [
        Measured(prediction(batch), round(r * prediction(batch).peak)) for batch, r in ((1, 0.9), (4, 0.8), (8, 0.7))
    ]
    assert calibrate(seen).safe(said) == calibrate(seen[::-1]).safe(said)


def test_a_killed_trial_keeps_the_next_like_it_away_from_the_limit() -> None:
    """What was killed took at least what it was allowed, which is above what was thought to be safe."""
    said = prediction(8)
    found = calibrate([Measured(said, said.safe)])
    assert found.safe(said) > said.safe


def test_real_peaks_stay_under_what_the_others_of_their_model_say() -> None:
    """Every training of bench/results/memory-2026-11-25.md that no constant was chosen by, each left out in turn."""
    models: dict[str, list[Measured]] = {}
    for row in json.loads(MEASURED.read_text("utf-8")):
        job = parse_job(json.dumps(row["job"]))
        if isinstance(job, SftJob):
            said = predict(job, Shape.parse(row["config"]), CPU)
            models.setdefault(json.dumps(row["config"]), []).append(Measured(said, row["peak_rss_bytes"]))
    cases = [(jobs[:at] + jobs[at + 1 :], jobs[at]) for jobs in models.values() for at in range(len(jobs))]
    assert len(cases) > 15
    for others, left in cases:
        assert left.measured_bytes <= calibrate(others).safe(left.prediction)


@pytest.mark.parametrize(("count", "quantile"), [(10, 3.306878), (30, 3.231709), (90, 3.159539)])
def test_the_bound_is_the_quantile_of_students_t_that_tables_give(count: int, quantile: float) -> None:
    """Degrees of freedom: 30 from before, and one a peak."""
    assert after([1.0] * count).quantile == pytest.approx(quantile, abs=1e-6)


def test_a_peak_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="measured_bytes 0: give the peak in bytes, or leave the trial out"):
        Measured(prediction(1), 0)
