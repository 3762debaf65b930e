"""Where artefacts live: atomic Parquet tables (the truth), a published DuckDB file, content-addressed job folders."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import polars as pl


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


class Store:
    """Tables are named `schema.table`; a partitioned table is one Parquet file a partition."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def database(self) -> Path:
        """The published DuckDB file."""
        return self.root / "forge.duckdb"

    def _folder(self, table: str) -> Path:
        return self.root.joinpath("tables", *table.split("."))

    def write(self, table: str, rows: pl.DataFrame, partition: str = "all") -> bool:
        """Replace one partition of a table atomically. Returns whether its bytes changed."""
        path = self._folder(table) / f"{partition}.parquet"
        before = hashlib.sha256(path.read_bytes()).digest() if path.exists() else None
        with atomic(path) as draft:
            rows.write_parquet(draft)
            return hashlib.sha256(draft.read_bytes()).digest() != before

    def read(self, table: str, partition: str | None = None) -> pl.DataFrame:
        """All partitions of a table in name order, or one.

        Raises:
            FileNotFoundError: nothing was written yet; the message names the asset folder.
        """
        paths = sorted(self._folder(table).glob(f"{partition or '*'}.parquet"))
        if not paths:
            raise FileNotFoundError(f"table {table} is empty: no Parquet file under {self._folder(table)}")
        return pl.concat([pl.read_parquet(p) for p in paths])

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

    def publish(self, comments: Mapping[str, str] | None = None) -> Path:
        """Build a fresh DuckDB from every table and swap it in, so readers never meet a writer.

        Args:
            comments: `schema.table` or `schema.table.column` to its description.
        """
        with atomic(self.database) as draft:
            draft.unlink()  # DuckDB refuses an empty file
            with duckdb.connect(str(draft)) as connection:
                for folder in sorted(p for p in (self.root / "tables").glob("*/*") if any(p.glob("*.parquet"))):
                    schema, table = folder.parent.name, folder.name
                    connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
                    connection.execute(
                        f'CREATE TABLE "{schema}"."{table}" AS SELECT * FROM read_parquet(?, union_by_name = true)',
                        [str(folder / "*.parquet")],
                    )
                for name, comment in (comments or {}).items():
                    self._comment(connection, name, comment)
        return self.database

    @staticmethod
    def _comment(connection: duckdb.DuckDBPyConnection, name: str, comment: str) -> None:
        parts = name.split(".")
        known = connection.execute(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?", parts[:2]
        ).fetchone()
        if known:
            target = ".".join(f'"{p}"' for p in parts)
            quoted = comment.replace("'", "''")
            connection.execute(f"COMMENT ON {'TABLE' if len(parts) == 2 else 'COLUMN'} {target} IS '{quoted}'")
