"""What noise could make of a mean or a difference: clusters drawn again, and their signs flipped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
SEED = 20_260_101
TAILS = (2.5, 97.5)
"""Percentiles of a 95% interval."""

Floats = NDArray[np.float64]


def resampled_means(values: Floats, cluster: NDArray[np.intp]) -> Floats:
    """Column means of clusters drawn with replacement, the same draws whatever the values.

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
    """Two-sided p of each column of differences: how often random signs give a mean at least as far from 0."""
    count = int(cluster.max()) + 1
    sums = np.zeros((count, paired.shape[1]))
    np.add.at(sums, cluster, paired)
    signs = np.random.default_rng(SEED).choice(np.array([-1.0, 1.0]), size=(RESAMPLES, count))
    far = np.abs(signs @ sums) >= np.abs(sums.sum(axis=0)) - 1e-9
    p: Floats = (1 + far.sum(axis=0)) / (RESAMPLES + 1)
    return p
