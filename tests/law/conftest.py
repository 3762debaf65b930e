"""The shipped labour pack, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from forge_assets.citations.law_index import LawIndex
from forge_assets.law.loading import load_domain, load_framework
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import Statutes, load_statutes

PACK = Path(__file__).parents[2] / "frameworks" / "labour"


@pytest.fixture(scope="session")
def pack() -> Path:
    return PACK


@pytest.fixture(scope="session")
def domain() -> Domain:
    return load_domain(PACK)


@pytest.fixture(scope="session")
def frameworks(domain: Domain) -> dict[str, Framework]:
    found = [load_framework(path, domain) for path in sorted((PACK / "jurisdictions").glob("*.yaml"))]
    return {framework.jurisdiction: framework for framework in found}


@pytest.fixture(scope="session")
def statutes(frameworks: dict[str, Framework]) -> dict[str, Statutes]:
    return {code: load_statutes(PACK, framework) for code, framework in frameworks.items()}


@pytest.fixture(scope="session")
def laws(domain: Domain, frameworks: dict[str, Framework], statutes: dict[str, Statutes]) -> LawIndex:
    return LawIndex.build(domain, list(frameworks.values()), statutes)
