"""SHA-256 and size of files as they were written, and which of them is no longer as it was."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

Sums = dict[str, dict[str, Any]]
"""A file's path below a folder to its `sha256` and size in `bytes`."""

THREADS = 8
"""Files hashed at once: hashing lets go of the interpreter, and shards of large models are many."""
SETTLED_SECONDS = 2
"""Older than any tick of a file system's clock: a file changed after it was hashed has another time than it had."""

_known: dict[tuple[str, int, int, int, int], str] = {}


class Changed(Exception):
    """A file is not what it was when it was written; the message names it, and the mend."""


def sha256(path: Path) -> str:
    """SHA-256 (hex) of a file, read once in a process for as long as its size, times and inode stay as they are.

    Raises:
        FileNotFoundError: there is no such file.
    """
    found = os.stat(path)
    stamp = (str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    if stamp not in _known:
        with path.open("rb") as stream:
            value = hashlib.file_digest(stream, "sha256").hexdigest()
        if time.time() - max(found.st_mtime, found.st_ctime) < SETTLED_SECONDS:
            return value
        _known[stamp] = value
    return _known[stamp]


def names(folder: Path) -> list[str]:
    """Paths of all files below a folder, in order."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def sums(folder: Path, files: Iterable[str]) -> Sums:
    """SHA-256 and size of files of a folder; best asked for when they were just written and lie in the page cache."""
    listed = list(files)
    with ThreadPoolExecutor(THREADS) as threads:
        found = threads.map(lambda name: sha256(folder / name), listed)
        return {
            name: {"sha256": value, "bytes": (folder / name).stat().st_size}
            for name, value in zip(listed, found, strict=True)
        }


def fault(folder: Path, listed: Mapping[str, Mapping[str, Any]], present: Iterable[str] = ()) -> str:
    """Which file of a folder is not as it was listed, as "FILE was changed"; "" when all are.

    Args:
        present: files that are there now; one that is not listed is a fault, hidden ones (as NFS leaves) aside.
    """
    for name in sorted(listed):
        if not (folder / name).is_file():
            return f"{folder / name} is gone"
        if (folder / name).stat().st_size != listed[name]["bytes"]:
            return f"{folder / name} was changed"
    for name, found in sums(folder, sorted(listed)).items():
        if found["sha256"] != listed[name]["sha256"]:
            return f"{folder / name} was changed"
    added = sorted(name for name in set(present) - set(listed) if not Path(name).name.startswith("."))
    return f"{folder / added[0]} was added" if added else ""


def sealed(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts, and under `sha256` what they hash to."""
    plain: dict[str, Any] = json.loads(json.dumps(facts))
    return plain | {"sha256": seal_of(plain)}


def read_sealed(path: Path) -> dict[str, Any]:
    """Facts that were sealed.

    Raises:
        FileNotFoundError: there is no such file.
        Changed: the file is cut off, was changed or was never sealed.
    """
    try:
        facts = json.loads(path.read_bytes())
    except ValueError:
        facts = None
    if not isinstance(facts, dict) or facts.get("sha256") != seal_of({k: v for k, v in facts.items() if k != "sha256"}):
        raise Changed(f"{path} was changed")
    return facts


def seal_of(facts: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of facts as JSON, whatever the order of their names."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
