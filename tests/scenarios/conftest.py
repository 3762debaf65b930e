"""The shipped labour pack, read and composed once."""

from __future__ import annotations

import polars as pl
import pytest

from forge_assets.law.country import Country
from forge_assets.law.model import Domain, Framework
from forge_assets.scenarios.composition.single_country import LawLineage
from forge_assets.scenarios.pack.files import Pack
from tests import shipped


@pytest.fixture(scope="session")
def domain() -> Domain:
    return shipped.domain()


@pytest.fixture(scope="session")
def pack() -> Pack:
    return shipped.pack()


@pytest.fixture(scope="session")
def countries() -> dict[str, Country]:
    return shipped.countries()


@pytest.fixture(scope="session")
def frameworks() -> dict[str, Framework]:
    return shipped.core_frameworks()


@pytest.fixture(scope="session")
def law() -> LawLineage:
    return shipped.lineage()


@pytest.fixture(scope="session")
def scenarios() -> pl.DataFrame:
    """Those that law was asked about."""
    return shipped.composed()[0].filter(pl.col("applies").is_not_null())


@pytest.fixture(scope="session")
def samples() -> pl.DataFrame:
    """Those that are answered by law."""
    return shipped.composed()[1].filter(pl.col("task_type") != "intake")
