"""The outcome in one sentence and a few figures, worded no stronger than the intervals allow."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from forge_assets.benchmark.metric_labels import interval, metric, number, signed
from forge_assets.benchmark.statistics import Estimate, differences, share_kept, summary

STUDENT, BASELINE, TEACHER = "student_tuned", "student_untuned", "teacher_tuned"


@dataclass(frozen=True)
class KeyFigure:
    """One number of the page's first line."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Verdict:
    """What came out: a sentence, and the figures behind it."""

    sentence: str
    figures: tuple[KeyFigure, ...]


def verdict(scores: pl.DataFrame, samples: pl.DataFrame | None = None) -> Verdict:
    """Tuned against untuned student on the composite, then against the tuned teacher, as far as scored."""
    scored = set(scores["model"])
    if STUDENT not in scored:
        return Verdict("No tuned student was benchmarked, so there is no outcome to report.", ())
    sentence = _absolute(scores, samples)
    if BASELINE in scored:
        sentence = _against_baseline(scores, samples)
    kept = share_kept(scores, STUDENT, TEACHER, samples=samples) if TEACHER in scored else None
    if kept:
        bounds = f"95% interval {kept.low:.0%} to {kept.high:.0%}"
        sentence += f" It keeps {kept.value:.0%} of the tuned teacher’s composite ({bounds})."
    return Verdict(sentence, tuple(_figures(scores, samples, kept)))


def _absolute(scores: pl.DataFrame, samples: pl.DataFrame | None) -> str:
    row = _row(summary(scores.filter(pl.col("model") == STUDENT), samples), "composite")
    bounds = interval(row["low"], row["high"])
    return f"The tuned student scores {row['mean']:.2f} (95% interval {bounds}) on {row['n']} unseen samples."


def _against_baseline(scores: pl.DataFrame, samples: pl.DataFrame | None) -> str:
    row = _row(differences(scores, STUDENT, BASELINE, samples), "composite")
    change = f"{signed(row['difference'])}, 95% interval {interval(row['low'], row['high'])}"
    ends = f"from {row['baseline']:.2f} to {row['model']:.2f} ({change}) on {row['n']} unseen samples"
    if row["low"] > 0:
        return f"Tuning raised the student’s composite {ends}."
    if row["high"] < 0:
        return f"Tuning lowered the student’s composite {ends}."
    return f"Tuning made no measurable difference: the student’s composite went {ends}."


def _figures(scores: pl.DataFrame, samples: pl.DataFrame | None, kept: Estimate | None) -> list[KeyFigure]:
    means = {
        (model, name): (mean, low, high)
        for model, name, mean, low, high in summary(scores, samples)
        .select("model", "metric", "mean", "low", "high")
        .iter_rows()
    }
    figures = []
    for name in ("composite", "citation_f1", "fabricated_rate"):
        if (STUDENT, name) not in means:
            continue
        mean, low, high = means[STUDENT, name]
        before = means.get((BASELINE, name))
        was = f"untuned {number(before[0])}; " if before else ""
        label = "Fabricated citations" if name == "fabricated_rate" else metric(name).label
        figures.append(KeyFigure(label, number(mean), f"{was}95% interval {interval(low, high)}"))
    if kept:
        note = f"of its composite; 95% interval {kept.low:.0%} to {kept.high:.0%}"
        figures.insert(1, KeyFigure("Teacher kept", f"{kept.value:.0%}", note))
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
