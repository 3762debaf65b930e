"""One trial: plan it, train it, score it, record it. What it dies of is a result like any other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from forge_assets.scoring.score import METRICS
from forge_assets.search.calibration import Calibration, Measured, calibrate
from forge_assets.search.errors import paired_error, standard_error
from forge_assets.search.guard import guard
from forge_assets.search.pruning import hopeless, report
from forge_assets.search.record import planned_job, remember, remember_plan
from forge_assets.search.space import Config
from forge_assets.search.trials import ran_as
from forge_assets.training.memory import predict
from forge_assets.training.placement import DoesNotFit
from forge_resources.launcher import JobFailed, JobStopped

if TYPE_CHECKING:
    import optuna

    from forge_assets.search.setting import Setting
    from forge_assets.training.job import SftJob
    from forge_assets.training.jobs import Finished

OUTSIDE = ("the disk is full", "weights cannot be read", "was asked to stop from outside", "was cancelled")
"""Failures that say nothing of the configuration: the search stops, and the trial is gone on with next time."""


def run_trial(setting: Setting, trial: optuna.Trial) -> None:
    """Run a trial to its end and tell the study.

    Raises:
        JobFailed: for a reason that no configuration can help, see `OUTSIDE`; the trial is left as it is.
    """
    study = trial.study
    try:
        job = planned_job(trial) or _plan(setting, trial)
    except DoesNotFit as error:
        _end(study, trial, "failed", str(error))
        return
    identity = setting.desk.identity(job)
    remember(trial, identity=identity)
    watch = hopeless(trial, setting.profile.search.pruning, job.steps)
    try:
        done = setting.desk.run(job, f"trial {trial.number}", watch)
    except JobStopped as stopped:
        _keep_curve(trial, [line for line in setting.desk.curve(job) if line["step"] <= stopped.step])
        _end(study, trial, "diverged" if "diverged" in str(stopped) else "pruned", str(stopped))
    except JobFailed as failed:
        why = str(failed)
        if any(said in why for said in OUTSIDE):
            raise
        _keep_curve(trial, setting.desk.curve(job))
        _end(study, trial, "diverged" if "no longer a number" in why else "failed", why[:500])
    else:
        report(trial, done.steps())
        _keep_curve(trial, done.steps())
        _finish(setting, study, trial, done)


def calibrated(setting: Setting, trials: Sequence[FrozenTrial]) -> Calibration:
    """What the peaks of earlier trials say of the memory model."""
    seen = []
    for trial in trials:
        job, peak = planned_job(trial), trial.user_attrs.get("measured_bytes")
        if job is not None and "out of memory" in trial.user_attrs.get("why", ""):
            peak = round(setting.envelope_bytes)
        if job is not None and peak:
            seen.append(Measured(predict(job, setting.shape, setting.machine), peak))
    return calibrate(seen)


def would_run_as(setting: Setting, calibration: Calibration, asked: Config) -> Config:
    """What the guard would make of a configuration."""
    try:
        allowed = guard(setting.job(asked), setting.shape, setting.machine, setting.envelope_bytes, calibration)
    except DoesNotFit:
        return asked
    return ran_as(asked, allowed.interventions)


def _plan(setting: Setting, trial: optuna.Trial) -> SftJob:
    asked = setting.space.suggest(trial)
    remember(trial, asked=setting.space.stored(asked), started_at=time.time())
    before = [one for one in trial.study.get_trials(deepcopy=False) if one.number != trial.number]
    allowed = guard(
        setting.job(asked), setting.shape, setting.machine, setting.envelope_bytes, calibrated(setting, before)
    )
    remember_plan(trial, setting.space, asked, ran_as(asked, allowed.interventions), allowed)
    return allowed.job


def _finish(setting: Setting, study: optuna.Study, trial: optuna.Trial, done: Finished) -> None:
    samples = setting.samples("validation")
    scores = setting.scores(done, samples)
    table: dict[str, dict[str, float]] = {metric: {} for metric in METRICS}
    for sample, metric, value in scores.select("sample_id", "metric", "value").iter_rows():
        table[metric][sample] = value
    means = {metric: float(np.mean(list(values.values()))) for metric, values in table.items()}
    composites = table["composite"]
    facts: dict[str, Any] = {"scores": means, "answers": composites, "score_error": standard_error(list(composites.values()))}
    known = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    before = [one.user_attrs["answers"] for one in known if one.number < trial.number and "answers" in one.user_attrs]
    if (paired := paired_error(before, composites)) is not None:
        facts["standard_error"] = paired
    if done.record.get("attempts", 1) == 1:  # what went before a restart is not in the record
        peaks = [step["gpu_bytes"] for step in done.steps() if "gpu_bytes" in step]
        facts["measured_bytes"] = max(peaks) if peaks else done.record["peak_rss_bytes"]
    remember(trial, **facts)
    _end(study, trial, "finished", "", means["composite"])


def _end(study: optuna.Study, trial: optuna.Trial, status: str, why: str, score: float | None = None) -> None:
    seconds = time.time() - trial.user_attrs.get("started_at", time.time())
    remember(trial, status=status, why=why, seconds=seconds)
    states = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
    study.tell(trial, score, state=states.get(status, TrialState.FAIL))


def _keep_curve(trial: optuna.Trial, curve: Sequence[dict[str, Any]]) -> None:
    remember(trial, losses=[line["loss"] for line in curve])
