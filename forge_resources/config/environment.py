"""Settings from the environment: an empty variable is no value."""

from __future__ import annotations

import os


def setting(name: str, default: str) -> str:
    """The variable's value, `default` where it is not set or empty."""
    return os.environ.get(name) or default
