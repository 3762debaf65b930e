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

from forge_resources.storage.paths import duckdb_folder, plain_path
from forge_resources.storage.tables import TABLES, SchemaError, Table

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
    _sweep(path.parent, f".{path.name}.")
    draft, handle = _draft(path)
    try:
        yield draft
        os.replace(draft, path)
    finally:
        os.close(handle)
        draft.unlink(missing_ok=True)


def _draft(path: Path) -> tuple[Path, int]:
    """A new draft, and the handle that locks it for as long as its writer lives."""
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".draft")
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return Path(name), handle
        os.close(handle)  # swept by another writer before it was locked


def _sweep(folder: Path, prefix: str) -> None:
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


def sql_type(kind: pl.DataType | DataTypeClass) -> str:
    """A column's type in DuckDB."""
    if isinstance(kind, pl.List):
        return f"{sql_type(kind.inner)}[]"
    if isinstance(kind, pl.Struct):
        return f"STRUCT({', '.join(f'{field.name} {sql_type(field.dtype)}' for field in kind.fields)})"
    return _SQL_TYPES[kind.base_type()]


SUMS = ".sha256"
"""Ends the name of the file beside a partition that holds the SHA-256 of its bytes."""

STORAGE_VERSION = "v1.0.0"
"""What `forge.duckdb` is written for: every DuckDB client since 1.0 reads it (bench/duckdb_clients.py)."""


NO_LOG = "opened-for-reading-only/see-docs-data.md"
"""What `forge.duckdb.wal` points to: a file in a folder that is never made."""


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
            before = _sum_of(path) if path.exists() else ""
            with atomic(path) as draft:
                with draft.open("wb") as file:
                    rows.select(declared.schema.names()).write_parquet(file)
                after = _sum_of(draft)
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
        with FileLock(folder / ".lock"):
            _sweep(folder, ".")
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
        """Build a fresh DuckDB from every declared table that has rows, and swap it in: readers never meet a writer.

        Tables and columns carry their declared types and comments. Views come from `views.sql`, each where all the
        tables it reads are there. The file is for reading: its mode says so, and what a client wrote into the one
        before is gone with it, together with a write-ahead log that such a client left behind; none can be made again.

        Raises:
            SchemaError: a file was written when other columns were declared.
            DamagedFile: a file's bytes are not those that were written.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        draft, log = (self.root / f".{self.database.name}.draft{end}" for end in ("", ".wal"))
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
                _keep_writers_off(self.database)
                os.replace(draft, self.database)
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


def _keep_writers_off(database: Path) -> None:
    """Put a link that leads nowhere where DuckDB keeps its write-ahead log, in place of what a client left there.

    With the storage version of 1.0 DuckDB does not see that a log belongs to another file: readers too would get its
    rows. To a reader the link is no log. No client can commit through it, not even root, or with the file of before.
    """
    log = database.with_name(f"{database.name}.wal")
    for name in os.listdir(database.parent):
        if name in (f"{log.name}.checkpoint", f"{log.name}.recovery"):
            (database.parent / name).unlink(missing_ok=True)
    link = database.with_name(f".{log.name}.link")
    link.unlink(missing_ok=True)
    link.symlink_to(NO_LOG)
    os.replace(link, log)


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


@contextmanager
def _written(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose schemas and tables go into a new file that older clients read."""
    with duckdb_folder(database.parent) as folder:
        place = folder / database.name
        # A database in memory would spill into `.tmp` of the folder that the process happens to run in.
        with (
            tempfile.TemporaryDirectory(prefix="forge-") as spill,
            duckdb.connect(config={"temp_directory": spill}) as connection,
        ):
            connection.execute(
                f"ATTACH {_quoted(str(place))} AS published "
                f"(STORAGE_VERSION '{STORAGE_VERSION}', RECOVERY_MODE no_wal_writes)"
            )
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
    try:
        return set(_sums(path).read_text("ascii", errors="replace").split())
    except FileNotFoundError:
        return set()


def _note(path: Path, sums: Collection[str]) -> None:
    with atomic(_sums(path)) as draft:
        draft.write_text("".join(f"{each}\n" for each in sorted(sums)), "ascii")


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
