"""Calibrate the memory model by measured peaks: Bayesian linear regression on two parts of a prediction.

What a job holds from end to end (weights, optimizer, runtime) is known well; what comes and goes with its tokens is
predicted for full rows, and real ones are shorter. So a measured peak is taken as

    measured = (held x h + passing x p) x (1 + residual),    h, p near 1

with normal priors on h and p and a scaled-inverse-chi-squared one on the residual's variance (Gelman et al.,
Bayesian Data Analysis, 3rd ed., section 14.8); weights follow from what is expected, by iteration. The bound that must
be free is a quantile of the predictive distribution, Student's t. bench/calibration.py compares it with one factor for
all of a peak, and counts how often the bound held.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forge_assets.training.planning.memory import Prediction

HELD = frozenset({"runtime", "weights", "file", "adapter", "optimizer", "gradients", "reference", "buffers"})
"""Parts of a prediction that do not depend on how full rows are."""

HELD_SPREAD, PASSING_SPREAD = 0.05, 0.2
"""Standard deviations of `h` and `p` before anything is measured; rows of the labour pack fill 60% of `max_length`."""

RESIDUAL, RESIDUAL_FREEDOM = 0.035, 30
"""A residual's standard deviation before anything is measured, as that of LoRA trainings of one model among each other
(bench/results/memory-2026-11-25.md), and how many measured residuals this counts as."""

QUANTILE = 0.999
"""Of the predictive distribution: of 50 trials that all run as near to the limit as allowed, none exceeds it in 95 of
100 searches."""

ROUNDS, LEAST = 4, 0.1
"""How often peaks are weighed anew by what is expected of them, and the smallest factor that they are weighed by."""


@dataclass(frozen=True)
class Measured:
    """A prediction and what the job then took.

    Attributes:
        measured_bytes: peak, of one process. Of a job that was killed for memory, what it was allowed: it took more.

    Raises:
        ValueError: not a positive number of bytes.
    """

    prediction: Prediction
    measured_bytes: int

    def __post_init__(self) -> None:
        if self.measured_bytes <= 0:
            raise ValueError(f"measured_bytes {self.measured_bytes}: give the peak in bytes, or leave the trial out")


@dataclass(frozen=True)
class Calibration:
    """Corrections to a prediction, and how sure they are.

    Attributes:
        observations: peaks that it was made from.
        held: factor of what is held from end to end.
        passing: factor of what comes and goes.
        covariance: of the two factors, in units of the residual's variance: held, both, passing.
        residual: standard deviation of a peak around the corrected prediction, as a share of it.
        quantile: how many standard deviations the bound lies above.
    """

    observations: int = 0
    held: float = 1.0
    passing: float = 1.0
    covariance: tuple[float, float, float] = (0.0, 0.0, 0.0)
    residual: float = 0.0
    quantile: float = 0.0

    def expected(self, prediction: Prediction) -> int:
        """Predict the median of the peak in bytes."""
        return round(max(self.held * held + self.passing * passing for held, passing in _sums(prediction)))

    def safe(self, prediction: Prediction) -> int:
        """Predict bytes that must be free; without observations the peak and the machine's margin."""
        if not self.observations:
            return prediction.safe
        expected = self.expected(prediction)
        bound = max(self._bound(held, passing) for held, passing in _sums(prediction))
        # The margin holds for jobs of which nothing was measured: peaks under the prediction never ask for more.
        return round(min(bound, max(expected / prediction.peak, 1.0) * prediction.safe))

    def _bound(self, held: float, passing: float) -> float:
        one, both, two = self.covariance
        expected = self.held * held + self.passing * passing
        variance = one * held**2 + 2 * both * held * passing + two * passing**2 + expected**2
        return expected + self.quantile * self.residual * math.sqrt(variance)


UNMEASURED = Calibration()
"""Before anything was measured."""


def calibrate(observations: Sequence[Measured]) -> Calibration:
    """Learn from peaks of one model on one machine; their order does not matter."""
    if not observations:
        return UNMEASURED
    sizes = np.array([_peak(seen.prediction.parts) for seen in observations], dtype=float)
    measured = np.array([seen.measured_bytes for seen in observations], dtype=float)
    prior = np.diag([(RESIDUAL / HELD_SPREAD) ** 2, (RESIDUAL / PASSING_SPREAD) ** 2])
    factors = np.zeros(2)  # away from 1
    for _ in range(ROUNDS):
        expected = sizes @ np.maximum(1 + factors, LEAST)
        shares, above = sizes / expected[:, None], (measured - sizes.sum(axis=1)) / expected
        precision = prior + shares.T @ shares
        covariance = np.linalg.inv(precision)
        factors = covariance @ (shares.T @ above)
    squares = RESIDUAL_FREEDOM * RESIDUAL**2 + float(above @ above - factors @ precision @ factors)
    freedom = RESIDUAL_FREEDOM + len(observations)
    return Calibration(
        observations=len(observations),
        held=1 + float(factors[0]),
        passing=1 + float(factors[1]),
        covariance=(float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])),
        residual=math.sqrt(squares / freedom),
        quantile=_student(freedom),
    )


def _peak(parts: Mapping[str, int]) -> tuple[int, int]:
    """Held and passing bytes."""
    held = sum(size for name, size in parts.items() if name in HELD)
    return held, sum(parts.values()) - held


def _sums(prediction: Prediction) -> list[tuple[int, int]]:
    """Of every moment: corrected, another one may be the peak."""
    return [_peak(parts) for parts in prediction.moments.values()]


def _student(freedom: int) -> float:
    """Quantile of Student's t at `QUANTILE`."""
    from scipy.stats import t  # a second to import

    return float(t.ppf(QUANTILE, freedom))
