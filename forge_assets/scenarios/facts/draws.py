"""Draw the facts of a company that plans a change, as columns; independent of law, so the same in every country."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forge_assets.law.model import Domain
from forge_assets.scenarios.facts.counter_rng import Keys, choose_index, combine, derive, keys, seed
from forge_assets.scenarios.pack.files import Company, NumberRange, Share, ValueChoice

SPLITS = (("train", 70), ("validation", 80), ("benchmark", 100))
"""Split and the percentile it ends at."""
FINE, COARSE = (21, 20), (9, 8)
"""Growth of the grids on which numbers are drawn, and on which two of them count as the same case for the split."""
DAYS = 180
"""Dates of a change are drawn this many days around the day a rule enters into force."""


def draw_facts(domain: Domain, company: Company, change: str, counters: range, site: int = 0) -> pl.DataFrame:
    """Draw the facts of one company and change, one row a counter, in order.

    Args:
        counters: which draws; a longer range continues a shorter one.
        site: facts of scope `site` differ between sites, those of scope `plan` are shared.

    Returns:
        Columns archetype, company, change_type, key (u64, what further choices derive from) and one a fact.
    """
    key = keys(np.arange(counters.start, counters.stop, dtype=np.uint64), company.id, change)
    columns: dict[str, NDArray[np.int64] | NDArray[np.bool_]] = {}
    for name, fact in domain.facts.items():
        if fact.drawn:
            stream = derive(key, name) if fact.scope == "plan" else derive(key, name, site)
            columns[name] = _values(company.facts[name], columns, stream)
            if fact.requires in columns:
                columns[name] = columns[name].astype(np.bool_) & columns[fact.requires].astype(np.bool_)
    for name, rule in domain.combined_facts.items():
        for total, other in domain.combined_facts.items():
            if rule.count and other.sum == rule.count and {name, total} <= columns.keys():
                # A number reached in so many countries adds up to at least so much.
                columns[name] = np.minimum(columns[name], columns[total] // rule.min)
    names = pl.Series(company.names).gather(choose_index(key, len(company.names), "name"))
    return pl.DataFrame(
        {"archetype": [company.id] * len(key), "company": names, "change_type": [change] * len(key), "key": key}
    ).with_columns(pl.Series(name, values) for name, values in columns.items())


def draw_dates(rows: pl.DataFrame, around: Sequence[dt.date]) -> pl.Series:
    """Draw a date a row, up to `DAYS` before or after one of some days."""
    key = rows["key"].to_numpy()
    days = np.array(around, dtype="datetime64[D]")[choose_index(key, len(around), "day")]
    return pl.Series("date", days + (choose_index(key, 2 * DAYS + 1, "date") - DAYS).astype("timedelta64[D]"))


def _values(
    choice: ValueChoice, drawn: dict[str, NDArray[np.int64] | NDArray[np.bool_]], stream: Keys
) -> NDArray[np.int64] | NDArray[np.bool_]:
    if isinstance(choice, NumberRange):
        edges = np.array([*_grid(choice.min, choice.max, FINE), choice.max + 1], dtype=np.int64)
        cell = choose_index(stream, len(edges) - 1, "cell")
        numbers = edges[cell] + choose_index(stream, 2**31, "within") % (edges[cell + 1] - edges[cell])
        tens = np.where(numbers >= 1000, 100, np.where(numbers >= 100, 10, 1))
        rounded = np.maximum(numbers - numbers % tens, choice.min)
        either: NDArray[np.int64] = np.where(choose_index(stream, 2, "round") == 0, rounded, numbers)
        return either
    if isinstance(choice, Share):
        percent = np.array(choice.percent, dtype=np.int64)[choose_index(stream, len(choice.percent), "percent")]
        part: NDArray[np.int64] = np.maximum(2, (drawn[choice.share_of].astype(np.int64) * percent + 50) // 100)
        return part
    options: NDArray[np.bool_] = np.array(choice, dtype=np.bool_)
    return options[choose_index(stream, len(choice), "choice")]


def _grid(low: int, high: int, growth: tuple[int, int]) -> list[int]:
    """Whole numbers from low to high, each about `growth` times the one before."""
    edges = [low]
    while (following := max(edges[-1] + 1, edges[-1] * growth[0] // growth[1])) <= high:
        edges.append(following)
    return edges


_BUCKETS = np.array(_grid(1, 10**7, COARSE), dtype=np.int64)


def split_percentiles(domain: Domain, rows: pl.DataFrame, without: Collection[str] = ()) -> NDArray[np.int64]:
    """Hash each row to 0 to 99 by company, change and its always stated facts, numbers on a coarse grid.

    So cases that differ by a few employees, in whatever country, fall in one split.

    Args:
        without: facts that do not count: shares of others, and what a question leaves out.
    """
    percentiles = np.zeros(rows.height, dtype=np.int64)
    groups = rows.with_row_index("row").group_by("archetype", "change_type", maintain_order=True)
    for (archetype, change), group in groups:
        where = group["row"].to_numpy()
        state = np.full(group.height, seed("split", archetype, change), dtype=np.uint64)
        for name in domain.change_types[str(change)].facts:
            if name in without:
                continue
            values = group[name].to_numpy()
            numbers = np.searchsorted(_BUCKETS, values) if domain.facts[name].type == "integer" else values
            state = combine(state, numbers)
        percentiles[where] = (state % np.uint64(100)).astype(np.int64)
    return percentiles


def split_names(percentiles: NDArray[np.int64]) -> pl.Series:
    """Map each percentile to its split."""
    ends = np.array([end for _, end in SPLITS])
    return pl.Series([name for name, _ in SPLITS]).gather(np.searchsorted(ends, percentiles, side="right"))
