"""Three-phase search: explore 35% of the trials, exploit 40%, refine 25%. A pure function of what was seen so far.

Explore draws stratified points of the grid; exploit moves one parameter at a time from the best configuration to a
neighbour on its grid; refine tries values between grid points around the best. Because a proposal depends only on
space, history and seed, a search that was stopped goes on with the same proposals.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Phase = Literal["explore", "exploit", "refine"]
Space = Mapping[str, Sequence[float]]
Config = dict[str, float]

INTEGERS = frozenset({"rank", "alpha_ratio", "batch_size"})


@dataclass(frozen=True)
class Seen:
    """A trial that ran; `score` is None where it failed."""

    config: Config
    score: float | None


def phase_of(trial: int, trials: int) -> Phase:
    """The phase of the trial with that index (from 0)."""
    explore = max(1, round(0.35 * trials))
    exploit = max(1, round(0.40 * trials))
    if trial < explore:
        return "explore"
    return "exploit" if trial < explore + exploit else "refine"


def propose(space: Space, seen: Sequence[Seen], trials: int, seed: int) -> Config:
    """The next configuration.

    Raises:
        ValueError: every trial was made already.
    """
    if len(seen) >= trials:
        raise ValueError(f"all {trials} trials were made")
    phase = phase_of(len(seen), trials)
    tried = [s.config for s in seen]
    scored = [s for s in seen if s.score is not None]
    if phase == "explore" or not scored:
        return _explore(space, len(seen), trials, seed, tried)
    best = max(scored, key=lambda s: s.score or 0.0).config
    rng = random.Random(f"{seed}:{len(seen)}")
    if phase == "exploit":
        for candidate in _neighbours(space, best, rng):
            if candidate not in tried:
                return candidate
    for candidate in _between(space, best, rng):
        if candidate not in tried:
            return candidate
    return _explore(space, len(seen), trials, seed, tried)


def _explore(space: Space, index: int, trials: int, seed: int, tried: list[Config]) -> Config:
    """Stratified: within the explore phase each parameter runs through its grid in a shuffled order."""
    width = max(1, round(0.35 * trials))
    for attempt in range(100):
        config = {}
        for name, grid in space.items():
            order = random.Random(f"{seed}:{name}:{attempt}").sample(range(width), width)
            cell = (order[index % width] + 0.5) / width
            config[name] = _value(name, grid[min(int(cell * len(grid)), len(grid) - 1)])
        if config not in tried:
            return config
    return config  # a space smaller than the trial budget repeats itself


def _neighbours(space: Space, best: Config, rng: random.Random) -> list[Config]:
    found = []
    for name, grid in space.items():
        at = min(range(len(grid)), key=lambda i: abs(grid[i] - best[name]))
        found += [{**best, name: _value(name, grid[i])} for i in (at - 1, at + 1) if 0 <= i < len(grid)]
    return rng.sample(found, len(found))


def _between(space: Space, best: Config, rng: random.Random) -> list[Config]:
    """Geometric means of the best value and its grid neighbours: learning rates and ranks live on a log scale."""
    found = []
    for config in _neighbours(space, best, rng):
        name = next(n for n in config if config[n] != best[n])
        low, high = config[name], best[name]
        middle = math.sqrt(low * high) if low > 0 and high > 0 else (low + high) / 2
        found.append({**best, name: _value(name, middle)})
    return [c for c in found if c != best]


def _value(name: str, value: float) -> float:
    return float(round(value)) if name in INTEGERS else float(f"{value:.6g}")
