"""From a proposed configuration to a job, and from finished trials to the table and the best of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forge_assets.search.guard import guard
from forge_assets.search.trials import Trial, best, teacher_job, trials_table
from forge_assets.training.job import Lora
from forge_assets.training.machines import CPU
from forge_assets.training.memory import predict
from forge_assets.training.shapes import Shape
from forge_resources.models import ModelLibrary
from forge_resources.profile import Profile, load_profile
from forge_resources.tables import TABLES

A = "a" * 64
SHAPE = Shape.parse(ModelLibrary(Path("nowhere")).config("smollm2-135m-instruct"))


@pytest.fixture
def profile() -> Profile:
    return load_profile("cpu")


def _trial(profile: Profile, asked: dict[str, float], composite: float | None, **more: Any) -> Trial:
    job = teacher_job(profile, asked, A, A, 12, None)
    scores = (
        None if composite is None else {"composite": composite, "citation_f1": 0.5, "structure": 1.0, "rougeL": 0.4}
    )
    record = {} if composite is None else {"loss_last": 1.5, "peak_rss_bytes": 10, "seconds": 60.0, "identity": A}
    return Trial("explore", asked, job, (), 20, scores, record, **more)


def test_a_configuration_becomes_the_job_it_says(profile: Profile) -> None:
    asked = {"learning_rate": 2e-3, "rank": 32.0, "alpha_ratio": 2.0, "dropout": 0.05, "batch_size": 2.0}
    job = teacher_job(profile, asked, A, A, 12, None)
    assert job.lora == Lora(rank=32, alpha=64, dropout=0.05)
    assert (job.learning_rate, job.batch_size, job.steps) == (2e-3, 2, 12)


def test_what_the_space_leaves_out_comes_from_the_profile(profile: Profile) -> None:
    job = teacher_job(profile, {"learning_rate": 1e-3}, A, A, 100, None)
    assert job.lora == Lora(rank=16, alpha=16)
    assert (job.batch_size, job.max_length, job.checkpoint_every, job.seed) == (
        profile.teacher.batch_size, profile.max_length, profile.checkpoint_every, profile.seed,
    )  # fmt: skip


def test_a_trial_and_the_teacher_differ_only_in_steps_and_probe(profile: Profile) -> None:
    asked = {"learning_rate": 1e-3, "rank": 8.0}
    trial, teacher = (teacher_job(profile, asked, A, A, steps, None) for steps in (12, 100))
    assert trial.model_copy(update={"steps": 100}) == teacher


def test_the_strategy_learns_what_ran_and_not_what_was_asked(profile: Profile) -> None:
    asked = {"learning_rate": 1e-3, "rank": 64.0, "alpha_ratio": 2.0, "batch_size": 4.0}
    wanted = teacher_job(profile, asked, A, A, 12, None)
    least = predict(wanted.model_copy(update={"batch_size": 1, "gradient_checkpointing": True}), SHAPE, CPU)
    allowed = guard(wanted, SHAPE, CPU, least.safe - 1)
    trial = Trial("explore", asked, allowed.job, allowed.interventions, allowed.predicted_bytes, {"composite": 0.3}, {})
    assert trial.seen.config == {"learning_rate": 1e-3, "rank": 32.0, "alpha_ratio": 2.0, "batch_size": 1.0}
    assert trial.seen.score == 0.3


def test_the_table_has_a_row_for_every_trial_failed_ones_too(profile: Profile) -> None:
    asked = {"learning_rate": 1e-3, "rank": 8.0}
    table = trials_table([_trial(profile, asked, 0.4), _trial(profile, asked, None, status="killed")])
    assert table.schema == TABLES["search.trials"].schema
    assert table["score"].to_list() == [0.4, None]
    assert table["status"].to_list() == ["finished", "killed"]
    assert json.loads(table["ran"][0]) == asked
    assert table["job"].to_list() == [A, None]
    assert trials_table([]).schema == TABLES["search.trials"].schema


def test_the_best_trial_has_the_highest_composite(profile: Profile) -> None:
    asked = [{"learning_rate": rate} for rate in (1e-3, 2e-3, 4e-3)]
    trials = [_trial(profile, config, score) for config, score in zip(asked, (0.2, None, 0.5), strict=True)]
    assert best(trials).asked == asked[2]


def test_a_score_of_zero_is_better_than_a_failure(profile: Profile) -> None:
    trials = [_trial(profile, {"learning_rate": 1e-3}, None), _trial(profile, {"learning_rate": 2e-3}, 0.0)]
    assert best(trials) is trials[1]


def test_a_search_without_a_finished_trial_says_where_to_look(profile: Profile) -> None:
    with pytest.raises(ValueError, match="no trial finished: see search.trials"):
        best([_trial(profile, {"learning_rate": 1e-3}, None)])
