"""Run one trial: plan, train, score, record. A failure caused by its configuration is a result."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from forge_assets.scoring.metrics import METRICS
from forge_assets.search.guard.calibration import Calibration, Measured, calibrate
from forge_assets.search.guard.guard import guard
from forge_assets.search.optimizer.three_phase import ERROR
from forge_assets.search.space.parameters import Config
from forge_assets.search.study.context import StudyContext
from forge_assets.search.study.jobs import applied_config
from forge_assets.search.study.pruning import loss_watcher, report_curve
from forge_assets.search.study.record import facts, planned_job, remember_outcome, remember_plan
from forge_assets.search.study.standard_error import paired_error, standard_error
from forge_assets.training.jobs.runner import Finished
from forge_assets.training.jobs.spec import SftJob
from forge_assets.training.planning.memory import predict
from forge_assets.training.planning.placement import DoesNotFit
from forge_resources.launchers.base import JobFailed, JobStopped
from forge_resources.processes.cause import BY_CONFIGURATION, Cause

if TYPE_CHECKING:
    import optuna


def run_trial(context: StudyContext, trial: optuna.Trial, begun: Callable[[], None]) -> None:
    """Run a trial to its end and tell the study.

    Args:
        begun: called when it is known what will run.

    Raises:
        JobFailed: of a cause that says nothing of the configuration; the trial is left as it is, for next time.
    """
    study = trial.study
    try:
        job = planned_job(trial) or _plan(context, trial)
    except DoesNotFit as error:
        _end(study, trial, "failed", str(error))
        return
    begun()
    watch = loss_watcher(trial, context.profile.search.pruning, job.steps)
    try:
        done = context.runner.run(job, f"trial {trial.number}", watch)
    except JobStopped as stopped:
        curve = [line for line in context.runner.curve(job) if line["step"] <= stopped.step]
        diverged = bool(curve) and not math.isfinite(curve[-1]["loss"])
        _end(study, trial, "diverged" if diverged else "pruned", str(stopped), curve)
    except JobFailed as failed:
        if failed.cause not in BY_CONFIGURATION:
            raise
        status = "diverged" if failed.cause is Cause.DIVERGED else "failed"
        found = {"cause": failed.cause}
        _end(study, trial, status, str(failed)[:500], context.runner.curve(job), found)
    else:
        report_curve(trial, done.steps())
        _finish(context, study, trial, done)


def calibrate_memory_model(context: StudyContext, trials: Sequence[FrozenTrial]) -> Calibration:
    """Calibrate the memory model by the measured peaks of earlier trials."""
    seen = []
    for trial in trials:
        job, kept = planned_job(trial), facts(trial)
        peak = kept.get("measured_bytes")
        if job is not None and kept.get("cause") == Cause.OUT_OF_MEMORY:
            peak = round(context.memory_budget_bytes)
        if job is not None and peak:
            seen.append(Measured(predict(job, context.shape, context.machine), peak))
    return calibrate(seen)


def predict_applied(context: StudyContext, calibration: Calibration, requested: Config) -> Config:
    """Predict the configuration that the guard would apply for a requested one."""
    try:
        allowed = guard(
            context.job(requested), context.shape, context.machine, context.memory_budget_bytes, calibration
        )
    except DoesNotFit:
        return requested
    return applied_config(requested, allowed.interventions)


def _plan(context: StudyContext, trial: optuna.Trial) -> SftJob:
    now, requested = time.time(), context.space.suggest(trial)
    before = [one for one in trial.study.get_trials(deepcopy=False) if one.number != trial.number]
    allowed = guard(
        context.job(requested),
        context.shape,
        context.machine,
        context.memory_budget_bytes,
        calibrate_memory_model(context, before),
    )
    identity = context.runner.identity(allowed.job)
    remember_plan(
        trial, context.space, requested, applied_config(requested, allowed.interventions), allowed, identity, now
    )
    return allowed.job


def _finish(context: StudyContext, study: optuna.Study, trial: optuna.Trial, done: Finished) -> None:
    samples = context.samples("validation")
    scores = context.scores(done, samples)
    table: dict[str, dict[str, float]] = {metric: {} for metric in METRICS}
    for sample, metric, value in scores.select("sample_id", "metric", "value").iter_rows():
        table[metric][sample] = value
    means = {metric: float(np.mean(list(values.values()))) for metric, values in table.items() if values}
    composites = table["composite"]
    found: dict[str, Any] = {
        "scores": means,
        "answers": composites,
        "score_error": standard_error(list(composites.values())),
    }
    known = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    before = [facts(one)["answers"] for one in known if one.number < trial.number and "answers" in facts(one)]
    if (paired := paired_error(before, composites)) is not None:
        trial.set_user_attr(ERROR, paired)
    peaks = [step["gpu_bytes"] for step in done.steps() if "gpu_bytes" in step]
    found["measured_bytes"] = max(peaks) if peaks else done.record["peak_rss_bytes"]
    _end(study, trial, "finished", "", done.steps(), found)


def _end(
    study: optuna.Study,
    trial: optuna.Trial,
    status: str,
    why: str,
    curve: Sequence[dict[str, Any]] = (),
    found: Mapping[str, Any] | None = None,
) -> None:
    seconds = time.time() - facts(trial).get("started_at", time.time())
    losses = [line["loss"] for line in curve]
    remember_outcome(trial, status=status, why=why, seconds=seconds, losses=losses, **(found or {}))
    states = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
    score = found["scores"]["composite"] if found and "scores" in found else None
    study.tell(trial, score, state=states.get(status, TrialState.FAIL))
