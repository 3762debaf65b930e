"""The shipped pack: verified where it may be taught, and saying what the statutes say at their thresholds."""

from __future__ import annotations

import pytest

from forge_assets.law.model import Domain, Framework
from forge_assets.law.obligations import Facts, obligations
from forge_assets.law.statutes import Statutes
from forge_assets.law.verify import missing_bases, verify

COUNTRIES = ("AT", "DE", "ES", "FR", "NL")
CHANGES = ("ai_system", "collective_redundancy", "restructuring", "transfer_of_undertaking", "working_time")
LARGE: Facts = {
    "employees": 400, "affected": 80, "works_council": True, "monitoring": True, "personal_data": True,
}  # fmt: skip


def _applying(domain: Domain, framework: Framework, change: str, **facts: int | bool) -> set[str]:
    found = obligations(domain, framework, change, {**LARGE, **facts})
    return {finding.provision.id for finding in found if finding.applies}


def test_the_pack_has_the_five_countries_and_change_types(domain: Domain, frameworks: dict[str, Framework]) -> None:
    assert tuple(sorted(frameworks)) == COUNTRIES
    assert tuple(sorted(domain.change_types)) == CHANGES


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_provision_is_verified_except_on_the_outdated_dutch_text(
    frameworks: dict[str, Framework], statutes: dict[str, Statutes], country: str
) -> None:
    framework = frameworks[country]
    expected = "text_outdated" if country == "NL" else "verified"
    found = verify(framework, statutes[country])
    assert {name: check.status for name, check in found.items()} == dict.fromkeys(found, expected)
    assert len(found) == 7
    assert missing_bases(framework, statutes[country]) == {}


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_large_employer_always_owes_one_to_three_duties(
    domain: Domain, frameworks: dict[str, Framework], country: str, change: str
) -> None:
    assert 1 <= len(_applying(domain, frameworks[country], change)) <= 3


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_provision_can_apply(domain: Domain, frameworks: dict[str, Framework], country: str) -> None:
    framework = frameworks[country]
    small: list[dict[str, int | bool]] = [
        {},
        {"works_council": False},
        {"affected": 5},
        {"employees": 30, "affected": 12},
    ]
    reached = {p for change in CHANGES for facts in small for p in _applying(domain, framework, change, **facts)}
    assert reached == {provision.id for provision in framework.provisions}


@pytest.mark.parametrize("country", COUNTRIES)
def test_summaries_are_short_enough_to_teach(frameworks: dict[str, Framework], country: str) -> None:
    long = [p.id for p in frameworks[country].provisions if len(p.summary.split()) > 14]
    assert long == []


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
    assert found == ({"de-redundancy-notice", "de-redundancy-consultation"} if owed else set())


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


def test_without_a_works_council_a_german_ai_system_pulls_nothing(
    domain: Domain, frameworks: dict[str, Framework]
) -> None:
    assert _applying(domain, frameworks["DE"], "ai_system", works_council=False) == set()


def test_monitoring_is_what_pulls_co_determination_in_germany(domain: Domain, frameworks: dict[str, Framework]) -> None:
    with_it = _applying(domain, frameworks["DE"], "ai_system", monitoring=True)
    without = _applying(domain, frameworks["DE"], "ai_system", monitoring=False)
    assert with_it - without == {"de-monitoring-devices"}
