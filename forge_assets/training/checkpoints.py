"""Checkpoints that can be trusted: sealed with the SHA-256 of every file, refused when one does not match."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

SEAL = "seal.json"


def seal(checkpoint: Path) -> None:
    """Write every file's SHA-256 and size into the checkpoint, last, after all of it is on the disk."""
    sums = {name: _digest(checkpoint / name) for name in _files(checkpoint)}
    for name in sums:
        _sync(checkpoint / name)
    draft = checkpoint / f".{SEAL}"
    draft.write_text(json.dumps(sums, indent=1))
    _sync(draft)
    os.replace(draft, checkpoint / SEAL)
    _sync(checkpoint)


def remove_torn(work: Path) -> None:
    """Remove checkpoints that were not written to their end."""
    for path in work.glob("checkpoint-*"):
        if not (path / SEAL).exists():
            shutil.rmtree(path)


def last_whole(work: Path) -> Path | None:
    """The newest checkpoint that is as it was sealed; those that are not are removed."""
    for path in sorted(work.glob("checkpoint-*"), key=lambda p: int(p.name.split("-")[1]), reverse=True):
        if _whole(path):
            return path
        print(f"{path.name} is not whole and was removed: an earlier one is taken", flush=True)
        shutil.rmtree(path)
    return None


def _whole(checkpoint: Path) -> bool:
    try:
        sums = json.loads((checkpoint / SEAL).read_text())
        return bool(sums) and all(_digest(checkpoint / name) == found for name, found in sums.items())
    except (OSError, ValueError, AttributeError):
        return False


def _files(checkpoint: Path) -> list[str]:
    found = (path for path in sorted(checkpoint.rglob("*")) if path.is_file())
    return [str(path.relative_to(checkpoint)) for path in found if path.name not in (SEAL, f".{SEAL}")]


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
