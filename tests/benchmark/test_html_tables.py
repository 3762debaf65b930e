"""Frames become tables with units, dashes and totals."""

from __future__ import annotations

import polars as pl

from forge_assets.benchmark.html_tables import HtmlTable, job_table, law_table, lineage_rows, trial_table
from forge_assets.benchmark.report import ReportInput


def texts(table: HtmlTable, row: int) -> list[str]:
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


def test_a_trial_shows_what_ran_and_what_was_asked_where_the_guard_changed_it(full_report: ReportInput) -> None:
    table = trial_table(full_report.trials, chosen=8)
    chosen = ["8", "refine", "finished", "0.66 ± 0.04", "learning rate 0.002, rank 16", "rank x sequence length"]
    assert texts(table, 8) == [*chosen, "4 min 36 s"]
    assert [cell.detail for cell in table.rows[8]][4:6] == ["asked: rank 32", "rank 32 → 16"]
    assert table.rows[8][0].strong
    assert [cell.detail for cell in table.rows[0]] == [""] * 7


def test_a_trial_without_a_score_says_what_it_died_of(full_report: ReportInput) -> None:
    died = trial_table(full_report.trials).rows[1]
    assert [(cell.text, cell.detail) for cell in died[2:4]] == [("failed", "out of memory"), ("–", "")]


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
