"""Compose samples on the law of several jurisdictions: premises from abroad, union law by date, comparisons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import polars as pl

from forge_assets.citations.rendering import render, without_bracketed_citations
from forge_assets.law.model import Domain, Framework, Provision
from forge_assets.scenarios.answers.composer import AnswerComposer
from forge_assets.scenarios.composition.comparisons import compose_comparisons, draw_sites, of_site
from forge_assets.scenarios.composition.country_groups import groups_of
from forge_assets.scenarios.composition.intake import compose_intake_compared
from forge_assets.scenarios.composition.judged_cells import (
    JudgedDraws,
    Volume,
    first_of_each_outcome,
    judge_draws,
)
from forge_assets.scenarios.composition.questions import choose_tasks, compose_answers
from forge_assets.scenarios.composition.single_country import LawLineage
from forge_assets.scenarios.facts.counter_rng import choose_index, derive
from forge_assets.scenarios.pack.files import Pack
from forge_assets.scenarios.prompts.tables import Prompts, sample_tables

THINNER = Volume(draws=4, kept=3)
"""What a country's volume is divided by here: pairs of countries are many."""
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
    return sample_tables(domain, pack, law.versions, prompts_across(domain, pack, frameworks, law, volume))


def prompts_across(
    domain: Domain,
    pack: Pack,
    frameworks: Sequence[Framework],
    law: LawLineage,
    volume: Volume,
    marked: bool = False,
) -> list[Prompts]:
    """Compose the rows of questions that need several frameworks and their answers, before they are put into words.

    Args:
        frameworks: those of the countries asked about, and of unions.
        law: holds ids of all of them, which are unique across frameworks.
        marked: whether answers carry the source of every piece of their text.
    """
    volume = Volume(max(1, volume.draws // THINNER.draws), max(1, volume.kept // THINNER.kept))
    said = sorted((without_bracketed_citations(f, domain.citation) for f in frameworks), key=lambda f: f.jurisdiction)
    answers = AnswerComposer(domain, pack, law.statuses, tuple(said), law.statutes, marked)
    countries, unions = [f for f in said if not f.members], [f for f in said if f.members]
    codes = [f.jurisdiction for f in countries]
    groups = groups_of(pack.neighbours, codes)
    parts: list[Prompts] = []
    for change in domain.change_types:
        drawn = draw_sites(domain, pack, change, volume)
        judged = [judge_draws(domain, pack, answers, f, change, drawn) for f in countries]
        at_home = [of_site(found, 0) for found in judged]
        for found in at_home:
            parts += _premises(domain, pack, answers, found, countries, law, volume)
        parts += compose_comparisons(domain, pack, answers, judged, unions, groups, volume)
        parts += compose_intake_compared(domain, pack, change, codes, groups, drawn)
        for union in unions:
            parts += _dated(
                domain, pack, answers, union, countries, change, drawn.filter(pl.col("site") == 0).drop("site")
            )
    return parts


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
