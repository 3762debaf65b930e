"""The first sentence claims no more than the intervals allow."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from forge_assets.benchmark.comparison import compare
from forge_assets.benchmark.verdict import benchmark_verdict

ScoresAt = Callable[[dict[str, float]], pl.DataFrame]


def test_a_clear_gain_is_called_raised_and_compared_with_the_teacher(
    scores: pl.DataFrame, samples: pl.DataFrame
) -> None:
    found = benchmark_verdict(compare(scores, samples))
    assert found.sentence.startswith("Tuning raised the student’s composite from 0.14 to 0.80")
    assert "132 unseen samples" in found.sentence
    assert "It keeps 93% of the tuned teacher’s composite" in found.sentence
    assert [f.label for f in found.figures] == [
        "Composite",
        "Teacher kept",
        "Citation F1",
        "Fabricated citations",
    ]


@pytest.mark.parametrize(
    ("tuned", "untuned", "words"),
    [(0.3, 0.7, "Tuning lowered"), (0.5, 0.5, "Tuning made no measurable difference")],
)
def test_a_loss_and_a_draw_are_named_as_such(
    scores_at: ScoresAt, samples: pl.DataFrame, tuned: float, untuned: float, words: str
) -> None:
    scores = scores_at({"student_tuned": tuned, "student_untuned": untuned})
    assert benchmark_verdict(compare(scores, samples)).sentence.startswith(words)


def test_without_a_baseline_only_the_score_is_claimed(scores_at: ScoresAt, samples: pl.DataFrame) -> None:
    found = benchmark_verdict(compare(scores_at({"student_tuned": 0.7}), samples))
    assert found.sentence.startswith("The tuned student scores 0.7")
    assert "teacher" not in found.sentence


def test_without_a_tuned_student_there_is_no_outcome(scores_at: ScoresAt, samples: pl.DataFrame) -> None:
    assert benchmark_verdict(compare(scores_at({"teacher_tuned": 0.7}), samples)).figures == ()


def test_scores_without_a_composite_are_refused(scores: pl.DataFrame, samples: pl.DataFrame) -> None:
    with pytest.raises(ValueError, match="no scores of metric composite"):
        benchmark_verdict(compare(scores.filter(pl.col("metric") != "composite"), samples))
