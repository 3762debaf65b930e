"""The three phases of the search: which part of the space each one looks at, and that nothing is left to chance."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from forge_assets.search.optimizer.strategy import Seen, explored, importances, phase_of, posterior, propose
from forge_assets.search.space.parameters import Config, SearchSpace

SPACE = SearchSpace(
    {
        "learning_rate": [1e-4, 2e-4, 4e-4, 8e-4, 1.6e-3],
        "rank": [8, 16, 32, 64],
        "dropout": [0.0, 0.05, 0.1],
        "target_modules": [["q", "v"], ["k", "o", "q", "v"], ["k", "o", "q", "up", "v"]],
    }
)
BEST_RATE = 5.5e-4
NOISE = 0.02


def _quality(config: Config) -> float:
    """One best point, between the grid's; rank hardly matters."""
    away = math.log2(float(config["learning_rate"]) / BEST_RATE)  # type: ignore[arg-type]
    modules, rank = len(config["target_modules"]), float(config["rank"])  # type: ignore[arg-type]
    return 0.8 - 0.08 * away**2 - 0.02 * (5 - modules) - 1.0 * float(config["dropout"]) + 0.0001 * rank  # type: ignore[arg-type]


def _searched(
    trials: int,
    seed: int = 0,
    applied_for: Callable[[Config], Config] = lambda c: c,
    failing: frozenset[int] = frozenset(),
) -> tuple[list[Seen], list[Config]]:
    rng, seen, asked = np.random.default_rng(seed), [], []
    for index in range(trials):
        asked.append(propose(SPACE, seen, index, trials, seed, applied_for))
        ran = applied_for(asked[-1])
        score = _quality(ran) + rng.normal(0, NOISE)
        seen.append(Seen(ran) if index in failing else Seen(ran, score, NOISE))
    return seen, asked


SEARCHED = {seed: _searched(20, seed)[0] for seed in range(3)}


def _on_grid(config: Config) -> bool:
    return all(config[p.name] in p.grid for p in SPACE.parameters)


def _changed(a: Config, b: Config) -> int:
    return sum(a[name] != b[name] for name in a)


@pytest.mark.parametrize(
    ("trials", "shares"),
    [(3, (1, 1, 1)), (5, (2, 2, 1)), (20, (7, 8, 5)), (100, (35, 40, 25))],
)
def test_explore_takes_35_exploit_40_and_refine_25_percent(trials: int, shares: tuple[int, ...]) -> None:
    phases = [phase_of(index, trials) for index in range(trials)]
    assert tuple(phases.count(phase) for phase in ("explore", "exploit", "refine")) == shares
    assert phases == sorted(phases, key=("explore", "exploit", "refine").index)


@pytest.mark.parametrize("seed", SEARCHED)
def test_explore_begins_in_the_middle_and_meets_every_value_of_every_grid(seed: int) -> None:
    configs = [seen.config for seen in SEARCHED[seed][:7]]
    assert configs[0] == {
        "learning_rate": 4e-4, "rank": 16, "dropout": 0.05, "target_modules": ("k", "o", "q", "v")
    }  # fmt: skip
    for parameter in SPACE.parameters:
        assert {config[parameter.name] for config in configs} == set(parameter.grid)


@pytest.mark.parametrize("seed", SEARCHED)
def test_exploit_moves_one_parameter_along_its_grid_from_one_of_the_best(seed: int) -> None:
    history = SEARCHED[seed]
    for index in range(7, 15):
        expected = posterior(SPACE, history[:index])
        best = [history[i].config for i in np.argsort(-expected)[:3]]
        assert min(_changed(history[index].config, one) for one in best) == 1
        assert _on_grid(history[index].config)


def test_refine_tries_new_values_between_the_grid_points() -> None:
    refined = [seen.config for history in SEARCHED.values() for seen in history[15:]]
    assert sum(not _on_grid(config) for config in refined) >= len(refined) - 1


@pytest.mark.parametrize("seed", SEARCHED)
def test_a_search_ends_near_the_best_point(seed: int) -> None:
    history = SEARCHED[seed]
    found = history[int(posterior(SPACE, history).argmax())].config
    assert _quality(found) > 0.8064 - 0.03
    assert _quality(found) > max(_quality(seen.config) for seen in history[:7])


def test_a_search_that_was_stopped_goes_on_with_the_same_proposals() -> None:
    history = SEARCHED[0]
    for stop in (0, 3, 7, 11, 15, 19):
        assert propose(SPACE, history[:stop], stop, 20, 0) == history[stop].config


def test_another_seed_explores_elsewhere() -> None:
    assert len({str(explored(SPACE, 7, seed)) for seed in range(5)}) == 5


@pytest.mark.parametrize("failing", [frozenset(range(7)), frozenset(range(20)), frozenset({3, 8, 16})])
def test_nothing_is_tried_twice_whatever_fails(failing: frozenset[int]) -> None:
    history, _ = _searched(20, failing=failing)
    assert len({str(seen.config) for seen in history}) == 20


def test_a_region_where_trials_fail_is_left() -> None:
    high = {p.name: p.grid[0] for p in SPACE.parameters} | {"learning_rate": 1.6e-3}
    low, middle = high | {"learning_rate": 2e-4}, high | {"learning_rate": 4e-4}
    history = [Seen(high), Seen(high | {"rank": 32}), Seen(low, 0.5, NOISE), Seen(middle, 0.52, NOISE)]
    assert propose(SPACE, history, 4, 10, 0)["learning_rate"] != 1.6e-3


def test_trials_that_still_run_are_not_proposed_again() -> None:
    history = SEARCHED[1][:10]
    proposed: list[Config] = []
    for index in range(10, 14):
        pending = [Seen(config, pending=True) for config in proposed]
        proposed.append(propose(SPACE, history + pending, index, 20, 1))
    assert len({str(config) for config in proposed}) == 4


@pytest.mark.parametrize("seed", range(4))
def test_what_a_guard_makes_of_a_proposal_is_new_too(seed: int) -> None:
    def smaller(config: Config) -> Config:
        return config | {"rank": min(int(config["rank"]), 8), "target_modules": ("q", "v")}  # type: ignore[arg-type]

    history, asked = _searched(15, seed, smaller)
    assert len({str(seen.config) for seen in history}) == len({str(config) for config in asked}) == 15


@pytest.mark.parametrize("seed", range(4))
def test_explored_points_that_a_guard_makes_alike_are_run_once(seed: int) -> None:
    def smallest(config: Config) -> Config:
        return {p.name: p.grid[0] for p in SPACE.parameters} | {"learning_rate": config["learning_rate"]}

    seen: list[Seen] = []
    for index in range(5):
        seen.append(Seen(smallest(propose(SPACE, seen, index, 20, seed, smallest)), 0.5, NOISE))
    assert len({s.config["learning_rate"] for s in seen}) == 5


def test_values_that_only_a_guard_can_make_are_learned_from_but_not_asked_for() -> None:
    best = {"learning_rate": 4e-4, "rank": 4, "dropout": 0.0, "target_modules": ("o", "q")}
    worse = {"learning_rate": 1e-4, "rank": 8, "dropout": 0.1, "target_modules": ("q", "v")}
    asked = propose(SPACE, [Seen(best, 0.9, NOISE), Seen(worse, 0.2, NOISE)], 8, 20, 0)
    assert 8 <= int(asked["rank"]) <= 64 and asked["target_modules"] in SPACE.parameters[-1].grid  # type: ignore[arg-type]


def test_a_lucky_score_is_not_taken_at_its_word() -> None:
    history = SEARCHED[0][:15]
    lucky = Seen(history[1].config, max(s.score or 0.0 for s in history) + 0.01, NOISE)
    before = posterior(SPACE, history)
    after = posterior(SPACE, [history[0], lucky, *history[2:]])
    assert before[1] < after[1] < (lucky.score or 0.0)


def test_what_matters_is_told_from_what_does_not() -> None:
    shares = importances(SPACE, SEARCHED[0])
    assert sum(shares.values()) == pytest.approx(1.0)
    assert max(shares, key=lambda name: shares[name]) == "learning_rate"
    assert shares["learning_rate"] > 0.5 and shares["rank"] < 0.1
    assert shares == importances(SPACE, SEARCHED[0])


def test_nothing_is_said_of_importance_before_two_trials_have_scores() -> None:
    assert importances(SPACE, [Seen(SEARCHED[0][0].config, 0.5), Seen(SEARCHED[0][1].config)]) == {}
    with pytest.raises(ValueError, match="no trial has a score yet"):
        posterior(SPACE, [Seen(SEARCHED[0][0].config)])


def test_a_space_smaller_than_the_budget_is_searched_to_its_end_and_then_again() -> None:
    space = SearchSpace({"scheduler": ["linear", "cosine", "constant"]})
    seen: list[Seen] = []
    for index in range(6):
        config = propose(space, seen, index, 6, 0)
        seen.append(Seen(config, 0.5 + 0.1 * (config["scheduler"] == "cosine"), NOISE))
    assert {str(s.config["scheduler"]) for s in seen[:3]} == {"linear", "cosine", "constant"}
