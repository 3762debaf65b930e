"""Where artefacts live: Parquet tables written whole or not at all, and content-addressed job folders."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import polars as pl

from forge_resources.storage.atomic import atomic, sweep
from forge_resources.storage.canonical_json import digest
from forge_resources.storage.duckdb_file import write_database
from forge_resources.storage.file_sums import sha256
from forge_resources.storage.locks import locked
from forge_resources.storage.tables import TABLES, SchemaError, Table

SUMS = ".sha256"
"""Ends the name of the file beside a partition that holds the SHA-256 of its bytes."""


class DamagedFile(ValueError):
    """A file whose bytes are not those that were written; the message names it and what to do."""


class Store:
    """Tables are named `schema.table`; a partitioned table is one Parquet file a partition, its SHA-256 beside it.

    Args:
        root: the data folder.
        tables: name to declaration of every table that may be written.
    """

    def __init__(self, root: Path, tables: Mapping[str, Table] = TABLES) -> None:
        self.root = root
        self._tables = tables

    @property
    def database(self) -> Path:
        """The published DuckDB file."""
        return self.root / "forge.duckdb"

    def _folder(self, table: str) -> Path:
        return self.root.joinpath("tables", *table.split("."))

    def _declared(self, table: str) -> Table:
        if table not in self._tables:
            raise SchemaError(
                f"table {table} is not declared: use one of {', '.join(sorted(self._tables))}, "
                "or declare it in forge_resources/storage/tables.py"
            )
        return self._tables[table]

    def write(self, table: str, rows: pl.DataFrame, partition: str = "all") -> bool:
        """Replace one partition of a table atomically. Returns whether its bytes changed.

        Columns are put in the declared order.

        Raises:
            SchemaError: the table is not declared, or the rows' columns are not those declared; what was there stays.
            ValueError: the partition's name is none of a file in the table's folder.
        """
        declared = self._declared(table)
        if faults := declared.faults(rows.schema):
            raise SchemaError(
                f'{table}, partition {partition}: {faults}: build the rows with schema=TABLES["{table}"].schema, '
                "or change the declaration in forge_resources/storage/tables.py"
            )
        path = self._file(table, partition)
        with self._alone(table):
            before = sha256(path) if path.exists() else ""
            with atomic(path) as draft:
                with draft.open("wb") as file:
                    rows.select(declared.schema.names()).write_parquet(file)
                after = sha256(draft)
                # Until the rows are replaced the old ones are good as well, unless they were damaged before.
                _note(path, {before} & _noted(path) | {after})
            _note(path, {after})
        return after != before

    def _file(self, table: str, partition: str) -> Path:
        """A partition's Parquet file.

        Raises:
            ValueError: the partition's name is none of a file in the table's folder.
        """
        if not partition or partition.startswith(".") or "/" in partition:
            raise ValueError(f"{table}: {partition!r} is no name of a partition: it is empty, begins with . or has a /")
        return self._folder(table) / f"{partition}.parquet"

    @contextmanager
    def _alone(self, table: str) -> Iterator[None]:
        """Keep other writers off a table, and remove what dead ones left there."""
        folder = self._folder(table)
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / ".lock"):
            sweep(folder)
            yield

    def files(self, table: str, partition: str | None = None) -> list[Path]:
        """The Parquet files of a table, or of one partition, in name order, each as it was written and as declared.

        Raises:
            SchemaError: the table is not declared, or a file was written when other columns were declared.
            DamagedFile: a file's bytes are not those that were written.
        """
        declared = self._declared(table)
        return [path for path, _ in self._opened(declared, partition)]

    def _opened(self, declared: Table, partition: str | None = None) -> Iterator[tuple[Path, IO[bytes]]]:
        """Each file of a table, open at its start, once it is known to be whole and to have the declared columns."""
        for name in self._partitions(declared.name) if partition is None else [partition]:
            path = self._file(declared.name, name)
            if not path.exists():
                continue
            with _whole(path) as file:
                if faults := declared.faults(pl.read_parquet_schema(file)):
                    raise SchemaError(
                        f"{declared.name}, partition {name}: {faults}: it was written by another version of the "
                        f"project; materialise it again, or remove {path}"
                    )
                file.seek(0)
                yield path, file

    def _partitions(self, table: str) -> list[str]:
        """Names of the partitions that are there, in order."""
        folder = self._folder(table)
        names = os.listdir(folder) if folder.is_dir() else []
        return sorted(name.removesuffix(".parquet") for name in names if _is_partition(name))

    def read(self, table: str, partition: str | None = None) -> pl.DataFrame:
        """All partitions of a table in name order, or one.

        Raises:
            SchemaError: the table is not declared, or a file was written when other columns were declared.
            DamagedFile: a file's bytes are not those that were written.
            FileNotFoundError: nothing was written yet; the message names the folder.
        """
        declared = self._declared(table)
        # Through the open file, for polars takes a path for a pattern.
        parts = [pl.read_parquet(file.read()) for _, file in self._opened(declared, partition)]
        if not parts:
            raise FileNotFoundError(f"table {table} is empty: no Parquet file under {self._folder(table)}")
        return pl.concat([part.select(declared.schema.names()) for part in parts])

    def has(self, table: str, partition: str | None = None) -> bool:
        """Whether the table holds at least one partition, or that one."""
        found = self._partitions(table)
        return bool(found) if partition is None else partition in found

    def written_at(self, table: str, partition: str = "all") -> float | None:
        """Unix time at which a partition was written; None: it is not there."""
        path = self._file(table, partition)
        return path.stat().st_mtime if path.exists() else None

    def version(self, table: str, partition: str) -> str:
        """SHA-256 of a partition's rows; equal rows have equal versions.

        Raises:
            FileNotFoundError: the partition was not written yet.
        """
        return digest(self.read(table, partition).write_ndjson())

    def keep_only(self, table: str, partitions: Collection[str]) -> None:
        """Remove every partition of a table that is not named."""
        if not self._folder(table).is_dir():
            return
        with self._alone(table):
            for name in self._partitions(table):
                if name not in partitions:
                    path = self._file(table, name)
                    path.unlink()
                    _sums(path).unlink(missing_ok=True)

    def artefact(self, identity: str) -> Path:
        """The folder of a content-addressed artefact."""
        return self.root / "artefacts" / identity

    def publish(self) -> Path:
        """Build the DuckDB file anew from every declared table that has rows, see `write_database`.

        Raises:
            SchemaError: a file was written when other columns were declared.
            DamagedFile: a file's bytes are not those that were written.
        """
        write_database(self.database, self._tables.values(), self.files)
        return self.database


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file, open at its start, whose bytes are those that were written, whoever replaces it meanwhile.

    Raises:
        DamagedFile: they are not.
    """
    while True:
        with path.open("rb") as file:
            noted = _noted(path)
            if hashlib.file_digest(file, "sha256").hexdigest() in noted:
                file.seek(0)
                yield file
                return
            # The sums were read while this file was open: if it is still in place, they were its own.
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                raise DamagedFile(
                    f"{path}: its bytes are not those that were written (SHA-256 differs from {path.name}{SUMS}): "
                    "remove the file and materialise what makes it again"
                )


def _is_partition(name: str) -> bool:
    return name.endswith(".parquet") and not name.startswith(".")


def _sums(path: Path) -> Path:
    return path.with_name(path.name + SUMS)


def _noted(path: Path) -> set[str]:
    """The SHA-256 that a partition may have: one, and two while it is being replaced; none where nothing is noted."""
    try:
        return set(_sums(path).read_text("ascii", errors="replace").split())
    except FileNotFoundError:
        return set()


def _note(path: Path, sums: Collection[str]) -> None:
    with atomic(_sums(path)) as draft:
        draft.write_text("".join(f"{each}\n" for each in sorted(sums)), "ascii")
