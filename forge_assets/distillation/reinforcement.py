"""Reinforce the tuned teacher with the scoring room as reward, where the profile asks for it."""

from __future__ import annotations

from typing import Any

import polars as pl

from forge_assets.catalog.snapshot import live_countries
from forge_assets.citations.serialization import law_rows
from forge_assets.datasets.roles import messages, prompt_rows
from forge_assets.distillation.adoption import NOT_REINFORCED, REINFORCED, TUNED, Adoption, adopt
from forge_assets.scoring.reward import FIELDS
from forge_assets.training.asset_support import drawn_sets, greedy, scored
from forge_assets.training.jobs.model_ref import ModelRef
from forge_assets.training.jobs.runner import Finished, JobRunner
from forge_assets.training.jobs.spec import GenerateJob, GrpoJob, SftJob
from forge_assets.training.planning.model_shape import Shape
from forge_assets.training.planning.placement import place
from forge_resources.config.profile import Grpo, Loading, Profile
from forge_resources.forge import Forge


def reinforce(forge: Forge, runner: JobRunner, tuning: SftJob, tuned: Finished) -> tuple[Finished, Adoption]:
    """Reinforce the tuned teacher where the profile asks for it, and choose between the two.

    Raises:
        JobFailed: a worker ended without a result; calling again resumes it.
        DoesNotFit: the reinforcement fits the profile's hardware in no way.
    """
    wanted, sets = forge.profile.teacher.grpo, drawn_sets(forge)
    if wanted is None:
        return tuned, NOT_REINFORCED
    domain, countries = live_countries(forge)
    policy = policy_job(
        forge.profile,
        wanted,
        tuning,
        tuned.identity,
        questions=runner.dataset(question_rows(sets, wanted.questions)),
        laws=runner.dataset(law_rows(domain, countries, forge.profile.jurisdictions)),
    )
    shape = Shape.of(forge.models.ensure(forge.profile.teacher.model).path)
    fixed = Loading(
        precision=tuning.precision,
        quantisation=tuning.quantisation,
        processes=tuning.processes,
        sharding=tuning.sharding,
    )
    reinforced = runner.run(place(policy, shape, forge.profile.hardware, fixed, tuning.lora).job, "teacher policy")
    prompts = runner.dataset(prompt_rows(sets, "choice"))
    answers = {
        name: runner.run(
            GenerateJob(**ModelRef.of_training(tuning, done.identity).spec, prompts=prompts, sampling=greedy(forge)),
            f"{title} choice answers",
        ).answers()
        for name, title, done in ((TUNED, "tuned teacher", tuned), (REINFORCED, "reinforced teacher", reinforced))
    }
    samples = sets.filter(pl.col("role") == "choice")
    _, scores = scored(forge, answers, samples)
    adoption = adopt(scores, samples)
    return (reinforced if adoption.adopted else tuned), adoption


def policy_job(profile: Profile, wanted: Grpo, tuning: SftJob, tuned: str, *, questions: str, laws: str) -> GrpoJob:
    """Build the GRPO job that continues an SFT job, on one device.

    Args:
        tuned: identity of `tuning`.
    """
    return GrpoJob(
        base=tuning.base if tuning.lora else tuned,
        adapter=tuned if tuning.lora else None,
        questions=questions,
        laws=laws,
        group=wanted.group,
        batch_size=wanted.batch_size,
        accumulation=wanted.accumulation,
        steps=wanted.steps,
        learning_rate=wanted.learning_rate,
        scheduler="constant",
        temperature=wanted.temperature,
        beta=wanted.beta,
        max_prompt=profile.max_length,
        max_new_tokens=wanted.max_new_tokens,
        precision=tuning.precision,
        quantisation=tuning.quantisation,
        gradient_checkpointing=tuning.gradient_checkpointing,
        checkpoint_every=profile.checkpoint_every,
        seed=profile.seed,
    )


def question_rows(sets: pl.DataFrame, count: int) -> list[dict[str, Any]]:
    """Build question rows: the first training samples, `prompt` as chat messages and what the reward reads."""
    rows = sets.filter(pl.col("role") == "train").sort("position").head(count)
    return [{**{name: row[name] for name in FIELDS}, "prompt": messages(row)} for row in rows.iter_rows(named=True)]
