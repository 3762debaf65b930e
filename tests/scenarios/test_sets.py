"""The sets of every shipped profile, drawn from the whole pack."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from forge_assets.scenarios.core import compose_pack, load_core
from forge_assets.scenarios.leakage import leakage
from forge_assets.scenarios.power import EXTENDED_SIZE
from forge_assets.scenarios.sets import HELD_OUT, draw_sets
from forge_resources.profile import load_profile

PACK = Path(__file__).parents[2] / "frameworks" / "labour"


@pytest.fixture(scope="module")
def everything() -> pl.DataFrame:
    return compose_pack(PACK)


@pytest.fixture(scope="module")
def codes(everything: pl.DataFrame) -> list[str]:
    return everything["jurisdictions"].explode().unique().sort().to_list()


def test_every_question_of_the_frozen_core_is_still_composed(everything: pl.DataFrame) -> None:
    core = load_core(PACK)
    held = everything.filter(pl.col("question_id").is_in(core) & (pl.col("split") == "benchmark"))
    assert len(core) == held.height == 132, "prompts have changed: if that is meant, run `forge freeze`"
    assert held["task_type"].n_unique() == 7
    taught = everything.filter(pl.col("split") == "train")["jurisdictions"].explode().unique()
    assert set(held["jurisdictions"].explode()) == set(taught)


@pytest.mark.parametrize("name", ["cpu", "dgx-spark"])
def test_no_training_prompt_resembles_a_held_out_one(everything: pl.DataFrame, codes: list[str], name: str) -> None:
    profile = load_profile(name)
    sets = draw_sets(everything, profile, codes, load_core(PACK))
    held_out = sets.filter(pl.col("role").is_in(HELD_OUT)).unique("sample_id")
    train = sets.filter(pl.col("role") == "train")
    assert train.height == profile.data.train
    assert leakage(train, held_out).clean


def test_a_profile_that_asks_everything_is_measured_on_the_core_and_an_extended_set(
    everything: pl.DataFrame, codes: list[str]
) -> None:
    sets = draw_sets(everything, load_profile("dgx-spark"), codes, load_core(PACK))
    roles = dict(sets.group_by("role").len().iter_rows())
    ids = {role: set(sets.filter(pl.col("role") == role)["question_id"]) for role in ("benchmark", "core")}
    assert ids["benchmark"] == ids["core"] == set(load_core(PACK))
    assert roles["extended"] == EXTENDED_SIZE
    assert roles["contrast"] > 100
    assert roles["contrast"] % 2 == 0


def test_every_verified_provision_is_taught_where_the_whole_law_is(everything: pl.DataFrame, codes: list[str]) -> None:
    sets = draw_sets(everything, load_profile("dgx-spark"), codes, load_core(PACK))
    pool = everything.filter(pl.col("split") == "train")["expected_citations"].explode().drop_nulls().unique()
    taught = sets.filter(pl.col("role") == "train")["expected_citations"].explode().drop_nulls().unique()
    assert set(pool) - set(taught) == set()
    assert len(set(taught)) > 350
