"""The shipped labour pack, read and composed once."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from forge_assets.law.country import Country, country_files, read_country
from forge_assets.law.loading import load_domain
from forge_assets.law.model import Domain, Framework
from forge_assets.scenarios.composition.cross_border import compose_cross_border
from forge_assets.scenarios.composition.judged_cells import Volume
from forge_assets.scenarios.composition.single_country import LawLineage, compose_country
from forge_assets.scenarios.pack.files import Pack, load_pack

PAIRED = ("AT", "DE", "ES", "EU", "FR", "NL")
PACK = Path(__file__).parents[2] / "frameworks" / "labour"
VOLUME = Volume(draws=160, kept=8)


@pytest.fixture(scope="session")
def domain() -> Domain:
    return load_domain(PACK)


@pytest.fixture(scope="session")
def pack(domain: Domain) -> Pack:
    return load_pack(PACK, domain)


@pytest.fixture(scope="session")
def countries(domain: Domain) -> dict[str, Country]:
    return {code: read_country(PACK, domain, path) for code, path in country_files(PACK).items()}


@pytest.fixture(scope="session")
def frameworks(countries: dict[str, Country]) -> dict[str, Framework]:
    """Every country with its principal duties, which is what the profiles for small models ask."""
    return {code: country.framework.core() for code, country in countries.items()}


@pytest.fixture(scope="session")
def law(countries: dict[str, Country]) -> LawLineage:
    return LawLineage.of(countries.values())


@pytest.fixture(scope="session")
def composed(
    domain: Domain, pack: Pack, frameworks: dict[str, Framework], law: LawLineage
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scenarios and samples of every country, and across five countries and the union."""
    parts = [compose_country(domain, pack, framework, law, VOLUME) for framework in frameworks.values()]
    parts.append(compose_cross_border(domain, pack, [frameworks[c] for c in PAIRED], law, VOLUME))
    return pl.concat([p[0] for p in parts]), pl.concat([p[1] for p in parts])


@pytest.fixture(scope="session")
def scenarios(composed: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    return composed[0]


@pytest.fixture(scope="session")
def samples(composed: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    return composed[1]
