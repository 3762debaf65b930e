"""The words of each answer, for a small made-up country: what a reader sees, to the letter."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from forge_assets.law.citation_key import CitationKey
from forge_assets.law.engine import Facts
from forge_assets.law.model import Domain, Framework, Provision
from forge_assets.scenarios.answers.blocks.registry import BLOCKS
from forge_assets.scenarios.answers.case import AnswerCase, Form
from forge_assets.scenarios.answers.judgement import Judgement, judge_change
from forge_assets.scenarios.answers.what_if import find_flips
from forge_assets.scenarios.answers.writer import Writer, tidy
from forge_assets.scenarios.pack.answer_words import AnswerWords
from forge_resources.config.data_folder import PROJECT
from forge_resources.config.strict_yaml import read_yaml

DOMAIN = Domain.model_validate(
    {
        "domain": "canteen",
        "title": "Canteens",
        "system_prompt": "Cite the law.",
        "intake_prompt": "Answer in JSON.",
        "levels": ("information", "co_determination"),
        "other_duties": {"prohibition": "what must not be done"},
        "facts": {
            "employees": {"type": "integer", "label": "employees"},
            "cooks": {"type": "boolean", "label": "cooks are employed"},
        },
        "triggers": {"menu": "the menu changes", "heat": "the kitchen gets hotter"},
        "stages": ("negotiation", "court"),
        "change_types": {
            "new_menu": {
                "title": "new menu",
                "triggers": ("menu",),
                "conditional_triggers": ({"fact": "cooks", "trigger": "heat"},),
            }
        },
    }
)
LAND = Framework.model_validate(
    {
        "jurisdiction": "DE",
        "name": "Utopia",
        "language": "de",
        "citation": {"written": "§ {unit}[ Abs. {paragraph}][ Nr. {number}] {law}"},
        "laws": (
            {
                "id": "kg",
                "short": "KG",
                "title": "Kantinengesetz",
                "english": "Canteen Act",
                "statute": "kg.jsonl",
                "text_as_of": "2026-01-01",
            },
        ),
        "bodies": (
            {"id": "council", "name": "Kantinenrat", "english": "canteen council", "basis": "DE:kg:1"},
            {"id": "office", "name": "office", "english": "office", "basis": "DE:kg:2"},
        ),
        "provisions": (
            {
                "id": "say",
                "cite": "DE:kg:3:1:2",
                "quote": "x",
                "summary": "agreement on the menu",
                "level": "co_determination",
                "body": "council",
                "triggers": ("menu",),
                "applies_when": ({"employees": {"min": 20, "max": 99}}, {"employees": {"min": 100}}),
                "deadline": "before lunch",
                "consequence": "the menu is void",
            },
            {
                "id": "report",
                "cite": "DE:kg:4",
                "quote": "x",
                "summary": "report on the heat",
                "level": "information",
                "body": "office",
                "triggers": ("heat",),
            },
        ),
        "escalation": (
            {
                "step": "the guests vote",
                "stage": "negotiation",
                "basis": "DE:kg:6",
                "applies_when": ({"employees": {"min": 100}},),
            },
            {"step": "the chef decides", "stage": "court", "basis": "DE:kg:5:1", "changes": ("new_menu",)},
            {"step": "the kitchen closes", "stage": "court", "basis": "DE:kg:7", "changes": ("new_kitchen",)},
        ),
        "complete_for": {"new_menu": {"because": "the Act is all there is", "at": ("DE:kg:3",)}},
    }
)
OTHER = LAND.model_copy(update={"jurisdiction": "FR", "name": "Arcadia", "provisions": LAND.provisions[1:]})
ENGLISH = read_yaml(PROJECT / "frameworks" / "labour" / "answers" / "en.yaml")[0]
FIRST = {name: texts[:1] for name, texts in ENGLISH["phrases"].items()}
"""One wording of every shipped phrase, so that what is read here does not hang on which is drawn."""
WORDS = AnswerWords.model_validate(
    {
        **ENGLISH,
        "levels": {"information": "Information", "co_determination": "Co-determination", "prohibition": "Prohibition"},
        "facts": {"employees": "{n} employees", "cooks": {"if_true": "own cooks", "if_false": "no cooks"}},
        "asked": {"employees": "the number of employees", "cooks": "whether there are cooks"},
        "measures": {"employees": "employees", "kitchen_staff": "kitchen staff"},
        "changes": {"new_menu": "new menu"},
        "stages": {"negotiation": "Negotiation", "court": "Court"},
        "phrases": FIRST,
    },
    strict=False,
)


def the_case(
    facts: dict[str, int | bool], *frameworks: Framework, domain: Domain = DOMAIN, on: dt.date | None = None
) -> AnswerCase:
    judged = tuple(judge_change(domain, f, "new_menu", facts, on=on) for f in frameworks or (LAND,))

    def judge(other: Facts) -> Judgement:
        return judge_change(domain, judged[0].framework, "new_menu", other)

    return AnswerCase(
        domain=domain,
        change_type="new_menu",
        facts=facts,
        judged=judged,
        deciding=judged[0].missed or tuple(facts),
        form=Form(),
        writer=Writer(WORDS),
        names={f.jurisdiction: f.name for f in frameworks or (LAND,)},
        quotable=lambda words, _: words != "x",
        day=str,
        flips=lambda: find_flips(domain, judged[0], facts, judge),
    )


def case(employees: int = 50, cooks: bool = True, *frameworks: Framework) -> AnswerCase:
    return the_case({"employees": employees, "cooks": cooks}, *frameworks)


def written(block: str, case: AnswerCase) -> str:
    return tidy(BLOCKS[block](case).text)


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ("verdict", "Utopia, new menu. Co-determination: owed to the canteen council (Kantinenrat)."),
        (
            "thresholds",
            "Utopia, new menu. Co-determination: owed to the canteen council (Kantinenrat). "
            "Threshold met: 20 to 99 employees (here {employees}).",
        ),
        ("basis", "- agreement on the menu, § 3 Abs. 1 Nr. 2 KG\n- report on the heat, § 4 KG"),
        (
            "steps",
            "1. report on the heat, § 4 KG\n2. agreement on the menu, § 3 Abs. 1 Nr. 2 KG; before lunch",
        ),
        ("lead", "Utopia, new menu. Co-determination: agreement on the menu, § 3 Abs. 1 Nr. 2 KG."),
        ("escalation", "1. The chef decides: § 5 Abs. 1 KG"),
        (
            "timing",
            "- agreement on the menu, § 3 Abs. 1 Nr. 2 KG; before lunch; the menu is void\n"
            "- report on the heat, § 4 KG",
        ),
    ],
)
def test_a_block_reads(block: str, text: str) -> None:
    assert written(block, case()) == text


def test_a_body_without_a_name_of_its_own_is_not_named_twice() -> None:
    assert written("verdict", case(5)) == "Utopia, new menu. Information: owed to the office."


def test_where_nothing_applies_the_failing_facts_are_the_reason() -> None:
    idle = case(5, False)
    assert written("verdict", idle) == (
        "Utopia, new menu. No provision applies: {employees} employees. "
        "Not reached: § 3 Abs. 1 Nr. 2 KG, 20 to 99 employees or at least 100 employees "
        "(here {employees}, {=20-employees} short)."
    )
    assert written("basis", idle) == ""
    assert idle.cited == (CitationKey.parse("DE:kg:3:1:2"),)


@pytest.mark.parametrize(
    ("threshold", "says"),
    [
        (
            {"employees": {"max": 2}},
            " Not reached: § 3 Abs. 1 Nr. 2 KG, at most 2 employees (here {employees}, {=employees-2} over).",
        ),
        (
            {"kitchen_staff": {"min": 4, "max": 6}},
            " Not reached: § 3 Abs. 1 Nr. 2 KG, 4 to 6 kitchen staff (here {kitchen_staff}, {=4-kitchen_staff} short).",
        ),
        (
            {"kitchen_staff": {"min_share": 0.75, "share_of": "employees"}},
            " Not reached: § 3 Abs. 1 Nr. 2 KG, at least 75% of employees kitchen staff "
            "(here {kitchen_staff} of {employees}, {%kitchen_staff/employees}).",
        ),
        ({"cooks": {"is": True}}, ""),
    ],
)
def test_a_threshold_not_reached_is_named_where_it_is_numbers_alone(threshold: dict[str, object], says: str) -> None:
    high = Provision.model_validate({**LAND.provisions[0].model_dump(), "applies_when": (threshold,)})
    land = LAND.model_copy(update={"provisions": (high,)})
    facts = {"employees": 5, "kitchen_staff": 3, "cooks": False}
    domain = DOMAIN.model_copy(update={"facts": {**DOMAIN.facts, "kitchen_staff": DOMAIN.facts["employees"]}})
    short = the_case(facts, land, domain=domain)
    short = replace(short, deciding=("employees",))
    assert written("verdict", short) == f"Utopia, new menu. No provision applies: {{employees}} employees.{says}"


def test_where_the_texts_held_are_not_all_there_is_silence_settles_nothing() -> None:
    open_ = case(5, False, LAND.model_copy(update={"complete_for": {}}))
    assert written("verdict", open_) == (
        "Utopia, new menu. The texts held do not settle it: "
        "none of them asks for anything here ({employees} employees). "
        "Not reached: § 3 Abs. 1 Nr. 2 KG, 20 to 99 employees or at least 100 employees "
        "(here {employees}, {=20-employees} short)."
    )
    assert (case(5, False).judged[0].level, open_.judged[0].level) == ("none", "unsettled")


def test_a_condition_that_a_person_must_judge_settles_nothing_and_is_no_duty() -> None:
    judged_by_hand = LAND.provisions[1].model_copy(update={"triggers": ("menu",), "only_if": "the soup is hot"})
    land = LAND.model_copy(update={"provisions": (LAND.provisions[0], judged_by_hand)})
    assert case(5, False, land).judged[0].level == "unsettled"
    assert written("basis", case(50, False, land)) == "- agreement on the menu, § 3 Abs. 1 Nr. 2 KG"


def test_a_duty_in_which_nobody_takes_part_leads_only_where_no_other_applies() -> None:
    ban = LAND.provisions[0].model_copy(
        update={"id": "ban", "level": "prohibition", "summary": "no soup on Mondays", "applies_when": (), "core": True}
    )
    land = LAND.model_copy(update={"provisions": (ban, LAND.provisions[1])})
    assert written("verdict", case(50, True, land)) == "Utopia, new menu. Information: owed to the office."
    assert written("verdict", case(50, False, land)) == (
        "Utopia, new menu. Prohibition: it concerns the canteen council (Kantinenrat)."
    )


def test_a_principal_duty_leads_before_a_stronger_minor_one() -> None:
    core = LAND.provisions[1].model_copy(update={"triggers": ("menu",), "core": True})
    land = LAND.model_copy(update={"provisions": (LAND.provisions[0], core)})
    assert written("verdict", case(50, False, land)) == "Utopia, new menu. Information: owed to the office."


def test_steps_are_those_of_the_change_and_of_the_size() -> None:
    assert written("escalation", case(100)) == "1. The guests vote: § 6 KG\n2. The chef decides: § 5 Abs. 1 KG"


def test_a_minor_duty_that_is_left_out_keeps_a_case_from_being_asked() -> None:
    core = LAND.provisions[0].model_copy(update={"core": True})
    land = LAND.model_copy(update={"provisions": (core, LAND.provisions[1])}).core()
    facts = {"employees": 5, "cooks": True}
    assert not judge_change(DOMAIN, land, "new_menu", facts).is_decidable  # the report on the heat applies
    assert judge_change(DOMAIN, land, "new_menu", {**facts, "cooks": False}).is_decidable


def test_a_threshold_met_leaves_out_what_is_no_number() -> None:
    both = {"cooks": {"is": True}, "employees": {"min": 20, "max": 99}}
    asks = Provision.model_validate({**LAND.provisions[0].model_dump(), "applies_when": (both,)})
    full = case(50, True, LAND.model_copy(update={"provisions": (asks,)}))
    assert written("thresholds", full).endswith(" Threshold met: 20 to 99 employees (here {employees}).")


def test_the_facts_at_which_a_threshold_failed_stand_in_the_order_of_the_domain() -> None:
    share = {"employees": {"min": 20}, "cooks": {"is": True}}
    asks = Provision.model_validate({**LAND.provisions[0].model_dump(), "applies_when": (share,)})
    land = LAND.model_copy(update={"provisions": (asks,)})
    assert judge_change(DOMAIN, land, "new_menu", {"employees": 5, "cooks": False}).missed == ("employees", "cooks")
    assert judge_change(DOMAIN, land, "new_menu", {"employees": 5, "cooks": True}).missed == ("employees",)
    assert judge_change(DOMAIN, land, "new_menu", {"cooks": False}).missed == ("cooks",)


def test_the_stricter_country_is_the_one_higher_on_the_ladder() -> None:
    assert written("stricter", case(50, True, OTHER, LAND)) == (
        "New menu. Co-determination in Utopia against information in Arcadia: Utopia is stricter."
    )
    assert (
        written("stricter", case(5, True, OTHER, LAND))
        == "New menu. Information in Arcadia and Utopia: neither is stricter."
    )
    assert written("stricter", case(50, False, OTHER, LAND)) == (
        "New menu. Co-determination in Utopia against no duty in Arcadia: Utopia is stricter."
    )


def test_a_comparison_gives_each_country_its_strongest_duty() -> None:
    both = case(50, False, OTHER, LAND)
    assert written("compare", both) == (
        "- Arcadia: no provision applies\n- Utopia: agreement on the menu, § 3 Abs. 1 Nr. 2 KG"
    )
    assert both.cited == (CitationKey.parse("DE:kg:3:1:2"),)


def test_a_conditional_review_leaves_other_duties_out() -> None:
    full = case()
    only = judge_change(DOMAIN, LAND, "new_menu", full.facts, conditional_only=True)
    reviewed = replace(full, judged=(only,), laws=())
    BLOCKS["basis"](reviewed)
    assert reviewed.cited == (CitationKey.parse("DE:kg:4"),)


def test_a_missing_fact_is_asked_for_and_what_is_sure_is_said() -> None:
    open_ = the_case({"cooks": True})
    assert written("verdict", open_) == (
        "Utopia, new menu. Not stated: the number of employees. On this depends § 3 Abs. 1 Nr. 2 KG. "
        "In any case: Information: owed to the office."
    )
    assert open_.cited == (CitationKey.parse("DE:kg:3:1:2"),)


def test_a_rule_not_yet_in_force_is_named_with_its_day() -> None:
    later = LAND.provisions[0].model_copy(update={"valid_from": dt.date(2027, 1, 1)})
    land = LAND.model_copy(update={"provisions": (later, LAND.provisions[1])})
    facts = {"employees": 50, "cooks": False}
    early = replace(the_case(facts, land, on=dt.date(2026, 12, 31)), deciding=("cooks",))
    assert written("verdict", early) == (
        "Utopia, new menu. No provision applies: no cooks. "
        "Not yet in force on {@date}: § 3 Abs. 1 Nr. 2 KG, which applies from 2027-01-01."
    )
    in_force = judge_change(DOMAIN, land, "new_menu", facts, on=dt.date(2027, 1, 1))
    assert in_force.later == ()
    assert in_force.level == "co_determination"
