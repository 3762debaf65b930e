"""A reader of the store sees a whole version of a table, the old one or the new one, and never a part."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import optuna
import polars as pl
import pytest

from forge_resources.storage.atomic import atomic
from forge_resources.storage.canonical_json import canonical, digest
from forge_resources.storage.store import DamagedFile, Store
from forge_resources.storage.tables import Column, SchemaError, Table

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
    """Files below a folder; each partition stands for itself and its check sum, which must be there."""
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    found = {name for name in found if Path(name).name not in {".publish.lock", ".lock"}}
    sums = {f"{name}.sha256" for name in found if name.endswith(".parquet")}
    assert sums <= found
    return sorted(found - sums)


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "report" / "index.html"
    with atomic(path) as draft:
        draft.write_text("old", "utf-8")
    with pytest.raises(KeyboardInterrupt), atomic(path) as draft:
        draft.write_text("half of the n", "utf-8")
        raise KeyboardInterrupt
    assert path.read_text("utf-8") == "old"
    assert _below(tmp_path) == ["report/index.html"]


def test_until_a_write_is_done_readers_see_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text("old", "utf-8")
    with atomic(path) as draft:
        draft.write_text("new", "utf-8")
        assert path.read_text("utf-8") == "old"
    assert path.read_text("utf-8") == "new"


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
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
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


def test_clients_of_the_first_stable_version_read_the_database(store: Store) -> None:
    """Bytes 12 to 19 of the file are its storage version: 64 is that of DuckDB 1.0."""
    store.write("law.notes", pl.DataFrame({"note": ["kept"], "n": [1]}))
    header = store.publish().read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") == 64


WRITER = """
import duckdb, os, signal, sys
connection = duckdb.connect(sys.argv[1])
for line in sys.stdin:
    try:
        connection.execute(line)
        print("done", flush=True)
    except duckdb.Error as error:
        print("refused", flush=True)
"""


class _Client:
    """A process that has the database open for writing, as root can."""

    def __init__(self, store: Store) -> None:
        store.database.chmod(0o644)
        command = [sys.executable, "-c", WRITER, str(store.database)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        assert self.says("SELECT 1") == "done"

    def says(self, statement: str) -> str:
        assert self._process.stdin and self._process.stdout
        print(statement, file=self._process.stdin, flush=True)
        return self._process.stdout.readline().strip()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def test_a_client_that_writes_into_the_database_and_is_killed_changes_nothing_and_locks_nobody_out(
    store: Store,
) -> None:
    store.write("law.rows", _rows(1))
    store.publish()
    client = _Client(store)
    assert client.says("INSERT INTO law.rows VALUES (99)") == "refused"
    client.kill()
    assert _opened(store) == [(1,)]


def test_a_client_that_commits_into_the_file_of_before_adds_no_rows_to_the_new_one(store: Store) -> None:
    store.write("law.rows", _rows(1))
    store.publish()
    client = _Client(store)
    store.write("law.rows", _rows(2))
    store.publish()
    client.says("INSERT INTO law.rows VALUES (99)")
    assert _opened(store) == [(2,)], "while the client is at work"
    client.kill()
    assert _opened(store) == [(2,)]
    assert _below(store.root) == ["forge.duckdb", "tables/law/rows/all.parquet"]


def test_a_log_that_a_killed_client_left_is_not_replayed_on_the_next_file(store: Store) -> None:
    store.write("law.rows", _rows(1))
    store.publish()
    store.database.with_name("forge.duckdb.wal").unlink()  # as before the link was made, or where somebody removed it
    client = _Client(store)
    assert client.says("INSERT INTO law.rows VALUES (99)") == "done"
    client.kill()
    assert _opened(store) == [(1,), (99,)]
    store.publish()
    assert _opened(store) == [(1,)]


def _opened(store: Store) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(store.database), read_only=True) as connection:
        return connection.execute("SELECT n FROM law.rows").fetchall()


def test_the_published_database_is_for_reading(store: Store) -> None:
    store.write("law.rows", _rows(1))
    for _ in range(2):
        assert store.publish().stat().st_mode & 0o777 == 0o444


ENDLESS = """
import sys, polars as pl
from pathlib import Path
from forge_resources.storage.store import Store
from forge_resources.storage.tables import Column, Table
tables = {"law.rows": Table("law.rows", "a reading", "Of provisions.", {"n": Column(pl.Int64(), "Number.")}, "code")}
store, n = Store(Path(sys.argv[1]), tables), int(sys.argv[2])
print("ready", flush=True)
while True:
    n += 1
    store.write("law.rows", pl.DataFrame({"n": [n] * 20_000}), "AT")
    store.publish()
"""


def test_writers_killed_at_any_moment_leave_whole_tables_and_their_drafts_are_removed(store: Store) -> None:
    store.write("law.rows", _rows(*[0] * 20_000), "AT")
    store.publish()
    for round_ in range(8):
        command = [sys.executable, "-c", ENDLESS, str(store.root), str(1000 * round_)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
        assert writer.stdout and writer.stdout.readline() == "ready\n"
        time.sleep(0.05 + 0.013 * round_)
        writer.kill()
        writer.wait()
        assert store.read("law.rows")["n"].n_unique() == 1
        with duckdb.connect(str(store.database), read_only=True) as connection:
            assert connection.execute("SELECT count(DISTINCT n), count(*) FROM law.rows").fetchone() == (1, 20_000)
    store.write("law.rows", _rows(1), "AT")
    store.publish()
    assert _below(store.root) == ["forge.duckdb", "tables/law/rows/AT.parquet"]


def test_the_draft_of_a_writer_that_lives_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    with atomic(path) as slow:
        slow.write_text("slow", "utf-8")
        with atomic(path) as fast:
            fast.write_text("fast", "utf-8")
        assert path.read_text("utf-8") == "fast" and slow.read_text("utf-8") == "slow"
    assert path.read_text("utf-8") == "slow"
    assert _below(tmp_path) == ["index.html"]


def test_a_full_disk_leaves_the_database_of_before_and_nothing_of_the_new_one(store: Store) -> None:
    store.write("law.rows", _rows(1))
    store.publish()
    store.write("law.rows", _rows(*range(300_000)))
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2**18, 2**18))\n{ENDLESS}"
    limited = limited.replace("while True:", "store.publish()\nwhile True:")
    ended = subprocess.run([sys.executable, "-c", limited, str(store.root), "0"], capture_output=True, encoding="utf-8")
    assert ended.returncode and "too large" in ended.stderr, ended.stderr
    assert _opened(store) == [(1,)]
    assert _below(store.root) == ["forge.duckdb", "tables/law/rows/all.parquet"]


@pytest.mark.parametrize("place", [0, 5, -1])
@pytest.mark.parametrize("use", ["read", "publish", "version", "files"])
def test_a_changed_byte_is_noticed_and_never_read(store: Store, place: int, use: str) -> None:
    store.write("law.rows", _rows(1, 2, 3), "AT")
    path = store.root / "tables" / "law" / "rows" / "AT.parquet"
    good = path.read_bytes()
    damaged = bytearray(good)
    damaged[place] ^= 1
    path.write_bytes(damaged)
    uses: dict[str, Callable[[], object]] = {
        "read": lambda: store.read("law.rows"),
        "publish": store.publish,
        "version": lambda: store.version("law.rows", "AT"),
        "files": lambda: store.files("law.rows"),
    }
    with pytest.raises(DamagedFile, match=r"AT\.parquet: its bytes are not those that were written .* remove the file"):
        uses[use]()
    assert store.write("law.rows", _rows(1, 2, 3), "AT"), "what made it makes it again"
    uses[use]()


KILLED_BEFORE_REPLACING = """
import os, signal, sys
from pathlib import Path
replace = os.replace
def killed(draft, path):
    if str(path).endswith(".parquet"):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(draft, path)
os.replace = killed
"""


def test_a_killed_write_leaves_a_damaged_file_damaged(store: Store) -> None:
    store.write("law.rows", _rows(1), "AT")
    path = store.root / "tables" / "law" / "rows" / "AT.parquet"
    path.write_bytes(path.read_bytes().replace((1).to_bytes(8, "little"), (7).to_bytes(8, "little")))
    ended = subprocess.run([sys.executable, "-c", KILLED_BEFORE_REPLACING + ENDLESS, str(store.root), "0"])
    assert ended.returncode == -9
    with pytest.raises(DamagedFile):
        store.read("law.rows")


def test_a_reader_that_a_writer_overtakes_reads_the_new_rows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("law.rows", _rows(1), "AT")
    file_digest, wrote = hashlib.file_digest, []

    def overtaken(*given: Any) -> Any:
        found = file_digest(*given)
        if not wrote:
            wrote.append(True)
            store.write("law.rows", _rows(2), "AT")
        return found

    monkeypatch.setattr(hashlib, "file_digest", overtaken)
    assert store.read("law.rows")["n"].to_list() in ([1], [2])


def test_many_writers_of_one_file_never_take_each_other_for_dead(tmp_path: Path) -> None:
    path = tmp_path / "index.html"

    def write(number: int) -> None:
        for _ in range(300):
            with atomic(path) as draft:
                draft.write_text(str(number), "utf-8")

    with ThreadPoolExecutor(8) as writers:
        list(writers.map(write, range(8)))
    assert _below(tmp_path) == ["index.html"]


def test_drafts_of_dead_writers_go_with_the_next_write_of_the_table(store: Store) -> None:
    store.write("law.rows", _rows(1), "AT")
    ended = subprocess.run([sys.executable, "-c", KILLED_BEFORE_REPLACING + ENDLESS, str(store.root), "0"])
    assert ended.returncode == -9
    assert any(".draft" in name for name in _below(store.root))
    store.write("law.rows", _rows(1), "DE")
    assert not any(".draft" in name for name in _below(store.root))


@pytest.mark.parametrize("partition", ["", ".hidden", "a/b", "../../others/AT"])
def test_a_partition_that_would_lie_elsewhere_is_refused(store: Store, partition: str) -> None:
    with pytest.raises(ValueError, match=r"law\.rows: .* is no name of a partition"):
        store.write("law.rows", _rows(1), partition)
    assert _below(store.root) == []


def test_a_file_whose_check_sum_is_gone_is_not_trusted(store: Store) -> None:
    store.write("law.rows", _rows(1), "AT")
    (store.root / "tables" / "law" / "rows" / "AT.parquet.sha256").unlink()
    with pytest.raises(DamagedFile):
        store.read("law.rows")


NAMES = ("a*b", "[ab]", "a?b", "a\\b", "a%20b", "a b", "a#b", "{SCHEMA_VERSION}", "Größe Ελ", "a'b", 'a"b')


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_never_a_pattern(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the data folder lies one that its name would match; its rows must not be seen."""
    from forge_assets.search.study.study import open_study
    from forge_resources.forge import Forge

    for sibling in ("axb", "a", "a b"):
        other = Store(tmp_path / sibling, DECLARED)
        other.write("law.rows", _rows(7), "AT")
    mine = Store(tmp_path / name / "data", DECLARED) if name == "a b" else Store(tmp_path / name, DECLARED)
    mine.write("law.rows", _rows(1), "AT")
    mine.write("law.rows", _rows(2), "DE")
    assert mine.read("law.rows")["n"].to_list() == [1, 2]
    assert mine.read("law.rows", "DE")["n"].to_list() == [2]
    assert [path.name for path in mine.files("law.rows")] == ["AT.parquet", "DE.parquet"]
    shutil.copyfile(mine.publish(), tmp_path / "copy.duckdb")  # DuckDB itself opens nothing below some of these
    with duckdb.connect(str(tmp_path / "copy.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT n FROM law.rows ORDER BY n").fetchall() == [(1,), (2,)]
    mine.keep_only("law.rows", {"AT"})
    assert mine.read("law.rows")["n"].to_list() == [1]
    monkeypatch.delenv("FORGE_STUDIES", raising=False)
    forge = Forge(data=str(mine.root), pack=str(tmp_path), profile_name="tiny")
    study = open_study(forge.studies, "s")
    study.add_trial(optuna.trial.create_trial(value=1.0))
    assert (mine.root / "search" / "studies.db").stat().st_size > 0
    assert len(open_study(forge.studies, "s").trials) == 1


def test_a_partition_is_a_name_and_no_pattern(store: Store) -> None:
    store.write("law.rows", _rows(1), "AT")
    assert not store.has("law.rows", "*") and not store.has("law.rows", "A?")
    with pytest.raises(FileNotFoundError):
        store.read("law.rows", "[A]T")


def test_what_the_umask_lets_others_read_they_can_read(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with atomic(tmp_path / "job.json") as draft:
            draft.write_text("{}", "utf-8")
    finally:
        os.umask(before)
    assert (tmp_path / "job.json").stat().st_mode & 0o777 == 0o640
