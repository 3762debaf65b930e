"""Fit a Gaussian process over configurations to the trials so far.

Its kernel adds up three kinds of effect,

  k(x, x') = sum_j a_j^2 m_j + b^2 prod_j m_j + c^2 exp(-(w . (x - x'))^2 / 2),

with m_j the Matern 5/2 correlation of parameter j at its own length: one term a parameter, so that a dozen noisy
trials teach the effect of each before anything is known of how they interact (Duvenaud et al. 2011, arXiv 1112.4394);
one over all of them; and one along a single direction w of the numbers, for parameters that act as one, as learning
rate, alpha and batch size do by the size of a step (a single-index process; Gramacy and Lian 2012, arXiv 1009.4241).
Where the space knows that direction it is the prior's mean, else it is found. All these numbers, and the noise, are
those of greatest posterior density (Rasmussen and Williams 2006, sections 2.2 and 5.4.1), under priors wide enough to
be overruled and narrow enough for five trials.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, solve_triangular
from scipy.optimize import minimize

from forge_assets.search.space.parameters import SearchSpace

Floats = NDArray[np.float64]

AMPLITUDE, AMPLITUDE_SPREAD = 0.3, 0.8
"""Median of a parameter's effect, in standard deviations of the scores, and its spread as a logarithm."""
LENGTH, LENGTH_SPREAD = 0.45, 0.4
"""Of the way from one end of a grid to the other."""
TOGETHER, TOGETHER_SPREAD = 0.4, 0.6
STEP, STEP_SPREAD = 1.2, 0.6
NOISE, NOISE_SPREAD, MEASURED_SPREAD = 0.3, 0.6, 0.2
"""The same of the noise; a measured error leaves little open: the luck of a training as a whole."""
KNOWN, UNKNOWN = 0.45, 1.2
"""Standard deviation of a weight of the direction, where the space knows the direction and where it does not."""
JITTER = 1e-6


@dataclass(frozen=True)
class _Values:
    """What is fitted: amplitudes, lengths and noise in standard deviations of the scores, and the direction."""

    alone: Floats
    lengths: Floats
    together: float
    step: float
    noise: float
    weights: Floats

    @classmethod
    def of(cls, x: Floats, count: int) -> _Values:
        """Read the parameters from one array: logarithms of all but the direction's weights, then these."""
        e = np.exp(x[: 2 * count + 3])
        return cls(e[:count], e[count:-3], float(e[-3]), float(e[-2]), float(e[-1]), x[2 * count + 3 :])


@dataclass(frozen=True)
class Surrogate:
    """A fitted process."""

    space: SearchSpace
    points: Floats
    centre: float
    spread: float
    values: _Values
    _factor: Floats
    _dual: Floats

    def predict(self, points: Floats) -> tuple[Floats, Floats]:
        """Predict mean and standard deviation of the score without its noise.

        Args:
            points: configurations x width.
        """
        across = _kernel(self.space, self.values, points, self.points)
        solved = solve_triangular(self._factor, across.T, lower=True)
        prior = float((self.values.alone**2).sum() + self.values.together**2 + self.values.step**2)
        variance = np.maximum(prior - (solved**2).sum(axis=0), 1e-12)
        return self.centre + self.spread * (across @ self._dual), self.spread * np.sqrt(variance)

    def with_pending(self, points: Floats) -> Surrogate:
        """Add running configurations with their expected scores (Ginsbourger et al. 2010)."""
        if not len(points):
            return self
        mean, _ = self.predict(points)
        scores = self.spread * (self._factor @ (self._factor.T @ self._dual)) + self.centre
        both = np.vstack([self.points, points]), np.concatenate([scores, mean])
        return _conditioned(self.space, *both, self.values, self.centre, self.spread)


def fit(space: SearchSpace, points: Floats, scores: Floats, noise: float | None = None) -> Surrogate:
    """Fit to scores of configurations.

    Args:
        points: trials x width.
        scores: of each trial.
        noise: standard error of a score, where it is known about.

    Raises:
        ValueError: there is no trial.
    """
    if not len(points):
        raise ValueError("no trial has a score yet")
    centre, spread = float(scores.mean()), float(scores.std()) or 1.0
    count, known = len(space.columns), space.direction
    expected = min(max(noise / spread, 0.05), 1.0) if noise else NOISE
    logs = np.log([AMPLITUDE] * count + [LENGTH] * count + [TOGETHER, STEP, expected])
    unsure = MEASURED_SPREAD if noise else NOISE_SPREAD
    spreads = [AMPLITUDE_SPREAD] * count + [LENGTH_SPREAD] * count + [TOGETHER_SPREAD, STEP_SPREAD, unsure]
    middle = np.concatenate([logs, known])
    wide = np.array(spreads + [KNOWN if known.any() else UNKNOWN] * len(known))
    loss = _Loss(space, points, (scores - centre) / spread, middle, wide)
    bounds = list(zip(middle - 3 * wide, middle + 3 * wide, strict=True))
    found = [
        minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60})
        for start in _starts(loss, middle, known)
    ]
    best = min(found, key=lambda one: float(one.fun))
    return _conditioned(space, points, scores, _Values.of(best.x, count), centre, spread)


class _Loss:
    """Negative log posterior density of what is fitted, and its gradient."""

    def __init__(self, space: SearchSpace, points: Floats, y: Floats, middle: Floats, wide: Floats) -> None:
        self._squared, self._apart = _distances(space, points, points), _apart(space, points, points)
        self._y, self._middle, self._wide = y, middle, wide

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        count, n = len(self._squared), len(self._y)
        v = _Values.of(x, count)
        scaled = self._squared / v.lengths[:, None, None] ** 2
        near = _matern(scaled)
        # The correlations' derivatives by the logarithms of their lengths, as a share of them.
        r = np.sqrt(5 * scaled)
        slope = scaled * (1 + r) / (0.6 * (1 + r) + scaled)
        alone = v.alone[:, None, None] ** 2 * near
        product = v.together**2 * near.prod(axis=0)
        along = np.tensordot(v.weights, self._apart, axes=1)
        line = v.step**2 * np.exp(-0.5 * along**2)
        covariance = alone.sum(axis=0) + product + line
        covariance[np.diag_indices(n)] += v.noise**2 + JITTER
        factor = np.linalg.cholesky(covariance)
        inverse = cho_solve((factor, True), np.eye(n))
        dual = inverse @ self._y
        away = (x - self._middle) / self._wide
        loss = 0.5 * self._y @ dual + np.log(np.diag(factor)).sum() + 0.5 * away @ away
        outer = 0.5 * (inverse - np.outer(dual, dual))
        gradient = np.concatenate(
            [
                2 * np.tensordot(alone, outer, axes=2),
                np.tensordot(slope * (alone + product), outer, axes=2),
                [2 * (outer * product).sum(), 2 * (outer * line).sum(), 2 * v.noise**2 * np.trace(outer)],
                np.tensordot(self._apart, -outer * line * along, axes=2),
            ]
        )
        return float(loss), gradient + away / self._wide


def _starts(loss: _Loss, middle: Floats, known: Floats) -> list[Floats]:
    """Where the search for the best fit begins: where the direction is unknown, along the two likeliest numbers."""
    if known.any() or not len(known):
        return [middle]
    alone = [middle + UNKNOWN * np.eye(len(middle))[len(middle) - len(known) + i] for i in range(len(known))]
    return sorted(alone, key=lambda start: loss(start)[0])[:2]


def _conditioned(
    space: SearchSpace, points: Floats, scores: Floats, values: _Values, centre: float, spread: float
) -> Surrogate:
    covariance = _kernel(space, values, points, points)
    covariance[np.diag_indices(len(points))] += values.noise**2 + JITTER
    factor = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    dual = cho_solve((factor, True), (scores - centre) / spread)
    return Surrogate(space, points, centre, spread, values, factor, dual)


def _kernel(space: SearchSpace, values: _Values, a: Floats, b: Floats) -> Floats:
    near = _matern(_distances(space, a, b) / values.lengths[:, None, None] ** 2)
    along = a[:, space.line] @ values.weights
    other = b[:, space.line] @ values.weights
    line = values.step**2 * np.exp(-0.5 * (along[:, None] - other[None]) ** 2)
    added: Floats = np.tensordot(values.alone**2, near, axes=1) + values.together**2 * near.prod(axis=0) + line
    return added


def _matern(scaled: Floats) -> Floats:
    """Matern 5/2 of squared distances in lengths."""
    r = np.sqrt(5 * scaled)
    correlations: Floats = (1 + r + 5 / 3 * scaled) * np.exp(-r)
    return correlations


def _distances(space: SearchSpace, a: Floats, b: Floats) -> Floats:
    """Squared distances, parameters x len(a) x len(b)."""
    return np.stack([((a[:, None, c] - b[None, :, c]) ** 2).sum(axis=2) for c in space.columns])


def _apart(space: SearchSpace, a: Floats, b: Floats) -> Floats:
    """Differences of the numbers, numbers x len(a) x len(b)."""
    differences: Floats = np.moveaxis(a[:, None, space.line] - b[None, :, space.line], 2, 0)
    return differences
