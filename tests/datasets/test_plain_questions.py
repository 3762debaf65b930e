"""Verdicts on answers to questions as people ask them, on answers written by hand."""

from __future__ import annotations

import json

import pytest

from bench.plain_questions import Judge, read_rightly
from forge_assets.datasets.questions import load_questions
from forge_assets.scenarios.intake.schema import read_intake
from tests.shipped import PACK, countries, domain

FILE = load_questions(PACK, domain())
QUESTIONS = {q.id: q for q in FILE.questions}


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(domain(), list(countries().values()), FILE.asked_on)


def test_an_answer_that_names_what_is_due_is_right_throughout(judge: Judge) -> None:
    text = "Co-determination in Germany: without the works council's agreement no new rota (§ 87 Abs. 1 Nr. 2 BetrVG)."
    found = judge.verdict(QUESTIONS["de-schichtplan-umgeworfen"], text)
    assert (found.country, found.f1, found.level) == (1, 1, 1)
    assert (found.invented, found.foreign, found.endless) == (0, 0, 0)


def test_the_law_of_another_country_is_noticed(judge: Judge) -> None:
    text = "Co-determination: the works council must agree (§ 97 Abs. 1 Z 2 ArbVG)."
    found = judge.verdict(QUESTIONS["de-schichtplan-umgeworfen"], text)
    assert (found.country, found.f1, found.foreign) == (0, 0, 1)


def test_a_section_that_the_law_does_not_have_is_invented(judge: Judge) -> None:
    found = judge.verdict(QUESTIONS["de-schichtplan-umgeworfen"], "Germany: § 987 BetrVG.")
    assert (found.country, found.f1, found.invented) == (1, 0, 1)


def test_to_say_that_the_law_the_question_names_is_the_wrong_one_is_not_held_against_an_answer(judge: Judge) -> None:
    text = "No: section 87 BetrVG is German law. In Austria it is co-determination under § 97 Abs. 1 Z 2 ArbVG."
    found = judge.verdict(QUESTIONS["at-en-graz-under-the-betrvg"], text)
    assert (found.f1, found.foreign, found.level) == (1, 0, 1)


def test_what_else_the_change_pulls_costs_nothing_and_what_it_does_not_pull_does(judge: Judge) -> None:
    due = "Germany. § 87 Abs. 1 Nr. 2 BetrVG, § 80 Abs. 2 BetrVG"
    assert judge.verdict(QUESTIONS["de-schichtplan-umgeworfen"], due).f1 == 1
    assert judge.verdict(QUESTIONS["de-schichtplan-umgeworfen"], f"{due}, § 613a Abs. 5 BGB").f1 == pytest.approx(0.8)


def test_silence_is_right_only_where_nothing_is_due(judge: Judge) -> None:
    about_wages, about_shifts = QUESTIONS["de-en-minimum-wage"], QUESTIONS["de-schichtplan-umgeworfen"]
    silent = judge.verdict(about_wages, "That is about wages, in Germany.")
    assert (silent.f1, silent.quiet) == (None, 1)
    assert judge.verdict(about_wages, "Germany: § 87 Abs. 1 Nr. 2 BetrVG.").quiet == 0
    assert judge.verdict(about_wages, "").quiet == 0
    assert judge.verdict(about_wages, "The wage is the wage of the wage and so on. " * 20).quiet == 0
    assert judge.verdict(about_shifts, "Ask a lawyer in Germany.").f1 == 0
    assert judge.verdict(about_shifts, "Ask a lawyer in Germany.").quiet is None


def test_the_level_is_read_under_the_headings(judge: Judge) -> None:
    text = "## Consultation plan\nGermany: co-determination of the works council, § 87 Abs. 1 Nr. 2 BetrVG."
    assert judge.verdict(QUESTIONS["de-schichtplan-umgeworfen"], text).level == 1


def test_an_answer_that_goes_round_in_circles_is_noticed(judge: Judge) -> None:
    circles = "Germany: the works council has a right to be heard before each step. " * 9
    assert judge.verdict(QUESTIONS["de-schichtplan-umgeworfen"], circles).endless == 1


def test_what_a_question_says_becomes_the_right_intake_answer() -> None:
    assert read_rightly(domain(), QUESTIONS["at-en-three-in-innsbruck"]) == {
        "change": "collective_redundancy",
        "facts": {"AT": {"employees": 60, "affected": 3}},
        "missing": ["works_council"],
    }


def test_every_case_has_a_right_intake_answer_of_the_schema() -> None:
    cases = [q for q in FILE.questions if q.change]
    read = [read_intake(json.dumps(read_rightly(domain(), q)), domain(), countries()) for q in cases]
    assert [r.change for r in read] == [q.change for q in cases]
