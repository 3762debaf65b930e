"""Which of several countries asks for most, and in what order their bodies take part: on a small made-up law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from forge_assets.law.cross_border import transnational_rules
from forge_assets.law.engine import Finding, judge_pulled
from forge_assets.law.model import Domain, Framework
from forge_assets.scenarios.answers.comparison import Reason, rank_countries, timetable
from forge_assets.scenarios.answers.judgement import Judgement, judge_change

DOMAIN = Domain.model_validate(
    {
        "domain": "canteen",
        "title": "Canteens",
        "system_prompt": "Cite the law.",
        "intake_prompt": "Read the question.",
        "levels": ("information", "consultation", "agreement"),
        "other_duties": {"notification": "a notice to an office"},
        "facts": {
            "employees": {"type": "integer", "label": "employees"},
            "group": {"type": "integer", "scope": "plan", "label": "employees of the group"},
        },
        "triggers": {"menu": "the menu changes", "abroad": "several kitchens are concerned"},
        "stages": ("negotiation",),
        "change_types": {
            "new_menu": {"title": "new menu", "triggers": ("menu",)},
            "new_chef": {"title": "new chef", "triggers": ("menu",)},
        },
        "transnational": {"duty": "XU:dir:5", "link": "XU:dir:9", "changes": ("new_menu",)},
    }
)


def land(code: str, *levels: str, extra: tuple[Mapping[str, Any], ...] = ()) -> Framework:
    """A country that asks for a duty of each level, strongest first as written."""
    duties = tuple(
        {
            "id": f"{code.lower()}-{level.replace('_', '-')}",
            "cite": f"{code}:kg:{number}",
            "quote": "x",
            "summary": f"{level} on the menu",
            "level": level,
            "body": "council",
            "triggers": ("menu",),
        }
        for number, level in enumerate(levels, start=1)
    )
    return Framework.model_validate(
        {
            "jurisdiction": code,
            "name": f"Land {code}",
            "language": "en",
            "laws": (
                {
                    "id": "kg",
                    "short": "KG",
                    "title": "Kitchen Act",
                    "english": "Kitchen Act",
                    "statute": "kg.jsonl",
                    "text_as_of": "2026-01-01",
                },
            ),
            "bodies": (
                {"id": "council", "name": "council", "english": "council", "basis": f"{code}:kg:1"},
                {"id": "group_council", "name": "group council", "english": "group council", "basis": f"{code}:kg:1"},
            ),
            "provisions": (*duties, *extra),
        }
    )


def abroad(code: str, name: str, implements: str, **fields: Any) -> Mapping[str, Any]:
    return {
        "id": f"{code.lower()}-{name}",
        "cite": f"{code}:kg:{90 + len(name)}",
        "quote": "x",
        "summary": f"{name} of the group council",
        "level": "consultation",
        "body": "group_council",
        "triggers": ("abroad",),
        "applies_when": ({"group": {"min": 1000}},),
        "implements": (implements,),
        **fields,
    }


DUTY = abroad("XA", "duty", "XU:dir:5", only_if="the group council was set up")
LINK = abroad("XA", "link", "XU:dir:9:1", order="no_later_than_national")


def judged(*frameworks: Framework) -> tuple[Judgement, ...]:
    return tuple(judge_change(DOMAIN, framework, "new_menu", {"employees": 50}) for framework in frameworks)


def across(framework: Framework, group: int) -> tuple[Finding, ...]:
    return tuple(judge_pulled(p, {"group": group}) for p in transnational_rules(DOMAIN, framework, "new_menu"))


def test_the_strictest_country_stands_first_and_equals_share_a_place() -> None:
    case = judged(
        land("XA", "information"), land("XB", "agreement"), land("XC", "consultation"), land("XD", "agreement")
    )
    ranking = rank_countries(DOMAIN, case)
    assert [(c.judged.framework.jurisdiction, c.place) for c in ranking.countries] == [
        ("XB", 1),
        ("XD", 1),
        ("XC", 3),
        ("XA", 4),
    ]
    assert [j.framework.jurisdiction for j in ranking.strictest] == ["XB", "XD"]
    assert [j.framework.jurisdiction for j in ranking.others] == ["XC", "XA"]


@pytest.mark.parametrize("level", ["consultation", "notification"])
def test_where_all_ask_for_the_same_none_is_strictest(level: str) -> None:
    ranking = rank_countries(DOMAIN, judged(land("XA", level), land("XB", level), land("XC", level)))
    assert len(ranking.strictest) == 3
    assert ranking.others == ()


def test_national_bodies_follow_country_by_country_the_weakest_duty_first() -> None:
    case = judged(land("XB", "agreement", "notification", "information"), land("XA", "consultation", "information"))
    steps = timetable(DOMAIN, case)
    assert [step.provision.id for step in steps] == [
        "xb-information",
        "xb-agreement",
        "xa-information",
        "xa-consultation",
    ]
    assert {step.reason for step in steps} == {Reason.LADDER}
    assert not any(step.order_stated for step in steps)


def test_the_body_of_several_countries_stands_first_where_its_threshold_is_met() -> None:
    home = land("XA", "information", extra=(DUTY, LINK))
    first, second, *_ = timetable(DOMAIN, judged(home, land("XB", "agreement")), across(home, 1000))
    assert first.provision.id == "xa-duty"
    assert first.reason is Reason.SEVERAL_COUNTRIES
    assert first.condition == "the group council was set up"
    assert first.ordered_by is not None and first.ordered_by.id == "xa-link"
    assert second.provision.id == "xa-information"


def test_below_the_threshold_only_national_bodies_take_part() -> None:
    home = land("XA", "information", extra=(DUTY, LINK))
    steps = timetable(DOMAIN, judged(home, land("XB", "agreement")), across(home, 999))
    assert [step.provision.id for step in steps] == ["xa-information", "xb-agreement"]


def test_where_no_text_says_in_what_order_they_come_the_step_says_so() -> None:
    home = land("XA", "information", extra=(DUTY,))
    first = timetable(DOMAIN, judged(home, land("XB", "agreement")), across(home, 5000))[0]
    assert first.reason is Reason.SEVERAL_COUNTRIES
    assert not first.order_stated


def test_the_law_of_another_country_than_home_brings_no_such_step() -> None:
    home = land("XB", "information")
    assert across(home, 5000) == ()


def test_changes_that_the_union_does_not_name_bring_no_such_step() -> None:
    home = land("XA", "information", extra=(DUTY, LINK))
    assert transnational_rules(DOMAIN, home, "new_chef") == ()


def test_a_link_without_a_duty_is_no_duty() -> None:
    assert transnational_rules(DOMAIN, land("XA", "information", extra=(LINK,)), "new_menu") == ()
