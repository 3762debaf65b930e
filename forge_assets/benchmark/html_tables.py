"""Turn Polars frames into HTML tables: labels for column names, units for numbers, a dash for null."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten

import polars as pl

from forge_assets.benchmark.metric_labels import (
    DASH,
    format_duration,
    format_interval,
    format_label,
    format_number,
    format_p_value,
    format_signed,
    models_in_order,
)
from forge_assets.benchmark.text_table import best_models, fewer_samples, most_samples
from forge_assets.scoring.metrics import in_reading_order, metric
from forge_assets.search.figures.wording import format_name, format_value, parse_changes, parse_config

STATUSES = ("verified", "text_outdated", "unverified")


@dataclass(frozen=True)
class Cell:
    """What a cell shows; `detail` is smaller print under it."""

    text: str
    detail: str = ""
    strong: bool = False


@dataclass(frozen=True)
class TableColumn:
    """A heading; numbers are set to the right, in figures of one width."""

    label: str
    numeric: bool = False
    colour: str = ""


@dataclass(frozen=True)
class HtmlTable:
    """A caption, columns and rows; the first cell of a row names it."""

    caption: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]


def metric_table(summary: pl.DataFrame) -> HtmlTable:
    """Build the table of means: one row a metric, one column a model, the best of a row strong."""
    across = models_in_order(summary["model"].unique())
    found = _found(summary, "metric")
    rows = []
    for name in in_reading_order(summary["metric"]):
        some = f"; over {count} samples" if (count := fewer_samples(summary, name)) else ""
        best, head = best_models(summary, name), Cell(metric(name).title, metric(name).help + some)
        rows.append((head, *(_estimate(found.get((name, m.name)), m.name in best) for m in across)))
    unseen = f"Mean and 95% interval over {most_samples(summary)} unseen samples."
    return HtmlTable(
        f"{unseen} Bold: best of the row. ↓ less is better.",
        (TableColumn("Metric"), *(TableColumn(m.label, True, m.colour) for m in across)),
        tuple(rows),
    )


def group_table(grouped: pl.DataFrame, column: str, caption: str, name: str = "composite") -> HtmlTable:
    """Build the table of one metric by group: one row a group, one column a model, with intervals."""
    rows = grouped.filter(pl.col("metric") == name)
    across, found = models_in_order(rows["model"].unique()), _found(rows, column)
    lines = []
    for group in rows[column].unique(maintain_order=True):
        part = rows.filter(pl.col(column) == group)
        best = best_models(part, name)
        size = Cell(str(part["n"][0]))
        estimates = (_estimate(found.get((group, m.name)), m.name in best) for m in across)
        lines.append((Cell(format_label(group)), size, *estimates))
    heads = (TableColumn(m.label, True, m.colour) for m in across)
    return HtmlTable(caption, (TableColumn(format_label(column)), TableColumn("Samples", True), *heads), tuple(lines))


def difference_table(differences: pl.DataFrame, caption: str) -> HtmlTable:
    """Build the table of differences: one row a metric with both means, paired difference, interval and p."""
    rows = [
        (
            Cell(metric(row["metric"]).title),
            Cell(format_number(row["baseline"])),
            Cell(format_number(row["model"])),
            Cell(format_signed(row["difference"]), strong=row["low"] > 0 or row["high"] < 0),
            Cell(format_interval(row["low"], row["high"])),
            Cell(format_p_value(row["p"])),
        )
        for row in differences.iter_rows(named=True)
    ]
    heads = ("Metric", "Untuned", "Tuned", "Difference", "95% interval", "p")
    return HtmlTable(caption, tuple(TableColumn(head, i > 0) for i, head in enumerate(heads)), tuple(rows))


def law_table(provisions: pl.DataFrame) -> HtmlTable:
    """Count provisions by jurisdiction and status, with the dates of the statute text.

    Args:
        provisions: columns jurisdiction, status, text_as_of (date or ISO text).
    """
    rows = []
    for place in sorted(provisions["jurisdiction"].unique()):
        mine = provisions.filter(pl.col("jurisdiction") == place)
        dates = sorted({_plain(day) for day in mine["text_as_of"]} - {DASH})
        span = DASH if not dates else dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
        counts = [mine.filter(pl.col("status") == status).height for status in STATUSES]
        rows.append((Cell(place), *(Cell(str(c) if c else DASH) for c in counts), Cell(span)))
    heads = (
        TableColumn("Jurisdiction"),
        *(TableColumn(format_label(s), True) for s in STATUSES),
        TableColumn("Text as of", True),
    )
    return HtmlTable("Provisions in the catalogue. Only verified ones are taught and tested.", heads, tuple(rows))


def job_table(jobs: pl.DataFrame) -> HtmlTable:
    """Build the table of jobs: one row each, and a last row with summed seconds and the highest peak."""
    table = frame_table(jobs, "What each job took on the machine of this run.")
    total = [Cell("Together", strong=True)]
    for name in [name for name in jobs.columns if jobs[name].null_count() < jobs.height][1:]:
        known = jobs[name].drop_nulls()
        if name == "seconds":
            total.append(Cell(format_duration(float(known.sum())), strong=True))
        elif name.startswith("peak_"):
            total.append(Cell(_shown(name, known.max()), "highest", strong=True))
        else:
            total.append(Cell(""))
    return HtmlTable(table.caption, table.columns, (*table.rows, tuple(total)))


def trial_table(trials: pl.DataFrame, chosen: int | None = None) -> HtmlTable:
    """Build the table of trials: the applied configuration and, small, what the guard changed of the requested one.

    Args:
        trials: as table `search.trials`.
        chosen: trial whose row is bold.
    """
    phased = trials["phase"].str.len_bytes().sum() > 0
    heads = (
        TableColumn("Trial"),
        *([TableColumn("Phase")] if phased else []),
        TableColumn("Status"),
        TableColumn("Score", True),
    )
    heads += (TableColumn("Configuration"), TableColumn("Guard"), TableColumn("Time", True))
    rows = []
    for row in trials.sort("trial").iter_rows(named=True):
        strong, asked, ran = row["trial"] == chosen, parse_config(row["asked"]), parse_config(row["ran"])
        other = {name: value for name, value in asked.items() if name in ran and ran[name] != value}
        spoke = parse_changes(row["guard"])
        cells = [
            Cell(str(row["trial"]), strong=strong),
            *([Cell(row["phase"] or DASH)] if phased else []),
            Cell(row["status"], shorten(row["why"] or "", 140, placeholder=" …")),
            Cell(_with_error(row["score"], row["standard_error"]), strong=strong),
            Cell(_settings(ran or asked), f"asked: {_settings(other)}" if other else ""),
            Cell(", ".join(dict.fromkeys(c.rule for c in spoke)) or DASH, ", ".join(c.step for c in spoke)),
            Cell(DASH if row["seconds"] is None else format_duration(row["seconds"])),
        ]
        rows.append(tuple(cells))
    said = "Every trial of the search: what ran, and its mean composite ± standard error."
    return HtmlTable(said + (" Bold: the chosen one." if chosen is not None else ""), heads, tuple(rows))


def frame_table(frame: pl.DataFrame, caption: str) -> HtmlTable:
    """Turn any frame into a table, column by column.

    Names ending in `seconds`, `_bytes`, `_mb` set the unit; structs print as `name value` lists; columns that
    are empty throughout are left out.
    """
    kept = [name for name in frame.columns if frame[name].null_count() < frame.height]
    numeric = [name != kept[0] and frame[name].dtype.is_numeric() for name in kept]
    heads = tuple(TableColumn(_heading(name), right) for name, right in zip(kept, numeric, strict=True))
    rows = tuple(tuple(Cell(_shown(name, row[name])) for name in kept) for row in frame.iter_rows(named=True))
    return HtmlTable(caption, heads, rows)


def lineage_rows(lineage: Mapping[str, object]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """List the lineage as names with one or several values, in the order given."""
    return tuple((format_label(name), tuple(_values(value))) for name, value in lineage.items())


def _values(value: object) -> Iterable[str]:
    if isinstance(value, Mapping):
        return [f"{key}  {_plain(item)}" for key, item in value.items()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return [_plain(value)]


def _with_error(score: float | None, error: float | None) -> str:
    return (
        format_number(score) if score is None or error is None else f"{format_number(score)} ± {format_number(error)}"
    )


def _settings(configuration: Mapping[str, object]) -> str:
    return ", ".join(f"{format_name(name)} {format_value(value)}" for name, value in configuration.items()) or DASH


def _found(frame: pl.DataFrame, column: str) -> dict[tuple[str, str], dict[str, float]]:
    return {(row[column], row["model"]): row for row in frame.iter_rows(named=True)}


def _estimate(row: dict[str, float] | None, best: bool) -> Cell:
    if row is None:
        return Cell(DASH)
    return Cell(format_number(row["mean"]), format_interval(row["low"], row["high"]), best)


def _heading(name: str) -> str:
    for suffix in ("_bytes", "_mb"):
        name = name.removesuffix(suffix)
    return format_label("time" if name == "seconds" else name.replace("per_second", "/ s"))


def _shown(name: str, value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if name.endswith("seconds"):
            return format_duration(value)
        if name.endswith("_bytes"):
            return f"{value / 1e9:.2f} GB"
        if name.endswith("_mb"):
            return f"{value / 1000:.2f} GB"
    return _plain(value)


def _plain(value: object) -> str:
    if value is None or value == "":
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items() if item is not None)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_plain(item) for item in value)
    return str(value)
