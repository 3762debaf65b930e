"""Which samples a job sees."""

from __future__ import annotations

from collections import Counter
from statistics import median

import polars as pl
import pytest

from forge_assets.datasets.selection import (
    LEAST_CONFIRMED,
    benchmark_set,
    race_and_confirm,
    training_set,
    validation_set,
)
from tests import shipped

TAUGHT = ["DE", "AT", "FR", "ES"]


def test_row_order_of_the_table_does_not_matter(samples: pl.DataFrame) -> None:
    shuffled = samples.sample(fraction=1, shuffle=True, seed=3)
    assert training_set(samples, TAUGHT, 200).equals(training_set(shuffled, TAUGHT, 200))
    assert benchmark_set(samples, TAUGHT).equals(benchmark_set(shuffled, TAUGHT))


def test_every_citation_is_taught_about_equally_often(samples: pl.DataFrame) -> None:
    chosen = training_set(samples, TAUGHT, 400)
    counts = chosen.explode("expected_citations").drop_nulls("expected_citations")
    per_key = Counter(counts["expected_citations"].to_list())
    asked_there = pl.col("jurisdictions").list.eval(pl.element().is_in(TAUGHT)).list.all()
    pool = samples.filter((pl.col("split") == "train") & asked_there)
    cited = pool.explode("expected_citations").drop_nulls("expected_citations")
    # A general duty stands beside the special one in each kind of change that pulls it.
    changes = dict(cited.group_by("expected_citations").agg(pl.col("change_type").n_unique()).iter_rows())
    assert per_key.keys() == changes.keys()
    usual = median(per_key.values())
    there = Counter(cited["expected_citations"].to_list())
    assert all(count >= min(0.6 * usual, there[key]) for key, count in per_key.items())
    assert all(count <= 2 * usual * max(2, changes[key]) for key, count in per_key.items())


def test_cases_where_no_provision_held_applies_are_taught_in_every_country(samples: pl.DataFrame) -> None:
    chosen = training_set(samples, TAUGHT, 400).filter(pl.col("expected_level").is_in(["none", "unsettled"]))
    assert set(chosen["jurisdictions"].list.first()) == set(TAUGHT)
    assert 0.04 <= len(chosen) / 400 <= 0.25


def test_a_selection_repeats_no_sample_and_keeps_its_size(samples: pl.DataFrame) -> None:
    for chosen, size in (
        (training_set(samples, TAUGHT, 300), 300),
        (validation_set(samples, TAUGHT, 40), 40),
        (benchmark_set(samples, TAUGHT), 132),
    ):
        assert len(chosen) == size
        assert chosen["sample_id"].is_unique().all()


def test_the_three_selections_share_no_scenario(samples: pl.DataFrame) -> None:
    train = set(training_set(samples, TAUGHT, 600)["scenario_id"])
    validation = set(validation_set(samples, TAUGHT, 200)["scenario_id"])
    benchmark = set(benchmark_set(samples, TAUGHT)["scenario_id"])
    assert len(train | validation | benchmark) == len(train) + len(validation) + len(benchmark)


def test_a_comparison_needs_both_its_countries(samples: pl.DataFrame) -> None:
    germany = training_set(samples, ["DE"], 200)
    assert set(germany["jurisdictions"].list.join("+")) == {"DE"}
    both = training_set(samples, ["DE", "AT"], 200)
    assert {"DE+AT", "AT+DE"} & set(both["jurisdictions"].list.join("+"))


def test_withheld_law_is_never_selected_even_if_its_country_is_asked_for(samples: pl.DataFrame) -> None:
    for chosen in (training_set(samples, ["DE", "NL"], 150), benchmark_set(samples, ["DE", "NL"])):
        assert not chosen["jurisdictions"].list.contains("NL").any()


def test_the_benchmark_covers_every_task_and_country(samples: pl.DataFrame) -> None:
    chosen = benchmark_set(samples, TAUGHT)
    single = chosen.filter(pl.col("jurisdictions").list.len() == 1)
    counts = Counter(single.select("task_type", pl.col("jurisdictions").list.first()).rows())
    asked = {task for (task,) in samples.filter(pl.col("split") == "benchmark").select("task_type").unique().rows()}
    assert len(counts) >= 0.95 * (len(asked) - 1) * len(TAUGHT)  # all but the comparisons, which have no one country
    per_task = Counter(chosen["task_type"])
    assert per_task.keys() == asked
    assert max(per_task.values()) - min(per_task.values()) <= 1


def test_too_small_a_training_set_is_refused_with_what_it_leaves_out(samples: pl.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"5 samples cannot teach every citation: .*:"):
        training_set(samples, TAUGHT, 5)


def test_asking_for_more_than_there_is_gives_all_there_is(samples: pl.DataFrame) -> None:
    available = samples.filter((pl.col("split") == "validation") & (pl.col("jurisdictions").list.join("+") == "AT"))
    assert len(validation_set(samples, ["AT"], 10_000)) == len(available)


def search_sets(samples: pl.DataFrame, codes: list[str], race: int, confirm: int) -> dict[str, pl.DataFrame]:
    validation, choice = validation_set(samples, codes, 20), validation_set(samples, codes, 44)
    raced, confirmed = race_and_confirm(samples, codes, (race, confirm), validation, choice)
    return {"validation": validation, "choice": choice, "race": raced, "confirm": confirmed}


def shared(sets: dict[str, pl.DataFrame], one: str, other: str) -> set[str]:
    return set(sets[one]["scenario_id"]) & set(sets[other]["scenario_id"])


def test_race_and_confirm_are_as_large_as_asked_and_share_no_scenario(samples: pl.DataFrame) -> None:
    sets = search_sets(samples, TAUGHT, 66, 44)
    assert (sets["race"].height, sets["confirm"].height) == (66, 44)
    assert sets["race"]["scenario_id"].is_unique().all()
    for one, other in (("race", "confirm"), ("race", "validation"), ("race", "choice"), ("confirm", "choice")):
        assert shared(sets, one, other) == set()


def test_where_samples_are_few_both_shrink_and_only_the_race_goes_into_the_choice_set(samples: pl.DataFrame) -> None:
    sets = search_sets(samples, ["DE"], 660, 440)
    pool = samples.filter((pl.col("split") == "validation") & (pl.col("jurisdictions").list.join("+") == "DE"))
    left = set(pool["scenario_id"]) - set(sets["validation"]["scenario_id"])
    assert set(sets["race"]["scenario_id"]) | set(sets["confirm"]["scenario_id"]) == left
    assert shared(sets, "race", "confirm") == shared(sets, "confirm", "choice") == set()
    assert shared(sets, "race", "choice")
    assert abs(sets["confirm"].height - 0.4 * len(left)) < 1


def test_the_race_gives_up_samples_before_there_are_too_few_to_confirm(samples: pl.DataFrame) -> None:
    assert search_sets(samples, ["DE"], 6000, 12)["confirm"].height == LEAST_CONFIRMED


def test_asking_for_fewer_to_confirm_gives_fewer(samples: pl.DataFrame) -> None:
    sets = search_sets(samples, TAUGHT, 30, 4)
    assert (sets["race"].height, sets["confirm"].height) == (30, 4)


def test_one_training_sample_in_eight_is_read_into_a_schema_all_along_the_set() -> None:
    samples = shipped.composed()[1]
    chosen = training_set(samples, TAUGHT, 400)
    assert len(chosen) == 400
    for part in (chosen, chosen[:80], chosen[160:240], chosen[320:]):
        assert (part["output_schema"] != "").mean() == pytest.approx(1 / 8, abs=0.02)
    read = chosen.filter(pl.col("output_schema") != "")
    assert set(read["jurisdictions"].explode()) == set(TAUGHT)
    assert read["change_type"].n_unique() == samples["change_type"].filter(samples["change_type"] != "").n_unique()


def test_a_small_benchmark_asks_every_country_about_equally_often(samples: pl.DataFrame) -> None:
    codes = samples.filter(pl.col("split") == "benchmark")["jurisdictions"].explode().unique().to_list()
    counts = Counter(benchmark_set(samples, codes)["jurisdictions"].explode())
    assert counts.keys() == set(codes)
    single = [count for code, count in counts.items() if code not in shipped.PAIRED]
    assert max(single) - min(single) <= 1
