"""What the trials so far say of the whole space: a Gaussian process over configurations.

Its kernel adds one term a parameter to one over all of them together,

  k(x, x') = sum_j a_j^2 r_j + b^2 prod_j r_j,   r_j = exp(-|x_j - x'_j|^2 / (2 l_j^2)),

so that a dozen noisy trials teach the effect of each parameter before anything is known of how they interact
(Duvenaud et al. 2011, arXiv 1112.4394: additive Gaussian processes). Amplitudes, lengths and noise are those of
greatest posterior density (Rasmussen and Williams 2006, sections 2.2 and 5.4.1), under priors wide enough to be
overruled and narrow enough for five trials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

Floats = NDArray[np.float64]

AMPLITUDE, AMPLITUDE_SPREAD = 0.5, 0.8
"""Median of a parameter's effect, in standard deviations of the scores, and its spread as a logarithm."""
TOGETHER, TOGETHER_SPREAD = 0.35, 0.6
LENGTH, LENGTH_SPREAD = 0.6, 0.4
"""Of the way from one end of a grid to the other."""
NOISE, NOISE_SPREAD = 0.3, 0.6
JITTER = 1e-6


@dataclass(frozen=True)
class Surrogate:
    """A fitted process over coordinates.

    Attributes:
        amplitudes: effect of each parameter alone, in standard deviations of the scores.
        lengths: of each parameter.
        together: effect of all together.
        noise: standard deviation of a score's noise, in standard deviations of the scores.
    """

    points: Floats
    columns: tuple[slice, ...]
    amplitudes: Floats
    lengths: Floats
    together: float
    noise: float
    centre: float
    spread: float
    _factor: Floats
    _weights: Floats

    def predict(self, points: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the score without its noise.

        Args:
            points: configurations x width.
        """
        across = self._kernel(_distances(points, self.points, self.columns))
        mean = across @ self._weights
        solved = solve_triangular(self._factor, across.T, lower=True)
        prior = float((self.amplitudes**2).sum() + self.together**2)
        variance = np.maximum(prior - (solved**2).sum(axis=0), 1e-12)
        return self.centre + self.spread * mean, self.spread * np.sqrt(variance)

    def with_pending(self, points: Floats) -> Surrogate:
        """As if configurations that still run had scored what is expected of them (Ginsbourger et al. 2010)."""
        if not len(points):
            return self
        mean, _ = self.predict(points)
        scores = self.spread * (self._factor @ (self._factor.T @ self._weights)) + self.centre
        return _conditioned(
            np.vstack([self.points, points]),
            np.concatenate([scores, mean]),
            self.columns,
            (self.amplitudes, self.lengths, self.together, self.noise),
            self.centre,
            self.spread,
        )

    def _kernel(self, squared: Floats) -> Floats:
        near = np.exp(-0.5 * squared / self.lengths[:, None, None] ** 2)
        added: Floats = np.tensordot(self.amplitudes**2, near, axes=1) + self.together**2 * near.prod(axis=0)
        return added


def fit(points: Floats, scores: Floats, columns: Sequence[slice], noise: float | None = None) -> Surrogate:
    """Fit to scores of configurations.

    Args:
        points: trials x width.
        scores: of each trial.
        columns: which coordinates belong to each parameter.
        noise: standard error of a score, where it is known about.

    Raises:
        ValueError: there is no trial.
    """
    if not len(points):
        raise ValueError("no trial has a score yet")
    columns = tuple(columns)
    centre, spread = float(scores.mean()), float(scores.std()) or 1.0
    count, squared = len(columns), _distances(points, points, columns)
    y = (scores - centre) / spread
    expected = min(max(noise / spread, 0.05), 1.0) if noise else NOISE
    median = np.log([AMPLITUDE] * count + [LENGTH] * count + [TOGETHER, expected])
    wide = np.array([AMPLITUDE_SPREAD] * count + [LENGTH_SPREAD] * count + [TOGETHER_SPREAD, NOISE_SPREAD])
    found = minimize(
        _loss,
        median,
        args=(squared, y, median, wide),
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(median - 3 * wide, median + 3 * wide, strict=True)),
        options={"maxiter": 60},
    )
    values = np.exp(found.x)
    fitted = (values[:count], values[count:-2], float(values[-2]), float(values[-1]))
    return _conditioned(points, scores, columns, fitted, centre, spread)


def _conditioned(
    points: Floats,
    scores: Floats,
    columns: tuple[slice, ...],
    fitted: tuple[Floats, Floats, float, float],
    centre: float,
    spread: float,
) -> Surrogate:
    amplitudes, lengths, together, noise = fitted
    near = np.exp(-0.5 * _distances(points, points, columns) / lengths[:, None, None] ** 2)
    covariance = np.tensordot(amplitudes**2, near, axes=1) + together**2 * near.prod(axis=0)
    covariance[np.diag_indices(len(points))] += noise**2 + JITTER
    factor, _ = cho_factor(covariance, lower=True)
    factor = np.tril(factor)
    weights = cho_solve((factor, True), (scores - centre) / spread)
    return Surrogate(points, columns, amplitudes, lengths, together, noise, centre, spread, factor, weights)


def _distances(a: Floats, b: Floats, columns: Sequence[slice]) -> Floats:
    """Squared distances, parameters x len(a) x len(b)."""
    return np.stack([((a[:, None, c] - b[None, :, c]) ** 2).sum(axis=2) for c in columns])


def _loss(x: Floats, squared: Floats, y: Floats, median: Floats, wide: Floats) -> tuple[float, Floats]:
    """Negative log posterior density of the logarithms `x`, and its gradient."""
    count, n = len(squared), len(y)
    amplitudes, lengths = np.exp(x[:count]), np.exp(x[count : 2 * count])
    together, noise = np.exp(x[-2]), np.exp(x[-1])
    scaled = squared / lengths[:, None, None] ** 2
    near = np.exp(-0.5 * scaled)
    alone = amplitudes[:, None, None] ** 2 * near
    product = together**2 * near.prod(axis=0)
    covariance = alone.sum(axis=0) + product
    covariance[np.diag_indices(n)] += noise**2 + JITTER
    factor = np.linalg.cholesky(covariance)
    inverse = cho_solve((factor, True), np.eye(n))
    weights = inverse @ y
    away = (x - median) / wide
    loss = 0.5 * y @ weights + np.log(np.diag(factor)).sum() + 0.5 * away @ away
    outer = 0.5 * (inverse - np.outer(weights, weights))
    gradient = np.empty_like(x)
    gradient[:count] = 2 * np.tensordot(alone, outer, axes=2)
    gradient[count : 2 * count] = np.tensordot(scaled * (alone + product), outer, axes=2)
    gradient[-2] = 2 * (outer * product).sum()
    gradient[-1] = 2 * noise**2 * np.trace(outer)
    return float(loss), gradient + away / wide
