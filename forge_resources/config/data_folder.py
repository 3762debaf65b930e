"""The data folder: made with a mark that says that it is ours, and emptied only where that mark is.

Run: python -m forge_resources.config.data_folder makes it and prints it, as `make ui` needs it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forge_resources.config.settings import read_settings
from forge_resources.storage.job_folder import CALLER_LOCK, WORKER_LOCK

PROJECT = Path(__file__).resolve().parents[2]
MARK = ".forge-data"
CHAIN_LOCK = "chain.lock"
KEPT = (MARK, CHAIN_LOCK, "models")
"""What `forge clean` leaves: base models take long to make, and nothing that is made here changes them. The lock is
held meanwhile, and removed it would let a run begin."""
_SAYS = "Everything in this folder was made by Model Forge; `forge clean` removes it, all but the base models.\n"


class DataFolderError(ValueError):
    """A data folder that cannot be used, or must not be emptied; the message names it and the mend."""


def data_folder() -> Path:
    """Where everything that is made lies: FORGE_DATA, or `.forge` in the project."""
    return Path(read_settings().data or PROJECT / ".forge").resolve()


def check_data_folder(folder: Path) -> None:
    """Refuse what cannot be a data folder, and make nothing.

    Raises:
        DataFolderError: something else is there.
    """
    if folder.exists() and not folder.is_dir():
        raise DataFolderError(f"data folder {folder}: File exists: set FORGE_DATA to a folder that can be written")


def claim(folder: Path) -> Path:
    """Make the data folder and mark it as ours; one that has something else in it is used, but never marked.

    Raises:
        DataFolderError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            (folder / MARK).write_text(_SAYS, "utf-8")
        elif not os.access(folder, os.W_OK):
            raise PermissionError(13, "it may not be written")
    except OSError as error:
        why = error.strerror or str(error)
        raise DataFolderError(f"data folder {folder}: {why}: set FORGE_DATA to a folder that can be written") from error
    return folder


def check_dagster_folder() -> None:
    """Refuse a FORGE_DAGSTER below which Dagster cannot keep its history: it writes the path into an URL as it is.

    Raises:
        DataFolderError: the path has `?` or `%`.
    """
    folder = read_settings().dagster
    if odd := sorted({"?", "%"} & set(folder)):
        raise DataFolderError(
            f"FORGE_DAGSTER={folder}: Dagster keeps nothing below a path with `{odd[0]}`: set FORGE_DAGSTER elsewhere"
        )


def clean(folder: Path) -> list[str]:
    """Remove everything from a data folder except the base models. Links are removed, not followed.

    Returns:
        Names of what was removed.

    Raises:
        DataFolderError: it is not a data folder of ours, or something works in it; nothing was removed.
    """
    if not folder.exists():
        return []
    mark = folder / MARK
    if not mark.is_file() or mark.is_symlink():
        raise DataFolderError(
            f"{folder} is not a data folder of Model Forge, for it has no file {MARK}: nothing was removed. If it is "
            f"one of an older version, make that file (touch '{mark}') and call this again"
        )
    with _nobody_at_work(folder):
        names = sorted(path.name for path in folder.iterdir() if path.name not in KEPT)
        for path in (folder / name for name in names):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    return names


@contextmanager
def _nobody_at_work(folder: Path) -> Iterator[None]:
    """Hold the locks of chain and workers.

    Not by `filelock`, which would make a lock that goes meanwhile, and cannot take one that may only be read.

    Raises:
        DataFolderError: somebody else holds one.
    """
    locks = [
        folder / CHAIN_LOCK,
        *folder.glob(f"artefacts/*/{WORKER_LOCK}"),
        *folder.glob(f"artefacts/*/{CALLER_LOCK}"),
    ]
    handles = []
    try:
        for lock in (lock for lock in locks if lock.exists()):
            handles.append(os.open(lock, os.O_RDONLY))
            try:
                fcntl.flock(handles[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DataFolderError(f"something works in {folder} ({lock.name} is held): stop it first") from error
        yield
    finally:
        for handle in handles:
            os.close(handle)


if __name__ == "__main__":
    print(claim(data_folder()))
