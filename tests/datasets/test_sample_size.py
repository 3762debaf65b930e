"""That the computed number of items gives the power it promises."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from bench.sample_size import detectable, detectable_graded, paired_items, paired_items_graded
from forge_assets.datasets.selection import BENCHMARK_SIZE, EXTENDED_SIZE

RUNS = 20_000
LIMIT = NormalDist().inv_cdf(0.975)


def found_binary(n: int, difference: float, discordance: float) -> float:
    """Share of simulated comparisons in which McNemar's test finds the difference."""
    better, worse = (discordance + difference) / 2, (discordance - difference) / 2
    counts = np.random.default_rng(11).multinomial(n, [better, worse, 1 - discordance], size=RUNS)
    b, c = counts[:, 0], counts[:, 1]
    return float((np.abs(b - c) > LIMIT * np.sqrt(np.maximum(b + c, 1))).mean())


def found_graded(n: int, difference: float, sd: float) -> float:
    """Share of simulated comparisons in which a paired z-test finds the difference; scores are skewed."""
    draws = np.random.default_rng(12).exponential(sd, size=(4_000, n)) - sd + difference
    return float((np.abs(draws.mean(axis=1)) > LIMIT * draws.std(axis=1, ddof=1) / np.sqrt(n)).mean())


@pytest.mark.parametrize(("difference", "discordance"), [(0.05, 0.2), (0.1, 0.2), (0.05, 0.1), (-0.08, 0.35)])
def test_mcnemar_finds_the_difference_in_four_of_five_simulated_benchmarks(
    difference: float, discordance: float
) -> None:
    n = paired_items(difference, discordance)
    assert found_binary(n, difference, discordance) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(("difference", "sd"), [(0.05, 0.3), (0.03, 0.25)])
def test_graded_scores_show_the_difference_in_four_of_five_simulated_benchmarks(difference: float, sd: float) -> None:
    n = paired_items_graded(difference, sd)
    assert found_graded(n, difference, sd) == pytest.approx(0.8, abs=0.03)


def test_no_difference_is_found_in_one_of_twenty() -> None:
    assert found_binary(EXTENDED_SIZE, 0.0, 0.2) == pytest.approx(0.05, abs=0.01)


def test_published_examples_come_out() -> None:
    """The worked examples for Connor's formula at powerandsamplesize.com: two-sided, and one-sided at 90% power."""
    assert paired_items(0.45 - 0.05, 0.45 + 0.05) == 23
    assert paired_items(0.45 - 0.05, 0.45 + 0.05, power=0.9, alpha=0.1) == 23


def test_graded_agrees_with_lehrs_rule_of_eight() -> None:
    """Lehr (1992): at 80% power and 5%, n is about 8 / (difference / sd)^2; without rounding 7.85."""
    assert paired_items_graded(0.5, 1.0) == 32
    assert paired_items_graded(0.05, 1.0) == pytest.approx(8 / 0.05**2, rel=0.02)


def test_five_points_at_a_fifth_discordant_need_626_items_and_the_extended_set_has_them() -> None:
    assert paired_items(0.05, 0.2) == 626
    assert EXTENDED_SIZE == 5 * BENCHMARK_SIZE
    assert EXTENDED_SIZE - BENCHMARK_SIZE < 626 <= EXTENDED_SIZE


def test_what_the_two_sets_show() -> None:
    assert detectable(BENCHMARK_SIZE) == pytest.approx(0.108, abs=0.0005)
    assert detectable(EXTENDED_SIZE) == pytest.approx(0.0487, abs=0.0005)


@pytest.mark.parametrize("discordance", [0.1, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("power", [0.3, 0.5, 0.8, 0.95])
def test_detectable_inverts_the_number_of_items(discordance: float, power: float) -> None:
    gap = detectable(400, discordance, power)
    assert paired_items(gap * 1.0001, discordance, power) <= 400
    assert paired_items(gap * 0.999, discordance, power) >= 400
    graded = detectable_graded(400, discordance, power)
    assert paired_items_graded(graded * 1.0001, discordance, power) <= 400
    assert paired_items_graded(graded * 0.998, discordance, power) > 400


def test_no_number_of_items_shows_nothing() -> None:
    with pytest.raises(ValueError, match="must not be 0 nor exceed the discordance"):
        paired_items(0.0, 0.2)
    with pytest.raises(ValueError, match="must not be 0 nor exceed the discordance"):
        paired_items(0.3, 0.2)
    with pytest.raises(ValueError, match="no number of items"):
        paired_items_graded(0.0, 0.2)


def test_too_few_items_show_nothing() -> None:
    with pytest.raises(ValueError, match="132 items show no difference at a discordance of 0.05"):
        detectable(BENCHMARK_SIZE, 0.05)
    with pytest.raises(ValueError, match="1 items show no difference"):
        detectable(1, 1.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"discordance": 0.0}, "discordance is 0.0"),
        ({"discordance": 1.2}, "discordance is 1.2"),
        ({"power": 1.0}, "power is 1.0"),
        ({"power": 0.01}, "power is 0.01"),
        ({"alpha": 0.0}, "alpha is 0.0"),
    ],
)
def test_shares_out_of_range_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired_items(**{"difference": 0.05, "discordance": 0.2, **changes})


def test_counts_and_deviations_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="n is 0"):
        detectable(0)
    with pytest.raises(ValueError, match="sd is 0.0"):
        detectable_graded(132, 0.0)
