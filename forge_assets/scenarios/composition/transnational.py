"""Judge drawn facts by a country's provisions on a change that concerns several members of a union."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from forge_assets.law.cross_border import transnational_rules
from forge_assets.law.engine import Finding, State, judge_pulled
from forge_assets.law.model import Domain, Framework
from forge_assets.scenarios.composition.judged_cells import JudgedDraws
from forge_assets.scenarios.facts.cells import nudge_numbers, sort_into_cells

ELSEWHERE = -1
"""The cell of rows whose countries have no such law, or are not of one union."""


@dataclass(frozen=True)
class AcrossBorders:
    """What the law of the country in which central management sits says of a change in several countries."""

    members: frozenset[str]
    """The countries of the union, of which the change must concern two."""
    tested: tuple[str, ...]
    """Facts that decide."""
    cells: pl.Series
    """The cell of each row of the draws."""
    steady: pl.Series
    """Whether a row is clear of every threshold's edge."""
    findings: tuple[tuple[Finding, ...], ...]
    """By cell."""


def judge_across(domain: Domain, found: JudgedDraws, unions: Sequence[Framework]) -> AcrossBorders | None:
    """Judge each draw of a country as the seat of central management; None where its law held says nothing of it."""
    home, rows = found.framework, found.rows
    rules = transnational_rules(domain, home, found.change)
    named = domain.transnational
    union = next((u for u in unions if named and u.jurisdiction == named.duty.jurisdiction), None)
    if not rules or union is None or home.jurisdiction not in union.members or rows.is_empty():
        return None
    tested = tuple(name for name in domain.drawn_facts if any(name in rule.tested for rule in rules))
    # What a person must judge beside is shown with the duty; here the tests decide, so they are sorted by all of them.
    alone = tuple(rule.model_copy(update={"only_if": None}) for rule in rules)
    law = home.model_copy(update={"provisions": alone, "escalation": ()}).leaving_out(())
    drawn = rows.select(name for name in domain.drawn_facts if name in rows.columns)
    frames = [drawn, *nudge_numbers(drawn, domain)]
    everything = pl.concat(frames)
    cells = sort_into_cells(domain, law, found.change, everything)
    firsts = everything.select(tested)[cells.first.tolist()]
    findings = tuple(tuple(judge_pulled(rule, facts) for rule in rules) for facts in firsts.iter_rows(named=True))
    outcomes: dict[tuple[State, ...], int] = {}
    states = np.array([outcomes.setdefault(tuple(f.state for f in each), len(outcomes)) for each in findings])
    of_row = cells.of_row.reshape(len(frames), rows.height)
    return AcrossBorders(
        members=frozenset(union.members),
        tested=tested,
        cells=pl.Series("across", of_row[0]),
        steady=pl.Series("steady", (states[of_row] == states[of_row[0]]).all(axis=0)),
        findings=findings,
    )
