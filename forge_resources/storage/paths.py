"""Paths for libraries that read a path as something else: as a pattern, as a URL, or cut at a question mark."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def plain_path(folder: Path) -> Iterator[Path]:
    """Yield another path to a folder, which holds none of `* ? [ ] \\ % #`, for as long as the block runs.

    DuckDB expands `*`, `?` and `[` in what it reads, and cuts the name of its write-ahead log at a `?`; SQLAlchemy
    decodes `%20` in the path of a SQLite file. A link in the folder for temporary files has only letters on its way.
    """
    with tempfile.TemporaryDirectory(prefix="forge-") as scratch:
        link = Path(scratch, "folder")
        link.symlink_to(folder.resolve(), target_is_directory=True)
        yield link


@contextmanager
def duckdb_folder(folder: Path) -> Iterator[Path]:
    """Yield the folder if DuckDB can write files there, else a temporary one.

    DuckDB resolves links, cuts a path at `?` and takes `\\` for `/`.
    """
    if not {"?", "\\"} & set(str(folder.resolve())):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="forge-") as scratch:
        yield Path(scratch)
