"""Choose which countries are compared: all neighbours and few other pairs, some groups of three and four."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forge_assets.scenarios.facts.counter_rng import choose_index, derive, seed
from forge_assets.scenarios.facts.sites import SITES, place_of

FAR = 24
"""One draw in so many is asked about two countries that are no neighbours."""
CHAINS = {3: 1, 4: 4}
"""One group of neighbours in so many is compared, by its size: a chain in which each country borders on another."""
SCATTERED = {3: 120, 4: 1600}
"""One of the other groups in so many."""
DRAWN = 3
"""One draw in so many is asked about a group that is compared."""


def close_pairs(neighbours: Mapping[str, Sequence[str]]) -> frozenset[frozenset[str]]:
    """List the pairs of countries whose laws are easily confused, either way."""
    return frozenset(frozenset((code, other)) for code, others in neighbours.items() for other in others)


def is_wanted(neighbours: Mapping[str, Sequence[str]], pairs: pl.DataFrame) -> pl.Series:
    """Test each row of two countries: all draws of neighbours are asked about, few of the many other pairs.

    Args:
        pairs: columns home, country@1 and key.
    """
    near = [a + b for pair in close_pairs(neighbours) for a, b in (sorted(pair), sorted(pair, reverse=True))]
    far = pl.Series(choose_index(pairs["key"].to_numpy(), FAR, "far") == 0)
    return (pairs["home"] + pairs[place_of(SITES[1])]).is_in(near) | far


def groups_of(neighbours: Mapping[str, Sequence[str]], codes: Collection[str]) -> dict[int, list[tuple[str, ...]]]:
    """List the groups of three and of four that are compared, each in the order of its codes.

    Each group is chosen by its own codes alone, so a country more or less moves no group of the others.
    """
    near = close_pairs(neighbours)
    found: dict[int, list[tuple[str, ...]]] = {}
    for size in CHAINS:
        found[size] = []
        for group in combinations(sorted(codes), size):
            one_in = (CHAINS if _is_chain(group, near) else SCATTERED)[size]
            if seed("group", *group) % np.uint64(one_in) == 0:
                found[size].append(group)
    return found


def _is_chain(group: tuple[str, ...], near: frozenset[frozenset[str]]) -> bool:
    """Whether every country of the group can be reached from the first over neighbours."""
    reached, left = {group[0]}, set(group[1:])
    while step := {code for code in left if any(frozenset((code, other)) in near for other in reached)}:
        reached |= step
        left -= step
    return not left


def grouped_draws(draws: pl.DataFrame, groups: Sequence[tuple[str, ...]]) -> pl.DataFrame:
    """Set beside each draw the groups that are asked about it, in an order that is drawn.

    Args:
        draws: columns archetype, draw and key.
        groups: of one size.

    Returns:
        Columns archetype, draw, key (the question's own) and one a site with its country.
    """
    key = draws["key"].to_numpy()
    parts = []
    for group in groups:
        own = derive(key, "group", *group)
        where = np.flatnonzero(choose_index(own, DRAWN, "grouped") == 0)
        first = choose_index(own[where], len(group), "home first")
        codes = np.array(group)
        places = {place_of(SITES[i]): codes[(first + i) % len(group)] for i in range(len(group))}
        parts.append(draws[where].with_columns(pl.Series("key", own[where])).with_columns(**_series(places)))
    return pl.concat(parts) if parts else pl.DataFrame()


def _series(places: Mapping[str, NDArray[np.str_]]) -> dict[str, pl.Series]:
    return {name: pl.Series(codes.tolist(), dtype=pl.String) for name, codes in places.items()}
