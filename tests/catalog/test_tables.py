"""The version moves when the law moves, and with nothing else; the tables state what is known."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from forge_assets.catalog.tables import catalog_tables
from forge_assets.law.country import checked_country
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import Statutes
from forge_assets.law.versions import framework_version
from forge_resources.storage.tables import TABLES


@pytest.fixture
def german(frameworks: dict[str, Framework]) -> Framework:
    return frameworks["DE"]


def _with_text(statutes: Statutes, law: str, number: str) -> Statutes:
    unit = statutes[law][number]
    return statutes | {law: statutes[law] | {number: replace(unit, text=unit.text + " Neu.")}}


def test_a_new_deadline_changes_the_version(domain: Domain, german: Framework, statutes: dict[str, Statutes]) -> None:
    first, *others = german.provisions
    later = german.model_copy(update={"provisions": (first.model_copy(update={"deadline": "tomorrow"}), *others)})
    before = framework_version(domain, german, statutes["DE"])
    assert framework_version(domain, later, statutes["DE"]) != before


@pytest.mark.parametrize(("number", "moves"), [("87", True), ("76", True), ("21", False)])
def test_only_the_text_of_cited_units_counts(
    domain: Domain, german: Framework, statutes: dict[str, Statutes], number: str, moves: bool
) -> None:
    before = framework_version(domain, german, statutes["DE"])
    after = framework_version(domain, german, _with_text(statutes["DE"], "betrvg", number))
    assert (before != after) is moves


def test_a_change_of_the_shared_vocabulary_changes_every_version(
    domain: Domain, frameworks: dict[str, Framework], statutes: dict[str, Statutes]
) -> None:
    other = domain.model_copy(update={"system_prompt": "Answer."})
    for code, framework in frameworks.items():
        before = framework_version(domain, framework, statutes[code])
        assert framework_version(other, framework, statutes[code]) != before


def test_the_tables_state_citation_status_and_age_of_the_text(
    domain: Domain, frameworks: dict[str, Framework], statutes: dict[str, Statutes]
) -> None:
    tables = catalog_tables(checked_country(domain, frameworks["NL"], statutes["NL"]))
    row = tables["catalog.provisions"].row(0, named=True)
    assert row["citation"] == "art. 25 lid 1 onder k WOR"
    assert (row["status"], row["verified"]) == ("text_outdated", False)
    assert row["problems"]
    overview = tables["catalog.frameworks"].row(0, named=True)
    assert (overview["status"], overview["verified"]) == ("text_outdated", 0)
    assert str(overview["text_as_of"]) == "2020-01-01"


def test_all_countries_fit_into_one_table_also_when_one_has_no_statute_text(
    domain: Domain, frameworks: dict[str, Framework], statutes: dict[str, Statutes]
) -> None:
    held = statutes | {"AT": {"arbvg": {}, "amfg": {}}}
    tables = [catalog_tables(checked_country(domain, framework, held[code])) for code, framework in frameworks.items()]
    provisions = pl.concat([found["catalog.provisions"] for found in tables])
    units = pl.concat([found["catalog.statute_units"] for found in tables])
    assert provisions.schema == TABLES["catalog.provisions"].schema
    assert units.schema == TABLES["catalog.statute_units"].schema
    austrian = provisions.filter(pl.col("jurisdiction") == "AT")
    assert austrian["status"].unique().to_list() == ["unverified"]
    assert units.filter(pl.col("jurisdiction") == "AT").is_empty()
