"""Intervals say what was not seen: none of 132 is not none."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from forge_assets.scoring.bootstrap import clustered_mean, codes, difference_interval, mean_interval


def _interval(values: list[float], cluster: list[int] | None = None) -> tuple[float, float]:
    column = np.array(values, dtype=float)[:, None]
    low, high = mean_interval(column, np.arange(len(values)) if cluster is None else np.array(cluster))
    return float(low[0]), float(high[0])


@pytest.mark.parametrize("count", [3, 20, 44, 132, 249])
def test_a_rate_that_was_never_or_always_seen_has_the_exact_interval(count: int) -> None:
    for value in (0.0, 1.0):
        exact = binomtest(int(value) * count, count).proportion_ci(method="exact")
        assert _interval([value] * count) == pytest.approx((exact.low, exact.high))


def test_none_of_132_is_at_most_3_percent() -> None:
    low, high = _interval([0.0] * 132)
    assert low == 0 and round(high, 3) == 0.028


def test_samples_of_one_scenario_count_once() -> None:
    thrice = [scenario for scenario in range(44) for _ in range(3)]
    assert _interval([0.0] * 132, thrice) == pytest.approx(_interval([0.0] * 44))


@pytest.mark.slow
def test_more_samples_never_say_less() -> None:
    highs = [_interval([0.0] * count)[1] for count in range(1, 200)]
    assert all(after < before for before, after in itertools.pairwise(highs))


@pytest.mark.parametrize("seen", [1, 3, 9])
def test_a_rare_fault_is_bounded_no_tighter_than_exactly(seen: int) -> None:
    exact = binomtest(seen, 132).proportion_ci(method="exact")
    low, high = _interval([1.0] * seen + [0.0] * (132 - seen))
    assert low <= exact.low < seen / 132 < exact.high <= high


def test_away_from_the_bounds_it_is_the_bootstrap() -> None:
    values = np.random.default_rng(0).uniform(0.2, 0.9, 132)
    low, high = _interval(list(values))
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(132), rel=0.05)


def test_models_that_never_differed_may_differ_by_as_much_as_was_not_seen() -> None:
    low, high = difference_interval(np.zeros((132, 1)), np.arange(132))
    assert (round(float(low[0]), 3), round(float(high[0]), 3)) == (-0.028, 0.028)


def test_an_interval_does_not_depend_on_the_order_of_the_samples() -> None:
    values = list(np.random.default_rng(2).uniform(0, 1, 60))
    scenarios = [f"scenario {i % 20}" for i in range(60)]
    there, back = clustered_mean(values, scenarios), clustered_mean(values[::-1], scenarios[::-1])
    assert (back.value, back.low, back.high) == pytest.approx((there.value, there.low, there.high), abs=1e-12)
    assert there.items == 60
    assert _interval(values, list(codes(scenarios))) == (there.low, there.high)


def test_labels_are_numbered_by_rank() -> None:
    assert codes(["b", "a", "c", "a"]).tolist() == [1, 0, 2, 0]
    assert codes([]).tolist() == []
