"""The sets of every shipped profile, drawn from the whole pack."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from forge_assets.datasets.frozen_core import compose_pack, load_core
from forge_assets.datasets.leakage import leakage
from forge_assets.datasets.roles import HELD_OUT, draw_sets, short_of
from forge_assets.datasets.selection import EXTENDED_SIZE
from forge_resources.config.profile import Profile, load_profile

PACK = Path(__file__).parents[2] / "frameworks" / "labour"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def everything() -> pl.DataFrame:
    return compose_pack(PACK)


@pytest.fixture(scope="module")
def codes(everything: pl.DataFrame) -> list[str]:
    return everything["jurisdictions"].explode().unique().sort().to_list()


@pytest.fixture(scope="module")
def whole(everything: pl.DataFrame, codes: list[str]) -> pl.DataFrame:
    """The sets of a profile that asks everything."""
    return draw_sets(everything, load_profile("dgx-spark"), codes, load_core(PACK))


def test_every_question_of_the_frozen_core_is_still_composed(everything: pl.DataFrame) -> None:
    core = load_core(PACK)
    held = everything.filter(pl.col("question_id").is_in(core) & (pl.col("split") == "benchmark"))
    assert len(core) == held.height == 132, "prompts have changed: if that is meant, run `forge freeze`"
    assert held["task_type"].n_unique() >= 7, "a task that is younger than the core is not in it"
    taught = everything.filter(pl.col("split") == "train")["jurisdictions"].explode().unique()
    assert set(held["jurisdictions"].explode()) == set(taught)


def test_no_training_prompt_resembles_a_held_out_one(everything: pl.DataFrame, codes: list[str]) -> None:
    cpu = load_profile("cpu")
    assert_clear(draw_sets(everything, cpu, codes, load_core(PACK)), cpu.data.train)


def test_no_training_prompt_resembles_a_held_out_one_where_everything_is_asked(whole: pl.DataFrame) -> None:
    assert_clear(whole, load_profile("dgx-spark").data.train)


def assert_clear(sets: pl.DataFrame, size: int) -> None:
    held_out = sets.filter(pl.col("role").is_in(HELD_OUT)).unique("sample_id")
    train = sets.filter(pl.col("role") == "train")
    assert train.height == size
    assert leakage(train, held_out).clean


def test_the_search_races_and_confirms_on_scenarios_that_no_trial_was_scored_on(
    everything: pl.DataFrame, whole: pl.DataFrame
) -> None:
    profile = load_profile("dgx-spark")
    of = {role: whole.filter(pl.col("role") == role) for role in ("validation", "race", "confirm", "choice")}
    assert of["race"].height == profile.search.race.items
    assert of["confirm"].height == profile.search.race.confirm
    assert of["race"]["split"].unique().to_list() == of["confirm"]["split"].unique().to_list() == ["validation"]
    scenarios = {role: set(rows["scenario_id"]) for role, rows in of.items()}
    apart = scenarios["race"] | scenarios["confirm"]
    assert len(apart) == of["race"].height + of["confirm"].height
    assert not apart & (scenarios["validation"] | scenarios["choice"])
    for role in ("race", "confirm"):
        per_task = of[role]["task_type"].value_counts()["count"]
        assert len(per_task) == everything["task_type"].n_unique()
        assert per_task.max() - per_task.min() <= 2, "as even as scenarios that others took allow"
    assert short_of(whole, profile) == []


def test_a_profile_that_asks_everything_is_measured_on_the_core_and_an_extended_set(whole: pl.DataFrame) -> None:
    roles = dict(whole.group_by("role").len().iter_rows())
    ids = {role: set(whole.filter(pl.col("role") == role)["question_id"]) for role in ("benchmark", "core")}
    assert ids["benchmark"] == ids["core"] == set(load_core(PACK))
    assert roles["extended"] == EXTENDED_SIZE
    assert roles["contrast"] > 100
    assert roles["contrast"] % 2 == 0


def test_every_verified_provision_is_taught_where_the_whole_law_is(
    everything: pl.DataFrame, whole: pl.DataFrame
) -> None:
    pool = everything.filter(pl.col("split") == "train")["expected_citations"].explode().drop_nulls().unique()
    taught = whole.filter(pl.col("role") == "train")["expected_citations"].explode().drop_nulls().unique()
    assert set(pool) - set(taught) == set()
    assert len(set(taught)) > 350


def test_a_set_that_is_too_small_is_refused_or_named(everything: pl.DataFrame, codes: list[str]) -> None:
    cpu = load_profile("cpu")

    def racing(items: int, confirm: int) -> Profile:
        race = cpu.search.race.model_copy(update={"items": items, "confirm": confirm})
        return cpu.model_copy(update={"search": cpu.search.model_copy(update={"race": race})})

    with pytest.raises(
        ValueError, match=r"cpu: search\.race\.confirm is 4, 4 samples are left for it and 10 are needed"
    ):
        draw_sets(everything, racing(20, 4), codes)
    few = everything.filter((pl.col("split") != "validation") | pl.col("jurisdictions").list.contains("DE"))
    items, confirm = short_of(draw_sets(few, racing(6000, 400), codes), racing(6000, 400))[:2]
    assert items.startswith("search.race.items asks for 6000 samples, and ")
    assert confirm.startswith("search.race.confirm asks for 400 samples, and ")
