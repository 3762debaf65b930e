"""The shipped labour pack, read and composed once."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from forge_assets.law.load import load_domain, load_framework
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import load_statutes
from forge_assets.law.verify import verify
from forge_assets.scenarios.compose import compose, compose_cross_border
from forge_assets.scenarios.pack import Pack, load_pack

PAIRED = ("AT", "DE", "ES", "FR", "NL")
PACK = Path(__file__).parents[2] / "frameworks" / "labour"


@pytest.fixture(scope="session")
def domain() -> Domain:
    return load_domain(PACK)


@pytest.fixture(scope="session")
def pack(domain: Domain) -> Pack:
    return load_pack(PACK, domain)


@pytest.fixture(scope="session")
def frameworks(domain: Domain) -> dict[str, Framework]:
    """Every country with its principal duties, which is what the profiles for small models ask."""
    read = [load_framework(path, domain) for path in sorted((PACK / "jurisdictions").glob("*.yaml"))]
    return {framework.jurisdiction: framework.core() for framework in read}


@pytest.fixture(scope="session")
def statuses(frameworks: dict[str, Framework]) -> dict[str, str]:
    return {
        provision: verification.status
        for framework in frameworks.values()
        for provision, verification in verify(framework, load_statutes(PACK, framework)).items()
    }


@pytest.fixture(scope="session")
def composed(
    domain: Domain, pack: Pack, frameworks: dict[str, Framework], statuses: dict[str, str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scenarios and samples of every country, and of pairs of five countries."""
    parts = [compose(domain, pack, f, statuses, f"version-{code}") for code, f in frameworks.items()]
    versions = {code: f"version-{code}" for code in frameworks}
    parts.append(compose_cross_border(domain, pack, [frameworks[c] for c in PAIRED], statuses, versions))
    return pl.concat([p[0] for p in parts]), pl.concat([p[1] for p in parts])


@pytest.fixture(scope="session")
def scenarios(composed: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    return composed[0]


@pytest.fixture(scope="session")
def samples(composed: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    return composed[1]
