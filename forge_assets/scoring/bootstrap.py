"""Compute intervals and tests of means and differences: cluster bootstrap, sign flips and exact bounds.

A percentile bootstrap (Efron and Tibshirani 1993, chapter 13) of values that are all 0 says [0, 0], and of values
nearly all of which are 0 too little: resamples hold only what was seen. There the interval is that of Clopper and
Pearson (1934, Biometrika 26) with one observation a cluster. It is for shares of yes and no; of all values between 0
and 1 with a given mean these vary most, so for others it is too wide rather than too narrow (coverage:
`bench/intervals.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
SEED = 20_260_101
TAILS = (2.5, 97.5)
"""Percentiles of a 95% interval."""

FEW = 10
"""Clusters that must be away from a bound before resampling them says enough, if most of them are at it."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean over `items` samples and its 95% interval."""

    value: float
    low: float
    high: float
    items: int


def codes(labels: Sequence[str]) -> NDArray[np.intp]:
    """Number each label by its rank among the different ones, from 0: the order they come in changes no number."""
    return np.unique(np.asarray(labels, dtype=np.str_), return_inverse=True)[1]


def clustered_mean(values: Sequence[float], clusters: Sequence[str]) -> Interval:
    """Compute the mean of values from 0 to 1 and its interval, as `mean_interval`, by the names of their clusters."""
    column = np.array(values, dtype=np.float64)[:, None]
    low, high = mean_interval(column, codes(clusters))
    return Interval(float(column.mean()), float(low[0]), float(high[0]), len(values))


def mean_interval(values: Floats, cluster: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Compute 95% intervals of column means of values from 0 to 1, exact where nearly all are at a bound.

    Args:
        values: samples x columns.
        cluster: number of each sample's cluster, from 0.

    Returns:
        Lower and upper ends, one a column.
    """
    low, high = _percentiles(resampled_means(values, cluster))
    for column, near in enumerate(_near_bound(values, cluster)):
        if near:
            exact = clopper_pearson(float(values[:, column].mean()), int(cluster.max()) + 1)
            low[column], high[column] = min(low[column], exact[0]), max(high[column], exact[1])
    return low, high


def difference_interval(paired: Floats, cluster: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Compute the 95% interval of column means of differences from -1 to 1, exact where nearly all are 0.

    There it reaches from the gain that is left at the highest plausible loss to the other way round.
    """
    low, high = _percentiles(resampled_means(paired, cluster))
    for column in range(paired.shape[1]):
        if len(paired) and _few(_clusters_off(paired[:, [column]] != 0, cluster)[0], count := int(cluster.max()) + 1):
            gained = clopper_pearson(float(np.clip(paired[:, column], 0, 1).mean()), count)
            lost = clopper_pearson(float(np.clip(-paired[:, column], 0, 1).mean()), count)
            low[column] = min(low[column], gained[0] - lost[1])
            high[column] = max(high[column], gained[1] - lost[0])
    return low, high


def clopper_pearson(mean: float, count: int) -> tuple[float, float]:
    """Compute the exact 95% interval of a share, `mean` of `count` observations; `mean * count` may be no integer."""
    from scipy.stats import beta

    seen, tail = mean * count, TAILS[0] / 100
    low = 0.0 if seen <= 0 else float(beta.ppf(tail, seen, count - seen + 1))
    high = 1.0 if seen >= count else float(beta.ppf(1 - tail, seen + 1, count - seen))
    return low, high


def _percentiles(means: Floats) -> tuple[Floats, Floats]:
    low, high = np.percentile(means, TAILS, axis=0) if means.shape[1] else (np.empty(0), np.empty(0))
    return low, high


def _near_bound(values: Floats, cluster: NDArray[np.intp]) -> list[bool]:
    """Whether few clusters of a column are away from 0, or from 1."""
    if not len(values):
        return [False] * values.shape[1]
    off_zero, off_one = _clusters_off(values != 0, cluster), _clusters_off(values != 1, cluster)
    return [_few(min(pair), int(cluster.max()) + 1) for pair in zip(off_zero, off_one, strict=True)]


def _few(off: int, count: int) -> bool:
    return bool(off < FEW and 2 * off <= count)


def _clusters_off(off: NDArray[np.bool_], cluster: NDArray[np.intp]) -> NDArray[np.intp]:
    """How many clusters of each column have a sample that is off."""
    any_off = np.zeros((int(cluster.max()) + 1 if len(cluster) else 0, off.shape[1]), dtype=np.intp)
    np.maximum.at(any_off, cluster, off.astype(np.intp))
    found: NDArray[np.intp] = any_off.sum(axis=0)
    return found


def resampled_means(values: Floats, cluster: NDArray[np.intp]) -> Floats:
    """Resample column means: clusters drawn with replacement, the same draws whatever the values.

    Args:
        values: samples x columns.
        cluster: number of each sample's cluster, from 0.

    Returns:
        RESAMPLES x columns.
    """
    count = int(cluster.max()) + 1 if len(cluster) else 0
    if not count:
        return np.empty((RESAMPLES, values.shape[1]))
    drawn = np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, cluster, values)
    sizes = np.bincount(cluster, minlength=count)
    means: Floats = (drawn @ sums) / (drawn @ sizes)[:, None]
    return means


def sign_flip(paired: Floats, cluster: NDArray[np.intp]) -> Floats:
    """Compute the two-sided p of each column: how often random signs give a mean at least as far from 0."""
    count = int(cluster.max()) + 1
    sums = np.zeros((count, paired.shape[1]))
    np.add.at(sums, cluster, paired)
    signs = np.random.default_rng(SEED).choice(np.array([-1.0, 1.0]), size=(RESAMPLES, count))
    far = np.abs(signs @ sums) >= np.abs(sums.sum(axis=0)) - 1e-9
    p: Floats = (1 + far.sum(axis=0)) / (RESAMPLES + 1)
    return p
