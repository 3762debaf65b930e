"""Read JSON lines: whole files, and files that grow. Only a newline ends a line, for texts hold other separators."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Read the objects of a finished file, one a line.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is no JSON, as the last one of a file that was cut off.
    """
    with path.open(encoding="utf-8", newline="\n") as stream:
        return [json.loads(line) for line in stream]


def whole_lines(data: bytes) -> list[bytes]:
    """Split into lines, each with its newline; what follows the last newline is being written, or was torn off."""
    return [line + b"\n" for line in data.split(b"\n")[:-1]]


def drop_torn_tail(path: Path) -> None:
    """Cut off what a full disk or a kill left of the last line, so that lines can be appended; no file is no tail."""
    if path.exists():
        os.truncate(path, path.read_bytes().rfind(b"\n") + 1)


class JsonLines:
    """A file of JSON lines that grows, read in pieces."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new(self) -> list[dict[str, Any]]:
        """Read the whole lines that came since the last call; none while there is no file."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            lines = whole_lines(file.read())
        self._offset += sum(map(len, lines))
        return [json.loads(line) for line in lines]
