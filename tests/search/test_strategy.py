"""The three phases of the search: which part of the space each one looks at, and that nothing is left to chance."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_assets.search.strategy import INTEGERS, Config, Seen, phase_of, propose

SPACE = {
    "learning_rate": (0.0005, 0.001, 0.002, 0.004),
    "rank": (8, 16, 32, 64),
    "alpha_ratio": (1, 2),
    "dropout": (0.0, 0.05, 0.1),
}


def _surface(config: Config) -> float:
    """A score with one best point inside the space."""
    return 1 - abs(config["learning_rate"] - 0.002) * 100 - abs(config["rank"] - 32) / 100 - config["dropout"]


def _searched(trials: int, seed: int = 0, failing: frozenset[int] = frozenset()) -> list[Seen]:
    seen: list[Seen] = []
    for index in range(trials):
        config = propose(SPACE, seen, trials, seed)
        seen.append(Seen(config, None if index in failing else _surface(config)))
    return seen


def _best(seen: list[Seen]) -> Config:
    return max((s for s in seen if s.score is not None), key=lambda s: s.score or 0.0).config


@pytest.mark.parametrize(
    ("trials", "shares"),
    [(3, (1, 1, 1)), (5, (2, 2, 1)), (20, (7, 8, 5)), (100, (35, 40, 25))],
)
def test_explore_takes_35_exploit_40_and_refine_25_percent(trials: int, shares: tuple[int, ...]) -> None:
    phases = [phase_of(index, trials) for index in range(trials)]
    assert tuple(phases.count(phase) for phase in ("explore", "exploit", "refine")) == shares
    assert phases == sorted(phases, key=("explore", "exploit", "refine").index)


@pytest.mark.parametrize("trials", range(3, 40))
def test_every_phase_has_a_trial_however_small_the_budget(trials: int) -> None:
    assert {phase_of(index, trials) for index in range(trials)} == {"explore", "exploit", "refine"}


@settings(max_examples=30, deadline=None)
@given(trials=st.integers(3, 24), seed=st.integers(0, 1000), stop=st.integers(0, 23))
def test_a_search_that_was_stopped_goes_on_with_the_same_proposals(trials: int, seed: int, stop: int) -> None:
    whole = _searched(trials, seed)
    prefix = whole[: min(stop, trials - 1)]
    assert propose(SPACE, prefix, trials, seed) == whole[len(prefix)].config


def test_another_seed_searches_elsewhere() -> None:
    assert len({str(_searched(5, seed)) for seed in range(10)}) > 5


@settings(max_examples=30, deadline=None)
@given(trials=st.integers(3, 24), seed=st.integers(0, 1000), failing=st.frozensets(st.integers(0, 23), max_size=8))
def test_no_proposal_leaves_the_ranges_of_the_space(trials: int, seed: int, failing: frozenset[int]) -> None:
    for seen in _searched(trials, seed, failing):
        assert seen.config.keys() == SPACE.keys()
        for name, value in seen.config.items():
            assert SPACE[name][0] <= value <= SPACE[name][-1]
            assert name not in INTEGERS or value == round(value)


@settings(max_examples=30, deadline=None)
@given(trials=st.integers(3, 12), seed=st.integers(0, 1000))
def test_no_configuration_is_tried_twice_in_a_space_that_is_large_enough(trials: int, seed: int) -> None:
    configs = [str(seen.config) for seen in _searched(trials, seed)]
    assert len(set(configs)) == trials


@pytest.mark.parametrize("seed", range(5))
def test_explore_spreads_over_the_whole_grid_of_every_parameter(seed: int) -> None:
    explored = [s.config for s in _searched(20, seed) if s][:7]
    for name, grid in SPACE.items():
        assert {config[name] for config in explored} == {float(value) for value in grid}


@pytest.mark.parametrize("seed", range(5))
def test_exploit_moves_one_parameter_of_the_best_by_one_grid_point(seed: int) -> None:
    seen = _searched(20, seed)
    moves = 0
    for index, each in enumerate(seen):
        if phase_of(index, 20) != "exploit":
            continue
        best = _best(seen[:index])
        changed = [name for name in SPACE if each.config[name] != best[name]]
        assert len(changed) == 1
        [name] = changed
        if each.config[name] in SPACE[name] and best[name] in SPACE[name]:
            steps = list(pairwise(SPACE[name]))
            assert (each.config[name], best[name]) in steps or (best[name], each.config[name]) in steps
            moves += 1
    assert moves > 0


def test_refine_looks_between_the_grid_points_around_the_best() -> None:
    between = 0
    for seed in range(5):
        seen = _searched(20, seed)
        for index, each in enumerate(seen[15:], start=15):
            best = _best(seen[:index])
            changed = [name for name in SPACE if each.config[name] != best[name]]
            between += len(changed) == 1 and each.config[changed[0]] not in SPACE[changed[0]]
    assert between >= 15, "most of the 25 refinements move one parameter off its grid"


def test_a_search_comes_nearer_to_the_best_point_than_exploring_alone() -> None:
    gained = []
    for seed in range(10):
        scores = [seen.score or 0.0 for seen in _searched(20, seed)]
        gained.append(max(scores) - max(scores[:7]))
    assert min(gained) >= 0
    assert sum(gained) / len(gained) > 0.02


def test_failed_trials_are_learned_from_only_as_tried() -> None:
    seen = _searched(20, failing=frozenset(range(7)))
    assert len({str(s.config) for s in seen}) == 20
    everything_failed = _searched(20, failing=frozenset(range(20)))
    assert len(everything_failed) == 20


def test_a_space_smaller_than_the_budget_is_searched_to_its_end() -> None:
    seen: list[Seen] = []
    for _ in range(6):
        seen.append(Seen(propose({"learning_rate": (0.001,)}, seen, 6, 0), 0.5))
    assert {s.config["learning_rate"] for s in seen} == {0.001}


def test_no_trial_beyond_the_budget_is_proposed() -> None:
    with pytest.raises(ValueError, match="all 3 trials were made"):
        propose(SPACE, _searched(3), 3, 0)
