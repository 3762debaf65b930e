"""The published DuckDB file: all tables with their comments and views, swapped in whole, for reading only."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl
from polars.datatypes import DataTypeClass

from forge_resources.storage.locks import locked
from forge_resources.storage.paths import duckdb_folder, plain_path
from forge_resources.storage.tables import Table

VIEWS = Path(__file__).with_name("views.sql")
_SQL_TYPES: dict[DataTypeClass, str] = {
    pl.String: "VARCHAR",
    pl.Boolean: "BOOLEAN",
    pl.Date: "DATE",
    pl.Int64: "BIGINT",
    pl.UInt32: "UINTEGER",
    pl.Float64: "DOUBLE",
}
STORAGE_VERSION = "v1.0.0"
"""What `forge.duckdb` is written for: every DuckDB client since 1.0 reads it (bench/duckdb_clients.py)."""
NO_LOG = "opened-for-reading-only/see-docs-data.md"
"""What `forge.duckdb.wal` points to: a file in a folder that is never made."""


def write_database(database: Path, tables: Iterable[Table], files: Callable[[str], Sequence[Path]]) -> None:
    """Build a fresh DuckDB file from every table that has rows, and swap it in: readers never meet a writer.

    Tables and columns carry their declared types and comments. Views come from `views.sql`, each where all the tables
    it reads are there. The file is for reading: its mode says so, and what a client wrote into the one before is gone
    with it, together with a write-ahead log that such a client left behind; none can be made again.

    Args:
        files: a table's Parquet files, below the folder of the database; asked when the table is copied.
    """
    folder = database.parent
    folder.mkdir(parents=True, exist_ok=True)
    draft, log = (folder / f".{database.name}.draft{end}" for end in ("", ".wal"))
    with locked(folder / ".publish.lock"):
        try:
            for left in (draft, log):  # by a publication that was killed
                left.unlink(missing_ok=True)
            # In the plain path DuckDB finds no pattern.
            with plain_path(folder) as plain, _written(draft) as connection:
                published = {
                    table.name
                    for table in tables
                    if _copy(connection, table, [plain / path.relative_to(folder) for path in files(table.name)])
                }
                _create_views(connection, published)
            draft.chmod(0o444)
            _keep_writers_off(database)
            os.replace(draft, database)
        finally:
            for left in (draft, log):
                left.unlink(missing_ok=True)


def sql_type(kind: pl.DataType | DataTypeClass) -> str:
    """A column's type in DuckDB."""
    if isinstance(kind, pl.List):
        return f"{sql_type(kind.inner)}[]"
    if isinstance(kind, pl.Struct):
        return f"STRUCT({', '.join(f'{field.name} {sql_type(field.dtype)}' for field in kind.fields)})"
    return _SQL_TYPES[kind.base_type()]


def _copy(connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[Path]) -> bool:
    """Copy one table with its comments; False where it has no file."""
    if files:
        schema, _ = table.name.split(".")
        columns = ", ".join(f'"{name}" {sql_type(kind)}' for name, kind in table.schema.items())
        named = [str(path) for path in files]
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        connection.execute(f"CREATE TABLE {table.name} ({columns})")
        connection.execute(
            f"INSERT INTO {table.name} BY NAME SELECT * FROM read_parquet(?, union_by_name = true)",
            [named],
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
