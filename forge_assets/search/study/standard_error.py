"""Compute standard errors of a score: its own, and that against other trials on the same samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def standard_error(values: Sequence[float]) -> float:
    """Compute the standard error of a mean; 0 of a single value."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def paired_error(before: Sequence[Mapping[str, float]], own: Mapping[str, float]) -> float | None:
    """Compute the standard error of a score between trials: the effect of samples hard for all is taken out.

    The residual of a two-way layout without interaction (Scheffe 1959, The Analysis of Variance, chapter 4).

    Args:
        before: of earlier trials, sample to composite; those that answered other samples are not looked at.
        own: of this one.

    Returns:
        None where there is nothing to compare with.
    """
    rows = [row for row in before if row.keys() == own.keys()]
    if not rows or len(own) < 2:
        return None
    names = sorted(own)
    values = np.array([[row[name] for name in names] for row in [*rows, own]])
    residual = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    freedom = (len(values) - 1) * (len(names) - 1)
    return float(np.sqrt((residual**2).sum() / freedom / len(names)))
