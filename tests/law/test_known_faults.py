"""Situations in which an answer once named a wrong duty first, and what the statute says of them."""

from __future__ import annotations

import pytest

from forge_assets.cli.main import main
from forge_assets.law.country import read_country
from forge_assets.law.engine import Facts, obligations
from forge_assets.law.headline import lead
from forge_assets.law.model import Domain
from tests.shipped import PACK

NONE = ("none", "none", "")
NOBODY: Facts = {"works_council": False, "trade_union": False, "staff_delegates": False, "collective_agreement": False}
PLAIN: Facts = {
    "personal_data": False, "automated_decisions": False, "high_risk": False, "cameras": False, "uneven_hours": False,
    "insolvency": False, "measures_planned": False, "protected_employees": False, "representatives_ask": False,
    "safety_representatives": False, "executives_committee": False, "monitoring": False, **NOBODY,
}  # fmt: skip


def headline(domain: Domain, code: str, change: str, facts: Facts) -> tuple[str, str, str]:
    """Level, body and place of the duty that an answer names first."""
    framework = read_country(PACK, domain, PACK / "jurisdictions" / f"{code.lower()}.yaml").framework
    found = obligations(domain, framework, change, {**PLAIN, **facts})
    first = lead(domain, (f.provision for f in found if f.applies))
    return (first.level, first.body, str(first.cite)) if first else NONE


@pytest.mark.parametrize(
    ("code", "change", "facts", "expected"),
    [
        # Cameras in sanitary rooms need consent (art. 22(2) § 2 KP), not every system that monitors.
        ("PL", "ai_system", {"employees": 120, "monitoring": True},
         ("information", "employees", "PL:kodeks_pracy:22(3):4")),
        # 12 of 140 are less than 10%: no collective change (art. 41.2 ET), uneven hours are not planned (art. 34.2).
        ("ES", "working_time", {"employees": 140, "affected": 12, "works_council": True},
         ("consultation", "works_council", "ES:estatuto_trabajadores:64:5")),
        # § 111 BetrVG needs more than 20 employees, § 32(2) SprAuG an executives' committee besides.
        ("DE", "restructuring", {"employees": 12}, NONE),
        ("DE", "site_closure", {"employees": 12}, NONE),
        # Without representatives the employees concerned are consulted directly (§ 73(11)).
        ("SK", "collective_redundancy", {"employees": 300, "affected": 30},
         ("consultation", "employees", "SK:zakonnik_prace:73:2")),
        # L. 1224-1 informs nobody: the contracts pass.
        ("FR", "transfer_of_undertaking", {"employees": 36}, ("automatic", "employees", "FR:code_du_travail:L1224-1")),
        # The plan is approved by the authority; the committee is consulted (L. 1233-30).
        ("FR", "collective_redundancy", {"employees": 300, "affected": 40, "works_council": True},
         ("consultation", "works_council", "FR:code_du_travail:L1233-30")),
        # Consent of one employee to retraining (art. 361(3)) is no co-determination.
        ("PT", "collective_redundancy", {"employees": 300, "affected": 30, "works_council": True},
         ("consultation", "works_council", "PT:codigo_trabalho:361:1")),
        # Prior consent concerns specially protected persons only; all others are consulted on (150(3)).
        ("HR", "collective_redundancy", {"employees": 300, "affected": 40, "works_council": True},
         ("consultation", "works_council", "HR:zakon_o_radu:150:3:2")),
        # The commission is notified or asked only where the text says so: no consultation is owed to it.
        ("LU", "working_time", {"employees": 80, "affected": 80, "uneven_hours": True},
         ("consultation", "employees", "LU:code_du_travail:L.211-7:2")),
    ],
)  # fmt: skip
def test_what_an_answer_names_first(
    domain: Domain, code: str, change: str, facts: Facts, expected: tuple[str, str, str]
) -> None:
    assert headline(domain, code, change, facts) == expected


def test_lithuanian_group_dismissals_are_not_taught_while_their_numbers_are_not_held(domain: Domain) -> None:
    country = read_country(PACK, domain, PACK / "jurisdictions" / "lt.yaml")
    facts: Facts = {**PLAIN, "employees": 7, "affected": 2, "trade_union": True}
    found = obligations(domain, country.framework, "collective_redundancy", facts)
    assert {country.statuses[f.provision.id] for f in found if f.applies and f.provision.cite.unit == "63"} <= {
        "incomplete"
    }


def test_what_is_incomplete_is_shown_apart_from_what_applies(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [
        "explain",
        "LT",
        "--change",
        "collective_redundancy",
        "--employees",
        "7",
        "--affected",
        "2",
        "--trade-union",
    ]
    assert main(asked) == 0
    certain, _, uncertain = capsys.readouterr().out.partition("MAY APPLY, but what decides is not held")
    assert "DK 63 str. 5 d." not in certain
    assert "DK 63 str. 5 d." in uncertain


def test_no_headline_of_any_country_is_owed_to_a_body_that_the_facts_deny(domain: Domain) -> None:
    for path in sorted((PACK / "jurisdictions").glob("*.yaml")):
        framework = read_country(PACK, domain, path).framework
        for change in domain.change_types:
            for employees in (3, 12, 30, 120, 900):
                facts: Facts = {**PLAIN, "employees": employees, "affected": max(1, employees // 4), "monitoring": True}
                first = lead(domain, (f.provision for f in obligations(domain, framework, change, facts) if f.applies))
                assert first is None or facts.get(first.body) is not False, (framework.jurisdiction, change, first.id)
