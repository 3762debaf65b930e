"""Define a search space: for each parameter its grid, from which its kind and its scale follow.

Numbers are ints or floats, on a log scale where their grid is spaced that way. Names are categories. Lists of names
are sets: two sets are near where they share most names, and between two of a grid lie their union and intersection.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import optuna

Value = float | int | str | tuple[str, ...]
Config = dict[str, Value]
Scale = Literal["log", "linear"]

STEP: Mapping[str, float] = {"learning_rate": 1.0, "alpha_ratio": 0.75, "batch_size": -0.5}
"""How the size of a LoRA training's step goes with its parameters, as powers: near the start the weights' change is
learning rate x alpha / rank, later, as both matrices have moved, its square over that (Hu et al. 2021, arXiv
2106.09685, section 4.1), so alpha counts between one half and one; by Adam's square-root rule a batch k times as large
steps like a learning rate smaller by the root of k (Malladi et al. 2022, arXiv 2205.10287)."""

STEP_LENGTH = math.log(5.6)
"""Learning rates that are apart by this factor, as a logarithm, say little of one another."""

JOINED = "+"
"""Between the names of a set, as a study's storage holds it."""
MOST_SETS = 64


class Parameter:
    """One parameter: its grid, and its coordinates, in which a distance of 1 is as far as its values go."""

    def __init__(self, name: str, grid: Sequence[Value]) -> None:
        self.name = name
        self.grid: tuple[Value, ...] = tuple(grid)

    @property
    def width(self) -> int:
        """How many coordinates it has."""
        raise NotImplementedError

    def encode(self, value: Value) -> tuple[float, ...]:
        """Encode a value as coordinates."""
        raise NotImplementedError

    def distribution(self) -> optuna.distributions.BaseDistribution:
        """Return the distribution that Optuna draws it from and stores it as."""
        raise NotImplementedError

    def suggest(self, trial: optuna.Trial) -> Any:
        """Suggest its value in a trial, as Optuna stores it."""
        raise NotImplementedError

    def stored(self, value: Value) -> float | int | str:
        """Convert a value to what Optuna stores."""
        return value  # type: ignore[return-value]

    def read(self, stored: Any) -> Value:
        """Convert what Optuna stored to a value."""
        value: Value = stored
        return value

    def inside(self, value: Value) -> Value:
        """Find the nearest value of the space: a guard may have made one that it does not have."""
        return value


class Number(Parameter):
    """Ints or floats in ascending order."""

    def __init__(self, name: str, grid: Sequence[float | int], scale: Scale) -> None:
        super().__init__(name, grid)
        self.points = tuple(grid)
        self.whole = all(isinstance(value, int) for value in grid)
        self.log = scale == "log"
        ends = self._scaled(grid[0]), self._scaled(grid[-1])
        self._low, self._span = ends[0], ends[1] - ends[0]

    @property
    def width(self) -> int:
        return 1

    @property
    def factor(self) -> float:
        """The logarithm of its last value over its first; 0 where the first is not above 0."""
        return math.log(self.points[-1] / self.points[0]) if self.points[0] > 0 else 0.0

    def encode(self, value: Value) -> tuple[float, ...]:
        return ((self._scaled(value) - self._low) / self._span if self._span else 0.0,)

    def decode(self, at: float) -> Value:
        """Decode a coordinate from 0 to 1, floats to four digits."""
        scaled = self._low + min(max(at, 0.0), 1.0) * self._span
        value = math.exp(scaled) if self.log else scaled
        if self.whole:
            return min(max(round(value), int(self.points[0])), int(self.points[-1]))
        return min(max(float(f"{value:.4g}"), float(self.points[0])), float(self.points[-1]))

    def distribution(self) -> optuna.distributions.BaseDistribution:
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.whole:
            return IntDistribution(int(self.points[0]), int(self.points[-1]), log=self.log)
        return FloatDistribution(float(self.points[0]), float(self.points[-1]), log=self.log)

    def suggest(self, trial: optuna.Trial) -> Any:
        low, high = self.points[0], self.points[-1]
        if self.whole:
            return trial.suggest_int(self.name, int(low), int(high), log=self.log)
        return trial.suggest_float(self.name, low, high, log=self.log)

    def read(self, stored: Any) -> Value:
        return int(stored) if self.whole else float(stored)

    def inside(self, value: Value) -> Value:
        return min(max(value, self.points[0]), self.points[-1])

    def _scaled(self, value: Value) -> float:
        return math.log(float(value)) if self.log else float(value)  # type: ignore[arg-type]


class Category(Parameter):
    """One of several names, each as far from every other."""

    @property
    def width(self) -> int:
        return len(self.grid)

    def encode(self, value: Value) -> tuple[float, ...]:
        return tuple(math.sqrt(0.5) * (value == known) for known in self.grid)

    def distribution(self) -> optuna.distributions.BaseDistribution:
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution([self.stored(value) for value in self.grid])

    def suggest(self, trial: optuna.Trial) -> Any:
        return trial.suggest_categorical(self.name, [self.stored(value) for value in self.grid])


class Subset(Parameter):
    """Sets of names. A bare name in the grid, as `all-linear`, is a set that shares nothing with the others."""

    def __init__(self, name: str, grid: Sequence[Value]) -> None:
        super().__init__(name, [value if isinstance(value, str) else tuple(sorted(value)) for value in grid])  # type: ignore[arg-type]
        stored = [self.stored(value) for value in self.grid]
        if double := next((value for value in stored if stored.count(value) > 1), None):
            raise ValueError(f"{name}: {double!r} is stored as another value is: list it once")
        self._names = sorted({one for value in self.grid for one in _names(value)})
        sets = [value for value in self.grid if not isinstance(value, str)]
        between = [set(_names(a)) | set(_names(b)) for a, b in combinations(sets, 2)]
        between += [set(_names(a)) & set(_names(b)) for a, b in combinations(sets, 2)]
        closed = dict.fromkeys([*self.grid, *(tuple(sorted(names)) for names in between if names)])
        self.lattice: tuple[Value, ...] = tuple(closed)[: max(MOST_SETS, len(self.grid))]

    @property
    def width(self) -> int:
        return len(self._names)

    def encode(self, value: Value) -> tuple[float, ...]:
        names = _names(value)
        return tuple((name in names) / math.sqrt(len(self._names)) for name in self._names)

    def distribution(self) -> optuna.distributions.BaseDistribution:
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution([self.stored(value) for value in self.lattice])

    def suggest(self, trial: optuna.Trial) -> Any:
        return trial.suggest_categorical(self.name, [self.stored(value) for value in self.lattice])

    def stored(self, value: Value) -> float | int | str:
        return value if isinstance(value, str) else JOINED.join(value)  # type: ignore[arg-type]

    def read(self, stored: Any) -> Value:
        known = next((value for value in self.lattice if self.stored(value) == stored), None)
        return known if known is not None else tuple(sorted(str(stored).split(JOINED)))

    def inside(self, value: Value) -> Value:
        mine = set(_names(value))
        return min(self.lattice, key=lambda known: (known != value, len(mine ^ set(_names(known)))))


@dataclass(frozen=True)
class SearchSpace:
    """The parameters of a search.

    Args:
        grid: for each parameter its values: numbers in ascending order; names; or lists of names, each a set.
        scale: "log" or "linear" where the grid's spacing should not decide.
        step: what is known of which numbers act together, as powers of each; empty: nothing.

    Raises:
        ValueError: a grid is empty, repeats a value, is out of order or mixes kinds; the message names the parameter.
    """

    grid: Mapping[str, Sequence[Any]]
    scale: Mapping[str, Scale] = field(default_factory=dict)
    step: Mapping[str, float] = field(default_factory=lambda: STEP)

    def __post_init__(self) -> None:
        if not self.grid:
            raise ValueError("the search space is empty: give at least one parameter with its values")
        unknown = set(self.scale) - set(self.grid)
        if unknown:
            raise ValueError(f"scale names {', '.join(sorted(unknown))}, which the grid does not have")
        _ = self.parameters

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """In the order of the grid."""
        return tuple(_parameter(name, values, self.scale.get(name)) for name, values in self.grid.items())

    def encode(self, configs: Sequence[Mapping[str, Value]]) -> NDArray[np.float64]:
        """Encode configurations as coordinates, configurations x width."""
        rows = [[x for p in self.parameters for x in p.encode(config[p.name])] for config in configs]
        return np.array(rows, dtype=float).reshape(len(configs), self.width)

    @property
    def width(self) -> int:
        """How many coordinates a configuration has."""
        return sum(parameter.width for parameter in self.parameters)

    @cached_property
    def columns(self) -> tuple[slice, ...]:
        """Which coordinates belong to each parameter."""
        ends = np.cumsum([0, *(parameter.width for parameter in self.parameters)])
        return tuple(slice(int(a), int(b)) for a, b in pairwise(ends))

    @cached_property
    def line(self) -> NDArray[np.intp]:
        """The coordinates that belong to numbers."""
        pairs = zip(self.parameters, self.columns, strict=True)
        return np.array([column.start for p, column in pairs if isinstance(p, Number)], dtype=np.intp)

    @cached_property
    def direction(self) -> NDArray[np.float64]:
        """Weights of these coordinates in the size of a step, in lengths of its effect; 0 where nothing is known."""
        numbers = [p for p in self.parameters if isinstance(p, Number)]
        return np.array([self.step.get(p.name, 0.0) * p.factor / STEP_LENGTH for p in numbers])

    def distributions(self) -> dict[str, optuna.distributions.BaseDistribution]:
        """Return what Optuna's own samplers draw from: the whole range of every grid."""
        return {parameter.name: parameter.distribution() for parameter in self.parameters}

    def inside(self, config: Mapping[str, Value]) -> Config:
        """Find the nearest configuration of the space."""
        return {parameter.name: parameter.inside(config[parameter.name]) for parameter in self.parameters}

    def suggest(self, trial: optuna.Trial) -> Config:
        """Suggest the configuration of a trial, by whatever sampler its study has."""
        return {parameter.name: parameter.read(parameter.suggest(trial)) for parameter in self.parameters}

    def stored(self, config: Mapping[str, Value]) -> dict[str, float | int | str]:
        """Convert a configuration to what a study's storage holds."""
        return {parameter.name: parameter.stored(config[parameter.name]) for parameter in self.parameters}

    def read(self, stored: Mapping[str, Any]) -> Config:
        """Convert what was stored to a configuration.

        Raises:
            KeyError: a parameter is missing.
        """
        return {parameter.name: parameter.read(stored[parameter.name]) for parameter in self.parameters}


def _names(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)


def _parameter(name: str, values: Sequence[Any], scale: Scale | None) -> Parameter:
    grid = [tuple(value) if isinstance(value, list | set | frozenset | tuple) else value for value in values]
    if not grid:
        raise ValueError(f"{name}: list at least one value")
    if len(set(grid)) < len(grid):
        raise ValueError(f"{name}: list every value once")
    if any(isinstance(value, tuple) for value in grid):
        wrong = [value for value in grid if not isinstance(value, tuple | str)]
        if wrong:
            raise ValueError(f"{name}: {wrong[0]!r} is no set of names as the others are")
        return Subset(name, grid)
    numbers = [value for value in grid if _is_number(value)]
    if len(numbers) == len(grid):
        if numbers != sorted(numbers):
            raise ValueError(f"{name}: list its values ascending")
        whole = all(isinstance(value, int) for value in numbers)
        return Number(name, numbers if whole else [float(v) for v in numbers], scale or _spacing(numbers))
    if all(isinstance(value, str | bool) for value in grid):
        return Category(name, grid)
    raise ValueError(f"{name}: {', '.join(map(repr, grid))} mix kinds: give numbers, names or lists of names")


def _is_number(value: Any) -> TypeGuard[float | int]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _spacing(grid: Iterable[float]) -> Scale:
    """Log where steps are more alike as ratios than as differences; of two values, where one is twice the other."""
    points = np.array(list(grid), dtype=float)
    if len(points) < 2 or points[0] <= 0:
        return "linear"
    if len(points) == 2:
        return "log" if points[1] >= 2 * points[0] else "linear"
    ratios, steps = np.diff(np.log(points)), np.diff(points)
    return "log" if ratios.std() / ratios.mean() < steps.std() / steps.mean() else "linear"
