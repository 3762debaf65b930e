"""Every provision's citation, wronged in seven ways, is never accepted; unwronged, it is required where it applies."""

from __future__ import annotations

from pathlib import Path

import pytest

from forge_assets.citations.evaluation.corruptions import ClassifiedCase, CorruptionKind, cases, classify_cases, counts
from forge_assets.citations.law_index import LawIndex
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import Statutes

PACK = Path(__file__).parents[2] / "frameworks" / "labour"
CODES = sorted(path.stem.upper() for path in (PACK / "jurisdictions").glob("*.yaml"))
WITH_REPEALED_UNITS = ("DE", "ES")
"""Countries whose statute texts say of a unit that it is repealed."""
Judged = dict[str, list[ClassifiedCase]]


@pytest.fixture(scope="module")
def judged(domain: Domain, frameworks: dict[str, Framework], statutes: dict[str, Statutes], laws: LawIndex) -> Judged:
    return {code: classify_cases(cases(domain, frameworks, statutes, code), frameworks, laws) for code in CODES}


def _wrong(judged: list[ClassifiedCase], *kinds: CorruptionKind) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """What was not told for what it is."""
    missed = [v for v in judged if v.case.kind in kinds and not v.right]
    return [(v.case.kind, v.case.provision, v.text, v.classes) for v in missed]


@pytest.mark.parametrize("code", CODES)
def test_no_corrupted_citation_is_accepted(judged: Judged, code: str) -> None:
    assert [(v.case.kind, v.text, v.classes) for v in judged[code] if v.case.kind != "none" and v.accepted] == []


@pytest.mark.parametrize("code", CODES)
def test_a_unit_beyond_the_last_is_fabricated_or_of_an_excerpt_unverifiable(judged: Judged, code: str) -> None:
    assert _wrong(judged[code], "unit") == []


@pytest.mark.parametrize("code", CODES)
def test_a_paragraph_or_point_beyond_the_last_is_fabricated(judged: Judged, code: str) -> None:
    assert _wrong(judged[code], "paragraph", "point") == []


@pytest.mark.parametrize("code", CODES)
def test_the_same_place_in_another_countrys_law_is_of_the_wrong_country(judged: Judged, code: str) -> None:
    assert _wrong(judged[code], "country") == []


@pytest.mark.parametrize("code", CODES)
def test_a_provision_is_not_in_force_before_its_first_day_or_after_its_last(judged: Judged, code: str) -> None:
    assert _wrong(judged[code], "not_yet", "no_longer") == []


@pytest.mark.parametrize("code", WITH_REPEALED_UNITS)
def test_a_repealed_unit_is_told_as_repealed(judged: Judged, code: str) -> None:
    assert _wrong(judged[code], "repealed") == []
    assert any(v.case.kind == "repealed" for v in judged[code])


def test_at_most_one_in_200_true_citations_raises_a_false_alarm(judged: Judged) -> None:
    true = [v for found in judged.values() for v in found if v.case.kind == "none"]
    assert sum(not v.right for v in true) <= 0.005 * len(true), _wrong(true, "none")


def test_every_provision_that_stands_in_the_text_is_corrupted_in_every_way(
    judged: Judged, frameworks: dict[str, Framework]
) -> None:
    for code, found in judged.items():
        counted = counts(found)
        ways = {counted[kind].total() for kind in ("none", "unit", "paragraph", "point", "country")}
        assert ways == {counted["not_yet"].total()} == {counted["no_longer"].total()}
        assert ways == {2 * len(frameworks[code].provisions)}, "one national and one English sentence each"
