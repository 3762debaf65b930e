"""The shipped labour pack, read and composed once in a process, for the tests of several rooms."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

import polars as pl
from filelock import FileLock

from forge_assets.citations.law_index import LawIndex
from forge_assets.law.country import Country, country_files, read_country
from forge_assets.law.loading import load_domain, load_framework
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import Statutes, load_statutes
from forge_assets.scenarios.composition.cross_border import compose_cross_border
from forge_assets.scenarios.composition.judged_cells import Volume
from forge_assets.scenarios.composition.single_country import LawLineage, compose_countries
from forge_assets.scenarios.pack.files import Pack, load_pack
from forge_resources.config.data_folder import PROJECT

PACK = PROJECT / "frameworks" / "labour"
PAIRED = ("AT", "DE", "ES", "EU", "FR", "NL")
VOLUME = Volume(draws=24, kept=6)


@cache
def domain() -> Domain:
    return load_domain(PACK)


@cache
def frameworks() -> dict[str, Framework]:
    found = [load_framework(path, domain()) for path in sorted((PACK / "jurisdictions").glob("*.yaml"))]
    return {framework.jurisdiction: framework for framework in found}


@cache
def statutes() -> dict[str, Statutes]:
    return {code: load_statutes(PACK, framework) for code, framework in frameworks().items()}


@cache
def laws() -> LawIndex:
    return LawIndex.build(domain(), list(frameworks().values()), statutes())


@cache
def pack() -> Pack:
    return load_pack(PACK, domain())


@cache
def countries() -> dict[str, Country]:
    return {code: read_country(PACK, domain(), path) for code, path in country_files(PACK).items()}


@cache
def core_frameworks() -> dict[str, Framework]:
    """Every country with its principal duties, which is what the profiles for small models ask."""
    return {code: country.framework.core() for code, country in countries().items()}


@cache
def lineage() -> LawLineage:
    return LawLineage.of(countries().values())


@cache
def composed() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scenarios and samples of every country, and across five countries and the union.

    The processes of one run of tests compose them once: the first writes them, the others wait for it.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        return _composed()
    folder = Path(tempfile.gettempdir()) / f"model-forge-composed-{run}"
    files = [folder / f"{name}.parquet" for name in ("scenarios", "samples")]
    with FileLock(f"{folder}.lock"):
        if not files[1].exists():
            folder.mkdir(exist_ok=True)
            for file, table in zip(files, _composed(), strict=True):
                table.write_parquet(file)
    return pl.read_parquet(files[0]), pl.read_parquet(files[1])


def _composed() -> tuple[pl.DataFrame, pl.DataFrame]:
    found = core_frameworks()
    national = compose_countries(domain(), pack(), found.values(), lineage(), VOLUME)
    across = compose_cross_border(domain(), pack(), [found[code] for code in PAIRED], lineage(), VOLUME)
    return pl.concat([national[0], across[0]]), pl.concat([national[1], across[1]])
