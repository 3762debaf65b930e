"""Compose samples on the law of several jurisdictions: comparisons, premises from abroad, union law by date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from forge_assets.citations.rendering import render, without_bracketed_citations
from forge_assets.law.model import Domain, Framework, Provision
from forge_assets.scenarios.answers.composer import AnswerComposer, StatedFacts
from forge_assets.scenarios.answers.judgement import Judgement
from forge_assets.scenarios.composition.forms import form_of, with_forms
from forge_assets.scenarios.composition.intake import compose_intake_pairs
from forge_assets.scenarios.composition.judged_cells import (
    JudgedDraws,
    Volume,
    draw_change,
    first_of_each_outcome,
    judge_draws,
)
from forge_assets.scenarios.composition.questions import choose_tasks, compose_answers
from forge_assets.scenarios.composition.single_country import LawLineage
from forge_assets.scenarios.facts.counter_rng import choose_index, derive
from forge_assets.scenarios.facts.draws import split_names, split_percentiles
from forge_assets.scenarios.pack.files import Pack
from forge_assets.scenarios.pack.language import ENGLISH
from forge_assets.scenarios.prompts.frames import OTHER
from forge_assets.scenarios.prompts.tables import Prompts, sample_tables

THINNER = Volume(draws=4, kept=3)
"""What a country's volume is divided by here: pairs of countries are many."""
FAR = 24
"""One draw in so many is asked about two countries that are no neighbours."""
PREMISES = 4
"""One question in so many is asked with a premise from the law of a neighbour."""


def compose_cross_border(
    domain: Domain, pack: Pack, frameworks: Sequence[Framework], law: LawLineage, volume: Volume
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Compose scenarios and samples that need several frameworks.

    Args:
        frameworks: those of the countries asked about, and of unions.
        law: holds ids of all of them, which are unique across frameworks.

    Returns:
        Tables `scenarios.scenarios` and `scenarios.samples`, sorted by id.
    """
    volume = Volume(max(1, volume.draws // THINNER.draws), max(1, volume.kept // THINNER.kept))
    said = sorted((without_bracketed_citations(f, domain.citation) for f in frameworks), key=lambda f: f.jurisdiction)
    answers = AnswerComposer(domain, pack, law.statuses, tuple(said))
    countries = [f for f in said if not f.members]
    parts: list[Prompts] = []
    for change in domain.change_types:
        first, second = (draw_change(domain, pack, change, volume, site) for site in (0, 1))
        at_home = [judge_draws(domain, pack, answers, f, change, first) for f in countries]
        for found in at_home:
            parts += _premises(domain, pack, answers, found, countries, law, volume)
        abroad = [judge_draws(domain, pack, answers, f, change, second) for f in countries]
        parts += _comparisons(domain, pack, answers, at_home, abroad, volume)
        parts += compose_intake_pairs(domain, pack, change, [f.jurisdiction for f in countries], first, second)
        for union in (f for f in said if f.members):
            parts += _dated(domain, pack, answers, union, countries, change, first)
    return sample_tables(domain, pack, law.versions, parts)


def _premises(
    domain: Domain,
    pack: Pack,
    answers: AnswerComposer,
    found: JudgedDraws,
    countries: Sequence[Framework],
    law: LawLineage,
    volume: Volume,
) -> list[Prompts]:
    """Questions that take a neighbour's provision for granted."""
    home = found.framework
    triggers = set(domain.change_types[found.change].triggers)
    near = {
        f.jurisdiction: [p for p in f.provisions if triggers & set(p.triggers) and law.statuses.get(p.id) == "verified"]
        for f in countries
        if f.jurisdiction in pack.neighbours.get(home.jurisdiction, ())
    }
    named = {code: provisions for code, provisions in near.items() if provisions}
    rows = choose_tasks(first_of_each_outcome(found, volume.kept), found, answers, home.jurisdiction, "premise")
    if not named or rows.is_empty():
        return []
    rows = rows.filter(pl.Series(choose_index(rows["key"].to_numpy(), PREMISES, "premise asked") == 0))
    by_code = {f.jurisdiction: f for f in countries}
    key = rows["key"].to_numpy()
    # The candidate of the highest hash: one that comes or goes moves only the rows that name it.
    candidates = [(code, p) for code, provisions in named.items() for p in provisions]
    ranks = np.array([derive(key, "premise", p.id) for _, p in candidates])
    best = ranks.argmax(axis=0) if len(key) else np.zeros(0, dtype=np.int64)

    def each(values: list[str]) -> pl.Series:
        return pl.Series(values, dtype=pl.String).gather(best)

    rows = rows.with_columns(
        pl.lit("false_premise").alias("variant"),
        each([render(p.cite, by_code[code]) for code, p in candidates]).alias("premise"),
        each([code for code, _ in candidates]).alias("corrects"),
        each([p.id for _, p in candidates]).alias("named"),
    ).with_columns(pl.concat_list("named").alias("also"))
    return compose_answers(domain, pack, answers, found, rows)


def _comparisons(
    domain: Domain,
    pack: Pack,
    answers: AnswerComposer,
    at_home: Sequence[JudgedDraws],
    abroad: Sequence[JudgedDraws],
    volume: Volume,
) -> list[Prompts]:
    """One plan in two countries, each with a site of its own size; which comes first is drawn."""
    change = at_home[0].change if at_home else ""
    here = [_placed(domain, pack, found, "home", "") for found in at_home if found.rows.height]
    there = [_placed(domain, pack, found, "other", OTHER) for found in abroad if found.rows.height]
    if not here or not there:
        return []
    second = (
        pl.concat(there)
        .drop("company", "key", "change_type")
        .rename({name: f"{name}{OTHER}" for name in domain.drawn_facts})
    )
    both = pl.concat([_paired_draws(domain, pack, first, second) for first in here])  # a home at a time: less memory
    nth = pl.col("draw").cum_count().over("home", "other", "archetype", "group", f"group{OTHER}")
    both = both.filter(nth <= volume.kept)
    homes = {found.framework.jurisdiction: found for found in at_home}
    others = {found.framework.jurisdiction: found for found in abroad}
    cases = ["home", "other", "cell", f"cell{OTHER}"]

    def case(home: str, other: str, cell: int, away: int) -> tuple[tuple[Judgement, ...], StatedFacts]:
        judged = (*homes[home].judged[cell], *others[other].judged[away])
        facts = (homes[home].settings[cell].facts[0], others[other].settings[away].facts[0])
        return judged, StatedFacts(change, facts)

    fitting = [
        (*row, task)
        for row in both.select(cases).unique(maintain_order=True).iter_rows()
        for task in answers.tasks(*case(*row))
    ]
    kinds = [pl.String, pl.String, pl.Int64, pl.Int64, pl.String]
    schema = dict(zip([*cases, "task_type"], kinds, strict=True))
    both = both.with_columns(_stated(domain, both, homes, others))
    both = both.join(pl.DataFrame(fitting, schema=schema, orient="row"), on=cases, how="inner", maintain_order="left")
    both = with_forms(pack, both, ENGLISH, compared=True)
    forms = ["depth", "language", "answer_language", "choice", "date"]
    wanted = both.select(*cases, "task_type", *forms).unique(maintain_order=True)
    composed = [answers.compose(row[4], *case(*row[:4]), form_of(row[5:])) for row in wanted.iter_rows()]
    numbered = wanted.with_row_index("answer").with_columns(pl.col("answer").cast(pl.Int64))
    return [Prompts(both.join(numbered, on=wanted.columns, how="left", maintain_order="left"), composed)]


def _paired_draws(domain: Domain, pack: Pack, first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """The draws of one home beside the same draws abroad, as far as they are asked about."""
    both = first.join(second, on=["archetype", "draw"], how="inner", maintain_order="left_right")
    both = both.filter(pl.col("home") != pl.col("other"))
    both = both.with_columns(_pair_keys(both), _pair_splits(both))
    for name, rule in domain.combined_facts.items():
        if rule.sum:  # the two sites are part of the group
            both = both.filter(pl.col(name) >= pl.col(rule.sum) + pl.col(f"{rule.sum}{OTHER}"))
    in_order = pl.Series(choose_index(both["key"].to_numpy(), 2, "home first") == 0)
    both = both.filter(in_order == (both["home"] < both["other"]))
    return both.filter(_wanted(pack, both))


def _placed(domain: Domain, pack: Pack, found: JudgedDraws, column: str, mark: str) -> pl.DataFrame:
    """A country's draws with its code, and cell and group under names of their own."""
    percentile = pl.Series(f"percentile{mark}", split_percentiles(domain, found.rows, pack.shares))
    return found.rows.with_columns(pl.lit(found.framework.jurisdiction).alias(column), percentile).rename(
        {"cell": f"cell{mark}", "group": f"group{mark}"}
    )


def _wanted(pack: Pack, both: pl.DataFrame) -> pl.Series:
    """All draws of countries that are easily confused, few of the many other pairs."""
    close = [f"{code}{other}" for code, others in pack.neighbours.items() for other in others]
    near = (both["home"] + both["other"]).is_in(close) | (both["other"] + both["home"]).is_in(close)
    return near | pl.Series(choose_index(both["key"].to_numpy(), FAR, "far") == 0)


def _pair_keys(both: pl.DataFrame) -> pl.Series:
    """A key for each draw and pair, whichever comes first."""
    key = both["key"].to_numpy().copy()
    pairs = both.select(
        pl.min_horizontal("home", "other").alias("a"), pl.max_horizontal("home", "other").alias("b")
    ).with_row_index("at")
    for (a, b), group in pairs.group_by("a", "b", maintain_order=True):
        where = group["at"].to_numpy()
        key[where] = derive(key[where], "pair", a, b)
    return pl.Series("key", key)


def _pair_splits(both: pl.DataFrame) -> pl.Series:
    """The split by what is stated of both sites: a pair of cases is unseen, though each may have been seen alone."""
    sites = (both["percentile"].to_numpy() * 100 + both[f"percentile{OTHER}"].to_numpy()).astype(np.uint64)
    return split_names(choose_index(sites, 100, "pair split")).alias("split")


def _stated(
    domain: Domain, both: pl.DataFrame, homes: Mapping[str, JudgedDraws], others: Mapping[str, JudgedDraws]
) -> list[pl.Expr]:
    """Facts of each site where its country's law asks for them; of the plan, where either's does."""
    known: dict[str, list[pl.Series]] = {}
    names = domain.drawn_facts
    for found, code, cell in ((homes, "home", "cell"), (others, "other", f"cell{OTHER}")):
        places = both.select(code, cell).unique(maintain_order=True)
        stated = [found[c].settings[n].facts[0].keys() for c, n in places.iter_rows()]
        table = places.with_columns(pl.Series(n, [n in some for some in stated], dtype=pl.Boolean) for n in names)
        rows = both.select(code, cell).join(table, on=[code, cell], how="left", maintain_order="left")
        for name in names:
            known.setdefault(name, []).append(rows[name])
    columns = []
    for name in names:
        here, there = known[name]
        if domain.facts[name].scope == "plan":
            here = there = here | there
        for is_known, column in ((here, name), (there, f"{name}{OTHER}")):
            columns.append(pl.when(pl.lit(is_known)).then(pl.col(column)).alias(column))
    return columns


def _dated(
    domain: Domain,
    pack: Pack,
    answers: AnswerComposer,
    union: Framework,
    countries: Sequence[Framework],
    change: str,
    rows: pl.DataFrame,
) -> list[Prompts]:
    """A change on a date, in a member, where law of the union binds employers from a day on."""
    direct = {law.id for law in union.laws if law.binds == "directly"}
    kind = domain.change_types[change]
    rules = [p for p in union.provisions if set(kind.triggers) & set(p.triggers) and _dates(p) and p.cite.law in direct]
    if not rules:
        return []
    parts: list[Prompts] = []
    around = sorted({day for rule in rules for day in _dates(rule)})
    for country in (f for f in countries if f.jurisdiction in union.members):
        merged = _with_union_law(country, union, rules)
        found = judge_draws(domain, pack, answers, merged, change, rows, around)
        parts += compose_answers(
            domain,
            pack,
            answers,
            found,
            choose_tasks(first_of_each_outcome(found, 1), found, answers, country.jurisdiction, "dated"),
        )
    return parts


def _dates(provision: Provision) -> list[dt.date]:
    return [day for day in (provision.valid_from, provision.valid_to) if day is not None]


def _with_union_law(country: Framework, union: Framework, rules: Sequence[Provision]) -> Framework:
    """A country's framework and some rules of the union's, which keep their own way of being cited."""
    laws = {law.id: law for law in union.laws}
    used = [laws[name] for name in dict.fromkeys(rule.cite.law for rule in rules)]
    cited = [law.model_copy(update={"written": law.written or union.citation.written}) for law in used]
    known = {body.id for body in country.bodies}
    bodies = [body for body in union.bodies if body.id in {rule.body for rule in rules} - known]
    return country.model_copy(
        update={
            "provisions": (*country.provisions, *rules),
            "laws": (*country.laws, *cited),
            "bodies": (*country.bodies, *bodies),
        }
    )
