"""Sort drawn facts into cells that the law cannot tell apart, so that each cell is judged once, not each row.

A cell is the outcome of every single test that a country's provisions make of the facts (a bound of a threshold, a
date of entry into force, a yes/no fact). The tests are columns; judging stays the law room's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forge_assets.law.grid import provisions_of, tested_facts
from forge_assets.law.model import Bound, Domain, EscalationStep, Framework, Provision, facts_of

Bits = NDArray[np.bool_]
NUDGES = ((3, 4), (13, 10))
"""A number moved by these factors must change no outcome, else the case is borderline and left out."""


@dataclass(frozen=True)
class Cells:
    """Rows sorted into cells."""

    of_row: NDArray[np.int64]
    """The cell of each row, from 0."""
    first: NDArray[np.int64]
    """A row of each cell."""


def framework_of_change(domain: Domain, framework: Framework, change: str) -> Framework:
    """Reduce a framework to the provisions and steps that a change may lead to."""
    steps = tuple(s for s in framework.escalation if not s.changes or change in s.changes)
    provisions = provisions_of(domain, framework, change)
    found = framework.model_copy(update={"provisions": provisions, "escalation": steps})
    return found.leaving_out(p for p in framework.minor if domain.change_types[change].all_triggers & set(p.triggers))


def sort_into_cells(domain: Domain, framework: Framework, change: str, rows: pl.DataFrame) -> Cells:
    """Sort drawn facts by what the provisions that the change may trigger test.

    Args:
        rows: one column a fact; `date` as well where the case has one.
    """
    code = np.zeros(rows.height, dtype=np.int64)
    for width, bits in enumerate(_tests(domain, framework, change, rows), 1):
        code = code * 2 + bits
        if width % 32 == 0:  # before it runs over
            code = np.unique(code, return_inverse=True)[1].astype(np.int64)
    _, first, of_row = np.unique(code, return_index=True, return_inverse=True)
    return Cells(of_row.astype(np.int64), first.astype(np.int64))


def nudge_numbers(rows: pl.DataFrame, domain: Domain) -> Iterator[pl.DataFrame]:
    """Generate the rows with one number moved, for every number and both directions."""
    for name, fact in domain.facts.items():
        if fact.type == "integer" and name in rows.columns:
            values = rows[name].to_numpy()
            for over, under in NUDGES:
                moved = values * over // under if over < under else -(-values * over // under)
                yield rows.with_columns(pl.Series(name, moved))


def is_plausible(framework: Framework, rows: pl.DataFrame) -> Bits:
    """Test each row: a fact named like a body holds only from the headcount on that the body needs."""
    kept = np.ones(rows.height, dtype=np.bool_)
    for body in framework.bodies:
        if body.min_employees is not None and body.id in rows.columns and "employees" in rows.columns:
            kept &= ~rows[body.id].to_numpy() | (rows["employees"].to_numpy() >= body.min_employees)
    return kept


def needed_facts(
    domain: Domain, provisions: Iterable[Provision], steps: Iterable[EscalationStep], change: str
) -> tuple[str, ...]:
    """List the facts that the change, or the given provisions and steps, test, in the order of the domain."""
    kind = domain.change_types[change]
    wanted = {*kind.facts, *tested_facts(domain, provisions, change)}
    wanted |= {name for step in steps for condition in step.applies_when for name in facts_of(condition)}
    return tuple(name for name in domain.drawn_facts if name in wanted)


def _tests(domain: Domain, framework: Framework, change: str, rows: pl.DataFrame) -> Iterator[Bits]:
    """Every test once, in a fixed order: yes/no facts that may be stated, bounds, dates."""
    for name in needed_facts(domain, framework.provisions, framework.escalation, change):
        if domain.facts[name].type == "boolean":
            yield rows[name].to_numpy()
    seen: set[tuple[str, Bound]] = set()
    tested = [p.applies_when for p in (*framework.provisions, *framework.minor)]
    for alternatives in (*tested, *(step.applies_when for step in framework.escalation)):
        for condition in alternatives:
            for name, bound in condition.items():
                if (name, bound) not in seen and name in rows.columns:
                    seen.add((name, bound))
                    yield from _bound_tests(rows, name, bound)
    if "date" in rows.columns:
        dates = rows["date"].to_numpy()
        for day in sorted({d for p in framework.provisions for d in (p.valid_from, p.valid_to) if d is not None}):
            yield dates >= np.datetime64(day)
            yield dates > np.datetime64(day)


def _bound_tests(rows: pl.DataFrame, name: str, bound: Bound) -> Iterator[Bits]:
    values = rows[name].to_numpy()
    if bound.min is not None:
        yield values >= bound.min
    if bound.max is not None:
        yield values <= bound.max
    for word, number in bound.shares.items() if bound.share_of in rows.columns else ():
        share = Fraction(str(number))
        part, whole = values * share.denominator, rows[bound.share_of or ""].to_numpy() * share.numerator
        yield part >= whole if word in ("at least", "less than") else part > whole
