"""Read JSON lines: datasets and answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a file, one a line; only a newline ends a line, for texts hold other separators."""
    with path.open(encoding="utf-8", newline="\n") as stream:
        return [json.loads(line) for line in stream]
