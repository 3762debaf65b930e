"""Store what is known of a trial in its study, and build the tables `search.trials` and `search.answers`.

The storage is the truth: every process of a search writes the same tables from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from forge_assets.scoring.metrics import METRICS
from forge_assets.search.guard.guard import Guarded
from forge_assets.search.space.parameters import Config, SearchSpace
from forge_assets.training.jobs.spec import SftJob
from forge_resources.storage.tables import TABLES

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

APPLIED, PLAN, OUTCOME = "ran", "plan", "outcome"
"""User attributes of a trial; each is one transaction of its storage, so what is known together is kept together."""


def remember_plan(
    trial: optuna.Trial,
    space: SearchSpace,
    requested: Config,
    applied: Config,
    allowed: Guarded,
    identity: str,
    now: float,
) -> None:
    """Store the requested and the applied configuration and the guard's interventions, before the trial runs.

    Args:
        identity: of the job.
        now: Unix time.
    """
    trial.set_user_attr(APPLIED, space.stored(applied))
    plan = {
        "asked": space.stored(requested),
        "guard": [asdict(one) for one in allowed.interventions],
        "predicted_bytes": allowed.predicted_bytes,
        "job": allowed.job.model_dump(mode="json"),
        "identity": identity,
        "started_at": now,
    }
    trial.set_user_attr(PLAN, plan)


def remember_outcome(trial: optuna.Trial, **facts: Any) -> None:
    """Store the outcome: status, why, seconds, losses; if scored scores, answers, measured_bytes; if failed cause."""
    trial.set_user_attr(OUTCOME, facts)


def facts(trial: optuna.Trial | FrozenTrial) -> dict[str, Any]:
    """Return all that is stored of a trial so far, by name."""
    return {**trial.user_attrs.get(PLAN, {}), **trial.user_attrs.get(OUTCOME, {})}


def planned_job(trial: optuna.Trial | FrozenTrial) -> SftJob | None:
    """Return the job of a trial; None before it was planned."""
    spec = facts(trial).get("job")
    return SftJob.model_validate(spec) if spec else None


def trials_table(name: str, trials: Iterable[FrozenTrial], space: SearchSpace) -> pl.DataFrame:
    """Build `search.trials`, one row a trial.

    Args:
        name: of the study.
    """
    from forge_assets.search.optimizer.three_phase import phase

    rows = []
    for trial in trials:
        kept = facts(trial)
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
                "asked": _text(space, kept.get("asked") or trial.params),
                "ran": _text(space, trial.user_attrs.get(APPLIED)),
                "guard": json.dumps(kept.get("guard", [])),
                "scores": [{"metric": name, "mean": scores[name]} for name in METRICS if name in scores],
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
    """Build `search.answers`: composites of the trials, then the rows of race and confirmation."""
    rows: list[Mapping[str, Any]] = [
        {"trial": trial.number, "stage": "trial", "sample_id": sample, "composite": composite}
        for trial in trials
        for sample, composite in (facts(trial).get("answers") or {}).items()
    ]
    return pl.DataFrame([*rows, *raced], schema=TABLES["search.answers"].schema)


def _text(space: SearchSpace, stored: Mapping[str, Any] | None) -> str:
    """A configuration as JSON, sets as lists; empty where it is not known yet."""
    whole = stored is not None and all(parameter.name in stored for parameter in space.parameters)
    return json.dumps(space.read(stored)) if stored and whole else ""
