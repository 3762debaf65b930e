"""Locks between processes, as files that stay; the operating system lets go of one when its process dies."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock


def locked(path: Path, *, wait: bool = True) -> FileLock:
    """Make the lock of a file, to be taken by `with`; its folder must be there.

    Where the file system has no locks it raises OSError: a file that only stands for a lock would outlive a kill.

    Args:
        wait: for whoever else holds it, else taking it raises filelock.Timeout.
    """
    return FileLock(path, blocking=wait, fallback_to_soft=False)
