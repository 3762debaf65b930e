"""Convert a search's configurations to training jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forge_assets.search.guard.guard import Intervention
from forge_assets.search.space.parameters import Config, SearchSpace, Value
from forge_assets.training.base_models import citation_spec
from forge_assets.training.jobs.spec import Lora, Probe, SftJob
from forge_assets.training.planning.placement import modules
from forge_resources.config.profile import Profile

WHOLE = ("rank", "batch_size")
"""Numbers that are counted."""

UNCHANGED = ("batch_size", "gradient_checkpointing")
"""What a guard may change and training learns the same: a batch is split, and its gradient added up."""


def space_of(profile: Profile) -> SearchSpace:
    """Build the profile's search space."""
    grid: dict[str, list[Value]] = {}
    for name, values in profile.search.space.items():
        grid[name] = [int(value) if name in WHOLE else value for value in values]  # type: ignore[arg-type]
    return SearchSpace(grid)


def teacher_job(
    profile: Profile, config: Config, base: str, dataset: str, steps: int, probe: Probe | None = None
) -> SftJob:
    """Build the training job of the teacher with one configuration; what the space leaves out comes from the profile.

    A `batch_size` that is searched counts all rows of a step; the guard splits it where it must.
    """
    given: dict[str, Any] = dict(config)
    rank = int(given.get("rank", 16))
    lora = Lora(
        rank=rank,
        alpha=max(1, round(rank * given.get("alpha_ratio", 1.0))),
        dropout=given.get("dropout", 0.0),
        target_modules=given.get("target_modules", "all-linear"),
    )
    more = {name: given[name] for name in ("warmup_ratio", "scheduler", "weight_decay") if name in given}
    return SftJob(
        base=base,
        dataset=dataset,
        lora=lora if profile.teacher.lora else None,
        learning_rate=given["learning_rate"],
        batch_size=int(given.get("batch_size", profile.teacher.batch_size)),
        accumulation=1 if "batch_size" in given else profile.teacher.accumulation,
        steps=steps,
        max_length=profile.max_length,
        **profile.teacher.loading.spec,
        **more,
        **citation_spec(profile),
        checkpoint_every=profile.checkpoint_every,
        seed=profile.seed,
        probe=probe,
    )


def largest(profile: Profile) -> Config:
    """Return the configuration that needs most memory: the last of every grid, and the longest set of modules."""
    config: Config = {}
    for name, grid in space_of(profile).grid.items():
        config[name] = max(grid, key=modules) if name == "target_modules" else grid[-1]
    return config


def applied_config(requested: Config, interventions: Sequence[Intervention]) -> Config:
    """Apply the guard's interventions to the requested configuration, as far as they change what is learned."""
    changed = {i.parameter: i.after for i in interventions if i.parameter in requested and i.parameter not in UNCHANGED}
    return requested | changed
