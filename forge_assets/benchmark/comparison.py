"""Compute every figure of a benchmark once, for the page, its verdict and the tables."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from forge_assets.benchmark.statistics import Estimate, by_jurisdiction, by_task, differences, share_kept, summary

STUDENT, BASELINE, TEACHER = "student_tuned", "student_untuned", "teacher_tuned"


@dataclass(frozen=True)
class Comparison:
    """What the scores of a benchmark say of its models."""

    means: pl.DataFrame
    """As `statistics.summary`."""
    changes: pl.DataFrame | None
    """Tuned minus untuned student, as `statistics.differences`; None: one of them was not scored."""
    kept: Estimate | None
    """The tuned student's composite as a share of the tuned teacher's; None: there is no such share."""
    tasks: pl.DataFrame
    """The composite by task, as `statistics.by_task`."""
    places: pl.DataFrame
    """The composite by country, as `statistics.by_jurisdiction`."""


def compare(scores: pl.DataFrame, samples: pl.DataFrame) -> Comparison:
    """Compute every figure of a benchmark.

    Args:
        scores: columns model, sample_id, metric, value; every model scored on the same samples.
        samples: columns sample_id, scenario_id, task_type, jurisdictions.

    Raises:
        ValueError: a score is missing, repeated or not a number, so a paired comparison would be wrong.
    """
    means, models = summary(scores, samples), set(scores["model"])
    if not models:
        return Comparison(means, None, None, means, means)
    composites = scores.filter(pl.col("metric") == "composite")
    return Comparison(
        means,
        differences(scores, STUDENT, BASELINE, samples) if {STUDENT, BASELINE} <= models else None,
        share_kept(scores, STUDENT, TEACHER, samples=samples) if {STUDENT, TEACHER} <= models else None,
        by_task(composites, samples),
        by_jurisdiction(composites, samples),
    )
