"""From a proposed configuration to the job it says, and back from what the guard made of it."""

from __future__ import annotations

import pytest

from forge_assets.search.guard.guard import Intervention
from forge_assets.search.study.jobs import applied_config, largest, space_of, teacher_job
from forge_assets.training.jobs.spec import Lora
from forge_resources.config.profile import Profile, Search, load_profile

A = "a" * 64


@pytest.fixture
def profile() -> Profile:
    given = load_profile("cpu")
    return given.model_copy(update={"teacher": given.teacher.model_copy(update={"lora": True})})


def test_a_configuration_becomes_the_job_it_says(profile: Profile) -> None:
    requested = {
        "learning_rate": 2e-3,
        "rank": 32,
        "alpha_ratio": 2.0,
        "dropout": 0.05,
        "batch_size": 2,
        "target_modules": ("q_proj", "v_proj"),
        "scheduler": "linear",
        "warmup_ratio": 0.2,
        "weight_decay": 0.01,
    }
    job = teacher_job(profile, requested, A, A, 12)
    assert job.lora == Lora(rank=32, alpha=64, dropout=0.05, target_modules=("q_proj", "v_proj"))
    assert (job.learning_rate, job.batch_size, job.steps) == (2e-3, 2, 12)
    assert (job.scheduler, job.warmup_ratio, job.weight_decay) == ("linear", 0.2, 0.01)


def test_what_the_space_leaves_out_comes_from_the_profile(profile: Profile) -> None:
    job = teacher_job(profile, {"learning_rate": 1e-3}, A, A, 100)
    assert job.lora == Lora(rank=16, alpha=16)
    assert (job.batch_size, job.max_length, job.checkpoint_every, job.seed) == (
        profile.teacher.batch_size, profile.max_length, profile.checkpoint_every, profile.seed,
    )  # fmt: skip


def test_a_trial_and_the_teacher_differ_only_in_steps_and_probe(profile: Profile) -> None:
    requested = {"learning_rate": 1e-3, "rank": 8}
    trial, teacher = (teacher_job(profile, requested, A, A, steps) for steps in (12, 100))
    assert trial.model_copy(update={"steps": 100}) == teacher


def test_a_profile_without_adapter_trains_every_weight(profile: Profile) -> None:
    teacher = profile.teacher.model_copy(update={"lora": False})
    assert teacher_job(profile.model_copy(update={"teacher": teacher}), {"learning_rate": 1e-5}, A, A, 5).lora is None


def test_what_ran_is_what_was_learned_with_and_a_split_batch_learns_the_same() -> None:
    requested = {"learning_rate": 1e-3, "rank": 64, "batch_size": 8, "target_modules": ("lm_head", "q_proj")}
    spoke = (
        Intervention("batch x sequence length", "batch_size", 8, 2, "too much"),
        Intervention("lm_head x rank", "target_modules", ("lm_head", "q_proj"), ("q_proj",), "too much"),
        Intervention("rank x matrices", "rank", 64, 16, "too much"),
    )
    assert applied_config(requested, spoke) == requested | {"rank": 16, "target_modules": ("q_proj",)}
    assert applied_config({"learning_rate": 1e-3}, spoke) == {"learning_rate": 1e-3}, (
        "the space has no rank to learn of"
    )


def test_the_largest_trial_has_the_last_of_every_grid_and_most_modules(profile: Profile) -> None:
    space = {"learning_rate": [1e-3, 2e-3], "rank": [8, 16], "target_modules": ["all-linear", ["q_proj", "v_proj"]]}
    search = Search.model_validate({"trials": 3, "steps": 2, "space": space})
    searched = profile.model_copy(update={"search": search})
    assert largest(searched) == {"learning_rate": 2e-3, "rank": 16, "target_modules": "all-linear"}
    assert space_of(searched).grid["rank"] == [8, 16]
