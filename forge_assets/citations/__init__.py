"""Read citations of law in any text.

from forge_assets.citations import load, parse

for found in parse("§ 87 Abs. 1 Nr. 6 BetrVG", load()):
    print(found.key, found.status)
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forge_assets.citations.loading import load
    from forge_assets.citations.parser import parse

__all__ = ["load", "parse"]

_HOMES = {"load": "forge_assets.citations.loading", "parse": "forge_assets.citations.parser"}


def __getattr__(name: str) -> Callable[..., Any]:
    """Import what the package offers when it is asked for: the modules within import each other without it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: Callable[..., Any] = getattr(import_module(_HOMES[name]), name)
    return found
