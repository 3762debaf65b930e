"""What the assets that launch jobs share: the job runner, the drawn sets, and scoring the answers that come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from forge_assets.catalog.snapshot import live_countries
from forge_assets.citations.law_index import law_index
from forge_assets.datasets.roles import training_rows
from forge_assets.scoring.score import score_frame
from forge_assets.training.jobs.model_ref import ModelRef
from forge_assets.training.jobs.runner import JobRunner
from forge_assets.training.jobs.spec import EvaluateJob, Sampling
from forge_assets.training.planning.model_shape import Shape
from forge_assets.training.planning.placement import resolve_loading
from forge_resources.storage.tables import TABLES

if TYPE_CHECKING:
    import dagster as dg

    from forge_resources.config.profile import Profile
    from forge_resources.forge import Forge
    from forge_resources.launchers.base import Launcher


def job_runner(context: dg.AssetExecutionContext, forge: Forge, launcher: Launcher) -> JobRunner:
    """JobRunner over the profile's base models, unpacked first if they are not there yet."""
    names = {forge.profile.teacher.model, forge.profile.student.model}
    bases = {model.digest: model.path for model in map(forge.models.ensure, sorted(names))}
    return JobRunner(forge.store, forge.environment, bases, lambda folder: launcher.run(context, folder), launcher.stop)


def plan_placement(forge: Forge) -> Profile:
    """The profile, with what it leaves open of loading and batches decided for its hardware.

    Raises:
        DoesNotFit: teacher or student fits in no way; the message says what would make it fit.
    """
    teacher, student = (forge.models.config(part.model) for part in (forge.profile.teacher, forge.profile.student))
    return resolve_loading(forge.profile, Shape.parse(teacher), Shape.parse(student))


def greedy(forge: Forge) -> Sampling:
    """How benchmark and validation answers are drawn."""
    answers = forge.profile.answers
    return Sampling(max_new_tokens=answers.max_new_tokens, batch_size=answers.batch_size, seed=forge.profile.seed)


def choice_loss(forge: Forge, runner: JobRunner, model: ModelRef, batch_size: int, title: str) -> float:
    """Nats a token of the choice set's reference answers: what training lowered, where it did not look."""
    rows = runner.dataset(training_rows(drawn_sets(forge), role="choice"))
    job = EvaluateJob(**model.spec, dataset=rows, batch_size=batch_size, max_length=forge.profile.max_length)
    return float(runner.run(job, title).record["loss"])


def drawn_sets(forge: Forge) -> pl.DataFrame:
    """The table `scenarios.sets`, in order."""
    return forge.store.read("scenarios.sets").sort("position")


def scored(
    forge: Forge, given: Mapping[str, Sequence[Mapping[str, Any]]], samples: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Answers and scores of several models.

    Args:
        given: model name to its answers: sample_id, answer.
        samples: the samples answered.

    Returns:
        `benchmark.answers` (model, sample_id, answer) and `benchmark.scores` (model, sample_id, metric, value).
    """
    rows: list[dict[str, Any]] = [
        {"model": model, "sample_id": row["sample_id"], "answer": row["answer"]}
        for model, answers in given.items()
        for row in answers
    ]
    answers = pl.DataFrame(rows, schema=TABLES["benchmark.answers"].schema)
    domain, countries = live_countries(forge)
    unique = samples.unique("sample_id", keep="first", maintain_order=True)
    return answers, score_frame(answers, unique, law_index(domain, countries))


def mean_score(scores: pl.DataFrame, model: str, metric: str = "composite") -> float:
    """A model's mean of one metric."""
    chosen = scores.filter((pl.col("model") == model) & (pl.col("metric") == metric))
    return float(chosen["value"].mean() or 0.0)  # type: ignore[arg-type]
