"""What an analyst finds in the published database: every table and view, with types, comments and the right figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from forge_resources.storage.duckdb_file import VIEWS, sql_type
from forge_resources.storage.store import Store
from forge_resources.storage.tables import TABLES

DOCS = Path(__file__).parents[3] / "docs"
QUERIES = [statement.query for statement in duckdb.extract_statements((DOCS / "queries.sql").read_text("utf-8"))]


@pytest.fixture
def published(filled: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(filled.publish()), read_only=True) as connection:
        yield connection


def reference() -> str:
    """The tables of docs/data.md."""
    parts = []
    for table in TABLES.values():
        files = f"One file a {table.partitioned_by}." if table.partitioned_by else "One file."
        parts += [f"### {table.name}", "", f"A row is {table.grain}. {table.comment} {files}", ""]
        parts += ["| column | type | |", "|---|---|---|"]
        parts += [
            f"| `{name}` | {sql_type(column.type)} | {column.comment} |" for name, column in table.columns.items()
        ]
        parts.append("")
    return "\n".join(parts)


def test_the_guide_describes_every_table_and_column_as_it_is_declared() -> None:
    guide = (DOCS / "data.md").read_text("utf-8")
    _, found, _ = re.split(r"<!-- tables[^\n]*-->\n\n?", guide)
    assert found == reference(), "write reference() between the two marks of docs/data.md"


def test_the_guide_names_every_view() -> None:
    guide = (DOCS / "data.md").read_text("utf-8")
    views = re.findall(r"^CREATE VIEW (\S+)", VIEWS.read_text("utf-8"), re.MULTILINE)
    assert [view for view in views if f"`{view}`" not in guide] == []


@pytest.mark.parametrize("table", TABLES)
def test_every_comment_is_a_sentence(table: str) -> None:
    comments = [TABLES[table].comment, *(column.comment for column in TABLES[table].columns.values())]
    assert [comment for comment in comments if not re.fullmatch(r"[^\n]+\.", comment)] == []


def test_tables_and_columns_are_published_with_declared_types_and_comments(
    published: duckdb.DuckDBPyConnection,
) -> None:
    found = published.execute(
        "SELECT schema_name || '.' || table_name AS name, column_name, replace(data_type, '\"', ''), comment "
        "FROM duckdb_columns() "  # a field named like a word of SQL is quoted
        "WHERE name IN (SELECT schema_name || '.' || table_name FROM duckdb_tables()) ORDER BY name, column_index"
    )
    assert found.fetchall() == [
        (table.name, name, sql_type(column.type), column.comment)
        for table in sorted(TABLES.values(), key=lambda t: t.name)
        for name, column in table.columns.items()
    ]
    described = dict(
        published.execute("SELECT schema_name || '.' || table_name, comment FROM duckdb_tables()").fetchall()
    )
    assert described["search.trials"].startswith("A row is a trial of the last search. Short real trainings")
    assert set(described) == set(TABLES)


def test_every_view_and_each_of_its_columns_has_a_comment(published: duckdb.DuckDBPyConnection) -> None:
    views = published.execute("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal").fetchall()
    assert {name for name, _ in views} == {"coverage", "teaching", "stale", "paired", "time"}
    assert all(comment.startswith("A row is ") for _, comment in views)
    bare = published.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL"
    ).fetchall()
    assert bare == []


@pytest.mark.parametrize("query", QUERIES, ids=range(1, len(QUERIES) + 1))
def test_queries_of_the_analysts_session_run_and_find_something(
    published: duckdb.DuckDBPyConnection, query: str
) -> None:
    assert published.execute(query).fetchall()


def test_coverage_counts_cells_without_samples_too(published: duckdb.DuckDBPyConnection) -> None:
    counts = published.execute(
        "SELECT jurisdiction, split, samples FROM scenarios.coverage WHERE variant = 'plain' ORDER BY ALL"
    ).fetchall()
    assert counts == [("DE", "benchmark", 1), ("DE", "train", 2), ("DE", "withheld", 0),
                      ("NL", "benchmark", 0), ("NL", "train", 0), ("NL", "withheld", 1)]  # fmt: skip


def test_teaching_counts_training_samples_of_every_provision(published: duckdb.DuckDBPyConnection) -> None:
    taught = published.execute("SELECT provision_id, verified, samples FROM scenarios.teaching ORDER BY ALL").fetchall()
    assert taught == [("de-monitoring", True, 2), ("de-transfer", True, 1), ("nl-monitoring", False, 0)]


def test_a_sample_is_stale_once_a_provision_it_rests_on_has_changed_or_gone(
    published: duckdb.DuckDBPyConnection,
) -> None:
    stale = published.execute("SELECT sample_id, changed, gone FROM scenarios.stale").fetchall()
    assert stale == [("taught before", ["de-transfer"], ["de-repealed"])]


def test_paired_subtracts_the_untuned_student_from_the_tuned_one(published: duckdb.DuckDBPyConnection) -> None:
    paired = published.execute("SELECT sample_id, language, untuned, tuned, gain FROM benchmark.paired ORDER BY ALL")
    assert paired.fetchall() == [("asked", "en", 0.25, 0.75, 0.5), ("asked in German", "de", 0.5, 0.25, -0.25)]


def test_time_sums_the_jobs_of_a_kind(published: duckdb.DuckDBPyConnection) -> None:
    assert published.execute("SELECT kind, jobs, seconds, seconds_each, restarts FROM ops.time").fetchall() == [
        ("sft", 2, 180.0, 90.0, 2)
    ]


def test_a_view_is_left_out_while_a_table_it_reads_is_empty(filled: Store) -> None:
    filled.keep_only("scenarios.sets", set())
    with duckdb.connect(str(filled.publish()), read_only=True) as connection:
        views = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL").fetchall()
    assert views == [("coverage",), ("stale",), ("time",)]
