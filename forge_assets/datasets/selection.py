"""Select the samples of a job: in hash order, balanced so that every provision is taught about equally."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import polars as pl

from forge_resources.storage.canonical_json import digest

BENCHMARK_SIZE = 132
"""Paired items at which a difference of about 11 points shows (20% discordance, 80% power)."""

EXTENDED_SIZE = 660
"""Items of the extended set: 5 x 132, the first multiple of the core set to reach the 626 of a 5-point difference."""

LEAST_CONFIRMED = 10
"""Samples below which the score of the search's winner says too little to be reported."""

READ = 8
"""One training sample in so many is of those whose answer follows a schema."""

_COUNTRIES = pl.col("jurisdictions").list.sort().list.join("+").alias("countries")


def training_set(samples: pl.DataFrame, jurisdictions: Sequence[str], n: int) -> pl.DataFrame:
    """Select up to `n` training samples, every citation taught about equally often.

    Round-robin: the citation taught least is next, and of its samples one of the task taught least for it.
    Samples without citations (nothing applies) count as one more citation a country. One sample in `READ` is of those
    whose answer follows a schema, and so cites nothing, in hash order.

    Raises:
        ValueError: `n` is too small to teach every citation.
    """
    pool = samples_of(samples, jurisdictions, "train")
    follows = pl.col("output_schema") != ""
    read = sorted(pool.filter(follows)["sample_id"], key=_order)[: n // READ]
    answered, untaught = _by_citation(pool.filter(~follows), n - len(read))
    if untaught:
        raise ValueError(f"{n} samples cannot teach every citation: {', '.join(untaught)} left out")
    places = [(i + 0.5) / len(some) for some in (answered, read) for i in range(len(some))]
    return _picked(pool, [name for _, name in sorted(zip(places, [*answered, *read], strict=True))])


def _by_citation(pool: pl.DataFrame, n: int) -> tuple[list[str], list[str]]:
    """Up to `n` samples, the citation taught least first, and the citations that are not taught."""
    asked = pool.select("sample_id", "task_type", "jurisdictions", "expected_citations")
    rows = {row["sample_id"]: row for row in asked.iter_rows(named=True)}
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
    return list(chosen), sorted(key for key, count in taught.items() if count == 0)


def validation_set(samples: pl.DataFrame, jurisdictions: Sequence[str], n: int) -> pl.DataFrame:
    """Select up to `n` validation samples, spread over task types and countries."""
    return _spread(samples_of(samples, jurisdictions, "validation"), n)


def race_and_confirm(
    samples: pl.DataFrame,
    jurisdictions: Sequence[str],
    sizes: tuple[int, int],
    validation: pl.DataFrame,
    model_selection: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Select validation samples for the race of the best trials, and further ones to confirm its winner.

    One sample a scenario, and no scenario of `validation` or of the other set. Each is spread like the others: the pool
    is dealt out down a list sorted by task, countries and variant (systematic sampling; Cochran 1977, chapter 8).
    Scenarios of `model_selection` are raced over only where there are not enough others, and confirm nothing. Where the
    pool is too small both sets shrink alike, but the second not below `LEAST_CONFIRMED` before the first has nothing
    left.

    Args:
        sizes: how many to race over, and to confirm with.
    """
    pool = samples_of(samples, jurisdictions, "validation")
    pool = pool.join(validation, on="scenario_id", how="anti").sort("sample_id")
    pool = pool.unique("scenario_id", keep="first", maintain_order=True)
    free, used = (
        pool.join(model_selection, on="scenario_id", how="anti"),
        pool.join(model_selection, on="scenario_id", how="semi"),
    )
    race, confirm = sizes
    share = min(1.0, pool.height / (race + confirm))
    confirmed = min(confirm, free.height, max(LEAST_CONFIRMED, round(confirm * share)))
    raced = min(race, free.height - confirmed)
    drawn = _spread(free, raced + confirmed)
    cells = drawn.with_columns(_COUNTRIES).sort("task_type", "countries", "variant", maintain_order=True)
    confirms = _dealt(cells["sample_id"].to_list(), raced, confirmed)
    first = drawn.filter(~pl.col("sample_id").is_in(confirms))
    return pl.concat([first, _spread(used, race - raced)]), drawn.filter(pl.col("sample_id").is_in(confirms))


def _dealt(names: Sequence[str], first: int, second: int) -> list[str]:
    """`second` of the `first` + `second` names, at even distances."""
    total = first + second
    return [name for i, name in enumerate(names) if (i + 1) * second // total > i * second // total]


def benchmark_set(samples: pl.DataFrame, jurisdictions: Sequence[str], n: int = BENCHMARK_SIZE) -> pl.DataFrame:
    """Select up to `n` benchmark samples, spread over task types and countries."""
    return _spread(samples_of(samples, jurisdictions, "benchmark"), n)


def samples_of(samples: pl.DataFrame, jurisdictions: Sequence[str], split: str) -> pl.DataFrame:
    """Select the samples of a split all of whose countries are wanted."""
    allowed = pl.col("jurisdictions").list.eval(pl.element().is_in(list(jurisdictions))).list.all()
    return samples.filter((pl.col("split") == split) & allowed)


def _spread(pool: pl.DataFrame, n: int) -> pl.DataFrame:
    """Round-robin over task types, within each over countries, within those over variants, each in hash order.

    Of the countries whose turn it is in a task, the one asked least so far is next: so a small set has every task about
    equally often, and every country and variant as far as it goes.
    """
    strata: dict[str, dict[tuple[str, ...], dict[str, list[str]]]] = {}
    rows = pool.select("sample_id", "task_type", "jurisdictions", "variant").sort("sample_id")
    for name, task, countries, variant in rows.iter_rows():
        strata.setdefault(task, {}).setdefault(tuple(sorted(countries)), {}).setdefault(variant, []).append(name)
    waiting = {
        task: {
            countries: _merged([sorted(names, key=_order) for _, names in _ordered(variants, task, *countries)])[::-1]
            for countries, variants in _ordered(places, task)
        }
        for task, places in _ordered(strata)
    }
    turns: Counter[tuple[str, tuple[str, ...]]] = Counter()
    asked: Counter[str] = Counter()
    chosen: list[str] = []
    while waiting and len(chosen) < n:
        for task, queues in list(waiting.items()):
            countries = min(queues, key=lambda some: (turns[task, some], sum(asked[c] for c in some) / len(some)))
            chosen.append(queues[countries].pop())
            turns[task, countries] += 1
            asked.update(countries)
            if not queues[countries]:
                del queues[countries]
            if not queues:
                del waiting[task]
    return _picked(pool, chosen[:n])


def _ordered(groups: Mapping[Any, Any], *stream: str) -> list[tuple[Any, Any]]:
    return sorted(
        groups.items(), key=lambda item: _order(*stream, *([item[0]] if isinstance(item[0], str) else item[0]))
    )


def _merged(queues: list[list[str]]) -> list[str]:
    """One from each queue in turn."""
    return [name for place in zip_longest(*queues) for name in place if name is not None]


def _picked(pool: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """The named samples, in the order given."""
    order = pl.DataFrame({"sample_id": names}, schema={"sample_id": pl.String})
    return order.join(pool, on="sample_id", how="left", maintain_order="left").select(pool.columns)


def _taught(row: dict[str, Any]) -> list[str]:
    return list(row["expected_citations"]) or [f"{code}:nothing" for code in row["jurisdictions"]]


def _order(*name: str) -> str:
    """Hash order: stable, and unrelated to what the id says."""
    return digest(["order", *name])
