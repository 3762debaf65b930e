"""The shipped labour pack, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from forge_assets.citations.law_index import LawIndex
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import Statutes
from tests import shipped


@pytest.fixture(scope="session")
def pack() -> Path:
    return shipped.PACK


@pytest.fixture(scope="session")
def domain() -> Domain:
    return shipped.domain()


@pytest.fixture(scope="session")
def frameworks() -> dict[str, Framework]:
    return shipped.frameworks()


@pytest.fixture(scope="session")
def statutes() -> dict[str, Statutes]:
    return shipped.statutes()


@pytest.fixture(scope="session")
def laws() -> LawIndex:
    return shipped.laws()
