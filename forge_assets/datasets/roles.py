"""Draw the samples of each stage of the chain as one table: `scenarios.sets`, a role and a sample a row."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from forge_assets.datasets.leakage import clear_of
from forge_assets.datasets.selection import (
    EXTENDED_SIZE,
    LEAST_CONFIRMED,
    benchmark_set,
    race_and_confirm,
    samples_of,
    training_set,
    validation_set,
)
from forge_resources.config.profile import Profile

HELD_OUT = ("validation", "race", "confirm", "choice", "benchmark", "core", "extended", "contrast")
"""Roles that no training sample may resemble."""


VARIANTS = (
    *("plain", "nothing_applies", "below_threshold", "not_settled", "missing_fact", "not_in_force"),
    *("confusable_neighbour", "false_premise", "same_level", "different_levels"),
)
"""Ways of asking that a profile may choose from."""


class CannotDraw(ValueError):
    """The samples are not enough for what a profile asks for.

    Attributes:
        at: the profile's field.
        mend: what makes them enough.
    """

    def __init__(self, profile: Profile, at: tuple[str, ...], problem: str, mend: str) -> None:
        self.at, self.problem, self.mend = at, problem, mend
        super().__init__(f"profile {profile.name}: {problem}: {mend}")


def draw_sets(samples: pl.DataFrame, profile: Profile, live: Sequence[str], core: Collection[str] = ()) -> pl.DataFrame:
    """Draw the sets of a profile.

    Roles: train; validation (for the trials of the search), race (for the best of them), confirm (for the winner) and
    choice (for the cut student and for reinforcement), all of the validation split; benchmark, of the profile's
    countries and ways of asking; extended, the same and more, for small differences; contrast, pairs; core, the
    frozen questions over every country. A profile that asks everything has the core as its benchmark. Race and confirm
    share no scenario with each other or with validation; `short_of` says where the pool was too small for them.

    Args:
        core: question ids of the frozen core.

    Raises:
        CannotDraw: the profile names a jurisdiction that is not live, validation or benchmark come out smaller than
            asked for, confirm smaller than `LEAST_CONFIRMED`, or train cannot teach every citation.
    """
    wanted = list(profile.jurisdictions or live)
    missing = sorted(set(wanted) - set(live))
    if missing:
        problem = f"jurisdictions {', '.join(missing)} are not in the catalog"
        raise CannotDraw(profile, ("jurisdictions",), problem, "mend their files, or name others")
    asked = samples_asked(samples, profile)
    held = samples.filter((pl.col("split") == "benchmark") & pl.col("question_id").is_in(list(core)))
    frozen = held.sort("sample_id")
    everything = profile.jurisdictions is None and asked.height == samples.height
    complete = everything and frozen.height == len(core) == profile.data.benchmark
    validation = validation_set(asked, wanted, profile.data.validation)
    model_selection = validation_set(asked, wanted, profile.data.choice)
    sizes = (profile.search.race.items, profile.search.race.confirm)
    race, confirm = race_and_confirm(asked, wanted, sizes, validation, model_selection)
    drawn = {
        "validation": validation,
        "race": race,
        "confirm": confirm,
        "choice": model_selection,
        "benchmark": frozen if complete else benchmark_set(asked, wanted, profile.data.benchmark),
        "core": frozen,
        "extended": benchmark_set(asked, wanted, EXTENDED_SIZE),
        "contrast": samples_of(asked, wanted, "contrast").sort("pair", "sample_id"),
    }
    for role, size in (("validation", profile.data.validation), ("benchmark", profile.data.benchmark)):
        if drawn[role].height < size:
            problem = f"{size} {role} samples asked for, {drawn[role].height} exist"
            mend = "ask for no more, or for more jurisdictions or variants"
            raise CannotDraw(profile, ("data", role), problem, mend)
    if confirm.height < LEAST_CONFIRMED:
        raise CannotDraw(
            profile,
            ("search", "race", "confirm"),
            f"search.race.confirm is {sizes[1]}, {confirm.height} samples are left for it and {LEAST_CONFIRMED} are "
            "needed",
            "ask for as many, lower data.choice or data.validation, or add jurisdictions or variants",
        )
    held_out = pl.concat(drawn.values()).unique("sample_id", maintain_order=True)
    taught = clear_of(samples_of(asked, wanted, "train"), held_out)
    try:
        drawn = {"train": training_set(taught, wanted, profile.data.train), **drawn}
    except ValueError as error:
        raise CannotDraw(profile, ("data", "train"), str(error), "ask for more, or for fewer jurisdictions") from error
    return pl.concat(
        [rows.select(pl.lit(role).alias("role"), pl.all()) for role, rows in drawn.items()]
    ).with_row_index("position")


def short_of(sets: pl.DataFrame, profile: Profile) -> list[str]:
    """Report where the set race or confirm is not what the profile asks for, a sentence each."""
    held = {role: sets.filter(pl.col("role") == role) for role in ("race", "confirm", "choice")}
    said = []
    for role, field in (("race", "items"), ("confirm", "confirm")):
        size, wanted = held[role].height, getattr(profile.search.race, field)
        if size < wanted:
            said.append(f"search.race.{field} asks for {wanted} samples, and {size} are left in the validation split")
    both = held["race"].join(held["choice"], on="scenario_id", how="semi").height
    if both:
        said.append(f"{both} of {held['race'].height} samples of the race are of scenarios of the set choice too")
    return said


def samples_asked(samples: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """Filter samples by the languages, registers, lengths and variants that a profile asks for.

    Variants say what makes it hard to answer by law, so they choose among such samples alone.
    """
    kinds = {
        "language": profile.data.languages,
        "answer_language": profile.data.answer_languages,
        "register": profile.data.registers,
        "depth": profile.data.depths,
        "variant": profile.data.variants,
    }
    for name, wanted in kinds.items():
        if wanted is not None:
            free = (pl.col("output_schema") != "") if name == "variant" else pl.lit(False)
            samples = samples.filter(pl.col(name).is_in(list(wanted)) | free)
    return samples


def messages(row: dict[str, str]) -> list[dict[str, str]]:
    """Build chat messages of a sample's prompt."""
    return [{"role": "system", "content": row["system"]}, {"role": "user", "content": row["prompt"]}]


def prompt_rows(sets: pl.DataFrame, role: str) -> list[dict[str, object]]:
    """Build the rows of a prompt dataset.

    sample_id, prompt, the countries asked about, and schema where the answer must follow one.
    """
    rows = sets.filter(pl.col("role") == role).sort("position")
    return [
        {"sample_id": r["sample_id"], "prompt": messages(r), "countries": r["jurisdictions"]}
        | ({"schema": r["output_schema"]} if r["output_schema"] else {})
        for r in rows.iter_rows(named=True)
    ]


def training_rows(
    sets: pl.DataFrame, answers: dict[str, str] | None = None, role: str = "train"
) -> list[dict[str, object]]:
    """Build training rows: sample_id, prompt, completion; `answers` replaces the reference where it has one."""
    rows = sets.filter(pl.col("role") == role).sort("position")
    return [
        {
            "sample_id": r["sample_id"],
            "prompt": messages(r),
            "completion": [{"role": "assistant", "content": (answers or {}).get(r["sample_id"], r["response"])}],
        }
        for r in rows.iter_rows(named=True)
    ]
