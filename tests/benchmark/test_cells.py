"""Frames become tables with units, dashes and totals."""

from __future__ import annotations

import polars as pl

from forge_assets.benchmark.cells import Table, frame_table, job_table, law_table, lineage_rows
from forge_assets.benchmark.report import ReportInput


def texts(table: Table, row: int) -> list[str]:
    return [cell.text for cell in table.rows[row]]


def test_jobs_show_units_and_a_last_row_of_total_time_and_highest_peak(full_report: ReportInput) -> None:
    table = job_table(full_report.jobs)
    assert [c.label for c in table.columns] == ["Job", "Kind", "Time", "Peak memory", "Tokens / s"]
    assert texts(table, 0) == ["teacher sft", "sft", "13 min 32 s", "4.71 GB", "146"]
    assert texts(table, 3)[-1] == "–"
    assert texts(table, -1) == ["Together", "", "50 min 39 s", "4.71 GB", ""]


def test_a_column_that_is_empty_throughout_is_left_out_of_rows_and_total(full_report: ReportInput) -> None:
    table = job_table(full_report.jobs.with_columns(peak_memory_bytes=pl.lit(None, pl.Int64)))
    assert [c.label for c in table.columns] == ["Job", "Kind", "Time", "Tokens / s"]
    assert {len(row) for row in table.rows} == {4}


def test_a_trial_shows_its_configuration_in_words(full_report: ReportInput) -> None:
    table = frame_table(full_report.trials, "Trials", best=8)
    assert "r 8, lr 0.0005, batch 4" in texts(table, 0)
    assert {cell.strong for cell in table.rows[8]} == {True}
    assert {cell.strong for cell in table.rows[0]} == {False}


def test_law_counts_each_status_by_country_with_the_dates_of_its_text(full_report: ReportInput) -> None:
    table = law_table(full_report.provisions)
    found = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}
    assert found["NL"] == ["–", "7", "–", "2020-05-01"]
    assert found["DE"] == ["7", "–", "–", "2026-03-14 to 2026-04-14"]


def test_law_dates_may_be_text(full_report: ReportInput) -> None:
    provisions = full_report.provisions.with_columns(text_as_of=pl.col("text_as_of").cast(pl.String))
    assert law_table(provisions) == law_table(full_report.provisions)


def test_lineage_takes_text_lists_and_mappings() -> None:
    rows = lineage_rows({"profile": "cpu", "models": ["a", "b"], "framework_versions": {"DE": "77ab"}})
    assert rows == (("Profile", ("cpu",)), ("Models", ("a", "b")), ("Framework versions", ("DE  77ab",)))
