"""To whom a duty is owed where its body exists, where it does not, and where the law names who stands in."""

from __future__ import annotations

from typing import Any

import pytest

from forge_assets.law.engine import Facts, State, obligations
from forge_assets.law.model import Domain, Framework
from forge_assets.law.settling import settle

DOMAIN = Domain.model_validate(
    {
        "domain": "canteen",
        "title": "Canteens",
        "system_prompt": "Cite the law.",
        "intake_prompt": "Answer in JSON.",
        "levels": ("information",),
        "facts": {
            "guests": {"type": "integer", "label": "guests"},
            "council": {"type": "boolean", "label": "a council exists"},
            "cook": {"type": "boolean", "label": "a cook exists"},
            "stove": {"type": "boolean", "label": "a stove is used"},
            "gas": {"type": "boolean", "requires": "stove", "label": "the stove burns gas"},
        },
        "triggers": {"menu": "the menu changes"},
        "stages": ("court",),
        "change_types": {"new_menu": {"title": "new menu", "triggers": ("menu",)}},
    }
)


def land(**provision: Any) -> Framework:
    bodies = (
        {"id": "council", "name": "Rat", "english": "council", "basis": "DE:kg:1"},
        {"id": "cook", "name": "Koch", "english": "cook", "basis": "DE:kg:1"},
        {"id": "all", "name": "alle", "english": "all guests", "basis": "DE:kg:1", "exists_when": ()},
        {"id": "board", "name": "Vorstand", "english": "board", "basis": "DE:kg:1",
         "exists_when": ({"guests": {"min": 100}},), "substitutes": ("cook",)},
    )  # fmt: skip
    law = {"id": "kg", "short": "KG", "title": "Kantinengesetz", "english": "Canteen Act"}
    return Framework.model_validate(
        {
            "jurisdiction": "DE",
            "name": "Utopia",
            "language": "de",
            "laws": ({**law, "statute": "kg.jsonl", "text_as_of": "2026-01-01"},),
            "bodies": bodies,
            "provisions": (
                {"id": "say", "cite": "DE:kg:3", "quote": "x", "summary": "information on the menu",
                 "level": "information", "body": "council", "triggers": ("menu",), **provision},
            ),
        }
    )  # fmt: skip


def owed(facts: Facts, **provision: Any) -> list[str]:
    found = obligations(DOMAIN, settle(DOMAIN, land(**provision)), "new_menu", facts)
    return [f.provision.body for f in found if f.applies]


def test_a_duty_is_owed_only_where_its_body_exists_and_open_where_nobody_says_so() -> None:
    assert owed({"council": True}) == ["council"]
    assert owed({"council": False}) == []
    (finding,) = obligations(DOMAIN, settle(DOMAIN, land()), "new_menu", {})
    assert (finding.state, finding.hinges_on) == (State.OPEN, ("council",))


@pytest.mark.parametrize(
    ("facts", "bodies"),
    [
        ({"council": True, "cook": True}, ["council"]),
        ({"council": False, "cook": True}, ["cook"]),
        ({"council": False, "cook": False}, ["all"]),
    ],
)
def test_the_first_substitute_that_exists_is_owed_the_duty(facts: Facts, bodies: list[str]) -> None:
    assert owed(facts, substitutes=("cook", "all")) == bodies


def test_a_body_may_have_a_substitute_for_all_that_is_owed_to_it() -> None:
    assert owed({"guests": 100, "cook": True}, body="board") == ["board"]
    assert owed({"guests": 99, "cook": True}, body="board") == ["cook"]


def test_what_a_provision_tests_holds_for_its_substitutes_too() -> None:
    few = ({"guests": {"max": 9}},)
    assert owed({"council": False, "guests": 9}, substitutes=("all",), applies_when=few) == ["all"]
    assert owed({"council": False, "guests": 10}, substitutes=("all",), applies_when=few) == []


def test_settling_again_changes_nothing() -> None:
    once = settle(DOMAIN, land(substitutes=("cook", "all"), applies_when=({"guests": {"min": 5}},)))
    assert settle(DOMAIN, once) == once


@pytest.mark.parametrize(
    ("provision", "says"),
    [
        ({"body": "all", "substitutes": ("cook",)}, "`cook` is never reached"),
        ({"applies_when": ({"council": {"is": False}},)}, "exclude each other"),
        ({"body": "board", "applies_when": ({"guests": {"max": 99}},)}, "exclude each other"),
    ],
)
def test_a_duty_that_nobody_can_be_owed_is_refused(provision: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        settle(DOMAIN, land(**provision))


def test_a_fact_cannot_hold_without_the_one_that_it_requires() -> None:
    gas = ({"gas": {"is": True}},)
    assert owed({"stove": False}, body="all", applies_when=gas) == []
    (finding,) = obligations(DOMAIN, settle(DOMAIN, land(body="all", applies_when=gas)), "new_menu", {"stove": False})
    assert finding.state is State.MISSED


@pytest.mark.parametrize(
    ("share", "holds"),
    [
        ("min_share", [False, True, True]),
        ("over_share", [False, False, True]),
        ("max_share", [True, True, False]),
        ("under_share", [True, False, False]),
    ],
)
def test_shares_compare_at_their_edge(share: str, holds: list[bool]) -> None:
    domain = DOMAIN.model_copy(update={"facts": {**DOMAIN.facts, "seated": DOMAIN.facts["guests"]}})
    tested = land(body="all", applies_when=({"seated": {share: 0.1, "share_of": "guests"}},))
    found = [
        obligations(domain, settle(domain, tested), "new_menu", {"guests": 70, "seated": seated})[0].applies
        for seated in (6, 7, 8)
    ]
    assert found == holds
