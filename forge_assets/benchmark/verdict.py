"""State a benchmark's outcome in one sentence and key figures; a difference counts where its interval excludes 0."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from forge_assets.benchmark.comparison import BASELINE, STUDENT, Comparison
from forge_assets.benchmark.metric_labels import format_interval, format_number, format_signed
from forge_assets.scoring.metrics import METRICS


@dataclass(frozen=True)
class KeyFigure:
    """One number of the page's first line."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class BenchmarkVerdict:
    """What came out: a sentence, and the figures behind it."""

    sentence: str
    figures: tuple[KeyFigure, ...]


def benchmark_verdict(found: Comparison) -> BenchmarkVerdict:
    """Compare the tuned student on the composite with the untuned one, then with the tuned teacher, as far as scored.

    Raises:
        ValueError: the tuned student was scored, but not by the composite.
    """
    mine = found.means.filter(pl.col("model") == STUDENT)
    if mine.is_empty():
        return BenchmarkVerdict("No tuned student was benchmarked, so there is no outcome to report.", ())
    sentence = _absolute(mine) if found.changes is None else _against_baseline(found.changes)
    if found.kept:
        bounds = f"95% interval {found.kept.low:.0%} to {found.kept.high:.0%}"
        sentence += f" It keeps {found.kept.value:.0%} of the tuned teacher’s composite ({bounds})."
    return BenchmarkVerdict(sentence, tuple(_figures(found)))


def _absolute(means: pl.DataFrame) -> str:
    row = _row(means, "composite")
    bounds = format_interval(row["low"], row["high"])
    return f"The tuned student scores {row['mean']:.2f} (95% interval {bounds}) on {row['n']} unseen samples."


def _against_baseline(changes: pl.DataFrame) -> str:
    row = _row(changes, "composite")
    change = f"{format_signed(row['difference'])}, 95% interval {format_interval(row['low'], row['high'])}"
    ends = f"from {row['baseline']:.2f} to {row['model']:.2f} ({change}) on {row['n']} unseen samples"
    if row["low"] > 0:
        return f"Tuning raised the student’s composite {ends}."
    if row["high"] < 0:
        return f"Tuning lowered the student’s composite {ends}."
    return f"Tuning made no measurable difference: the student’s composite went {ends}."


def _figures(found: Comparison) -> list[KeyFigure]:
    means = {(row["model"], row["metric"]): row for row in found.means.iter_rows(named=True)}
    figures = []
    for name, metric in METRICS.items():
        row, before = means.get((STUDENT, name)), means.get((BASELINE, name))
        if not metric.headline or row is None:
            continue
        was = f"untuned {format_number(before['mean'])}; " if before else ""
        note = f"{was}95% interval {format_interval(row['low'], row['high'])}"
        figures.append(KeyFigure(metric.headline, format_number(row["mean"]), note))
    if found.kept:
        note = f"of its composite; 95% interval {found.kept.low:.0%} to {found.kept.high:.0%}"
        figures.insert(1, KeyFigure("Teacher kept", f"{found.kept.value:.0%}", note))
    return figures


def _row(frame: pl.DataFrame, name: str) -> dict[str, float]:
    """The row of one metric.

    Raises:
        ValueError: the scores hold no such metric.
    """
    rows = frame.filter(pl.col("metric") == name)
    if rows.is_empty():
        raise ValueError(f"no scores of metric {name}")
    return rows.row(0, named=True)
