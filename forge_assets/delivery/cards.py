"""Write model card and data sheet of a deployment from what the run recorded; nothing is said that is not recorded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import polars as pl

from forge_assets.benchmark.statistics import by_jurisdiction, by_task, summary
from forge_assets.benchmark.text_table import markdown_table
from forge_assets.delivery.deployment import Deployment
from forge_resources.presentation.markdown import markdown

WORST = 5
"""Answers of the benchmark that a card shows."""


def card(made: Deployment, title: str, scores: pl.DataFrame, samples: pl.DataFrame, answers: pl.DataFrame) -> str:
    """Write the model card, as Markdown with the metadata that model hubs read.

    Args:
        title: of the domain.
        scores: model, sample_id, metric, value; of the served type and of the models of the benchmark.
        samples: the benchmark.
        answers: model, sample_id, answer; of the served type among others.
    """
    compared = scores.filter(pl.col("model").is_in(["student_untuned", "student_tuned"]))
    composite = scores.filter((pl.col("metric") == "composite") & (pl.col("model") == "student_tuned"))
    worst = (
        scores.filter((pl.col("metric") == "composite") & (pl.col("model") == made.served))
        .join(answers.filter(pl.col("model") == made.served).drop("model"), on="sample_id")
        .join(samples.select("sample_id", "prompt"), on="sample_id")
        .sort("value", "sample_id")
        .select("prompt", "answer", pl.col("value").alias("composite"))
        .head(WORST)
    )
    return _template("card.md.j2").render(
        made=made,
        title=title,
        number=_number,
        questions=samples["sample_id"].n_unique(),
        means=markdown_table(summary(compared, samples)),
        tasks=_grouped(by_task(composite, samples), "task_type"),
        places=_grouped(by_jurisdiction(composite, samples), "jurisdiction"),
        worst=worst.rows(named=True),
    )


def datasheet(
    made: Deployment,
    lineage: Mapping[str, Any],
    training: Mapping[str, Any],
    laws: list[dict[str, Any]],
    sets: pl.DataFrame,
    taught: int,
) -> str:
    """Write the data sheet.

    Args:
        lineage: teacher, student, fingerprint, sets.
        training: fields of the student's training job, and its seconds.
        laws: jurisdiction, version, name, as_of, status of each law that was taught.
        sets: the table `scenarios.sets`.
        taught: answers of the teacher that were taught.
    """
    counted = sets.group_by("role", "task_type", "language").len("samples").sort("role", "task_type", "language")
    return _template("datasheet.md.j2").render(
        made=made,
        lineage=lineage,
        training=training,
        laws=laws,
        number=_number,
        train=sets.filter(pl.col("role") == "train").height,
        taught=taught,
        samples=markdown(counted),
    )


def _grouped(table: pl.DataFrame, column: str) -> str:
    shown = table.select(
        column, *(pl.col(name).round(2) for name in ("mean", "low", "high")), pl.col("n").alias("samples")
    )
    return markdown(shown)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _template(name: str) -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    return environment.get_template(name)
