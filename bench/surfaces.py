"""Seeded surrogate surfaces: what a small LoRA training scores as a function of its hyper-parameters, as far as the
literature and our own runs say, with the noise of twenty graded answers; the memory cliff is in `bench.cliff`.

Each surface draws, from its seed alone:
- where the learning rate is best (Hu et al. 2021, Biderman et al. 2024: alpha, rank and batch shift it), how fast
  scores fall below it, how much faster above, and where training diverges;
- how far rank saturates and overfits, what dropout, batch, scheduler-free warm-up and adapted modules are worth;
- smooth ripples over everything, so that no formula describes it whole;
- answers: an item is hard for all trials alike, and each trial meets each item with luck of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forge_assets.search.space.parameters import Config, SearchSpace

SPACE = SearchSpace(
    {
        "learning_rate": [5e-5, 1e-4, 2e-4, 4e-4, 8e-4, 1.6e-3],
        "rank": [4, 8, 16, 32, 64],
        "alpha_ratio": [0.5, 1.0, 2.0, 4.0],
        "dropout": [0.0, 0.05, 0.1],
        "batch_size": [2, 4, 8, 16],
        "target_modules": [
            ["q_proj", "v_proj"],
            ["q_proj", "k_proj", "v_proj", "o_proj"],
            ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
            ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "lm_head"],
        ],
    }
)

ITEMS = 20
HARD, LUCK, TRAINING_LUCK = 0.22, 0.20, 0.01
"""Standard deviations: of an item's difficulty, of a trial's luck with an item, of a training's luck with all."""


@dataclass(frozen=True)
class Surface:
    """One surface."""

    seed: int

    @cached_property
    def _drawn(self) -> dict[str, Any]:
        rng = np.random.default_rng([71, self.seed])
        grid = np.log10(np.array(SPACE.grid["learning_rate"]))
        return {
            "lr": rng.uniform(grid[0] + 0.15 * np.ptp(grid), grid[-1] - 0.15 * np.ptp(grid)),
            "alpha_shift": rng.uniform(0.3, 0.9),
            "rank_shift": rng.uniform(-0.1, 0.3),
            "batch_shift": rng.uniform(0.2, 0.6),
            "below": rng.uniform(0.5, 1.1),
            "above": rng.uniform(0.3, 0.6),
            "cliff": rng.uniform(0.5, 0.9),
            "depth": rng.uniform(0.15, 0.35),
            "rank_gain": rng.uniform(0.02, 0.14),
            "rank_half": math.exp(rng.uniform(math.log(3), math.log(20))),
            "overfit": rng.uniform(0.0, 0.03),
            "overfit_from": rng.uniform(3.5, 6.0),
            "dropout": rng.uniform(0.0, 0.1),
            "dropout_gain": rng.uniform(0.0, 0.03),
            "batch_gain": rng.uniform(0.0, 0.08),
            "batch_best": rng.uniform(1.5, 4.5),
            "modules": {
                "k_proj": rng.uniform(0.0, 0.02),
                "o_proj": rng.uniform(0.0, 0.04),
                "up_proj": rng.uniform(-0.02, 0.08),
                "lm_head": rng.normal(0.0, 0.02),
            },
            "top": rng.uniform(0.6, 0.8),
            "waves": rng.normal(0.0, 1.0, (12, SPACE.width)),
            "phases": rng.uniform(0, 2 * math.pi, 12),
            "ripple": rng.uniform(0.005, 0.02),
        }

    def quality(self, config: Config) -> float:
        """What a training with this configuration scores on average, 0 to 1."""
        d = self._drawn
        lr, rank, ratio = (float(config[name]) for name in ("learning_rate", "rank", "alpha_ratio"))  # type: ignore[arg-type]
        batch, modules = float(config["batch_size"]), config["target_modules"]  # type: ignore[arg-type]
        step = (
            math.log10(lr)
            + d["alpha_shift"] * math.log10(ratio)
            + d["rank_shift"] * math.log10(rank / 16)
            - d["batch_shift"] * math.log10(batch / 8)
            - d["lr"]
        )
        fall = d["depth"] * (step / d["below"]) ** 2 if step < 0 else d["depth"] * (step / d["above"]) ** 2
        value = d["top"] - min(fall, 0.6)
        value += d["rank_gain"] * (math.exp(-4 / d["rank_half"]) - math.exp(-rank / d["rank_half"]))
        value -= d["overfit"] * max(0.0, math.log2(rank) - d["overfit_from"]) ** 2
        value -= d["dropout_gain"] * ((float(config["dropout"]) - d["dropout"]) / 0.1) ** 2  # type: ignore[arg-type]
        value -= d["batch_gain"] * ((math.log2(batch) - d["batch_best"]) / 3) ** 2
        value -= sum(gain for module, gain in d["modules"].items() if module not in modules)  # type: ignore[operator]
        x = SPACE.encode([config])[0]
        value += d["ripple"] * float(np.cos(d["waves"] @ x * 1.5 + d["phases"]).sum()) / math.sqrt(6)
        # Beyond the cliff a training ends near where an untrained model stands.
        whole = 1 / (1 + math.exp((step - d["cliff"]) / 0.03))
        return float(np.clip(0.08 + (value - 0.08) * whole, 0.02, 0.98))

    @cached_property
    def best(self) -> float:
        """The highest quality in the whole box, by random search and local descent."""
        rng = np.random.default_rng([72, self.seed])
        lattice = SPACE.parameters[-1].lattice  # type: ignore[attr-defined]
        numbers = SPACE.parameters[:-1]

        def at(x: NDArray[np.float64], modules: Any) -> Config:
            config: Config = {p.name: p.decode(float(v)) for p, v in zip(numbers, x, strict=True)}  # type: ignore[attr-defined]
            return config | {"target_modules": modules}

        found: list[tuple[float, NDArray[np.float64], Any]] = []
        for _ in range(1500):
            x, modules = rng.random(len(numbers)), lattice[rng.integers(len(lattice))]
            found.append((self.quality(at(x, modules)), x, modules))
        found.sort(key=lambda one: -one[0])
        top = 0.0
        for value, x, modules in found[:6]:
            width = 0.2
            for _ in range(250):
                near = np.clip(x + rng.normal(0, width, len(x)), 0, 1)
                other = modules if rng.random() < 0.8 else lattice[rng.integers(len(lattice))]
                tried = self.quality(at(near, other))
                if tried > value:
                    value, x, modules = tried, near, other
                else:
                    width = max(width * 0.98, 0.01)
            top = max(top, value)
        return top

    def answers(self, config: Config, trial: int, first: int = 0, count: int = ITEMS) -> NDArray[np.float64]:
        """Scores of items `first` to `first + count`, as trained in that trial; the same whenever asked again."""
        items = np.random.default_rng([73, self.seed]).normal(0, HARD, 512)[first : first + count]
        own = np.random.default_rng([74, self.seed, trial])
        training = own.normal(0, TRAINING_LUCK)
        luck = own.normal(0, LUCK, 512)[first : first + count]
        return self.quality(config) + training + items + luck
