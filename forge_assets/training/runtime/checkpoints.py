"""Checkpoints that can be trusted: sealed with the SHA-256 of every file, refused when one does not match."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from forge_resources.storage.atomic import atomic
from forge_resources.storage.file_sums import Changed, fault, names, read_sealed, sealed, sums

SEAL = "seal.json"


def seal(checkpoint: Path) -> None:
    """Write every file's SHA-256 and size into the checkpoint, last, after all of it is on the disk."""
    found = sums(checkpoint, [name for name in names(checkpoint) if name != SEAL and not name.startswith(f".{SEAL}.")])
    for name in found:
        _sync(checkpoint / name)
    with atomic(checkpoint / SEAL) as draft:
        draft.write_text(json.dumps(sealed({"files": found}), indent=1), "utf-8")
        _sync(draft)
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
        files = read_sealed(checkpoint / SEAL)["files"]
    except (OSError, Changed):
        return False
    return bool(files) and not fault(checkpoint, files)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
