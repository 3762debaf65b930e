"""Hold what all trials of a search share, and the name of its study."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from forge_assets.datasets.roles import prompt_rows, training_rows
from forge_assets.search.space.parameters import Config, SearchSpace
from forge_assets.search.study.jobs import space_of, teacher_job
from forge_assets.training.asset_support import drawn_sets, greedy, plan_placement, scored
from forge_assets.training.base_models import BaseModels
from forge_assets.training.jobs.runner import Finished, JobRunner
from forge_assets.training.jobs.spec import Probe, SftJob
from forge_assets.training.planning.memory_overhead import Machine
from forge_assets.training.planning.model_shape import Shape
from forge_assets.training.planning.placement import machine
from forge_resources.config.profile import Profile
from forge_resources.forge import Forge
from forge_resources.storage.canonical_json import digest

UNNAMED = {"race", "parallel"}
"""Parts of a search that may change and its trials stay the same."""


@dataclass(frozen=True)
class StudyContext:
    """What all trials of one search share.

    Attributes:
        profile: with what it leaves open decided for its hardware.
        dataset: digest of the training rows.
        probe: what every trial answers: the same samples for all.
    """

    forge: Forge
    runner: JobRunner
    profile: Profile
    space: SearchSpace
    sets: pl.DataFrame
    base: str
    dataset: str
    probe: Probe
    shape: Shape
    machine: Machine

    @classmethod
    def of(cls, forge: Forge, runner: JobRunner) -> StudyContext:
        """Build the context of the profile's search, over the sets last drawn.

        Raises:
            DoesNotFit: teacher or student fits the hardware in no way.
            ValueError: the space has target modules that the teacher does not have.
        """
        base = forge.models.ensure(forge.profile.teacher.model)
        shape = Shape.of(base.path)
        for modules in forge.profile.search.space.get("target_modules", ()):
            try:
                shape.targets(modules)  # type: ignore[arg-type]
            except ValueError as error:
                raise ValueError(f"profile {forge.profile.name}: search.space.{error}") from error
        profile, sets = plan_placement(forge), drawn_sets(forge)
        return cls(
            forge=forge,
            runner=runner,
            profile=profile,
            space=space_of(profile),
            sets=sets,
            base=forge.load(BaseModels).models[forge.profile.teacher.model],
            dataset=runner.dataset(training_rows(sets)),
            probe=Probe(prompts=runner.dataset(prompt_rows(sets, "validation")), sampling=greedy(forge)),
            shape=shape,
            machine=machine(profile.hardware.row),
        )

    @property
    def name(self) -> str:
        """Of the study: another one where law, model, budget, space or envelope differ."""
        first: Config = {p.name: p.grid[0] for p in self.space.parameters}
        search = self.profile.search.model_dump(mode="json", exclude=UNNAMED)
        said = json.dumps([search, self.runner.identity(self.job(first)), self.memory_budget_bytes], sort_keys=True)
        return f"{self.profile.name}-{digest(said)[:12]}"

    @property
    def url(self) -> str:
        """Of the storage that holds the study."""
        return self.forge.studies

    @property
    def folder(self) -> Path:
        """For the locks of its trials."""
        return Path(self.forge.data) / "search" / self.name

    @property
    def memory_budget_bytes(self) -> float:
        """Memory that a trial may take."""
        return self.profile.hardware.memory_gb * 1e9

    def job(self, config: Config) -> SftJob:
        """Build the training job of a configuration."""
        return teacher_job(self.profile, config, self.base, self.dataset, self.profile.search.steps, self.probe)

    def scores(self, done: Finished, samples: pl.DataFrame) -> pl.DataFrame:
        """Score what a job answered: sample_id, metric, value."""
        return scored(self.forge, {"trial": done.answers()}, samples)[1]

    def samples(self, role: str) -> pl.DataFrame:
        """Select the samples of a role, in order."""
        return self.sets.filter(pl.col("role") == role).sort("position")
