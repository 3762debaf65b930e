"""Which of the teacher's answers are taught, and which model learns them."""

from __future__ import annotations

import polars as pl
import pytest

from forge_assets.distillation.student import choose_student, equal_time_steps, filter_responses, student_job
from forge_assets.training.jobs.spec import Lora
from forge_resources.config.profile import load_profile
from forge_resources.storage.tables import TABLES

A, B = "a" * 64, "b" * 64
FAULTLESS = {
    **dict.fromkeys(("citation_f1", "structure", "level", "fields"), 1.0),
    **{"rougeL": 0.3, "composite": 0.8, "false_quotes": 0.0},
}


def _judged(*scores: dict[str, float]) -> pl.DataFrame:
    names = [f"sample-{i}" for i in range(len(scores))]
    answers = pl.DataFrame({"model": "teacher", "sample_id": names, "answer": [f"answer {n}" for n in names]})
    rows = [
        {"model": "teacher", "sample_id": name, "metric": metric, "value": value}
        for name, each in zip(names, scores, strict=True)
        for metric, value in each.items()
    ]
    return filter_responses(answers, pl.DataFrame(rows).sample(fraction=1.0, shuffle=True, seed=1))


def test_an_answer_without_fault_in_law_and_form_is_taught_in_the_teachers_own_words() -> None:
    [row] = _judged(FAULTLESS).to_dicts()
    assert (row["accepted"], row["why_not"], row["response"]) == (True, "", "answer sample-0")
    assert row["composite"] == 0.8


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        ("citation_f1", "citations are not those of the law engine"),
        ("structure", "a section is missing, empty or out of order"),
        ("level", "wrong level of duty"),
        ("fields", "a body, deadline, number or date is missing"),
    ],
)
def test_an_answer_with_a_fault_is_not_taught_and_the_fault_is_named(metric: str, why: str) -> None:
    [row] = _judged(FAULTLESS | {metric: 0.99}).to_dicts()
    assert (row["accepted"], row["why_not"]) == (False, why)


def test_an_answer_that_quotes_what_no_law_says_is_not_taught() -> None:
    [row] = _judged(FAULTLESS | {"false_quotes": 0.5}).to_dicts()
    assert (row["accepted"], row["why_not"]) == (False, "a quote is not verbatim")


def test_what_is_not_defined_for_a_question_is_no_fault_of_its_answer() -> None:
    read = {"composite": 1.0, "intake_exact": 1.0}
    rows = _judged(read, read | {"intake_exact": 0.0}, {name: FAULTLESS[name] for name in ("citation_f1", "structure")})
    assert rows["why_not"].to_list() == ["", "what was read of the question is not what it says", ""]
    assert rows["citation_f1"].to_list() == [None, None, 1.0]


def test_wrong_law_is_the_first_fault_named() -> None:
    [row] = _judged(FAULTLESS | {"citation_f1": 0.0, "structure": 0.0, "level": 0.0}).to_dicts()
    assert row["why_not"] == "citations are not those of the law engine"


def test_every_answer_keeps_its_own_scores_and_its_place() -> None:
    table = _judged(FAULTLESS, FAULTLESS | {"level": 0.0, "composite": 0.1}, FAULTLESS | {"composite": 0.9})
    assert table.schema == TABLES["distillation.teacher_responses"].schema
    assert table["sample_id"].to_list() == ["sample-0", "sample-1", "sample-2"]
    assert table["composite"].to_list() == [0.8, 0.1, 0.9]
    assert table["accepted"].to_list() == [True, False, True]


@pytest.mark.parametrize(
    ("teacher", "cut", "is_cut", "says"),
    [
        (0.5, 0.45, True, "Cut: the cut student keeps 90% of the tuned teacher's composite (0.450 of 0.500)"),
        (0.5, 0.44, False, "Uncut: the cut student keeps 88%"),
        (0.5, 0.60, True, "keeps 120%"),
        (0.0, 0.0, True, "keeps 100%"),
    ],
)
def test_the_cut_student_stays_if_it_keeps_the_share_asked_for(
    teacher: float, cut: float, is_cut: bool, says: str
) -> None:
    choice = choose_student(0.9, teacher, cut)
    assert choice.cut is is_cut
    assert says in choice.reason
    assert "90% asked for" in choice.reason


def test_the_uncut_student_gets_about_the_time_of_the_cut_one() -> None:
    assert equal_time_steps(120, 99_000_000, 134_500_000) == 88
    assert equal_time_steps(120, 100, 100) == 120
    assert equal_time_steps(1, 1, 1000) == 1


def test_a_profile_without_rank_trains_every_weight_of_the_student() -> None:
    profile = load_profile("cpu")
    job = student_job(profile, A, B, 120)
    assert job.lora is None
    assert (job.base, job.dataset, job.steps, job.learning_rate) == (A, B, 120, profile.student.learning_rate)


def test_a_profile_with_a_rank_trains_an_adapter() -> None:
    assert student_job(load_profile("dgx-spark"), A, B, 10).lora == Lora(rank=32, alpha=64)
