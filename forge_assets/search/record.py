"""What a study's storage keeps of a trial, and the tables `search.trials` and `search.answers` made from it.

The storage is the truth: every process of a search writes the same tables from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from forge_assets.search.guard import Guarded
from forge_assets.search.space import Config, SearchSpace
from forge_assets.training.job import SftJob
from forge_resources.tables import TABLES

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

PARTS = ("citation_f1", "structure", "level", "rouge1", "rouge2", "rougeL")


def remember_plan(trial: optuna.Trial, space: SearchSpace, asked: Config, ran: Config, allowed: Guarded) -> None:
    """What was asked, what will run, and who spoke, before it runs."""
    trial.set_user_attr("asked", space.stored(asked))
    trial.set_user_attr("ran", space.stored(ran))
    trial.set_user_attr("guard", [asdict(one) for one in allowed.interventions])
    trial.set_user_attr("predicted_bytes", allowed.predicted_bytes)
    trial.set_user_attr("job", allowed.job.model_dump_json())  # last: with it the plan is whole


def planned_job(trial: optuna.Trial | FrozenTrial) -> SftJob | None:
    """The job that was decided on; None before it was."""
    text = trial.user_attrs.get("job")
    return SftJob.model_validate_json(text) if text else None


def remember(trial: optuna.Trial, **facts: Any) -> None:
    """Keep facts of a trial: status, why, identity, seconds, losses, measured_bytes, scores, answers, ..."""
    for name, value in facts.items():
        trial.set_user_attr(name, value)


def trials_table(name: str, trials: Iterable[FrozenTrial], space: SearchSpace) -> pl.DataFrame:
    """`search.trials`, one row a trial.

    Args:
        name: of the study.
    """
    from forge_assets.search.sampler import phase

    rows = []
    for trial in trials:
        kept = trial.user_attrs
        scores: Mapping[str, float] = kept.get("scores") or {}
        losses = kept.get("losses") or []
        rows.append(
            {
                "trial": trial.number,
                "study": name,
                "phase": phase(trial),
                "status": kept.get("status", "running"),
                "why": kept.get("why", ""),
                "score": scores.get("composite"),
                "standard_error": kept.get("score_error"),
                "asked": _text(space, kept.get("asked")),
                "ran": _text(space, kept.get("ran")),
                "guard": json.dumps(kept.get("guard", [])),
                **{part: scores.get(part) for part in PARTS},
                "loss": sum(losses[-5:]) / len(losses[-5:]) if losses else None,
                "losses": losses,
                "predicted_bytes": kept.get("predicted_bytes"),
                "measured_bytes": kept.get("measured_bytes"),
                "started_at": kept.get("started_at"),
                "seconds": kept.get("seconds"),
                "job": kept.get("identity"),
            }
        )
    return pl.DataFrame(rows, schema=TABLES["search.trials"].schema)


def answers_table(trials: Iterable[FrozenTrial], raced: Iterable[Mapping[str, Any]] = ()) -> pl.DataFrame:
    """`search.answers`: how the trials answered, and after them the rows of race and confirmation."""
    rows: list[Mapping[str, Any]] = [
        {"trial": trial.number, "stage": "trial", "sample_id": sample, "composite": composite}
        for trial in trials
        for sample, composite in (trial.user_attrs.get("answers") or {}).items()
    ]
    return pl.DataFrame([*rows, *raced], schema=TABLES["search.answers"].schema)


def _text(space: SearchSpace, stored: Mapping[str, Any] | None) -> str:
    """A configuration as JSON, sets as lists; empty where nothing was decided yet."""
    return json.dumps(space.read(stored)) if stored else ""
