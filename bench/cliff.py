"""The memory cliff of a surrogate surface: what trainings take there, and what they may.

The parts of the project's prediction, each off by a factor of the surface's own, for SmolLM2-135M in an envelope that a
good share of the grid exceeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bench.surfaces import SPACE
from forge_assets.search.space.parameters import Config
from forge_assets.training.jobs.spec import Lora, SftJob
from forge_assets.training.planning.memory import predict
from forge_assets.training.planning.memory_overhead import CPU
from forge_assets.training.planning.model_shape import Shape
from forge_resources.config.model_registry import ModelLibrary

ANY = "0" * 64

SHARED, EACH, LUCK = 0.055, 0.05, 0.015
"""Spread of the true peak around the prediction: of all parts of a surface together, of each part, of each trial.
Together the error has a median of some 4.6% and a 95th percentile of some 12.5%, as measured (docs/plan.md)."""

SHAPE = Shape.parse(ModelLibrary(Path("nowhere")).config("smollm2-135m-instruct"))


def job_of(config: Config) -> SftJob:
    """The training that a configuration asks for."""
    given: dict[str, Any] = dict(config)
    rank = int(given["rank"])
    lora = Lora(
        rank=rank,
        alpha=max(1, round(rank * given["alpha_ratio"])),
        dropout=given["dropout"],
        target_modules=given["target_modules"],
    )
    return SftJob(
        base=ANY,
        dataset=ANY,
        lora=lora,
        learning_rate=given["learning_rate"],
        batch_size=int(given["batch_size"]),
        steps=50,
        max_length=384,
    )


@dataclass(frozen=True)
class Memory:
    """What trainings take on a surface, and what they may."""

    seed: int

    @cached_property
    def _factors(self) -> dict[str, float]:
        rng = np.random.default_rng([75, self.seed])
        names = ("runtime", "weights", "file", "adapter", "optimizer", "gradients", "activations", "logits", "buffers")
        shared = rng.normal(0, SHARED)
        return {name: math.exp(shared + rng.normal(0, EACH)) for name in (*names, "cache", "holes", "reference")}

    def peak(self, job: SftJob, trial: int) -> int:
        """Bytes that the job takes."""
        moments = predict(job, SHAPE, CPU).moments.values()
        luck = math.exp(np.random.default_rng([76, self.seed, trial]).normal(0, LUCK))
        return round(luck * max(sum(self._factors[name] * size for name, size in parts.items()) for parts in moments))

    @cached_property
    def envelope(self) -> int:
        """30 to 60 of 100 configurations of the grid take more, as they are asked."""
        rng = np.random.default_rng([77, self.seed])
        peaks = []
        for _ in range(300):
            config: Config = {p.name: p.grid[int(rng.integers(len(p.grid)))] for p in SPACE.parameters}
            peaks.append(self.peak(job_of(config), 10_000))
        return int(np.quantile(peaks, 1 - rng.uniform(0.3, 0.6)))
