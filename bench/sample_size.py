"""Compute how many items a comparison of two models on the same items needs, and what a number of items can show.

    python bench/sample_size.py

prints the two tables of docs/benchmark.md. A difference of 5 points at 20% discordance (one item in five is answered
rightly by one model only) needs 626 items at 80% power and two-sided 5%; 132 items show 11 points, 660 show 4.9. Items
are taken to be independent: questions about one scenario resemble each other, and then the same number of items shows
less.
"""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist

from forge_assets.datasets.selection import BENCHMARK_SIZE, EXTENDED_SIZE


def paired_items(difference: float, discordance: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Items at which McNemar's test (without continuity correction) finds a difference of two 0/1 scores.

    Args:
        difference: of the two shares of right answers, 0.05 for 5 points; the sign does not matter.
        discordance: share of items that exactly one of the models gets right.
        power: chance of finding the difference.
        alpha: two-sided level.

    Returns:
        The smallest whole number of items that suffices.

    Raises:
        ValueError: the difference is 0 or more than the discordance, or a share is out of range.

    Source:
        Connor, R. J. (1987), Sample size for testing differences in proportions for the paired-sample design,
        Biometrics 43(1), 207-211.
    """
    gap = abs(difference)
    if not 0 < discordance <= 1:
        raise ValueError(f"discordance is {discordance}: it must be above 0 and at most 1")
    if not 0 < gap <= discordance:
        raise ValueError(f"difference is {difference}: it must not be 0 nor exceed the discordance, {discordance}")
    level, reach = _quantiles(power, alpha)
    return ceil(((level * sqrt(discordance) + reach * sqrt(discordance - gap * gap)) / gap) ** 2)


def paired_items_graded(difference: float, sd: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Items at which a paired z-test finds a mean difference of graded scores.

    Args:
        difference: of the two means, in the unit of the scores; the sign does not matter.
        sd: standard deviation over items of the difference of the two scores, in the same unit.
        power: chance of finding the difference.
        alpha: two-sided level.

    Raises:
        ValueError: the difference is 0, the deviation is not positive, or a share is out of range.

    Source:
        The normal approximation of the paired t-test; below about 30 items t needs two or three more.
    """
    if difference == 0:
        raise ValueError("difference is 0: no number of items shows it")
    level, reach = _quantiles(power, alpha)
    return ceil(((level + reach) * _positive(sd) / difference) ** 2)


def detectable(n: int, discordance: float = 0.2, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest difference of two shares of right answers that `n` items show: the inverse of `paired_items`.

    Raises:
        ValueError: even if one model were right on every discordant item, `n` items would not show it; or an argument
            is out of range.
    """
    if not 0 < discordance <= 1:
        raise ValueError(f"discordance is {discordance}: it must be above 0 and at most 1")
    level, reach = _quantiles(power, alpha)
    inner = _counted(n) + reach * reach - level * level
    # Connor's formula solved for the difference: a quadratic, of which the sign of `reach` picks the root.
    gap = sqrt(discordance) * (level * sqrt(n) + reach * sqrt(inner)) / (n + reach * reach) if inner >= 0 else 1.0
    if inner < 0 or gap > discordance:
        raise ValueError(f"{n} items show no difference at a discordance of {discordance}")
    return gap


def detectable_graded(n: int, sd: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest mean difference of graded scores that `n` items show, in the unit of `sd`.

    Raises:
        ValueError: an argument is out of range.
    """
    level, reach = _quantiles(power, alpha)
    return (level + reach) * _positive(sd) / sqrt(_counted(n))


def _quantiles(power: float, alpha: float) -> tuple[float, float]:
    """Standard normal quantiles of the two-sided level and of the power."""
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}: it must lie between 0 and 1")
    if not alpha < power < 1:
        raise ValueError(f"power is {power}: it must lie between alpha, {alpha}, and 1")
    normal = NormalDist()
    return normal.inv_cdf(1 - alpha / 2), normal.inv_cdf(power)


def _positive(sd: float) -> float:
    if sd <= 0:
        raise ValueError(f"sd is {sd}: it must be above 0")
    return sd


def _counted(n: int) -> int:
    if n < 1:
        raise ValueError(f"n is {n}: at least one item is needed")
    return n


def main() -> None:
    """Print a row a discordance, then a row a deviation."""
    sizes = (BENCHMARK_SIZE, EXTENDED_SIZE)
    heads = "".join(f" | {size} items show" for size in sizes)
    print(f"| discordance | items for 3 points | for 5 | for 10{heads} |\n|---|---|---|---|---|---|")
    for discordance in (0.1, 0.2, 0.3, 0.4):
        items = [f"{paired_items(points / 100, discordance):,}" for points in (3, 5, 10)]
        shown = [f"{100 * detectable(size, discordance):.1f}" for size in sizes]
        print(f"| {discordance:.0%} | " + " | ".join([*items, *shown]) + " |")
    print(f"\n| sd of the difference | items for 5 points{heads} |\n|---|---|---|---|")
    for sd in (0.2, 0.3, 0.4):
        shown = [f"{100 * detectable_graded(size, sd):.1f}" for size in sizes]
        print(f"| {sd} | {paired_items_graded(0.05, sd)} | " + " | ".join(shown) + " |")


if __name__ == "__main__":
    main()
