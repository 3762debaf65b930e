"""Compose questions that are asked to be read, not answered: what they state hangs on no law.

A question of another task states what the law asks for, and hardly ever leaves anything out. Here a part of what it
should state is left open, and some of what it need not state is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forge_assets.law.model import Domain
from forge_assets.scenarios.answers.composer import Answer
from forge_assets.scenarios.composition.country_groups import close_pairs
from forge_assets.scenarios.composition.forms import with_forms
from forge_assets.scenarios.facts.counter_rng import choose_index, derive, seed
from forge_assets.scenarios.facts.draws import draw_facts, split_names, split_percentiles
from forge_assets.scenarios.facts.sites import SITES, place_of
from forge_assets.scenarios.pack.files import Pack, TaskType
from forge_assets.scenarios.pack.language import ENGLISH
from forge_assets.scenarios.prompts.tables import Prompts

LEFT_OUT = 5
"""One in so many of the facts that a question should state is left open."""
BESIDE = 8
"""One in so many of the other facts is stated."""
NEIGHBOURS = 10
"""One question in so many names a country that decides nothing."""
NEAR, FAR = 12, 240
"""One case in so many is asked about two neighbours, or about two other countries."""
GROUPED = 36
"""One case in so many is asked about a group of three or four."""


def compose_intake(domain: Domain, pack: Pack, code: str, language: str, kept: int) -> list[Prompts]:
    """Compose questions about one country, `kept` for each company and change, on facts drawn for it alone.

    Args:
        language: that of the country.
    """
    start = 2**31 + int(seed("intake", code)) % 2**31  # far from the draws of other questions
    there = [company for company in pack.companies if not company.countries or code in company.countries]
    near = pl.Series([*pack.neighbours.get(code, ())] or [""])
    parts = []
    for change in domain.change_types:
        tasks = _tasks(pack, change, 1)
        if not tasks or not there:
            continue
        rows = pl.concat([draw_facts(domain, company, change, range(start, start + kept)) for company in there])
        key = derive(rows["key"].to_numpy(), "intake", code)
        rows = rows.with_columns(pl.Series("key", key), pl.lit(code).alias("home"))
        rows = _partly_stated(domain, change, rows)
        named = pl.lit(near.gather(choose_index(key, len(near), "neighbour")))
        some = pl.lit(pl.Series(choose_index(key, NEIGHBOURS, "near") == 0))
        rows = rows.with_columns(pl.when(some).then(named).otherwise(pl.lit("")).alias("neighbour"))
        parts.append(_asked(pack, rows, tasks, language, compared=False))
    return parts


def compose_intake_compared(
    domain: Domain,
    pack: Pack,
    change: str,
    codes: Sequence[str],
    groups: Mapping[int, Sequence[tuple[str, ...]]],
    drawn: pl.DataFrame,
) -> list[Prompts]:
    """Compose questions about one change in two, three or four countries, each with a site of its own.

    Args:
        codes: of the countries.
        groups: those of three and four that are compared, by size.
        drawn: what `draw_sites` gives.
    """
    tasks = _tasks(pack, change, 2)
    parts = []
    for size, some in {2: list(combinations(sorted(codes), 2)), **groups}.items() if tasks else ():
        marks = SITES[:size]
        wide = _beside(domain, drawn, marks)
        asked = [wide.clear().with_columns(pl.lit("").alias(place_of(mark)) for mark in marks)]
        for group in some:
            key = derive(wide["key"].to_numpy(), "intake", *group)
            there = [c.id for c in pack.companies if not c.countries or set(group) <= set(c.countries)]
            first, places = choose_index(key, size, "home first"), pl.Series(group, dtype=pl.String)
            placed = wide.with_columns(
                pl.Series("key", key),
                *(places.gather((first + i) % size).alias(place_of(m)) for i, m in enumerate(marks)),
            )
            near = frozenset(group) in close_pairs(pack.neighbours)
            one_in = GROUPED if size > 2 else NEAR if near else FAR
            chosen = pl.lit(pl.Series(choose_index(key, one_in, "asked") == 0))
            asked.append(placed.filter(chosen & pl.col("archetype").is_in(there)))
        rows = _partly_stated(domain, change, pl.concat(asked))
        if rows.height:
            sites = np.zeros(rows.height, dtype=np.uint64)
            for mark in marks:
                sites = sites * np.uint64(100) + _percentiles(domain, pack, rows, mark).astype(np.uint64)
            split = split_names(choose_index(sites, 100, "pair split"))
            parts.append(_asked(pack, rows.with_columns(split.alias("split")), tasks, ENGLISH, compared=True))
    return parts


def _beside(domain: Domain, drawn: pl.DataFrame, marks: Sequence[str]) -> pl.DataFrame:
    """The same draws at each site beside each other."""
    wide = drawn.filter(pl.col("site") == 0).drop("site")
    for number, mark in enumerate(marks[1:], start=1):
        own = [pl.col(name).alias(f"{name}{mark}") for name in domain.drawn_facts]
        there = drawn.filter(pl.col("site") == number).select("archetype", "draw", *own)
        wide = wide.join(there, on=["archetype", "draw"], how="inner", maintain_order="left")
    return wide


def _tasks(pack: Pack, change: str, countries: int) -> list[TaskType]:
    """Tasks as which a question may be worded: those that suppose nothing and need nothing beside the question."""
    return [
        task
        for task in pack.tasks
        if task.kind == "case"
        and task.asks_about(countries)
        and change in task.changes
        and task.exhibit is None
        and (pack.plain or not task.plain_only)
        and not any(section.block == "suppose" for section in task.sections("note"))
    ]


def _asked(pack: Pack, rows: pl.DataFrame, tasks: Sequence[TaskType], national: str, compared: bool) -> Prompts:
    """Rows asked as if one of the tasks was meant: how a question is put must not tell that it is only to be read."""
    number = choose_index(rows["key"].to_numpy(), len(tasks), "task")
    named = pl.Series([task.id for task in tasks]).gather(number)
    rows = with_forms(pack, rows.with_columns(named.alias("task_type")), national, compared)
    by_id = {task.id: task for task in tasks}
    forms = rows.select("task_type", "depth", "answer_language").unique(maintain_order=True)
    answers = [_unanswered(pack, by_id[task], depth, language) for task, depth, language in forms.iter_rows()]
    forms = forms.with_columns(pl.Series("answer", range(forms.height), dtype=pl.Int64))
    rows = rows.join(forms, on=["task_type", "depth", "answer_language"], how="left", maintain_order="left")
    return Prompts(rows, answers, intake=True)


def _unanswered(pack: Pack, task: TaskType, depth: str, language: str) -> Answer:
    """The headings that a question asks for, and no answer."""
    words = pack.answers[language].headings
    headings = tuple(words[section.heading] for section in task.sections(depth) if section.heading)
    return Answer("plain", "", headings, (), "", "", (), (), current=True, language=language)


def _partly_stated(domain: Domain, change: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Take out what a question leaves open, of all its countries alike, and name those in `without`."""
    key, own = rows["key"].to_numpy(), domain.change_types[change].facts
    stated: dict[str, NDArray[np.bool_]] = {
        name: choose_index(key, LEFT_OUT, "left out", name) > 0
        if name in own
        else (choose_index(key, BESIDE, "beside", name) == 0) & (change in (domain.facts[name].changes or {change}))
        for name in domain.drawn_facts
    }
    marks = [mark for mark in SITES if f"{own[0]}{mark}" in rows.columns]
    for name, rule in domain.combined_facts.items():
        if rule.sum:  # a group is not smaller than its sites
            total = rows.select(pl.sum_horizontal(f"{rule.sum}{mark}" for mark in marks)).to_series()
            stated[name] = stated[name] & (rows[name] >= total).to_numpy()
    for name, fact in domain.facts.items():
        if fact.requires in stated:
            stated[fact.requires] = stated[fact.requires] | stated[name]
    sites = [name for name in domain.drawn_facts if domain.facts[name].scope == "site"]
    least = next((name for name in own if name in sites), sites[0])
    stated[least] = stated[least] | ~np.any([stated[name] for name in sites], axis=0)
    without = pl.concat_str(
        [pl.when(pl.lit(pl.Series(~stated[name]))).then(pl.lit(name)) for name in own], separator=" ", ignore_nulls=True
    )
    columns = [(name, f"{name}{mark}") for name in domain.drawn_facts for mark in marks]
    said = [pl.when(pl.lit(pl.Series(stated[name]))).then(pl.col(column)).alias(column) for name, column in columns]
    return rows.with_columns(*said, without.alias("without"))


def _percentiles(domain: Domain, pack: Pack, rows: pl.DataFrame, mark: str) -> NDArray[np.int64]:
    """What decides the split, by what is stated of one of the countries."""
    site = rows.select(
        "archetype", "change_type", "without", *(pl.col(f"{name}{mark}").alias(name) for name in domain.drawn_facts)
    )
    found = np.zeros(rows.height, dtype=np.int64)
    for (without,), group in site.with_row_index("at").group_by("without", maintain_order=True):
        found[group["at"].to_numpy()] = split_percentiles(domain, group, {*pack.shares, *str(without).split()})
    return found
