"""A readable picture of the graph: what a change to it does is seen in review."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from forge_assets.code_version import HERE, code_version
from forge_assets.definitions import defs
from forge_resources.storage.tables import TABLES

GOLDEN = Path(__file__).with_name("definitions.txt")


def picture() -> str:
    lines = []
    for key in sorted(defs.resolve_asset_graph().get_all_asset_keys()):
        node = defs.resolve_asset_graph().get(key)
        partitions = f" by {node.partitions_def.name}" if node.partitions_def else ""
        lines.append(f"asset {key.to_user_string()} [{node.group_name}]{partitions}, {', '.join(node.owners)}")
        if table := node.metadata.get("dagster/table_name"):
            lines.append(f"  writes {table}")
        lines += [f"  after {parent.to_user_string()}" for parent in sorted(node.parent_keys)]
        for check in sorted(node.check_keys):
            by = defs.resolve_asset_graph().get_check_spec(check).partitions_def
            lines.append(f"  check {check.name}" + (f" by {by.name}" if by else ""))
    for job in sorted(defs.jobs or [], key=lambda j: j.name):
        lines.append(f"job {job.name}")
    for sensor in sorted(defs.sensors or [], key=lambda s: s.name):
        jobs = ", ".join(sorted(target.job_name for target in sensor.targets))
        lines.append(f"sensor {sensor.name} runs {jobs}, {sensor.default_status.value}")
    return "\n".join(lines) + "\n"


def test_the_graph_is_the_one_that_was_reviewed() -> None:
    assert picture() == GOLDEN.read_text("utf-8"), "if the change is meant, write picture() to tests/definitions.txt"


def test_a_table_asset_shows_its_columns_with_their_comments_and_counts_its_rows() -> None:
    described = 0
    for key in defs.resolve_asset_graph().get_all_asset_keys():
        node = defs.resolve_asset_graph().get(key)
        name = node.metadata.get("dagster/table_name")
        assert node.code_version, key
        if name is None:
            continue
        described += 1
        columns = node.metadata["dagster/column_schema"].columns
        assert [(c.name, c.description) for c in columns] == [(n, c.comment) for n, c in TABLES[name].columns.items()]
    assert described == 6


def test_a_code_version_moves_with_the_code_of_its_rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(HERE / "scoring", tmp_path / "scoring")
    shutil.copytree(HERE / "catalog", tmp_path / "catalog")
    assert code_version("scoring") != code_version("catalog")
    monkeypatch.setattr("forge_assets.code_version.HERE", tmp_path)
    before = code_version("scoring"), code_version("catalog")
    with (tmp_path / "scoring" / "score.py").open("a", encoding="utf-8") as file:
        file.write("X = 1\n")
    assert code_version("scoring") != before[0]
    assert code_version("catalog") == before[1]
