"""What a profile's search may vary, and which values each parameter takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from forge_resources.config.strict_yaml import Problem, format_value, nearest

Value = float | str | tuple[str, ...]

NUMBERS: Mapping[str, tuple[Callable[[float], bool], str]] = {
    "learning_rate": (lambda value: value > 0, "a number above 0"),
    "rank": (lambda value: value >= 1 and value.is_integer(), "a whole number from 1"),
    "alpha_ratio": (lambda value: value > 0, "a number above 0"),
    "dropout": (lambda value: 0 <= value < 1, "a number from 0 to below 1"),
    "batch_size": (lambda value: value >= 1 and value.is_integer(), "a whole number from 1"),
    "warmup_ratio": (lambda value: 0 <= value <= 1, "a number from 0 to 1"),
    "weight_decay": (lambda value: value >= 0, "a number from 0"),
}
"""What may vary that is a number, and the bounds that a training job has for it."""

SCHEDULERS = ("constant", "linear", "cosine")

CHOICES = ("target_modules", "scheduler")
"""What may vary that is one of several; `target_modules` are sets of modules, or `all-linear`."""


def space_problems(space: Mapping[str, Sequence[Value]]) -> Iterator[Problem]:
    """What is wrong with the grids of `search.space`: numbers in ascending order, or choices."""
    if "learning_rate" not in space:
        mend = "add it: it is the one parameter that every search needs"
        yield ("search", "space"), "`search.space.learning_rate` is missing", mend
    for name, grid in space.items():
        at = ("search", "space", name)
        field = ".".join(at)
        if name not in (*NUMBERS, *CHOICES):
            yield at, f"`{field}` cannot be searched", nearest(name, (*NUMBERS, *CHOICES))
            continue
        if not grid:
            yield at, f"`{field}` is empty", "list at least one value"
        allowed = _number if name in NUMBERS else _choice
        for i, value in enumerate(grid):
            if mend := allowed(name, value):
                yield (*at, i), f"`{field}: {_shown(value)}` is not accepted", mend
            elif value in grid[:i]:
                yield (*at, i), f"`{field}` has {_shown(value)} twice", "keep one of them"
            elif name in NUMBERS and i and isinstance(before := grid[i - 1], float) and value < before:  # type: ignore[operator]
                yield (*at, i), f"`{field}` has {_shown(value)} after {_shown(before)}", "list its values ascending"


def _number(name: str, value: Value) -> str:
    holds, wanted = NUMBERS[name]
    return "" if isinstance(value, float) and holds(value) else f"give {wanted}"


def _choice(name: str, value: Value) -> str:
    if name == "scheduler":
        return "" if value in SCHEDULERS else nearest(_shown(value), SCHEDULERS)
    if value == "all-linear" or (isinstance(value, tuple) and value and len(value) == len(set(value))):
        return ""
    return "list names, each once, or write all-linear"


def _shown(value: Value) -> str:
    return (
        f"{value:g}" if isinstance(value, float) else format_value(list(value) if isinstance(value, tuple) else value)
    )
