"""What to try next, as a pure function of space, history and seed: explore 35% of the trials, exploit 40%, refine 25%.

- Explore: the middle of the grid, then points of the grid that fill the space (the Latin hypercube of largest least
  distance among many; Johnson et al. 1990).
- Exploit: from the configuration that is best by all that is known (not by its own noisy score), one parameter moves
  to another value of its grid: the move of greatest expected improvement, so parameters that were seen to matter move
  first.
- Refine: all parameters at once, between the grid points around the best.

Scores are noisy. So the surrogate, not the highest score, says where the best is; and because the items that trials
answer are the same for all, trying a configuration twice would teach nothing, and none is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import qmc

from forge_assets.search.space import Config, Number, SearchSpace
from forge_assets.search.surrogate import Surrogate, fit

Phase = Literal["explore", "exploit", "refine"]

EXPLORE, EXPLOIT = 0.35, 0.40
DESIGNS = 200
NEAR = 512
"""Candidates of a refinement."""


@dataclass(frozen=True)
class Seen:
    """A trial that was started before.

    Attributes:
        config: what ran, where it is known, else what was asked for.
        score: None: it has none.
        error: standard error of the score, where it is known.
        pending: it still runs.
    """

    config: Config
    score: float | None = None
    error: float | None = None
    pending: bool = False


def as_asked(config: Config) -> Config:
    """What runs where nothing guards."""
    return config


def phase_of(trial: int, trials: int) -> Phase:
    """The phase of the trial with that index (from 0); beyond the budget it is refine."""
    explore = max(1, round(EXPLORE * trials))
    exploit = max(1, round(EXPLOIT * trials))
    if trial < explore:
        return "explore"
    return "exploit" if trial < explore + exploit else "refine"


def propose(
    space: SearchSpace,
    seen: Sequence[Seen],
    trial: int,
    trials: int,
    seed: int,
    runs_as: Callable[[Config], Config] = as_asked,
) -> Config:
    """The configuration of one trial.

    Args:
        seen: trials started before it.
        trial: its index.
        trials: the budget, which the phases are shares of.
        runs_as: what a guard would make of a configuration.
    """
    tried = {_key(space, s.config) for s in seen}
    phase = phase_of(trial, trials)
    model = None if phase == "explore" else surrogate(space, seen)
    if model is not None:
        best = space.inside(incumbent(space, seen, model))
        rng = np.random.default_rng([seed, trial])
        steps = (moves, around) if phase == "exploit" else (around, moves)
        for step in steps:
            ways = [c for c in step(space, best, rng) if _key(space, runs_as(c)) not in tried]
            if ways:
                return _most_promising(space, ways, best, model, runs_as)
    design = explored(space, max(1, round(EXPLORE * trials)), seed)
    for config in chain(design[trial:], design, _all(space, seed)):
        if _key(space, config) not in tried:
            return config
    return design[trial % len(design)]  # a space smaller than the budget repeats itself


def surrogate(space: SearchSpace, seen: Sequence[Seen]) -> Surrogate | None:
    """What is known; None before a trial has a score. A trial that failed is taken to be as bad as the worst."""
    scores = [s.score for s in seen if s.score is not None]
    if not scores:
        return None
    known = [s for s in seen if not s.pending]
    points = space.encode([s.config for s in known])
    values = np.array([min(scores) if s.score is None else s.score for s in known])
    errors = [s.error for s in known if s.error is not None]
    noise = float(np.median(errors)) if errors else None
    fitted = fit(points, values, space.columns, noise)
    return fitted.with_pending(space.encode([s.config for s in seen if s.pending]))


def incumbent(space: SearchSpace, seen: Sequence[Seen], model: Surrogate) -> Config:
    """Of the configurations that have a score the one that is expected to be best."""
    scored = [s.config for s in seen if s.score is not None]
    mean, _ = model.predict(space.encode(scored))
    return scored[int(mean.argmax())]


def explored(space: SearchSpace, count: int, seed: int) -> list[Config]:
    """Points of the grid: its middle first, then a design that fills the space."""
    rng = np.random.default_rng([seed, count])
    middle = [(len(p.grid) - 1) // 2 for p in space.parameters]
    places = [np.array([p.encode(value) for value in p.grid]) for p in space.parameters]
    pairs = np.triu_indices(count, 1)
    best, widest = np.array([middle]), -1.0
    for _ in range(DESIGNS if count > 1 else 0):
        columns = [_spread(len(p.grid), count - 1, rng) for p in space.parameters]
        design = np.vstack([middle, np.column_stack(columns)])
        points = np.hstack([place[column] for place, column in zip(places, design.T, strict=True)])
        apart = ((points[:, None] - points[None]) ** 2).sum(axis=2)[pairs].min()
        if apart > widest:
            best, widest = design, apart
    return list({tuple(index): _at(space, index) for index in best.tolist()}.values())


def moves(space: SearchSpace, best: Config, rng: np.random.Generator) -> list[Config]:
    """One parameter at another value of its grid."""
    return [best | {p.name: value} for p in space.parameters for value in p.grid if value != best[p.name]]


def around(space: SearchSpace, best: Config, rng: np.random.Generator) -> list[Config]:
    """All parameters at once between the grid points around the best, and each alone."""
    near = [p.near(best[p.name], 9) for p in space.parameters]
    alone = [best | {p.name: value} for p, values in zip(space.parameters, near, strict=True) for value in values[1:]]
    sobol = qmc.Sobol(len(near), rng=rng).random(NEAR)
    together = [
        {p.name: _between(p, values, x) for p, values, x in zip(space.parameters, near, row, strict=True)}
        for row in sobol
    ]
    return [config for config in alone + together if config != best]


def _most_promising(
    space: SearchSpace,
    ways: Sequence[Config],
    best: Config,
    model: Surrogate,
    runs_as: Callable[[Config], Config],
) -> Config:
    """Of greatest expected improvement (Jones et al. 1998, eq. 15) over what is expected of the best."""
    mean, deviation = model.predict(space.encode([runs_as(way) for way in ways]))
    [reached], _ = model.predict(space.encode([best]))
    ahead = (mean - reached) / deviation
    gain = deviation * (ahead * ndtr(ahead) + np.exp(-0.5 * ahead**2) / math.sqrt(2 * math.pi))
    return ways[int(gain.argmax())]


def _spread(values: int, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """`count` places on a grid, every value about equally often, in random order."""
    return rng.permutation((np.arange(count) + rng.random()) * values / count % values).astype(np.intp)


def _between(parameter: object, values: Sequence[object], at: float) -> object:
    if isinstance(parameter, Number):
        low, high = min(values), max(values)  # type: ignore[type-var]
        [a], [b] = parameter.encode(low), parameter.encode(high)  # type: ignore[arg-type]
        return parameter.decode(a + at * (b - a))
    return values[min(int(at * len(values)), len(values) - 1)]


def _at(space: SearchSpace, index: Sequence[int]) -> Config:
    return {p.name: p.grid[int(i)] for p, i in zip(space.parameters, index, strict=True)}


def _all(space: SearchSpace, seed: int) -> Iterator[Config]:
    """Every point of the grid, in an order of its own, the middle first; or ten thousand of them."""
    sizes = [len(p.grid) for p in space.parameters]
    if math.prod(sizes) <= 10_000:
        order = list(product(*(range(size) for size in sizes)))
        for place in np.random.default_rng(seed).permutation(len(order)):
            yield _at(space, order[place])
    else:
        rng = np.random.default_rng(seed)
        for _ in range(10_000):
            yield _at(space, [int(rng.integers(size)) for size in sizes])


def _key(space: SearchSpace, config: Config) -> tuple[object, ...]:
    return tuple(space.stored(config).values())
