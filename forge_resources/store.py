"""Where artefacts live: atomic Parquet tables (the truth), a published DuckDB file, content-addressed job folders."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import duckdb
import polars as pl
from filelock import FileLock
from polars.datatypes import DataTypeClass

from forge_resources.paths import duckdb_folder, plain_path
from forge_resources.tables import TABLES, SchemaError, Table

VIEWS = Path(__file__).with_name("views.sql")
_SQL_TYPES: dict[DataTypeClass, str] = {
    pl.String: "VARCHAR",
    pl.Boolean: "BOOLEAN",
    pl.Date: "DATE",
    pl.Int64: "BIGINT",
    pl.UInt32: "UINTEGER",
    pl.Float64: "DOUBLE",
}


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes on any machine."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path`, on error it is removed.

    What writers of the same file left there when they were killed is removed first; a writer that lives holds a lock on
    its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".draft")
    draft = Path(name)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield draft
        os.replace(draft, path)
    finally:
        os.close(handle)
        draft.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove the drafts of a file that nobody writes any more."""
    for name in os.listdir(path.parent):
        if name.startswith(f".{path.name}.") and name.endswith(".draft"):
            draft = path.parent / name
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


def sql_type(kind: pl.DataType | DataTypeClass) -> str:
    """A column's type in DuckDB."""
    return f"{sql_type(kind.inner)}[]" if isinstance(kind, pl.List) else _SQL_TYPES[kind.base_type()]


SUMS = ".sha256"
"""Ends the name of the file beside a partition that holds the SHA-256 of its bytes."""

STORAGE_VERSION = "v1.0.0"
"""What `forge.duckdb` is written for: every DuckDB client since 1.0 reads it (bench/duckdb_clients.py)."""


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
                "or declare it in forge_resources/tables.py"
            )
        return self._tables[table]

    def write(self, table: str, rows: pl.DataFrame, partition: str = "all") -> bool:
        """Replace one partition of a table atomically. Returns whether its bytes changed.

        Columns are put in the declared order.

        Raises:
            SchemaError: the table is not declared, or the rows' columns are not those declared; what was there stays.
        """
        declared = self._declared(table)
        if faults := declared.faults(rows.schema):
            raise SchemaError(
                f'{table}, partition {partition}: {faults}: build the rows with schema=TABLES["{table}"].schema, '
                "or change the declaration in forge_resources/tables.py"
            )
        path = self._folder(table) / f"{partition}.parquet"
        before = _sum_of(path) if path.exists() else None
        with atomic(path) as draft:
            with draft.open("wb") as file:
                rows.select(declared.schema.names()).write_parquet(file)
            after = _sum_of(draft)
            _note(path, after, before)  # until the rows are replaced, the old ones are good as well
        _note(path, after)
        return after != before

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
        folder = self._folder(declared.name)
        for name in self._partitions(declared.name) if partition is None else [partition]:
            path = folder / f"{name}.parquet"
            if not path.exists():
                continue
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() not in _noted(path):
                    raise DamagedFile(
                        f"{path}: its bytes are not those that were written (SHA-256 differs from {path.name}{SUMS}): "
                        "remove the file and materialise what makes it again"
                    )
                file.seek(0)
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
        path = self._folder(table) / f"{partition}.parquet"
        return path.stat().st_mtime if path.exists() else None

    def version(self, table: str, partition: str) -> str:
        """SHA-256 of a partition's rows; equal rows have equal versions.

        Raises:
            FileNotFoundError: the partition was not written yet.
        """
        return digest(self.read(table, partition).write_ndjson())

    def keep_only(self, table: str, partitions: Collection[str]) -> None:
        """Remove every partition of a table that is not named."""
        for name in self._partitions(table):
            if name not in partitions:
                path = self._folder(table) / f"{name}.parquet"
                path.unlink()
                _sums(path).unlink(missing_ok=True)

    def artefact(self, identity: str) -> Path:
        """The folder of a content-addressed artefact."""
        return self.root / "artefacts" / identity

    def publish(self) -> Path:
        """Build a fresh DuckDB from every declared table that has rows, and swap it in: readers never meet a writer.

        Tables and columns carry their declared types and comments. Views come from `views.sql`, each where all the
        tables it reads are there. The file is for reading: its mode says so, and what a client wrote into the one
        before is gone with it, together with a write-ahead log that such a client left behind.

        Raises:
            SchemaError: a file was written when other columns were declared.
            DamagedFile: a file's bytes are not those that were written.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        draft, log = (self.root / f".{self.database.name}.draft{end}" for end in ("", ".wal"))
        foreign = self.database.with_name(f"{self.database.name}.wal")
        with FileLock(self.root / ".publish.lock"):
            try:
                for left in (draft, log):  # by a publication that was killed
                    left.unlink(missing_ok=True)
                with plain_path(self.root) as plain, _written(draft) as connection:
                    published = {
                        name for name, table in self._tables.items() if self._publish(connection, table, plain)
                    }
                    _create_views(connection, published)
                draft.chmod(0o444)
                # Before and after: a log of the old file makes the new one unreadable, and its client may still write.
                foreign.unlink(missing_ok=True)
                os.replace(draft, self.database)
                foreign.unlink(missing_ok=True)
            finally:
                for left in (draft, log):
                    left.unlink(missing_ok=True)
        return self.database

    def _publish(self, connection: duckdb.DuckDBPyConnection, table: Table, plain: Path) -> bool:
        """Copy one table with its comments; False where it has no file.

        Args:
            plain: a path to the data folder in which DuckDB finds no pattern.
        """
        files = [str(plain / path.relative_to(self.root)) for path in self.files(table.name)]
        if files:
            schema, _ = table.name.split(".")
            columns = ", ".join(f'"{name}" {sql_type(kind)}' for name, kind in table.schema.items())
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            connection.execute(f"CREATE TABLE {table.name} ({columns})")
            connection.execute(
                f"INSERT INTO {table.name} BY NAME SELECT * FROM read_parquet(?, union_by_name = true)", [files]
            )
            comment = f"A row is {table.grain}. {table.comment}"
            connection.execute(f"COMMENT ON TABLE {table.name} IS {_quoted(comment)}")
            for name, column in table.columns.items():
                connection.execute(f'COMMENT ON COLUMN {table.name}."{name}" IS {_quoted(column.comment)}')
        return bool(files)


@contextmanager
def _written(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose schemas and tables go into a new file that older clients read."""
    with duckdb_folder(database.parent) as folder:
        place = folder / database.name
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH {_quoted(str(place))} AS published (STORAGE_VERSION '{STORAGE_VERSION}')")
            connection.execute("USE published")
            yield connection
            connection.execute("USE memory")
            connection.execute("DETACH published")
        if place != database:
            shutil.copyfile(place, database)


def _is_partition(name: str) -> bool:
    return name.endswith(".parquet") and not name.startswith(".")


def _sums(path: Path) -> Path:
    return path.with_name(path.name + SUMS)


def _noted(path: Path) -> set[str]:
    """The SHA-256 that a partition may have: one, and two while it is being replaced; none where nothing is noted."""
    file = _sums(path)
    return set(file.read_text("ascii").split()) if file.exists() else set()


def _note(path: Path, *sums: str | None) -> None:
    with atomic(_sums(path)) as draft:
        draft.write_text("".join(f"{each}\n" for each in sums if each), "ascii")


def _sum_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _create_views(connection: duckdb.DuckDBPyConnection, published: Collection[str]) -> None:
    """Run `views.sql`: a view, then its comments, which go with it."""
    wanted = False
    for statement in duckdb.extract_statements(VIEWS.read_text("utf-8")):
        if statement.type == duckdb.StatementType.CREATE:
            wanted = set(re.findall(r"(?<!DISTINCT )\b(?:FROM|JOIN) (\w+\.\w+)", statement.query)) <= set(published)
        if wanted:
            connection.execute(statement)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
