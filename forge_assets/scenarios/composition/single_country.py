"""Compose scenarios and samples on one country's law from the law engine's findings alone.

Facts are drawn as columns, sorted into cells that the law cannot tell apart, judged once a cell, and put into words
column by column. Every choice hangs on a key of the draw and on nothing else, so an edit of one provision changes the
rows whose provenance names it and no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from forge_assets.citations.rendering import render, without_bracketed_citations
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.country import Country
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import Statutes, repealed_units
from forge_assets.law.versions import entry_versions
from forge_assets.scenarios.answers.composer import AnswerComposer
from forge_assets.scenarios.composition.contrast_pairs import build_contrast_pairs
from forge_assets.scenarios.composition.intake import compose_intake
from forge_assets.scenarios.composition.judged_cells import Volume, draw_change, first_of_each_outcome, judge_draws
from forge_assets.scenarios.composition.place_questions import compose_place_questions
from forge_assets.scenarios.composition.questions import choose_tasks, compose_answers
from forge_assets.scenarios.facts.counter_rng import choose_index
from forge_assets.scenarios.pack.files import Pack
from forge_assets.scenarios.pack.language import ENGLISH
from forge_assets.scenarios.prompts.tables import Prompts, sample_tables
from forge_resources.config.profile import Taught

SHARES = {"missing_fact": 12, "confusable_neighbour": 10, "repealed": 4}
"""Percent of the questions on one country's law that are asked so, where they can be."""


@dataclass(frozen=True)
class LawLineage:
    """What samples rest on, by id of provision and escalation step.

    Args:
        statuses: verification status; a sample that rests on one that is not `verified` has split `withheld`.
        versions: content digest, carried as provenance.
        repealed: units that are no longer law, by jurisdiction.
        statutes: the text held, by jurisdiction.
    """

    statuses: Mapping[str, str]
    versions: Mapping[str, str]
    repealed: Mapping[str, Sequence[CitationKey]]
    statutes: Mapping[str, Statutes]

    @classmethod
    def of(cls, countries: Iterable[Country], taught: Taught = "verified") -> LawLineage:
        """Collect what samples of some countries rest on.

        Args:
            taught: `reviewed`: what nobody has read again has the status `unreviewed`.
        """
        statuses: dict[str, str] = {}
        versions: dict[str, str] = {}
        repealed, read = {}, list(countries)
        for country in read:
            code = country.framework.jurisdiction
            statuses |= _statuses(country, taught)
            versions |= entry_versions(country.framework, country.checked)
            repealed[code] = [
                CitationKey(code, law, unit)
                for law, units in country.statutes.items()
                for unit in repealed_units(units)
            ]
        return cls(statuses, versions, repealed, {c.framework.jurisdiction: c.statutes for c in read})


def _statuses(country: Country, taught: Taught) -> dict[str, str]:
    found = dict(country.statuses)
    if taught == "reviewed":
        for p in country.framework.provisions:
            if p.reviewed is None and found[p.id] == "verified":
                found[p.id] = "unreviewed"
    return found


def compose_country(
    domain: Domain, pack: Pack, framework: Framework, law: LawLineage, volume: Volume
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Compose scenarios and samples on one country's law; none of a union, whose law is asked through its members.

    Returns:
        Tables `scenarios.scenarios` and `scenarios.samples`, sorted by id.

    Raises:
        ValueError: English has no name for the country.
    """
    return compose_countries(domain, pack, [framework], law, volume)


def compose_countries(
    domain: Domain, pack: Pack, frameworks: Iterable[Framework], law: LawLineage, volume: Volume
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Compose the rows of several countries, each as `compose_country` does; worded together, which is faster.

    Raises:
        ValueError: English has no name for a country.
    """
    parts = [part for each in frameworks for part in compose_prompts(domain, pack, each, law, volume)]
    return sample_tables(domain, pack, law.versions, parts)


def compose_prompts(
    domain: Domain, pack: Pack, framework: Framework, law: LawLineage, volume: Volume, marked: bool = False
) -> list[Prompts]:
    """Compose the rows of one country's questions and their answers, before they are put into words.

    Args:
        marked: whether answers carry the source of every piece of their text.

    Raises:
        ValueError: English has no name for the country.
    """
    code = framework.jurisdiction
    if framework.members:
        return []
    if code not in pack.languages[ENGLISH].countries:
        raise ValueError(
            f"languages/{ENGLISH}.yaml: `countries` has no {code}: add "
            f"{code}: {{name: {framework.name}, in: in {framework.name}}}"
        )
    framework = without_bracketed_citations(framework, domain.citation)
    answers = AnswerComposer(domain, pack, law.statuses, (framework,), law.statutes, marked)
    parts: list[Prompts] = []
    for change in domain.change_types:
        found = judge_draws(domain, pack, answers, framework, change, draw_change(domain, pack, change, volume))
        rows = choose_tasks(first_of_each_outcome(found, volume.kept), found, answers, framework.jurisdiction)
        rows = _varied(pack, framework, law, rows)
        parts += compose_answers(domain, pack, answers, found, rows)
        parts += build_contrast_pairs(domain, pack, answers, found)
    parts += compose_intake(domain, pack, code, framework.language, volume.kept)
    return [*parts, *compose_place_questions(pack, answers, framework, volume)]


def _varied(pack: Pack, framework: Framework, law: LawLineage, rows: pl.DataFrame) -> pl.DataFrame:
    """Decide how each question is asked: columns variant, without (a fact), neighbour, premise, corrects."""
    key = rows["key"].to_numpy() if rows.height else np.zeros(0, dtype=np.uint64)
    percentile = choose_index(key, 100, "variant")
    ends = np.cumsum(list(SHARES.values()))
    variant = np.array([*SHARES, ""])[np.searchsorted(ends, percentile, side="right")]
    neighbours = [c for c in pack.neighbours.get(framework.jurisdiction, ())]
    gone = law.repealed.get(framework.jurisdiction, ())
    if not neighbours:
        variant[variant == "confusable_neighbour"] = ""
    if not gone:
        variant[variant == "repealed"] = ""
    cited = [render(place, framework) for place in gone] or [""]
    near = pl.Series(neighbours or [""]).gather(choose_index(key, max(1, len(neighbours)), "neighbour"))
    place = pl.Series(cited).gather(choose_index(key, len(cited), "repealed"))
    return rows.with_columns(
        pl.Series("variant", variant),
        pl.lit("").alias("without"),
    ).with_columns(
        pl.when(pl.col("variant") == "confusable_neighbour")
        .then(pl.lit(near))
        .otherwise(pl.lit(""))
        .alias("neighbour"),
        pl.when(pl.col("variant") == "repealed").then(pl.lit(place)).otherwise(pl.lit("")).alias("premise"),
        pl.when(pl.col("variant") == "repealed").then(pl.lit("repealed")).otherwise(pl.lit("")).alias("corrects"),
        pl.col("variant").replace("repealed", "false_premise"),
    )
