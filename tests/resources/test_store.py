"""A reader of the store sees a whole version of a table, the old one or the new one, and never a part."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from forge_resources.store import Store, atomic, canonical, digest
from forge_resources.tables import Column, SchemaError, Table

_NUMBER = Column(pl.Int64(), "It's the number.")
_COLUMNS = {"n": _NUMBER, "note": Column(pl.String(), "What was noted.")}
DECLARED = {
    "law.rows": Table("law.rows", "a reading", "Of provisions.", {"n": _NUMBER}, "jurisdiction"),
    "law.others": Table("law.others", "another reading", "Of provisions.", {"n": _NUMBER}, "jurisdiction"),
    "law.notes": Table("law.notes", "a note", "On a reading.", _COLUMNS),
}

READER = """
import sys, duckdb
path, seen = sys.argv[1], set()
print("ready", flush=True)
for _ in range(60):
    with duckdb.connect(path, read_only=True) as connection:
        low, high, rows = connection.execute('SELECT min(n), max(n), count(*) FROM "law"."rows"').fetchone()
    assert (low, rows) == (high, 1000), (low, high, rows)
    seen.add(low)
print(len(seen))
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path, DECLARED)


def _rows(*values: int) -> pl.DataFrame:
    return pl.DataFrame({"n": values}, schema={"n": pl.Int64})


def _below(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "report" / "index.html"
    with atomic(path) as draft:
        draft.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic(path) as draft:
        draft.write_text("half of the n")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert _below(tmp_path) == ["report/index.html"]


def test_until_a_write_is_done_readers_see_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text("old")
    with atomic(path) as draft:
        draft.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_equal_values_have_equal_digests_whatever_the_order_of_their_keys() -> None:
    assert digest({"a": 1, "b": ["é", None]}) == digest({"b": ["é", None], "a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})
    assert canonical({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()


def test_a_partition_is_replaced_and_its_neighbours_stay(store: Store) -> None:
    store.write("law.rows", _rows(1, 2), "AT")
    store.write("law.rows", _rows(3), "DE")
    store.write("law.rows", _rows(4), "AT")
    assert store.read("law.rows")["n"].to_list() == [4, 3]
    assert store.read("law.rows", "DE")["n"].to_list() == [3]


def test_writing_the_same_rows_again_changes_nothing(store: Store) -> None:
    assert store.write("law.rows", _rows(1))
    assert not store.write("law.rows", _rows(1))
    assert store.write("law.rows", _rows(2))


def test_a_version_moves_with_the_rows_and_comes_back_with_them(store: Store) -> None:
    versions = []
    for rows in (_rows(1), _rows(2), _rows(1)):
        store.write("law.rows", rows, "DE")
        versions.append(store.version("law.rows", "DE"))
    assert versions[0] == versions[2] != versions[1]


def test_a_table_that_was_never_written_says_so(store: Store) -> None:
    assert not store.has("law.rows")
    with pytest.raises(FileNotFoundError, match="law.rows is empty"):
        store.read("law.rows")
    store.write("law.rows", _rows(1), "DE")
    assert store.has("law.rows") and store.has("law.rows", "DE") and not store.has("law.rows", "AT")
    with pytest.raises(FileNotFoundError):
        store.version("law.rows", "AT")


def test_keep_only_removes_the_partitions_that_are_not_named(store: Store) -> None:
    for code in ("AT", "DE", "FR"):
        store.write("law.rows", _rows(1), code)
        store.write("law.others", _rows(1), code)
    store.keep_only("law.rows", {"DE", "ES"})
    assert _below(store.root / "tables") == ["law/others/AT.parquet", "law/others/DE.parquet", "law/others/FR.parquet",
                                             "law/rows/DE.parquet"]  # fmt: skip


def test_every_table_is_published_with_its_comments(store: Store) -> None:
    store.write("law.rows", _rows(1, 2), "AT")
    store.write("law.rows", _rows(3), "DE")
    store.write("law.notes", pl.DataFrame({"note": ["kept"], "n": [1]}))
    with duckdb.connect(str(store.publish()), read_only=True) as connection:
        assert connection.execute("SELECT count(*), sum(n) FROM law.rows").fetchone() == (3, 6)
        assert connection.execute("FROM law.notes").fetchone() == (1, "kept")
        table = connection.execute("SELECT comment FROM duckdb_tables() WHERE table_name = 'rows'").fetchone()
        column = connection.execute("SELECT comment FROM duckdb_columns() WHERE table_name = 'rows'").fetchone()
    assert (table, column) == (("A row is a reading. Of provisions.",), ("It's the number.",))


def test_rows_are_written_in_the_declared_order_of_columns(store: Store) -> None:
    store.write("law.notes", pl.DataFrame({"note": ["kept"], "n": [1]}))
    assert store.read("law.notes").columns == ["n", "note"]
    assert not store.write("law.notes", pl.DataFrame({"n": [1], "note": ["kept"]}))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({"n": [1]}, "law.notes, partition all: column note is declared String and came as nothing: build the rows"),
        ({"n": [1], "note": [""], "by": [1]}, "column by is not declared and came as Int64: build the rows"),
        ({"n": ["1"], "note": [""]}, "column n is declared Int64 and came as String: build the rows"),
        ({"n": [None], "note": [""]}, "column n is declared Int64 and came as Null: build the rows"),
        ({"n": [1.0]}, "column n is declared Int64 and came as Float64; column note is declared String and came as"),
    ],
)
def test_rows_that_are_not_as_declared_are_refused_and_the_old_ones_stay(
    store: Store, rows: dict[str, list[Any]], says: str
) -> None:
    before = pl.DataFrame({"n": [1], "note": ["kept"]})
    store.write("law.notes", before)
    with pytest.raises(SchemaError, match=re.escape(says)) as caught:
        store.write("law.notes", pl.DataFrame(rows))
    assert 'schema=TABLES["law.notes"].schema, or change the declaration in' in str(caught.value)
    assert "\n" not in str(caught.value)
    assert store.read("law.notes").equals(before)
    assert _below(store.root) == ["tables/law/notes/all.parquet"]


def test_a_table_that_is_not_declared_is_refused_and_the_declared_ones_are_named(store: Store) -> None:
    with pytest.raises(
        SchemaError, match=r"table law\.row is not declared: use one of law\.notes, law\.others, law\.rows"
    ):
        store.write("law.row", _rows(1))
    assert _below(store.root) == []


def test_rows_of_an_older_declaration_are_refused_with_the_file_to_remove(store: Store) -> None:
    older = {"law.notes": Table("law.notes", "a note", "On a reading.", {"n": _NUMBER})}
    Store(store.root, older).write("law.notes", _rows(1))
    for use in (lambda: store.read("law.notes"), store.publish):
        with pytest.raises(SchemaError, match=r"column note .* came as nothing: .* remove .*law/notes/all\.parquet"):
            use()
    store.write("law.notes", pl.DataFrame({"n": [1], "note": ["new"]}))
    assert store.read("law.notes").rows() == [(1, "new")]


def test_empty_tables_are_published_with_their_columns(store: Store) -> None:
    store.write("law.notes", DECLARED["law.notes"].empty())
    with duckdb.connect(str(store.publish()), read_only=True) as connection:
        assert connection.execute("DESCRIBE law.notes").fetchall()[1][:2] == ("note", "VARCHAR")


def test_publishing_leaves_nothing_but_the_database(store: Store) -> None:
    store.write("law.rows", _rows(1))
    store.publish()
    store.publish()
    assert _below(store.root) == ["forge.duckdb", "tables/law/rows/all.parquet"]


def test_a_table_that_is_gone_is_not_published_again(store: Store) -> None:
    store.write("law.rows", _rows(1), "DE")
    store.write("law.others", _rows(1), "DE")
    store.publish()
    store.keep_only("law.rows", set())
    with duckdb.connect(str(store.publish()), read_only=True) as connection:
        assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("others",)]


def test_another_process_reads_whole_versions_while_the_database_is_published_again(store: Store) -> None:
    store.write("law.rows", _rows(*[0] * 1000))
    store.publish()
    command = [sys.executable, "-c", READER, str(store.database)]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert reader.stdout and reader.stdout.readline() == "ready\n"
    version = 0
    while reader.poll() is None:
        version += 1
        store.write("law.rows", _rows(*[version] * 1000))
        store.publish()
    out, error = reader.communicate()
    assert reader.returncode == 0, error
    assert int(out) > 1, "the reader met only one version: nothing was tested"


def test_a_reader_that_is_open_keeps_its_version(store: Store) -> None:
    store.write("law.rows", _rows(1))
    with duckdb.connect(str(store.publish()), read_only=True) as connection:
        store.write("law.rows", _rows(2))
        store.publish()
        assert connection.execute("SELECT n FROM law.rows").fetchone() == (1,)
