"""What the tests of serving share: the law of the pack, read once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forge_assets.serving.library import Library

PACK = Path(__file__).parents[2] / "frameworks" / "labour"


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The library, with its cache in a folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORGE_DATA", str(tmp_path_factory.mktemp("data") / "data"))
        yield Library(PACK)
