"""Encode many configurations at once as an array: for each parameter a coordinate in [0, 1], or the index of a name.

Candidates by the hundred are drawn, moved and encoded here without making a configuration of each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forge_assets.search.space.parameters import Config, Number, SearchSpace, Subset, Value

Floats = NDArray[np.float64]


class PointEncoding:
    """Converts configurations to points (configurations x parameters), and the unit cube to points."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._choices: list[tuple[Value, ...]] = [
            () if isinstance(p, Number) else p.lattice if isinstance(p, Subset) else p.grid for p in space.parameters
        ]
        self._tables = [
            np.array([p.encode(value) for value in choices])
            for p, choices in zip(space.parameters, self._choices, strict=True)
        ]

    def points(self, configs: Sequence[Config]) -> Floats:
        """Convert configurations of the space to points."""
        pairs = list(zip(self._space.parameters, self._choices, strict=True))
        rows = [
            [float(choices.index(c[p.name])) if choices else p.encode(c[p.name])[0] for p, choices in pairs]
            for c in configs
        ]
        return np.array(rows, dtype=float)

    def configs(self, points: Floats) -> list[Config]:
        """Convert points to configurations, ints and digits rounded."""
        pairs = list(zip(self._space.parameters, self._choices, strict=True))
        return [
            {
                p.name: p.decode(float(x)) if isinstance(p, Number) else choices[int(x)]
                for x, (p, choices) in zip(row, pairs, strict=True)
            }
            for row in points
        ]

    def encode(self, points: Floats) -> Floats:
        """Encode points as coordinates, configurations x width."""
        columns = [
            table[points[:, j].astype(int)] if len(table) else points[:, j : j + 1]
            for j, table in enumerate(self._tables)
        ]
        return np.hstack(columns)

    def from_unit_cube(self, units: Floats) -> Floats:
        """Map the unit cube evenly to points of the whole space."""
        points = units.copy()
        for j, choices in enumerate(self._choices):
            if choices:
                points[:, j] = np.minimum((units[:, j] * len(choices)).astype(int), len(choices) - 1)
        return points

    def neighbours(self, bases: Floats, steps: float, count: int, rng: np.random.Generator) -> Floats:
        """Draw `count` points around each of `bases`: some parameters stay, others move by up to so many grid steps."""
        at = np.repeat(bases, count, axis=0)
        drawn = self.from_unit_cube(rng.random(at.shape))
        for j, (p, choices) in enumerate(zip(self._space.parameters, self._choices, strict=True)):
            if not choices:
                reach = steps / max(1, len(p.grid) - 1)
                low, high = np.maximum(at[:, j] - reach, 0.0), np.minimum(at[:, j] + reach, 1.0)
                drawn[:, j] = low + drawn[:, j] * (high - low)
        moves = rng.random(at.shape) < rng.choice([0.2, 0.4, 0.7], size=(len(at), 1))
        return np.where(moves, drawn, at)
