"""What several rooms' tests need: the miniature model, made once."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take longest begin first, so that none is left over while other processes have nothing to do."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of four layers with random weights and a tokenizer trained on a text that no edit of law changes."""
    from forge_assets.training.tiny import build

    folder = tmp_path_factory.mktemp("models") / "tiny"
    build(folder, [Path(__file__).parents[1] / "LICENSE"], layers=4, hidden=64)
    return folder
