"""Turn a proposed configuration into a training job, and finished trials into the `search.trials` table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from forge_assets.search.strategy import Config, Seen
from forge_assets.training.job import Lora, Probe, SftJob
from forge_resources.profile import Profile
from forge_resources.tables import TABLES


@dataclass(frozen=True)
class Trial:
    """One trial as it ran."""

    phase: str
    asked: Config
    job: SftJob
    guard: tuple[str, ...]
    predicted_bytes: int
    scores: dict[str, float] | None
    record: dict[str, Any]
    status: str = "finished"

    @property
    def ran(self) -> Config:
        """The configuration that ran, after the guard."""
        taken = {"learning_rate": self.job.learning_rate, "batch_size": float(self.job.batch_size)}
        if lora := self.job.lora:
            taken |= {"rank": float(lora.rank), "alpha_ratio": lora.alpha / lora.rank, "dropout": lora.dropout}
        return {name: taken[name] for name in self.asked if name in taken}

    @property
    def seen(self) -> Seen:
        """What the strategy learns: from what ran, not from what was asked."""
        return Seen(self.ran, self.scores["composite"] if self.scores else None)


def teacher_job(profile: Profile, config: Config, base: str, dataset: str, steps: int, probe: Probe | None) -> SftJob:
    """Training of the teacher with one configuration; what the space leaves out comes from the profile."""
    rank = int(config.get("rank", 16))
    batch = int(config.get("batch_size", profile.teacher.batch_size))
    lora = Lora(
        rank=rank, alpha=max(1, round(rank * config.get("alpha_ratio", 1.0))), dropout=config.get("dropout", 0.0)
    )
    return SftJob(
        base=base,
        dataset=dataset,
        lora=lora if profile.teacher.lora else None,
        learning_rate=config["learning_rate"],
        batch_size=batch,
        accumulation=profile.teacher.accumulation,
        steps=steps,
        max_length=profile.max_length,
        **profile.teacher.loading.spec,
        checkpoint_every=profile.checkpoint_every,
        seed=profile.seed,
        probe=probe,
    )


def trials_table(trials: Sequence[Trial]) -> pl.DataFrame:
    """`search.trials`, one row a trial."""
    rows = [
        {
            "trial": index,
            "phase": trial.phase,
            "score": (trial.scores or {}).get("composite"),
            "status": trial.status,
            "asked": json.dumps(trial.asked),
            "ran": json.dumps(trial.ran),
            "guard": "; ".join(trial.guard),
            **{name: (trial.scores or {}).get(name) for name in ("citation_f1", "structure", "rougeL")},
            "loss": trial.record.get("loss_last"),
            "predicted_bytes": trial.predicted_bytes,
            "measured_bytes": trial.record.get("peak_rss_bytes"),
            "seconds": trial.record.get("seconds"),
            "job": trial.record.get("identity"),
        }
        for index, trial in enumerate(trials)
    ]
    return pl.DataFrame(rows, schema=TABLES["search.trials"].schema)


def best(trials: Sequence[Trial]) -> Trial:
    """The trial with the highest composite.

    Raises:
        ValueError: no trial finished.
    """
    finished = [t for t in trials if t.scores]
    if not finished:
        raise ValueError("no trial finished: see search.trials for what each one died of")
    return max(finished, key=lambda t: t.scores["composite"] if t.scores else 0.0)
