"""The shipped pack: verified where it may be taught, and saying what the statutes say at their thresholds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from forge_assets.citations.evaluation.corruptions import edge_facts
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.citations.rendering import without_bracketed_citations
from forge_assets.law.engine import Facts, State, obligations, pulled_triggers
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import Statutes
from forge_assets.law.verification import missing_bases, verify

PACK = Path(__file__).parents[2] / "frameworks" / "labour"
HELD = sorted(folder.name.upper() for folder in (PACK / "statutes").iterdir() if folder.is_dir())
FIRST = ("AT", "DE", "ES", "FR", "NL")
SITES = ("restructuring", "site_closure", "site_merger", "site_relocation")
CHANGES = ("ai_system", "collective_redundancy", *SITES, "transfer_of_undertaking", "working_time")
LARGE: Facts = {
    "employees": 400, "affected": 80, "works_council": True, "monitoring": True, "personal_data": True,
    "insolvency": False,
}  # fmt: skip
NEVER_TAUGHT = {"FI", "GR", "NL", "SI"}
"""Countries of which no text held is current (statutes/SOURCES.md)."""


def _applying(domain: Domain, framework: Framework, change: str, **facts: int | bool) -> set[str]:
    """Principal duties that apply."""
    found = obligations(domain, framework.core(), change, {**LARGE, **facts})
    return {finding.provision.id for finding in found if finding.applies}


def test_every_jurisdiction_whose_statute_text_is_held_has_a_framework(
    domain: Domain, frameworks: dict[str, Framework]
) -> None:
    assert sorted(frameworks) == HELD
    assert tuple(sorted(domain.change_types)) == CHANGES


def test_at_least_250_provisions_are_verified_and_none_is_unverified(
    frameworks: dict[str, Framework], statutes: dict[str, Statutes]
) -> None:
    counted = Counter(
        verify(framework, statutes[code])[provision.id].status
        for code, framework in frameworks.items()
        for provision in framework.provisions
    )
    assert counted["verified"] >= 250
    assert counted["unverified"] == 0


@pytest.mark.parametrize("code", HELD)
def test_law_whose_text_is_not_current_is_never_verified(
    frameworks: dict[str, Framework], statutes: dict[str, Statutes], code: str
) -> None:
    found = {check.status for check in verify(frameworks[code], statutes[code]).values()}
    assert ("verified" in found) is (code not in NEVER_TAUGHT)
    assert missing_bases(frameworks[code], statutes[code]) == {}


@pytest.mark.parametrize("country", FIRST)
@pytest.mark.parametrize("change", CHANGES)
def test_a_large_employer_always_owes_one_to_four_principal_duties(
    domain: Domain, frameworks: dict[str, Framework], country: str, change: str
) -> None:
    assert 1 <= len(_applying(domain, frameworks[country], change)) <= 4


@pytest.mark.parametrize("code", HELD)
def test_every_provision_that_a_change_can_trigger_can_apply(
    domain: Domain, frameworks: dict[str, Framework], code: str
) -> None:
    for provision in (p for p in frameworks[code].provisions if not p.only_if):
        for condition in provision.applies_when or ({},):
            facts = edge_facts(condition)
            for change, kind in domain.change_types.items():
                facts |= {c.fact: True for c in kind.conditional_triggers if c.trigger in provision.triggers}
                if not pulled_triggers(domain, change, facts) & set(provision.triggers):
                    continue
                found = obligations(domain, frameworks[code], change, facts, on=provision.valid_from)
                state = next(f for f in found if f.provision == provision).state
                assert state is (State.JUDGED if provision.only_if else State.APPLIES), (provision.id, facts)


@pytest.mark.parametrize("code", HELD)
def test_summaries_are_short_enough_to_teach(frameworks: dict[str, Framework], code: str) -> None:
    assert [p.id for p in frameworks[code].provisions if len(p.summary.split()) > (14 if p.core else 22)] == []


@pytest.mark.parametrize(
    ("employees", "affected", "owed"),
    [
        (20, 20, False),
        (21, 5, False),
        (21, 6, True),
        (59, 6, True),
        (60, 5, False),
        (60, 6, True),
        (70, 7, True),
        (255, 25, False),
        (300, 26, True),
        (499, 26, True),
        (500, 29, False),
        (500, 30, True),
    ],
)
def test_german_notice_follows_the_bands_of_section_17(
    domain: Domain, frameworks: dict[str, Framework], employees: int, affected: int, owed: bool
) -> None:
    found = _applying(domain, frameworks["DE"], "collective_redundancy", employees=employees, affected=affected)
    hearing = {"de-dismissal-hearing"}  # before every dismissal
    assert found == hearing | ({"de-redundancy-notice", "de-redundancy-consultation"} if owed else set())


@pytest.mark.parametrize(
    ("employees", "affected", "owed"),
    [
        (99, 9, False),
        (99, 10, True),
        (100, 10, True),
        (290, 28, False),
        (290, 29, True),
        (300, 30, True),
        (301, 29, False),
        (301, 30, True),
        (6, 6, True),
        (5, 5, False),
    ],
)
def test_spanish_collective_dismissal_follows_article_51_1(
    domain: Domain, frameworks: dict[str, Framework], employees: int, affected: int, owed: bool
) -> None:
    found = _applying(domain, frameworks["ES"], "collective_redundancy", employees=employees, affected=affected)
    assert ("es-redundancy-consultation" in found) is owed


@pytest.mark.parametrize(
    ("employees", "affected", "provision"),
    [
        (10, 5, None),
        (11, 1, None),
        (11, 2, "fr-small-redundancy-consultation"),
        (200, 9, "fr-small-redundancy-consultation"),
        (49, 10, "fr-redundancy-consultation-under-50"),
        (50, 10, "fr-redundancy-consultation"),
    ],
)
def test_french_collective_dismissal_takes_one_of_three_procedures(
    domain: Domain, frameworks: dict[str, Framework], employees: int, affected: int, provision: str | None
) -> None:
    found = _applying(domain, frameworks["FR"], "collective_redundancy", employees=employees, affected=affected)
    assert found == ({provision} if provision else set())


@pytest.mark.parametrize(
    ("employees", "affected", "owed"),
    [(20, 20, False), (21, 5, True), (99, 4, False), (100, 5, True), (600, 29, False), (601, 30, True)],
)
def test_austrian_consultation_follows_the_notification_bands(
    domain: Domain, frameworks: dict[str, Framework], employees: int, affected: int, owed: bool
) -> None:
    found = _applying(domain, frameworks["AT"], "collective_redundancy", employees=employees, affected=affected)
    assert ("at-collective-redundancy" in found) is owed


def test_without_a_works_council_a_german_ai_system_is_explained_to_the_employees_alone(
    domain: Domain, frameworks: dict[str, Framework]
) -> None:
    assert _applying(domain, frameworks["DE"], "ai_system", works_council=False) == {"de-job-change-information"}


def test_monitoring_is_what_pulls_co_determination_in_germany(domain: Domain, frameworks: dict[str, Framework]) -> None:
    with_it = _applying(domain, frameworks["DE"], "ai_system", monitoring=True)
    without = _applying(domain, frameworks["DE"], "ai_system", monitoring=False)
    assert with_it - without == {"de-monitoring-devices"}


@pytest.mark.parametrize("code", HELD)
def test_wordings_that_enter_answers_cite_nothing_beside_their_provision(
    domain: Domain, frameworks: dict[str, Framework], laws: LawIndex, code: str
) -> None:
    framework = without_bracketed_citations(frameworks[code], domain.citation)
    texts = [text for body in framework.bodies for text in (body.name, body.english)]
    texts += [text for p in framework.provisions for text in (p.summary, p.deadline, p.consequence) if text]
    texts += [step.step for step in framework.escalation]
    assert [text for text in texts if parse(text, laws, code)] == []
