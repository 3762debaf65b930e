"""A group with sites in several countries: national law side by side, and the law above it."""

from __future__ import annotations

from forge_assets.law.citation_key import CitationKey
from forge_assets.law.cross_border import combine
from forge_assets.law.model import Domain, Framework


def _applying(
    domain: Domain, frameworks: dict[str, Framework], change: str, **facts: dict[str, int | bool]
) -> set[str]:
    found = combine(domain, list(frameworks.values()), change, facts)
    return {str(u.finding.provision.cite) for u in found.union["EU"] if u.finding.applies}


def test_headcounts_of_member_states_add_up_and_those_of_others_do_not(
    domain: Domain, frameworks: dict[str, Framework]
) -> None:
    facts = {"DE": {"employees": 700}, "FR": {"employees": 200}, "CH": {"employees": 900}, "ES": {"employees": 100}}
    found = combine(domain, list(frameworks.values()), "restructuring", facts).facts
    assert found["DE"]["union_employees"] == 1000
    assert found["DE"]["union_states"] == 2
    assert "union_employees" not in found["CH"]


def test_the_ai_acts_duty_to_inform_workers_needs_a_high_risk_system(
    domain: Domain, frameworks: dict[str, Framework]
) -> None:
    base: dict[str, int | bool] = {"employees": 100, "works_council": True}
    with_it = _applying(domain, frameworks, "ai_system", DE={**base, "high_risk": True})
    without = _applying(domain, frameworks, "ai_system", DE={**base, "high_risk": False})
    assert "EU:ai_act:26:7" in with_it - without


def test_a_directive_is_carried_by_the_national_provision_that_transposes_it(
    domain: Domain, frameworks: dict[str, Framework]
) -> None:
    facts = {"DE": {"employees": 300, "affected": 40, "works_council": True}}
    found = combine(domain, list(frameworks.values()), "collective_redundancy", facts)
    consultation = next(u for u in found.union["EU"] if str(u.finding.provision.cite) == "EU:dir_98_59:2:1")
    assert not consultation.direct
    assert CitationKey.parse("DE:kschg:17:2") in consultation.carried_by


def test_a_country_outside_the_union_has_no_union_law(domain: Domain, frameworks: dict[str, Framework]) -> None:
    assert combine(domain, list(frameworks.values()), "ai_system", {"CH": {"employees": 100}}).union == {}
