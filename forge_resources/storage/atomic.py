"""Write a file whole or not at all; nothing is left of a writer that was killed once another one has come."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path`, on error it is removed.

    What writers of the same file left there when they were killed is removed first; a writer that lives holds a lock on
    its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent, f".{path.name}.")
    draft, handle = _draft(path)
    try:
        yield draft
        os.replace(draft, path)
    finally:
        os.close(handle)
        draft.unlink(missing_ok=True)


def _draft(path: Path) -> tuple[Path, int]:
    """Make a draft, and the handle that locks it for as long as its writer lives.

    Not by `filelock`: the draft is its own lock, and what sweeps it must not make it anew.
    """
    while True:
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.draft")
        # Not mkstemp: other users' processes, as in a pod, are to read what the umask lets them.
        handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return draft, handle
        os.close(handle)  # swept by another writer before it was locked


def sweep(folder: Path, prefix: str = ".") -> None:
    """Remove the drafts of a folder that nobody writes any more."""
    for name in os.listdir(folder):
        if name.startswith(prefix) and name.endswith(".draft"):
            draft = folder / name
            try:
                handle = os.open(draft, os.O_RDONLY)
            except FileNotFoundError:  # its writer was done just now
                continue
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                draft.unlink(missing_ok=True)
            except BlockingIOError:
                continue
            finally:
                os.close(handle)
