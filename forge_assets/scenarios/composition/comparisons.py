"""Compose comparisons: one plan in two, three or four countries, each with a site of its own size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from forge_assets.law.engine import Finding
from forge_assets.law.model import Domain, Framework
from forge_assets.scenarios.answers.composer import AnswerComposer, StatedFacts
from forge_assets.scenarios.answers.judgement import Judgement
from forge_assets.scenarios.composition.country_groups import grouped_draws, is_wanted
from forge_assets.scenarios.composition.forms import form_of, with_forms
from forge_assets.scenarios.composition.judged_cells import JudgedDraws, Volume, draw_change
from forge_assets.scenarios.composition.transnational import ELSEWHERE, AcrossBorders, judge_across
from forge_assets.scenarios.facts.counter_rng import choose_index, derive
from forge_assets.scenarios.facts.draws import split_names, split_percentiles
from forge_assets.scenarios.facts.sites import SITES, place_of, sites_in
from forge_assets.scenarios.pack.files import Pack
from forge_assets.scenarios.pack.language import ENGLISH
from forge_assets.scenarios.prompts.tables import Prompts

LARGER = 4
"""Groups of three and four are asked about the first of so many parts of the draws."""


@dataclass(frozen=True)
class _Site:
    """The draws of one site in all countries, and what each country's law says of them."""

    mark: str
    rows: pl.DataFrame
    judged: Mapping[str, JudgedDraws]
    """By country."""
    across: Mapping[str, AcrossBorders]
    """Country to what its law says of a change in several, where it says anything; of home alone."""


def draw_sites(domain: Domain, pack: Pack, change: str, volume: Volume) -> pl.DataFrame:
    """Draw the facts of a change for every company at each site, with the number of the `site`."""
    sites = []
    for number in range(len(SITES)):
        some = volume if number < 2 else replace(volume, draws=max(1, volume.draws // LARGER))
        sites.append(draw_change(domain, pack, change, some, number).with_columns(pl.lit(number).alias("site")))
    return pl.concat(sites)


def of_site(found: JudgedDraws, number: int) -> JudgedDraws:
    """Reduce judged draws to those of one site."""
    if found.rows.is_empty():
        return found
    return replace(found, rows=found.rows.filter(pl.col("site") == number).drop("site"))


def compose_comparisons(
    domain: Domain,
    pack: Pack,
    answers: AnswerComposer,
    judged: Sequence[JudgedDraws],
    unions: Sequence[Framework],
    groups: Mapping[int, Sequence[tuple[str, ...]]],
    volume: Volume,
) -> list[Prompts]:
    """Compose the comparisons of one change; which country comes first, and has central management, is drawn.

    Args:
        judged: what `judge_draws` gives for `draw_sites`, by country.
        unions: frameworks of unions, whose members' sites add up.
        groups: what `groups_of` gives.
    """
    sites = [_site(domain, pack, SITES[0], [of_site(found, 0) for found in judged], unions)]
    for number, mark in enumerate(SITES[1:], start=1):
        sites.append(_site(domain, pack, mark, [of_site(found, number) for found in judged]))
    members = frozenset(code for union in unions for code in union.members) or frozenset(sites[0].judged)
    parts = []
    for size in range(2, len(SITES) + 1):
        some = sites[:size]
        if not all(site.rows.height for site in some):
            break
        rows = _pairs(pack, *some) if size == 2 else _groups(groups[size], some)
        if rows.height:
            rows = _across_borders(rows, some[0].across)
            rows = _possible(domain, rows.with_columns(_stated(domain, rows, some)), members)
            rows = _kept(rows, volume)
            parts += _asked(pack, answers, some, rows.with_columns(_splits(rows)))
    return parts


def _site(
    domain: Domain, pack: Pack, mark: str, judged: Sequence[JudgedDraws], unions: Sequence[Framework] | None = None
) -> _Site:
    """Put a site's draws in all countries below each other, its columns under names of their own.

    Args:
        unions: given for the home country, whose law decides on changes in several.
    """
    rows: list[pl.DataFrame] = []
    across: dict[str, AcrossBorders] = {}
    for found in (f for f in judged if f.rows.height):
        code = found.framework.jurisdiction
        own = [
            pl.lit(code).alias(place_of(mark)),
            pl.Series("percentile", split_percentiles(domain, found.rows, pack.shares)),
        ]
        if unions is not None:
            rule = judge_across(domain, found, unions)
            own.append(rule.cells if rule else pl.lit(ELSEWHERE, dtype=pl.Int64).alias("across"))
            own.append(rule.steady if rule else pl.lit(True).alias("steady"))
            across |= {code: rule} if rule else {}
        rows.append(found.rows.with_columns(own))
    placed = pl.concat(rows) if rows else pl.DataFrame()
    if mark and rows:
        names = ("cell", "group", "percentile", *domain.drawn_facts)
        placed = placed.drop("company", "key", "change_type").rename({name: f"{name}{mark}" for name in names})
    return _Site(mark, placed, {found.framework.jurisdiction: found for found in judged}, across)


def _pairs(pack: Pack, first: _Site, second: _Site) -> pl.DataFrame:
    """The draws of two countries beside each other, as far as they are asked about; a home at a time: less memory."""
    other = place_of(second.mark)
    parts = []
    for _, rows in first.rows.group_by("home", maintain_order=True):
        both = rows.join(second.rows, on=["archetype", "draw"], how="inner", maintain_order="left_right")
        both = both.filter(pl.col("home") != pl.col(other))
        both = both.with_columns(_pair_keys(both))
        in_order = pl.Series(choose_index(both["key"].to_numpy(), 2, "home first") == 0)
        both = both.filter(in_order == (both["home"] < both[other]))
        parts.append(both.filter(is_wanted(pack.neighbours, both)))
    return pl.concat(parts)


def _pair_keys(both: pl.DataFrame) -> pl.Series:
    """A key for each draw and pair, whichever comes first."""
    key = both["key"].to_numpy().copy()
    other = place_of(SITES[1])
    pairs = both.select(
        pl.min_horizontal("home", other).alias("a"), pl.max_horizontal("home", other).alias("b")
    ).with_row_index("at")
    for (a, b), group in pairs.group_by("a", "b", maintain_order=True):
        where = group["at"].to_numpy()
        key[where] = derive(key[where], "pair", a, b)
    return pl.Series("key", key)


def _groups(groups: Sequence[tuple[str, ...]], sites: Sequence[_Site]) -> pl.DataFrame:
    """The draws of three or four countries beside each other."""
    home, last = sites[0], sites[-1]
    draws = home.rows.select("archetype", "draw", "key").unique(["archetype", "draw"], maintain_order=True)
    draws = draws.join(last.rows.select("archetype", "draw").unique(), on=["archetype", "draw"], how="semi")
    rows = grouped_draws(draws, groups)
    if rows.is_empty():
        return rows
    for site in sites:
        its = site.rows if site.mark else site.rows.drop("key")
        rows = rows.join(its, on=["archetype", "draw", place_of(site.mark)], how="inner", maintain_order="left")
    return rows


def _possible(domain: Domain, rows: pl.DataFrame, members: frozenset[str]) -> pl.DataFrame:
    """Rows whose group, where it is stated, is what its sites in the union add up to at least.

    What is beside them must suffice for the members beside them that are counted.
    """
    beside: dict[str, pl.Expr] = {}
    for name, rule in domain.combined_facts.items():
        added = pl.lit(0)
        for mark in sites_in(rows):
            inside, number = pl.col(place_of(mark)).is_in(members), pl.col(f"{rule.sum or rule.count}{mark}")
            added += pl.when(inside).then(number if rule.sum else (number >= rule.min).cast(pl.Int64)).otherwise(0)
        beside[name] = pl.col(name) - added
    tests = [left >= 0 for left in beside.values()]
    for name, rule in domain.combined_facts.items():
        whole = next((n for n, other in domain.combined_facts.items() if rule.count and other.sum == rule.count), None)
        tests += [beside[whole] >= beside[name] * rule.min] if whole else []
    return rows.filter([test.fill_null(True) for test in tests])


def _across_borders(rows: pl.DataFrame, across: Mapping[str, AcrossBorders]) -> pl.DataFrame:
    """Rows with the cell of the home country's law on changes in several countries, and who has central management."""
    members = list(next((each.members for each in across.values()), frozenset()))
    inside = pl.sum_horizontal(pl.col(place_of(mark)).is_in(members).cast(pl.Int64) for mark in sites_in(rows))
    rows = rows.with_columns(((pl.col("across") != ELSEWHERE) & (inside > 1)).alias("concerns"))
    rows = rows.filter(~pl.col("concerns") | pl.col("steady"))
    return rows.with_columns(
        pl.when("concerns").then(pl.col("across")).otherwise(ELSEWHERE).alias("across"),
        pl.when("concerns").then(pl.col("home")).otherwise(pl.lit("")).alias("seat"),
    ).drop("concerns", "steady")


def _kept(rows: pl.DataFrame, volume: Volume) -> pl.DataFrame:
    """The first draws of every company, countries and outcomes, in the order drawn."""
    alike = [name for mark in sites_in(rows) for name in (place_of(mark), f"group{mark}")]
    return rows.filter(pl.col("draw").cum_count().over(*alike, "archetype", "across") <= volume.kept)


def _splits(rows: pl.DataFrame) -> pl.Series:
    """The split by what is stated of all sites: cases are unseen together, though each may have been seen alone."""
    state = np.zeros(rows.height, dtype=np.uint64)
    for mark in sites_in(rows):
        state = state * np.uint64(100) + rows[f"percentile{mark}"].to_numpy().astype(np.uint64)
    return split_names(choose_index(state, 100, "pair split")).alias("split")


def _asked(pack: Pack, answers: AnswerComposer, sites: Sequence[_Site], rows: pl.DataFrame) -> list[Prompts]:
    """Compose the answers that the rows need, once each."""
    cases = [*(name for site in sites for name in (place_of(site.mark), f"cell{site.mark}")), "across"]

    def case(row: Sequence[Any]) -> tuple[tuple[Judgement, ...], StatedFacts, tuple[Finding, ...]]:
        found = [(site.judged[code], cell) for site, code, cell in zip(sites, row[:-1:2], row[1:-1:2], strict=True)]
        judged = tuple(each.judged[cell][0] for each, cell in found)
        setting = StatedFacts(found[0][0].change, tuple(each.settings[cell].facts[0] for each, cell in found))
        return judged, setting, sites[0].across[row[0]].findings[row[-1]] if row[-1] != ELSEWHERE else ()

    fitting = [
        (*row, task)
        for row in rows.select(cases).unique(maintain_order=True).iter_rows()
        for task in answers.tasks(*case(row)[:2])
    ]
    kinds = [*(kind for _ in sites for kind in (pl.String, pl.Int64)), pl.Int64, pl.String]
    schema = dict(zip([*cases, "task_type"], kinds, strict=True))
    rows = rows.join(pl.DataFrame(fitting, schema=schema, orient="row"), on=cases, how="inner", maintain_order="left")
    rows = with_forms(pack, rows, ENGLISH, compared=True)
    forms = ["depth", "language", "answer_language", "choice", "date"]
    wanted = rows.select(*cases, "task_type", *forms).unique(maintain_order=True)
    composed = []
    for *row, task, depth, language, answered, choice, date in wanted.iter_rows():
        judged, setting, across = case(row)
        form = form_of((depth, language, answered, choice, date))
        composed.append(answers.compose(task, judged, setting, form, across))
    numbered = wanted.with_row_index("answer").with_columns(pl.col("answer").cast(pl.Int64))
    return [Prompts(rows.join(numbered, on=wanted.columns, how="left", maintain_order="left"), composed)]


def _stated(domain: Domain, rows: pl.DataFrame, sites: Sequence[_Site]) -> list[pl.Expr]:
    """Facts of each site where its country's law asks for them; of the plan, where any country's does."""
    names = domain.drawn_facts
    known: list[dict[str, pl.Series]] = []
    for site in sites:
        place, cell = place_of(site.mark), f"cell{site.mark}"
        places = rows.select(place, cell).unique(maintain_order=True)
        stated = [site.judged[c].settings[n].facts[0].keys() for c, n in places.iter_rows()]
        table = places.with_columns(pl.Series(n, [n in some for some in stated], dtype=pl.Boolean) for n in names)
        its = rows.select(place, cell).join(table, on=[place, cell], how="left", maintain_order="left")
        known.append({name: its[name] for name in names})
    for name in names:
        if asks := [code for code, rule in sites[0].across.items() if name in rule.tested]:
            known[0][name] = known[0][name] | rows["seat"].is_in(asks)
        if domain.facts[name].scope == "plan":
            anywhere = known[0][name]
            for there in known[1:]:
                anywhere = anywhere | there[name]
            for there in known:
                there[name] = anywhere
    return [
        pl.when(pl.lit(there[name])).then(pl.col(f"{name}{site.mark}")).alias(f"{name}{site.mark}")
        for site, there in zip(sites, known, strict=True)
        for name in names
    ]
