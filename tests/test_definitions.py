"""A readable picture of the graph: what a change to it does is seen in review."""

from __future__ import annotations

from pathlib import Path

from forge_assets.definitions import defs

GOLDEN = Path(__file__).with_name("definitions.txt")


def picture() -> str:
    lines = []
    for key in sorted(defs.resolve_asset_graph().get_all_asset_keys()):
        node = defs.resolve_asset_graph().get(key)
        partitions = f" by {node.partitions_def.name}" if node.partitions_def else ""
        lines.append(f"asset {key.to_user_string()} [{node.group_name}]{partitions}")
        lines += [f"  after {parent.to_user_string()}" for parent in sorted(node.parent_keys)]
        lines += [f"  check {check.name}" for check in sorted(node.check_keys)]
    for job in sorted(defs.jobs or [], key=lambda j: j.name):
        lines.append(f"job {job.name}")
    for sensor in sorted(defs.sensors or [], key=lambda s: s.name):
        lines.append(f"sensor {sensor.name} runs {sensor.job_name}, {sensor.default_status.value}")
    return "\n".join(lines) + "\n"


def test_the_graph_is_the_one_that_was_reviewed() -> None:
    assert picture() == GOLDEN.read_text("utf-8"), "if the change is meant, write picture() to tests/definitions.txt"
