"""What an answer must say exactly, and what does not say it."""

from __future__ import annotations

from typing import Any

import pytest

from forge_assets.citations.law_index import LawIndex
from forge_assets.scoring.exact_text import exact, numbers, says
from forge_assets.scoring.metrics import METRICS
from forge_assets.scoring.score import score

Sample = dict[str, Any]


def asking(sample: Sample, field: str, *said: str) -> Sample:
    return sample | {"expected_fields": [{"field": field, "said": list(said)}]}


@pytest.mark.parametrize("written", ["1,400", "1.400", "1 400", "1\u00a0400", "1\u202f400", "1’400", "1400"])
@pytest.mark.parametrize("said", ["1,400 employees", "1.400 employees", "1400 employees"])
def test_a_number_is_the_same_number_however_its_thousands_are_set(written: str, said: str) -> None:
    assert says(exact(f"There are {written}  Employees."), exact(said))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("121 employees", "21 employees"),
        ("21 employeeswise", "21 employees"),
        ("1.21 employees", "21 employees"),
        ("2,121 employees", "121 employees"),
        ("until 30.06.2026", "30.06"),
        ("10.5%", "5%"),
        ("Gesamtbetriebsrat", "Betriebsrat"),
        ("§ 21a", "21"),
        ("1.\n400 employees", "1400 employees"),
    ],
)
def test_a_part_of_a_number_a_date_or_a_word_says_nothing(text: str, said: str) -> None:
    assert not says(exact(text), exact(said))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("BIS ZUM 30. JUNI 2026", "30. Juni 2026"),
        ("within\nfourteen days.", "fourteen days"),
        ("10 % of them", "10%"),
        ("(Betriebsrat)", "Betriebsrat"),
        ("in 3 days, not in 13 days; 3 days", "3 days"),
        ("Работническият съвет", "работническият съвет"),
        ("40 of 1.400, that is 2.9%", "40 of 1400"),
    ],
)
def test_case_white_space_and_marks_do_not_matter(text: str, said: str) -> None:
    assert says(exact(text), exact(said))


def test_one_accepted_way_of_writing_is_enough(sample: Sample, laws: LawIndex) -> None:
    due = asking(sample, "deadline", "within 14 days", "within two weeks")
    assert score("Within two weeks.", due, laws)["deadline"] == 1.0
    assert score("Within three weeks.", due, laws)["deadline"] == 0.0


def test_a_number_of_a_place_says_no_deadline(sample: Sample, laws: LawIndex) -> None:
    due = asking(sample, "deadline", "14 days")
    assert score("See § 14 BetrVG: days count.", asking(sample, "deadline", "14"), laws)["deadline"] == 0.0
    assert score("See § 87 Abs. 1 Nr. 14 days", due, laws)["deadline"] == 0.0
    assert score("§ 14 BetrVG: 14 days.", due, laws)["deadline"] == 1.0


def test_a_clause_of_an_agreement_may_look_like_a_citation(sample: Sample, laws: LawIndex) -> None:
    assert score("Notice: § 7 of the agreement.", asking(sample, "clause", "§ 7"), laws)["agreement"] == 1.0


def test_every_field_counts_alike_and_each_kind_has_its_own_row(sample: Sample, laws: LawIndex) -> None:
    kinds = {
        "body": "Betriebsrat",
        "deadline": "one week",
        "threshold": "40 of 400",
        "date": "1 May",
        "party": "DGB",
    }
    due = sample | {"expected_fields": [{"field": field, "said": [said]} for field, said in kinds.items()]}
    found = score("The Betriebsrat within one week; 40 of 400.", due, laws)
    assert found["fields"] == pytest.approx(3 / 5)
    rows = ("body", "deadline", "threshold", "date", "agreement")
    assert [found[name] for name in rows] == [1.0, 1.0, 1.0, 0.0, 0.0]


def test_what_is_not_due_has_no_score_whatever_is_answered(sample: Sample, laws: LawIndex) -> None:
    bare = sample | {"expected_fields": []}
    for answer in ("", "within 14 days", sample["response"]):
        assert {"fields", "body", "deadline", "threshold", "date", "agreement"}.isdisjoint(score(answer, bare, laws))
    assert score(sample["response"], bare, laws)["composite"] == pytest.approx(1.0)


def test_a_part_that_is_not_defined_leaves_the_proportions_of_the_others(sample: Sample, laws: LawIndex) -> None:
    answer = sample["response"].replace("§ 90 Abs. 1 Nr. 3", "§ 987").replace("Co-determination", "Information")
    parts = score(answer, sample | {"expected_fields": []}, laws)
    weight = {name: METRICS[name].weight or 0 for name in parts}
    assert sum(weight.values()) == pytest.approx(0.85)
    assert parts["composite"] == pytest.approx(sum(weight[name] * parts[name] for name in parts) / 0.85)


def test_a_place_question_names_no_level_and_has_no_score_for_it(sample: Sample, laws: LawIndex) -> None:
    place = sample | {"expected_level": "", "sections": []}
    assert "level" not in score(sample["response"], place, laws)


def test_numbers_leave_out_headings_numbering_and_parts_of_words() -> None:
    text = "## 3 steps\n1. After 1,400 and 2,5 days\n2) By 30.06.2026 or 2026-07-01, 21a, L2312\n- (3) 007"
    assert numbers(text) == ["1400", "2.5", "30", "6", "2026", "2026", "7", "1", "7"]


def test_a_number_of_neither_question_nor_reference_is_stray(sample: Sample, laws: LawIndex) -> None:
    asked = sample | {"response": sample["response"] + "\nWithin 14 days."}
    text = "With 120 employees within 14 days, else 30 days, § 23 Abs. 3 BetrVG.\n1. Pay EUR 5.000."
    assert score(text, asked, laws)["stray_numbers"] == pytest.approx(2 / 4)
    assert score(asked["response"], asked, laws)["stray_numbers"] == 0.0
    assert score("Ask the works council.", asked, laws)["stray_numbers"] == 0.0


READ = '{"change":"working_time","facts":{"AT":{"employees":50}},"missing":["affected"]}'
SCHEMA = '{"type":"object","properties":{"change":{"type":"string"}},"required":["change","facts","missing"]}'


def test_what_was_read_of_a_question_is_scored_by_its_own_parts_alone(sample: Sample, laws: LawIndex) -> None:
    intake = sample | {"task_type": "intake", "response": READ, "output_schema": SCHEMA, "jurisdictions": ["AT"]}
    right = score(READ, intake, laws)
    assert set(right) == {"composite", *(name for name in METRICS if name.startswith("intake_"))}
    assert set(right.values()) == {1.0}
    wrong = score(READ.replace("working_time", "site_closure").replace('["affected"]', "[]"), intake, laws)
    assert wrong["composite"] == pytest.approx(0.4 + 0.2)
    assert score("Austria, 50 employees.", intake, laws)["composite"] == 0.0
