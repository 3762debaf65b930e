"""Judge drawn facts under a country's law, once a cell, and keep those that it decides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forge_assets.law.engine import Facts, pulled_triggers
from forge_assets.law.model import Domain, Framework
from forge_assets.scenarios.answers.composer import AnswerComposer, StatedFacts
from forge_assets.scenarios.answers.judgement import Judgement
from forge_assets.scenarios.facts.cells import (
    framework_of_change,
    is_plausible,
    needed_facts,
    nudge_numbers,
    sort_into_cells,
)
from forge_assets.scenarios.facts.draws import draw_dates, draw_facts
from forge_assets.scenarios.pack.files import Pack


@dataclass(frozen=True)
class Volume:
    """How much is composed."""

    draws: int
    """Fact sets drawn for each company and change."""
    kept: int
    """Of those that the law answers alike, for each company and change."""


@dataclass(frozen=True)
class JudgedDraws:
    """Drawn facts of one change in one country that can be asked about, and what each cell of them says."""

    framework: Framework
    change: str
    rows: pl.DataFrame
    """Facts, key, draw and `cell`."""
    settings: list[StatedFacts]
    judged: list[tuple[Judgement, ...]]
    """Both by cell."""


def draw_change(domain: Domain, pack: Pack, change: str, volume: Volume, site: int = 0) -> pl.DataFrame:
    """Draw the facts of a change for every company; they are the same in every country."""
    count = range(volume.draws)
    made = [draw_facts(domain, company, change, count, site).with_row_index("draw") for company in pack.companies]
    return pl.concat(made) if made else pl.DataFrame()


def judge_draws(
    domain: Domain,
    pack: Pack,
    answers: AnswerComposer,
    framework: Framework,
    change: str,
    rows: pl.DataFrame,
    around: Sequence[dt.date] = (),
) -> JudgedDraws:
    """Judge the draws of a change under one country's law, and keep those decided and clear of every threshold's edge.

    Args:
        rows: what `draw_change` gives for the change.
        around: days near which the change is dated; without them it has no date.
    """
    there = [c.id for c in pack.companies if not c.countries or framework.jurisdiction in c.countries]
    if not there:
        return JudgedDraws(framework, change, pl.DataFrame(), [], [])
    rows = rows.filter(pl.col("archetype").is_in(there))
    return judge_rows(
        domain, answers, framework, change, rows.with_columns(draw_dates(rows, around)) if around else rows
    )


def judge_rows(
    domain: Domain, answers: AnswerComposer, framework: Framework, change: str, rows: pl.DataFrame
) -> JudgedDraws:
    """Judge rows of facts, and keep those that are plausible, decidable and clear of every threshold's edge."""
    asked = framework_of_change(domain, framework, change)
    rows = rows.filter(pl.Series(is_plausible(framework, rows)))
    frames = [rows, *nudge_numbers(rows, domain)]
    cells = sort_into_cells(domain, asked, change, pl.concat(frames))
    firsts = pl.concat(frames)[cells.first.tolist()]
    settings = [_setting(domain, asked, change, row) for row in firsts.iter_rows(named=True)]
    judged = [answers.judged((asked,), setting) for setting in settings]
    outcomes = _numbered(j[0].outcome for j in judged)
    conditions = [c.fact for c in domain.change_types[change].conditional_triggers]
    # Cases that an edited provision could set apart are never counted together, or it would move its neighbours.
    groups = _numbered(
        (j[0].outcome, tuple(p.id for p in j[0].considered), *(s.facts[0].get(name) for name in conditions))
        for j, s in zip(judged, settings, strict=True)
    )
    of_row = cells.of_row.reshape(len(frames), rows.height)
    steady = (outcomes[of_row] == outcomes[of_row[0]]).all(axis=0)
    decidable = np.array([j[0].is_decidable for j in judged], dtype=np.bool_)
    kept = rows.with_columns(pl.Series("cell", of_row[0]), pl.Series("group", groups[of_row[0]])).filter(
        pl.Series(steady & decidable[of_row[0]])
    )
    return JudgedDraws(framework, change, kept, settings, judged)


def _numbered(values: Iterable[object]) -> NDArray[np.int64]:
    """A number for each value, equal for equal ones; they have no order to be ranked by."""
    seen: dict[object, int] = {}
    return np.array([seen.setdefault(value, len(seen)) for value in values], dtype=np.int64)


def _setting(domain: Domain, framework: Framework, change: str, row: Mapping[str, object]) -> StatedFacts:
    """What is stated in a cell: the change's own facts and those that its triggered provisions test."""
    pulled = pulled_triggers(domain, change, row)  # type: ignore[arg-type]
    provisions = [p for p in framework.provisions if pulled & set(p.triggers)]
    names = needed_facts(domain, provisions, framework.escalation, change)
    facts: Facts = {name: row[name] for name in names}  # type: ignore[misc]
    return StatedFacts(change, (facts,), row.get("date"))  # type: ignore[arg-type]


def first_of_each_outcome(found: JudgedDraws, kept: int) -> pl.DataFrame:
    """Keep the first draws of every company and outcome, in the order drawn."""
    if found.rows.is_empty():
        return found.rows
    nth = pl.col("draw").cum_count().over("archetype", "group")
    return found.rows.filter(nth <= kept)
