"""Propose a configuration from space, history and seed: explore 35% of the trials, exploit 40%, refine 25%.

- Explore: the middle of the grid, then points of the grid that fill the space: of many Latin hypercubes one whose
  points are far apart (Johnson et al. 1990, maximin designs) and whose steps, as far as the space knows what makes
  one, are of usual size: a high learning rate meets a low alpha or a large batch more often than not.
- Exploit: from one of the configurations that are best by all that is known (not by their own noisy scores), one
  parameter moves to another value of its grid: the move of greatest expected improvement, so parameters that were
  seen to matter move first.
- Refine: any parameters at once, to values between the grid points around the best.

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

from forge_assets.search.optimizer.surrogate import Surrogate, fit
from forge_assets.search.space.encoding import PointEncoding
from forge_assets.search.space.parameters import Config, SearchSpace

Phase = Literal["explore", "exploit", "refine"]

EXPLORE, EXPLOIT = 0.35, 0.40
DESIGNS = 200
BASES = 3
"""Configurations, the best by all that is known, that moves start from: which is best is not sure."""
WIDE = 2.0
"""Steps of the grid that a refinement may go at most."""
NEAR, NARROWED = 160, 48
"""Candidates of a refinement around each of the best, and around the most promising of these, nearer by and by."""
SHORTLIST = 24
"""Candidates of which it is asked what a guard would make of them."""
SOBOL_POINTS = 512


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


def unchanged(config: Config) -> Config:
    """Return the requested configuration: what is applied where nothing guards."""
    return config


def explorations(trials: int) -> int:
    """Compute how many of a budget's trials explore."""
    return max(1, round(EXPLORE * trials))


def phase_of(trial: int, trials: int) -> Phase:
    """Return the phase of the trial with that index (from 0); beyond the budget it is refine."""
    explore = explorations(trials)
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
    applied_for: Callable[[Config], Config] = unchanged,
) -> Config:
    """Propose the configuration of one trial.

    Args:
        seen: trials started before it.
        trial: its index.
        trials: the budget, which the phases are shares of.
        applied_for: what a guard would make of a configuration.
    """
    tried = {_key(space, s.config) for s in seen}
    phase = phase_of(trial, trials)
    model = None if phase == "explore" else surrogate(space, seen)
    if model is not None:
        rng = np.random.default_rng([seed, trial])
        chosen = _chosen(space, seen, model, phase, rng, tried, applied_for)
        if chosen is not None:
            return chosen
    design = explored(space, explorations(trials), seed)
    for config in chain(design[trial:], design):
        if tried.isdisjoint((_key(space, config), _key(space, applied_for(config)))):
            return config
    for config in _all(space, seed):
        if _key(space, config) not in tried:
            return config
    return design[trial % len(design)]  # a space smaller than the budget repeats itself


def surrogate(space: SearchSpace, seen: Sequence[Seen]) -> Surrogate | None:
    """Fit the surrogate; None before a trial has a score. A failed trial counts as bad as the worst."""
    scores = [s.score for s in seen if s.score is not None]
    if not scores:
        return None
    known = [s for s in seen if not s.pending]
    points = space.encode([s.config for s in known])
    values = np.array([min(scores) if s.score is None else s.score for s in known])
    errors = [s.error for s in known if s.error is not None]
    noise = float(np.median(errors)) if errors else None
    fitted = fit(space, points, values, noise)
    return fitted.with_pending(space.encode([s.config for s in seen if s.pending]))


def posterior(space: SearchSpace, seen: Sequence[Seen]) -> NDArray[np.float64]:
    """Compute the posterior mean score of each configuration, without its noise.

    Raises:
        ValueError: no trial has a score yet.
    """
    model = surrogate(space, seen)
    if model is None:
        raise ValueError("no trial has a score yet")
    return model.predict(space.encode([s.config for s in seen]))[0]


def importances(space: SearchSpace, seen: Sequence[Seen]) -> dict[str, float]:
    """Compute each parameter's share of the expected scores' variance, interactions included (total effect).

    Total Sobol indices of the surrogate's mean over the whole space, by Jansen's estimator (Saltelli et al. 2010,
    Computer Physics Communications 181, table 2), made to add up to 1; empty before two trials have a score.
    """
    if sum(s.score is not None for s in seen) < 2 or (model := surrogate(space, seen)) is None:
        return {}
    encoding = PointEncoding(space)
    count = len(space.parameters)
    drawn = qmc.Sobol(2 * count, seed=0).random(SOBOL_POINTS)
    here, there = encoding.from_unit_cube(drawn[:, :count]), encoding.from_unit_cube(drawn[:, count:])
    base, _ = model.predict(encoding.encode(here))
    shares = []
    for j in range(count):
        moved = here.copy()
        moved[:, j] = there[:, j]
        shares.append(float(((base - model.predict(encoding.encode(moved))[0]) ** 2).mean()))
    total = sum(shares) or 1.0
    return {p.name: share / total for p, share in zip(space.parameters, shares, strict=True)}


def bases(space: SearchSpace, seen: Sequence[Seen], model: Surrogate) -> list[Config]:
    """Select the scored configurations that are expected to be best, as they can be requested."""
    scored = [s.config for s in seen if s.score is not None]
    mean, _ = model.predict(space.encode(scored))
    found = (space.inside(scored[i]) for i in np.argsort(-mean, kind="stable"))
    return list({_key(space, config): config for config in found}.values())[:BASES]


def explored(space: SearchSpace, count: int, seed: int) -> list[Config]:
    """Draw points of the grid: its middle first, then a design that fills the space."""
    rng = np.random.default_rng([seed, count])
    middle = [(len(p.grid) - 1) // 2 for p in space.parameters]
    values = [np.array([p.encode(value) for value in p.grid]) for p in space.parameters]
    designs = [np.array([middle])]
    for _ in range(DESIGNS if count > 1 else 0):
        columns = [_spread(len(p.grid), count - 1, rng) for p in space.parameters]
        designs.append(np.vstack([middle, np.column_stack(columns)]))
    best, _ = min(((d, _crowding(space, values, d)) for d in designs[-DESIGNS:]), key=lambda one: one[1])
    return list({tuple(index): _at(space, index) for index in best.tolist()}.values())


def moves(space: SearchSpace, best: Config) -> list[Config]:
    """List the configurations with one parameter at another value of its grid."""
    return [best | {p.name: value} for p in space.parameters for value in p.grid if value != best[p.name]]


def _chosen(
    space: SearchSpace,
    seen: Sequence[Seen],
    model: Surrogate,
    phase: Phase,
    rng: np.random.Generator,
    tried: set[tuple[object, ...]],
    applied_for: Callable[[Config], Config],
) -> Config | None:
    """The most promising step of the phase, else of the other one, that leads to something new; None: none does."""
    best = bases(space, seen, model)
    reached = float(model.predict(space.encode(best))[0].max())

    def gains(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return expected_improvement(model, points, reached)

    def moved() -> list[Config]:
        ways = [way for base in best for way in moves(space, base)]
        if not ways:
            return []
        return [ways[i] for i in np.argsort(-gains(space.encode(ways)), kind="stable")]

    def refined() -> list[Config]:
        return _around(PointEncoding(space), best, rng, gains)

    for ways in (moved, refined) if phase == "exploit" else (refined, moved):
        found: dict[tuple[object, ...], tuple[Config, Config]] = {}
        for way in ways():
            if len(found) < SHORTLIST and (key := _key(space, runs := applied_for(way))) not in tried:
                found.setdefault(key, (way, runs))
        if found:
            gain = gains(space.encode([runs for _, runs in found.values()]))
            return list(found.values())[int(gain.argmax())][0]
    return None


def _around(
    encoding: PointEncoding,
    best: Sequence[Config],
    rng: np.random.Generator,
    gains: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> list[Config]:
    """Values between the grid points around the best, the most promising first; each round looks nearer by."""
    at = encoding.neighbours(encoding.points(best), WIDE, NEAR, rng)
    gain = gains(encoding.encode(at))
    for narrower in (0.5, 0.25, 0.125):
        top = at[np.argsort(-gain, kind="stable")[:BASES]]
        nearer = encoding.neighbours(top, WIDE * narrower, NARROWED, rng)
        at, gain = np.vstack([at, nearer]), np.concatenate([gain, gains(encoding.encode(nearer))])
    return encoding.configs(at[np.argsort(-gain, kind="stable")[: 4 * SHORTLIST]])


def expected_improvement(model: Surrogate, points: NDArray[np.float64], reached: float) -> NDArray[np.float64]:
    """Compute the improvement expected over the best posterior mean (Jones et al. 1998, equation 15)."""
    mean, deviation = model.predict(points)
    ahead = (mean - reached) / deviation
    gain: NDArray[np.float64] = deviation * (ahead * ndtr(ahead) + np.exp(-0.5 * ahead**2) / math.sqrt(2 * math.pi))
    return gain


def _crowding(space: SearchSpace, values: Sequence[NDArray[np.float64]], design: NDArray[np.intp]) -> float:
    """How far steps are from the usual, less how far the nearest two are apart: what makes trials teach little."""
    points = np.hstack([place[column] for place, column in zip(values, design.T, strict=True)])
    pairs = np.triu_indices(len(points), 1)
    apart = ((points[:, None] - points[None]) ** 2).sum(axis=2)[pairs].min(initial=math.inf)
    return float((points[:, space.line] @ space.direction).var()) - float(apart)


def _spread(values: int, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """`count` places on a grid, every value about equally often, in random order."""
    return rng.permutation((np.arange(count) + rng.random()) * values / count % values).astype(np.intp)


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
