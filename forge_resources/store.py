"""Where artefacts live: atomic Parquet tables (the truth), a published DuckDB file, content-addressed job folders."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from polars.datatypes import DataTypeClass

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
    """Yield a temporary path beside `path`; on success it replaces `path`, on error it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def sql_type(kind: pl.DataType | DataTypeClass) -> str:
    """A column's type in DuckDB."""
    return f"{sql_type(kind.inner)}[]" if isinstance(kind, pl.List) else _SQL_TYPES[kind.base_type()]


class Store:
    """Tables are named `schema.table`; a partitioned table is one Parquet file a partition.

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
        before = hashlib.sha256(path.read_bytes()).digest() if path.exists() else None
        with atomic(path) as draft:
            rows.select(declared.schema.names()).write_parquet(draft)
            return hashlib.sha256(draft.read_bytes()).digest() != before

    def _files(self, declared: Table, partition: str | None = None) -> list[Path]:
        """A table's Parquet files in name order, each with the columns that are declared.

        Raises:
            SchemaError: a file was written when other columns were declared.
        """
        paths = sorted(self._folder(declared.name).glob(f"{partition or '*'}.parquet"))
        for path in paths:
            if faults := declared.faults(pl.read_parquet_schema(path)):
                raise SchemaError(
                    f"{declared.name}, partition {path.stem}: {faults}: it was written by another version of the "
                    f"project; materialise it again, or remove {path}"
                )
        return paths

    def read(self, table: str, partition: str | None = None) -> pl.DataFrame:
        """All partitions of a table in name order, or one.

        Raises:
            SchemaError: the table is not declared, or a file was written when other columns were declared.
            FileNotFoundError: nothing was written yet; the message names the folder.
        """
        declared = self._declared(table)
        paths = self._files(declared, partition)
        if not paths:
            raise FileNotFoundError(f"table {table} is empty: no Parquet file under {self._folder(table)}")
        return pl.concat([pl.read_parquet(p).select(declared.schema.names()) for p in paths])

    def has(self, table: str, partition: str | None = None) -> bool:
        """Whether the table holds at least one partition, or that one."""
        return any(self._folder(table).glob(f"{partition or '*'}.parquet"))

    def version(self, table: str, partition: str) -> str:
        """SHA-256 of a partition's rows; equal rows have equal versions.

        Raises:
            FileNotFoundError: the partition was not written yet.
        """
        return digest(self.read(table, partition).write_ndjson())

    def keep_only(self, table: str, partitions: Collection[str]) -> None:
        """Remove every partition of a table that is not named."""
        for path in self._folder(table).glob("*.parquet"):
            if path.stem not in partitions:
                path.unlink()

    def artefact(self, identity: str) -> Path:
        """The folder of a content-addressed artefact."""
        return self.root / "artefacts" / identity

    def publish(self) -> Path:
        """Build a fresh DuckDB from every declared table that has rows, and swap it in: readers never meet a writer.

        Tables and columns carry their declared types and comments. Views come from `views.sql`, each where all the
        tables it reads are there.

        Raises:
            SchemaError: a file was written when other columns were declared.
        """
        with atomic(self.database) as draft:
            draft.unlink()  # DuckDB refuses an empty file
            with duckdb.connect(str(draft)) as connection:
                published = {name for name, table in self._tables.items() if self._publish(connection, table)}
                _create_views(connection, published)
        return self.database

    def _publish(self, connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
        """Copy one table with its comments; False where it has no file."""
        files = [str(path) for path in self._files(table)]
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


def _create_views(connection: duckdb.DuckDBPyConnection, published: Collection[str]) -> None:
    """Run `views.sql`: a view, then its comments, which go with it."""
    wanted = False
    for statement in duckdb.extract_statements(VIEWS.read_text()):
        if statement.type == duckdb.StatementType.CREATE:
            wanted = set(re.findall(r"(?<!DISTINCT )\b(?:FROM|JOIN) (\w+\.\w+)", statement.query)) <= set(published)
        if wanted:
            connection.execute(statement)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
