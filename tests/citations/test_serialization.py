"""The law as rows: what a worker needs to judge citations as the catalogue does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forge_assets.citations.evaluation.labelled_set import read_set
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.citations.serialization import law_rows, read_laws
from forge_assets.law.country import Country, checked_country
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import Statutes
from forge_resources.storage.canonical_json import canonical

FOLDER = Path(__file__).parent / "citation_set"


@pytest.fixture(scope="module")
def countries(domain: Domain, frameworks: dict[str, Framework], statutes: dict[str, Statutes]) -> list[Country]:
    return [checked_country(domain, frameworks[code], statutes[code]) for code in ("AT", "DE", "EU", "FR", "PL")]


def _through_json(domain: Domain, countries: list[Country], wanted: list[str] | None) -> LawIndex:
    return read_laws(json.loads(canonical(row)) for row in law_rows(domain, countries, wanted))


def test_every_labelled_string_is_read_alike_from_the_rows(
    domain: Domain, frameworks: dict[str, Framework], statutes: dict[str, Statutes], laws: LawIndex
) -> None:
    every = [checked_country(domain, framework, statutes[code]) for code, framework in frameworks.items()]
    again = _through_json(domain, every, None)
    for row in read_set(FOLDER):
        assert parse(row.text, again, row.default) == parse(row.text, laws, row.default)


def test_only_the_countries_wanted_and_the_unions_are_taken(domain: Domain, countries: list[Country]) -> None:
    some = _through_json(domain, countries, ["DE"])
    assert {code for code, _ in some.laws} == {"DE", "EU"}
    assert "FR" in {code for code, _ in _through_json(domain, countries, None).laws}


def test_the_same_law_gives_the_same_rows(domain: Domain, countries: list[Country]) -> None:
    once, twice = (b"\n".join(map(canonical, law_rows(domain, countries, ["AT"]))) for _ in range(2))
    assert once == twice


def test_rows_that_are_no_law_are_refused() -> None:
    with pytest.raises(ValueError, match="kind 'sample'"):
        read_laws([{"kind": "sample"}])
    with pytest.raises(ValueError, match="no domain"):
        read_laws([])
