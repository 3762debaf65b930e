"""The tables people read in a terminal and in Markdown."""

from __future__ import annotations

import polars as pl

from forge_assets.benchmark.statistics import summary
from forge_assets.benchmark.text_table import markdown_table, terminal_table


def small() -> pl.DataFrame:
    rows = [
        (model, sample_id, metric, value)
        for model, composite, fabricated in (("student_tuned", 0.75, 0.1), ("student_untuned", 0.25, 0.5))
        for sample_id in ("a", "b")
        for metric, value in (("composite", composite), ("fabricated_rate", fabricated))
    ]
    return summary(pl.DataFrame(rows, schema=["model", "sample_id", "metric", "value"], orient="row"))


def test_the_terminal_table_reads_as_drawn() -> None:
    assert terminal_table(small()).plain().splitlines() == [
        "                               Student, untuned      Student, tuned",
        "-------------------------------------------------------------------",
        "Composite                    0.25 [0.25, 0.25]   0.75 [0.75, 0.75]*",
        "Fabricated (less is better)  0.50 [0.50, 0.50]   0.10 [0.10, 0.10]*",
        "-------------------------------------------------------------------",
        "Mean and 95% interval over 2 samples; * best of the row.",
    ]


def test_a_metric_of_fewer_samples_says_of_how_many() -> None:
    scores = pl.DataFrame(
        [("student_tuned", s, "composite", 0.5) for s in "abc"] + [("student_tuned", "a", "deadline", 1.0)],
        schema=["model", "sample_id", "metric", "value"],
        orient="row",
    )
    shown = terminal_table(summary(scores)).plain()
    assert "\nDeadline (1) " in shown and "\nComposite " in shown
    assert "over 3 samples, or as many as a metric's name says;" in shown
    assert "\n| Deadline (1) | 1.00 [" in markdown_table(summary(scores))


def test_four_models_fit_a_wide_terminal(scores: pl.DataFrame, samples: pl.DataFrame) -> None:
    assert max(map(len, terminal_table(summary(scores, samples)).plain().splitlines())) <= 120


def test_equal_models_share_no_crown() -> None:
    tied = small().with_columns(mean=pl.lit(0.5))
    assert "*" not in terminal_table(tied).plain().splitlines()[2]
    assert "**" not in markdown_table(tied)


def test_every_markdown_row_has_a_cell_for_every_model(scores: pl.DataFrame) -> None:
    rows = [line for line in markdown_table(summary(scores)).splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {6}
    assert len(rows) == 2 + scores["metric"].n_unique()


def test_a_pipe_in_a_model_name_breaks_no_markdown_row() -> None:
    renamed = small().with_columns(model=pl.col("model").replace("student_tuned", "v1|v2"))
    assert "V1\\|v2" in markdown_table(renamed).splitlines()[0]


def test_nothing_scored_is_said_in_words() -> None:
    assert terminal_table(small().clear()).plain() == markdown_table(small().clear()) == "No model was scored."
