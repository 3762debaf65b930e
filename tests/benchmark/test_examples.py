"""Which examples are shown."""

from __future__ import annotations

import polars as pl

from forge_assets.benchmark.examples import worked_examples


def scored(values: dict[str, float], model: str = "student_tuned") -> pl.DataFrame:
    rows = [(model, sample_id, "composite", value) for sample_id, value in values.items()]
    return pl.DataFrame(rows, schema=["model", "sample_id", "metric", "value"], orient="row")


def test_best_median_and_worst_are_shown_in_that_order() -> None:
    found = worked_examples(scored({"a": 0.2, "b": 0.9, "c": 0.5, "d": 0.7, "e": 0.4}))
    assert [(e.rank, e.sample_id, e.value) for e in found] == [
        ("Best", "b", 0.9),
        ("Median", "c", 0.5),
        ("Worst", "a", 0.2),
    ]


def test_ties_go_by_sample_id_whatever_the_order_of_rows() -> None:
    scores = scored({"d": 1.0, "b": 1.0, "c": 1.0, "a": 1.0})
    first = worked_examples(scores)
    assert first == worked_examples(scores.reverse())
    assert [e.sample_id for e in first] == ["a", "c", "d"]


def test_only_the_named_model_decides() -> None:
    scores = pl.concat(
        [scored({"a": 0.1, "b": 0.2, "c": 0.3}), scored({"a": 0.9, "b": 0.5, "c": 0.1}, "teacher_tuned")]
    )
    assert [e.sample_id for e in worked_examples(scores)] == ["c", "b", "a"]
    assert [e.sample_id for e in worked_examples(scores, "teacher_tuned")] == ["a", "b", "c"]


def test_few_samples_are_shown_once_each() -> None:
    assert [e.rank for e in worked_examples(scored({"a": 0.1, "b": 0.2}))] == ["Best", "Worst"]
    assert [e.rank for e in worked_examples(scored({"a": 0.1}))] == ["Only"]
    assert worked_examples(scored({"a": 0.1}, "teacher_tuned")) == []
