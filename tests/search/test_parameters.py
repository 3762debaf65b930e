"""What a grid means: kinds, scales, and values as a study stores them."""

from __future__ import annotations

from typing import Any

import pytest

from forge_assets.search.space.encoding import PointEncoding
from forge_assets.search.space.parameters import Number, SearchSpace, Subset

GRID: dict[str, Any] = {
    "learning_rate": [1e-4, 2e-4, 4e-4, 8e-4],
    "rank": [4, 8, 16],
    "dropout": [0.0, 0.05, 0.1],
    "scheduler": ["linear", "cosine"],
    "target_modules": [["q", "v"], ["q", "o"], "all-linear"],
}
SPACE = SearchSpace(GRID)
FIRST = {name: SPACE.parameters[i].grid[0] for i, name in enumerate(GRID)}


def test_grids_spaced_as_ratios_are_on_a_log_scale() -> None:
    log = {p.name: p.log for p in SPACE.parameters if isinstance(p, Number)}
    assert log == {"learning_rate": True, "rank": True, "dropout": False}
    told = SearchSpace({"rank": [4, 8, 16]}, scale={"rank": "linear"}).parameters[0]
    assert isinstance(told, Number) and not told.log


def test_ints_stay_ints_between_grid_points() -> None:
    rank = SPACE.parameters[1]
    assert isinstance(rank, Number)
    assert {type(rank.decode(i / 50)) for i in range(51)} == {int}
    assert [rank.decode(x) for x in (0.0, 0.5, 1.0)] == [4, 8, 16]


def test_a_value_is_found_at_its_coordinate() -> None:
    for parameter in SPACE.parameters:
        if isinstance(parameter, Number):
            assert [parameter.decode(parameter.encode(v)[0]) for v in parameter.grid] == list(parameter.grid)


def test_names_are_as_far_from_each_other_as_a_grid_is_wide() -> None:
    a, b = SPACE.encode([FIRST, FIRST | {"scheduler": "cosine"}])
    assert ((a - b) ** 2).sum() == pytest.approx(1.0)


def test_between_two_sets_lie_their_union_and_intersection() -> None:
    modules = SPACE.parameters[-1]
    assert isinstance(modules, Subset)
    assert modules.lattice == (("q", "v"), ("o", "q"), "all-linear", ("o", "q", "v"), ("q",))


def test_configurations_survive_storage_also_those_a_guard_made() -> None:
    for modules in (("q", "v"), ("o", "q", "v"), "all-linear", ("v",)):
        config = FIRST | {"target_modules": modules}
        assert SPACE.read(SPACE.stored(config)) == config


def test_what_a_guard_made_is_brought_back_to_the_nearest_that_can_be_asked() -> None:
    assert SPACE.inside(FIRST | {"rank": 2, "target_modules": ("v",)}) == FIRST | {"target_modules": ("q", "v")}
    assert SPACE.inside(FIRST) == FIRST


def test_arrays_of_candidates_hold_the_same_configurations() -> None:
    configs = [FIRST, FIRST | {"rank": 11, "target_modules": ("q",), "scheduler": "cosine"}]
    encoding = PointEncoding(SPACE)
    assert encoding.configs(encoding.points(configs)) == configs
    assert encoding.encode(encoding.points(configs)).tolist() == SPACE.encode(configs).tolist()


def test_the_step_of_a_training_is_known_by_the_names_of_its_parameters() -> None:
    space = SearchSpace({"learning_rate": [1e-4, 1e-3], "batch_size": [4, 16], "rank": [8, 16], "warmup": [0.0, 0.1]})
    rate, batch, rank, warmup = space.direction
    assert rate > 0 > batch and rank == warmup == 0
    assert not SearchSpace(space.grid, step={}).direction.any()


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({}, "the search space is empty"),
        ({"rank": []}, "rank: list at least one value"),
        ({"rank": [8, 8]}, "rank: list every value once"),
        ({"rank": [16, 8]}, "rank: list its values ascending"),
        ({"rank": [8, "big"]}, "rank: 8, 'big' mix kinds"),
        ({"modules": [["q"], 8]}, "modules: 8 is no set of names"),
        ({"modules": [["q"], "q"]}, "modules: 'q' is stored as another value is"),
    ],
)
def test_a_wrong_grid_is_refused_by_name(grid: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SearchSpace(grid)


def test_a_scale_for_no_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match="scale names speed"):
        SearchSpace(GRID, scale={"speed": "log"})
