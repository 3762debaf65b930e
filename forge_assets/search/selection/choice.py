"""Choose a trial: the best by posterior mean race on further samples, and the winner is confirmed on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from forge_assets.datasets.roles import messages
from forge_assets.search.optimizer.strategy import importances, posterior
from forge_assets.search.optimizer.three_phase import observations
from forge_assets.search.selection.race import Race, select_candidates
from forge_assets.search.selection.verdict import RaceVerdict, race_verdict
from forge_assets.search.study.context import StudyContext
from forge_assets.search.study.record import answers_table, facts, planned_job
from forge_assets.training.asset_support import greedy
from forge_assets.training.jobs.model_ref import ModelRef
from forge_assets.training.jobs.spec import GenerateJob, SftJob
from forge_resources.launchers.base import JobFailed
from forge_resources.processes.cause import BY_CONFIGURATION

MAXIMIZE = StudyDirection.MAXIMIZE


class NoTrialFinished(ValueError):
    """A search none of whose trials has a score."""


@dataclass(frozen=True)
class SearchChoice:
    """What a search decided.

    Attributes:
        job: that the winning trial ran.
        answers: table `search.answers`, race and confirmation included.
        importances: parameter to its share of 1.
    """

    job: SftJob
    verdict: RaceVerdict
    answers: pl.DataFrame
    importances: dict[str, float]


def choose_trial(context: StudyContext, trials: Sequence[FrozenTrial]) -> SearchChoice:
    """Race the best trials of a finished search, and confirm the winner.

    Raises:
        NoTrialFinished: there is nothing to choose from.
        JobFailed: the winner could not answer; calling again goes on from there.
    """
    finished = sorted((t for t in trials if facts(t).get("status") == "finished"), key=lambda t: t.number)
    if not finished:
        raise NoTrialFinished(
            f"none of {len(trials)} trials finished: search.trials says in `why` what each one died of. Mend it and "
            f"give the profile another seed, or remove the study {context.name} from {context.url}"
        )
    history = observations(finished, context.space, MAXIMIZE)
    expected = posterior(context.space, history)
    scores = {trial.number: float(score) for trial, score in zip(finished, expected, strict=True)}
    field = _Field(context, {trial.number: trial for trial in finished})
    candidates = select_candidates(scores, context.profile.search.race.candidates)
    winner = field.race(candidates)
    field.ask(winner, "confirm", context.samples("confirm"))
    answers = answers_table(trials, field.rows)
    job, samples = planned_job(field.trials[winner]), context.sets.unique("sample_id")
    known = observations(trials, context.space, MAXIMIZE)
    assert job is not None
    return SearchChoice(job, race_verdict(answers, samples), answers, importances(context.space, known))


class _Field:
    """The trials that race, and what they answered."""

    def __init__(self, context: StudyContext, trials: dict[int, FrozenTrial]) -> None:
        self.context = context
        self.trials = trials
        self.rows: list[dict[str, Any]] = []

    def race(self, candidates: list[int]) -> int:
        """Race the candidates to a winner. One that itself fails to answer is left out, unless it is the last."""
        samples = self.context.samples("race")
        while True:
            race = Race.of(candidates, self.context.sets)
            todo = race.next_round(self.answers)
            if todo is None:
                return race.winner(self.answers)
            numbers, items = todo
            for number in numbers:
                try:
                    self.ask(number, "race", samples.filter(pl.col("sample_id").is_in(items)))
                except JobFailed as failed:
                    if len(candidates) == 1 or failed.cause not in BY_CONFIGURATION:
                        raise
                    candidates = [one for one in candidates if one != number]
                    break

    @property
    def answers(self) -> pl.DataFrame:
        """Rows of `search.answers` so far."""
        return answers_table((), self.rows)

    def ask(self, number: int, stage: str, samples: pl.DataFrame) -> None:
        """Have a trial answer samples, and keep its composites."""
        context, job = self.context, planned_job(self.trials[number])
        assert job is not None
        rows = [{"sample_id": r["sample_id"], "prompt": messages(r)} for r in samples.iter_rows(named=True)]
        asked = GenerateJob(
            **ModelRef.of_training(job, context.runner.identity(job)).spec,
            prompts=context.runner.dataset(rows),
            sampling=greedy(context.forge),
        )
        done = context.runner.run(asked, f"trial {number} {stage} answers")
        scores = context.scores(done, samples)
        composites = scores.filter(pl.col("metric") == "composite").select("sample_id", "value")
        self.rows += [
            {"trial": number, "stage": stage, "sample_id": sample, "composite": value}
            for sample, value in composites.iter_rows()
        ]
