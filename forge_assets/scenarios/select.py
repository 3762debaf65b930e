"""Which samples a job sees: drawn in hash order, balanced so that every provision is taught about equally."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import polars as pl

from forge_resources.store import digest

BENCHMARK_SIZE = 132
"""Paired items at which a difference of about 11 points shows (20% discordance, 80% power)."""


def training_set(samples: pl.DataFrame, jurisdictions: Sequence[str], n: int) -> pl.DataFrame:
    """Up to `n` training samples, every citation taught about equally often.

    Round-robin: the citation taught least is next, and of its samples one of the task taught least for it.
    Samples without citations (nothing applies) count as one more citation a country.

    Raises:
        ValueError: `n` is too small to teach every citation.
    """
    pool = _pool(samples, jurisdictions, "train")
    rows = {row["sample_id"]: row for row in pool.iter_rows(named=True)}
    waiting: dict[str, list[str]] = defaultdict(list)
    for name in sorted(rows, key=_order):
        for key in _taught(rows[name]):
            waiting[key].append(name)
    taught: Counter[str] = Counter(dict.fromkeys(waiting, 0))
    met: Counter[tuple[str, str]] = Counter()
    chosen: dict[str, None] = {}
    while len(chosen) < n and taught:
        key = min(taught, key=lambda k: (taught[k], k))
        waiting[key] = [name for name in waiting[key] if name not in chosen]
        if not waiting[key]:
            del taught[key]
            continue
        name = min(waiting[key], key=lambda s: met[key, rows[s]["task_type"]])
        chosen[name] = None
        for each in _taught(rows[name]):
            met[each, rows[name]["task_type"]] += 1
            if each in taught:
                taught[each] += 1
    untaught = sorted(key for key, count in taught.items() if count == 0)
    if untaught:
        raise ValueError(f"{n} samples cannot teach every citation: {', '.join(untaught)} left out")
    return _picked(pool, list(chosen))


def validation_set(samples: pl.DataFrame, jurisdictions: Sequence[str], n: int) -> pl.DataFrame:
    """Up to `n` validation samples, spread over task types and countries."""
    return _spread(_pool(samples, jurisdictions, "validation"), n)


def benchmark_set(samples: pl.DataFrame, jurisdictions: Sequence[str], n: int = BENCHMARK_SIZE) -> pl.DataFrame:
    """Up to `n` benchmark samples, spread over task types and countries."""
    return _spread(_pool(samples, jurisdictions, "benchmark"), n)


def _pool(samples: pl.DataFrame, jurisdictions: Sequence[str], split: str) -> pl.DataFrame:
    """Samples of a split all of whose countries are wanted."""
    allowed = pl.col("jurisdictions").list.eval(pl.element().is_in(list(jurisdictions))).list.all()
    return samples.filter((pl.col("split") == split) & allowed)


def _spread(pool: pl.DataFrame, n: int) -> pl.DataFrame:
    """Round-robin over task type and countries, each stratum in hash order."""
    strata: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for row in pool.iter_rows(named=True):
        strata[row["task_type"], *sorted(row["jurisdictions"])].append(row["sample_id"])
    queues = [sorted(names, key=_order) for _, names in sorted(strata.items(), key=lambda item: _order(*item[0]))]
    ranked = sorted(
        ((place, stratum, name) for stratum, queue in enumerate(queues) for place, name in enumerate(queue))
    )
    return _picked(pool, [name for _, _, name in ranked[:n]])


def _picked(pool: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """The named samples, in the order given."""
    order = pl.DataFrame({"sample_id": names}, schema={"sample_id": pl.String})
    return order.join(pool, on="sample_id", how="left", maintain_order="left").select(pool.columns)


def _taught(row: dict[str, Any]) -> list[str]:
    return list(row["expected_citations"]) or [f"{code}:nothing" for code in row["jurisdictions"]]


def _order(*name: str) -> str:
    """Hash order: stable, and unrelated to what the id says."""
    return digest(["order", *name])
