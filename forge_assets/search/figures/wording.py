"""Format configurations and the guard's changes for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """What the guard changed: `rule` spoke, `parameter` went from `before` to `after`, in words."""

    rule: str
    parameter: str
    before: str
    after: str

    @property
    def step(self) -> str:
        """`rank 64 → 32`."""
        return f"{self.parameter} {self.before} → {self.after}"


def format_name(parameter: str) -> str:
    """Format `learning_rate` as `learning rate`."""
    return parameter.replace("_", " ")


def format_value(value: Any) -> str:
    """Format a value of a parameter: three digits of a number, modules without their common ending."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, list | tuple):
        return " ".join(str(module).removesuffix("_proj") for module in value)
    return str(value)


def parse_config(text: str | None) -> dict[str, Any]:
    """Parse the configuration in column `asked` or `ran` of `search.trials`; empty where none was written."""
    return dict(json.loads(text)) if text else {}


def parse_changes(text: str | None) -> tuple[Change, ...]:
    """Parse the changes in column `guard` of `search.trials`."""
    return tuple(
        Change(format_name(c["rule"]), format_name(c["parameter"]), format_value(c["before"]), format_value(c["after"]))
        for c in (json.loads(text) if text else [])
    )
