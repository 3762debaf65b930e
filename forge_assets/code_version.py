"""Code versions of assets, as Dagster shows them."""

from __future__ import annotations

import hashlib
from pathlib import Path

HERE = Path(__file__).parent


def code_version(*rooms: str) -> str:
    """Digest of the source of rooms, twelve hex digits: what an asset without a version of its own was made with."""
    found = hashlib.sha256()
    for path in sorted(path for room in rooms for path in (HERE / room).rglob("*.py")):
        found.update(f"{path.relative_to(HERE).as_posix()}\0".encode() + path.read_bytes())
    return found.hexdigest()[:12]
