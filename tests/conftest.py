"""What several rooms' tests need: the miniature model, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "law": "law",
    "catalog": "law",
    "citations": "law",
    "scenarios": "scenarios",
    "datasets": "scenarios",
    "training": "training",
}
"""Folders whose files share what takes long to make (the pack, its samples; the fork server, the miniature and finished
jobs): one process runs them. Elsewhere a file stays whole."""

LONGEST = (
    "tests/resources/launchers/test_training_jobs.py",
    "training",
    "tests/cli/test_chain_run.py",
    "scenarios",
    "tests/test_automation.py",
    "tests/cli/test_main.py",
    "law",
)
"""Units of both tiers by the time that they take."""


def _unit(nodeid: str) -> str:
    file = nodeid.split("::")[0]
    folder = file.split("/")[1]
    return TOGETHER.get(folder, file)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Gives processes whole units. (`--dist loadgroup` of xdist 3.8 does nothing with pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        return _unit(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, and is not left over at the end."""
    order = {unit: place for place, unit in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(_unit(item.nodeid), len(order)))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of four layers with random weights and a tokenizer trained on a text that no edit of law changes."""
    from forge_assets.training.models.miniature import build

    folder = tmp_path_factory.mktemp("models") / "tiny"
    build(folder, [Path(__file__).parents[1] / "LICENSE"], layers=4, hidden=64)
    return folder
