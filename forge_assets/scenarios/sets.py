"""Which samples each stage of the chain sees, as one table: `scenarios.sets`, a role and a sample a row."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from forge_assets.scenarios.select import benchmark_set, training_set, validation_set
from forge_resources.profile import Profile


def draw_sets(samples: pl.DataFrame, profile: Profile, live: Sequence[str]) -> pl.DataFrame:
    """Training, search validation, student choice (validation split, more items) and benchmark sets of a profile.

    Raises:
        ValueError: the profile names a jurisdiction that is not live, or a set comes out smaller than asked for.
    """
    wanted = list(profile.jurisdictions or live)
    missing = sorted(set(wanted) - set(live))
    if missing:
        raise ValueError(f"profile {profile.name}: jurisdictions {', '.join(missing)} are not in the catalog")
    drawn = {
        "train": training_set(samples, wanted, profile.data.train),
        "validation": validation_set(samples, wanted, profile.data.validation),
        "choice": validation_set(samples, wanted, profile.data.choice),
        "benchmark": benchmark_set(samples, wanted, profile.data.benchmark),
    }
    for role, asked in (("validation", profile.data.validation), ("benchmark", profile.data.benchmark)):
        if drawn[role].height < asked:
            raise ValueError(f"profile {profile.name}: {asked} {role} samples asked for, {drawn[role].height} exist")
    return pl.concat(
        [rows.select(pl.lit(role).alias("role"), pl.all()) for role, rows in drawn.items()]
    ).with_row_index("position")


def messages(row: dict[str, str]) -> list[dict[str, str]]:
    """A sample's prompt as chat messages."""
    return [{"role": "system", "content": row["system"]}, {"role": "user", "content": row["prompt"]}]


def prompt_rows(sets: pl.DataFrame, role: str) -> list[dict[str, object]]:
    """Rows of a prompt dataset: sample_id, prompt."""
    rows = sets.filter(pl.col("role") == role).sort("position")
    return [{"sample_id": r["sample_id"], "prompt": messages(r)} for r in rows.iter_rows(named=True)]


def training_rows(sets: pl.DataFrame, answers: dict[str, str] | None = None) -> list[dict[str, object]]:
    """Rows of a training dataset: sample_id, prompt, completion; `answers` replaces the reference where it has one."""
    rows = sets.filter(pl.col("role") == "train").sort("position")
    return [
        {
            "sample_id": r["sample_id"],
            "prompt": messages(r),
            "completion": [{"role": "assistant", "content": (answers or {}).get(r["sample_id"], r["response"])}],
        }
        for r in rows.iter_rows(named=True)
    ]
