"""The race of the best trials, and what is reported of its winner."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from forge_assets.search.selection.race import Race, RaceError, select_candidates
from forge_assets.search.selection.verdict import race_verdict
from forge_resources.storage.tables import TABLES

ITEMS = tuple(f"item {i:02}" for i in range(36))
SAMPLES = pl.DataFrame({"sample_id": ITEMS, "scenario_id": ITEMS})
RACE = Race((7, 3, 5, 1), ITEMS, ITEMS)
NOISE = np.random.default_rng(4).uniform(-0.15, 0.15, size=(10, len(ITEMS)))


def answers(means: dict[int, float], items: tuple[str, ...] = ITEMS, stage: str = "race") -> pl.DataFrame:
    """Each trial's composite on each item: its mean, and noise of its own."""
    rows = [
        (trial, stage, item, mean + NOISE[trial, ITEMS.index(item)]) for trial, mean in means.items() for item in items
    ]
    return pl.DataFrame(rows, schema=TABLES["search.answers"].schema, orient="row")


def run(race: Race, means: dict[int, float]) -> tuple[pl.DataFrame, list[tuple[list[int], int]]]:
    """A race to its end; its answers, and trials and first item of each round."""
    given, rounds = answers({}), []
    while more := race.next_round(given):
        trials, items = more
        rounds.append((trials, ITEMS.index(items[0])))
        given = pl.concat([given, answers({trial: means[trial] for trial in trials}, tuple(items))])
    return given, rounds


def test_the_highest_scores_race_and_of_equal_ones_the_earlier_trials() -> None:
    assert select_candidates({0: 0.3, 4: 0.6, 2: 0.6, 1: 0.9, 3: 0.1}, 3) == [1, 2, 4]
    assert select_candidates({0: 0.3}, 4) == [0]


def test_a_search_without_a_score_names_where_to_look() -> None:
    with pytest.raises(RaceError, match=r"no trial has a score: search\.trials says"):
        select_candidates({}, 4)
    with pytest.raises(RaceError, match="trial 2 has score nan"):
        select_candidates({1: 0.5, 2: float("nan")}, 4)


def test_trials_that_noise_hides_from_each_other_answer_every_round() -> None:
    given, rounds = run(RACE, dict.fromkeys(RACE.candidates, 0.5))
    assert [(set(trials), start) for trials, start in rounds] == [({1, 3, 5, 7}, start) for start in (0, 12, 24)]
    assert given.height == 4 * len(ITEMS)


def test_who_is_far_behind_is_asked_no_more() -> None:
    _, rounds = run(RACE, {7: 0.5, 3: 0.52, 5: 0.1, 1: 0.1})
    assert set(rounds[0][0]) == {1, 3, 5, 7}
    assert [set(trials) for trials, _ in rounds[1:]] == [{3, 7}, {3, 7}]


def test_a_race_with_a_clear_leader_ends_early() -> None:
    given, rounds = run(RACE, {7: 0.1, 3: 0.1, 5: 0.9, 1: 0.1})
    assert len(rounds) == 1
    assert RACE.winner(given) == 5


def test_a_lead_on_one_scenario_is_no_lead() -> None:
    given = answers({7: 0.1, 3: 0.1, 5: 0.9, 1: 0.1}, ITEMS[:12])
    one = replace(RACE, scenarios=("the only one",) * len(ITEMS))
    assert one.next_round(given) is not None
    assert RACE.next_round(given) is None


def test_a_race_killed_at_any_point_goes_on_as_if_it_had_not_been() -> None:
    means = {7: 0.5, 3: 0.55, 5: 0.1, 1: 0.45}
    whole, rounds = run(RACE, means)
    for done in range(0, whole.height, 5):
        given = whole.head(done).sample(fraction=1, shuffle=True, seed=done)
        while more := RACE.next_round(given):
            trials, items = more
            assert any(set(trials) <= set(asked) and ITEMS.index(items[0]) == start for asked, start in rounds)
            fresh = answers({trial: means[trial] for trial in trials}, tuple(items))
            given = pl.concat([given, fresh.join(given, on=["trial", "sample_id"], how="anti")])
        assert given.sort("trial", "sample_id").equals(whole.sort("trial", "sample_id"))
        assert RACE.winner(given) == RACE.winner(whole)


def test_answers_of_the_trials_own_samples_decide_nothing() -> None:
    given, _ = run(RACE, {7: 0.5, 3: 0.55, 5: 0.1, 1: 0.45})
    lucky = answers({7: 1.0, 3: 0.1}, stage="trial")
    assert RACE.standing(pl.concat([lucky, given])) == RACE.standing(given)


def test_of_equal_trials_the_earlier_one_wins_in_whatever_order_they_are_named() -> None:
    equal = answers({trial: 0.0 for trial in RACE.candidates}).with_columns(composite=pl.lit(0.5))
    for candidates in itertools.permutations(RACE.candidates):
        assert replace(RACE, candidates=candidates).winner(equal) == min(RACE.candidates)


def test_a_candidate_that_cannot_answer_is_left_out_and_the_race_goes_on() -> None:
    given, _ = run(RACE, {7: 0.5, 3: 0.52, 5: 0.54, 1: 0.5})
    partly = given.filter((pl.col("trial") != 5) | (pl.col("sample_id") < ITEMS[5]))
    assert RACE.next_round(partly) == ([5], list(ITEMS[:12]))
    assert 5 not in replace(RACE, candidates=(7, 3, 1)).standing(partly)


def test_one_candidate_needs_no_race() -> None:
    alone = Race((4,), ITEMS, ITEMS)
    assert alone.next_round(answers({})) is None
    assert alone.winner(answers({})) == 4


def test_the_race_asks_the_samples_of_its_role_in_their_order() -> None:
    sets = pl.DataFrame(
        {
            "position": [2, 1, 0],
            "role": ["race", "race", "confirm"],
            "sample_id": list("abc"),
            "scenario_id": list("xyz"),
        }
    )
    race = Race.of([1, 2], sets)
    assert (race.items, race.scenarios) == (("b", "a"), ("y", "x"))


def test_a_winner_is_named_only_when_the_race_is_over() -> None:
    with pytest.raises(RaceError, match="not over: trials 7, 3, 5, 1 have a round to answer"):
        RACE.winner(answers({}))


def test_answers_that_would_make_a_comparison_wrong_are_refused() -> None:
    given = answers({7: 0.5}, ITEMS[:2])
    with pytest.raises(RaceError, match="trial 7 answered sample item 00 twice at stage race"):
        RACE.next_round(pl.concat([given, given.head(1)]))
    with pytest.raises(RaceError, match="trial 7 has composite None on sample item 00"):
        RACE.next_round(given.with_columns(composite=pl.lit(None, dtype=pl.Float64)))


def test_the_best_of_equals_seldom_drops_out() -> None:
    """All rounds of 100 races between four equal trials: the rate of losing any one of them is bounded."""
    draws, lost = np.random.default_rng(11), 0
    race = Race((0, 1, 2, 3), ITEMS[:18], ITEMS[:18])
    for _ in range(100):
        table = answers(dict.fromkeys(race.candidates, 0.5), race.items)
        table = table.with_columns(composite=pl.Series(draws.integers(0, 2, table.height).astype(float)))
        lost += 0 not in race.standing(table)
    assert lost <= 25


def confirmed(means: dict[int, float], score: float) -> pl.DataFrame:
    given, _ = run(RACE, means)
    winner = RACE.winner(given)
    return pl.concat([given, answers({winner: score}, stage="confirm"), answers({winner: 0.8}, ITEMS[:20], "trial")])


def test_the_reported_score_comes_from_the_confirming_samples_alone() -> None:
    table = confirmed({7: 0.5, 3: 0.55, 5: 0.1, 1: 0.45}, 0.4)
    said = race_verdict(table, SAMPLES)
    mean = table.filter(pl.col("stage") == "confirm")["composite"].mean()
    assert said.winner == 3
    assert said.score.value == pytest.approx(mean)
    assert said.score.low < 0.4 + NOISE[3].mean() < said.score.high
    assert said.before is not None
    assert said.before.value > 0.7


def test_the_lead_is_paired_and_over_the_nearest_that_stayed() -> None:
    table = confirmed({7: 0.53, 3: 0.55, 5: 0.1, 1: 0.3}, 0.4)
    lead = race_verdict(table, SAMPLES).lead
    assert lead is not None
    assert lead.trial == 7
    assert lead.ahead.value == pytest.approx(0.02 + NOISE[3].mean() - NOISE[7].mean())
    assert lead.ahead.low < lead.ahead.value < lead.ahead.high


def test_a_clear_winner_is_the_best_with_more_confidence_than_a_close_one() -> None:
    clear = race_verdict(confirmed({7: 0.1, 3: 0.9, 5: 0.1, 1: 0.1}, 0.9), SAMPLES)
    close = race_verdict(confirmed({7: 0.5, 3: 0.5, 5: 0.5, 1: 0.5}, 0.5), SAMPLES)
    assert clear.resamples_won > 0.999
    assert 0.25 < close.resamples_won < 0.9
    equal = answers({trial: 0.0 for trial in RACE.candidates}).with_columns(composite=pl.lit(0.5))
    same = race_verdict(pl.concat([equal, answers({1: 0.5}, stage="confirm")]), SAMPLES)
    assert same.resamples_won == 0.25


def test_samples_of_one_scenario_widen_the_interval() -> None:
    table = confirmed({7: 0.5, 3: 0.55, 5: 0.1, 1: 0.45}, 0.4)
    level = {item: float(i // 6 % 2) for i, item in enumerate(ITEMS)}
    table = table.with_columns(
        composite=pl.when(pl.col("stage") == "confirm")
        .then(pl.col("sample_id").replace_strict(level, return_dtype=pl.Float64))
        .otherwise(pl.col("composite"))
    )
    few = SAMPLES.with_columns(scenario_id=pl.Series([f"scenario {i // 6}" for i in range(len(ITEMS))]))
    apart, together = race_verdict(table, SAMPLES).score, race_verdict(table, few).score
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_the_sentence_says_score_lead_and_doubt() -> None:
    sentence = race_verdict(confirmed({7: 0.53, 3: 0.55, 5: 0.1, 1: 0.45}, 0.4), SAMPLES).sentence
    assert sentence.startswith("Trial 3 scores 0.")
    for words in ("on 36 samples that nothing was chosen on", "on the 20 of its trial it had 0.", "ahead of trial 7"):
        assert words in sentence
    assert re.search(r"and in \d\d% of resamples the best of the 4 that raced\.$", sentence)


def test_the_order_of_the_rows_changes_nothing_of_the_verdict() -> None:
    table = confirmed({7: 0.5, 3: 0.55, 5: 0.1, 1: 0.45}, 0.4)
    assert race_verdict(table.sample(fraction=1, shuffle=True, seed=2), SAMPLES) == race_verdict(table, SAMPLES)


def test_a_trial_that_raced_alone_has_no_lead() -> None:
    said = race_verdict(answers({4: 0.5}, stage="confirm"), SAMPLES)
    assert (said.lead, said.raced, said.resamples_won) == (None, 1, 1.0)
    assert said.sentence.endswith("It raced alone.")


def test_a_verdict_without_one_confirmed_winner_is_refused() -> None:
    table = confirmed({7: 0.5, 3: 0.55, 5: 0.1, 1: 0.45}, 0.4)
    with pytest.raises(RaceError, match=r"trials \[\] have answers at stage confirm"):
        race_verdict(table.filter(pl.col("stage") != "confirm"), SAMPLES)
    with pytest.raises(RaceError, match=r"trials \[3, 7\] have answers at stage confirm"):
        race_verdict(pl.concat([table, answers({7: 0.5}, stage="confirm")]), SAMPLES)
    with pytest.raises(RaceError, match="trial 3, confirmed, did not answer sample item 00"):
        race_verdict(table.filter((pl.col("trial") != 3) | (pl.col("stage") != "race")), SAMPLES)
    with pytest.raises(RaceError, match="sample item 35 was answered but is not in the samples given"):
        race_verdict(table, SAMPLES.head(35))


def test_a_race_that_names_a_trial_twice_is_refused() -> None:
    with pytest.raises(RaceError, match=r"candidates are \[1, 1\]"):
        Race((1, 1), ITEMS, ITEMS)
    with pytest.raises(RaceError, match="level 2"):
        replace(RACE, level=2.0)
