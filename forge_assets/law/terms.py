"""Compute days from terms: by when a step is due before the planned day of a change, and what moves a date so far."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Mapping

from forge_assets.law.engine import Facts, meets
from forge_assets.law.model import CHANGE, Provision, Term, TermUnit, facts_of

_LETTERS: dict[TermUnit, str] = {"day": "d", "working_day": "b", "week": "w", "month": "m", "year": "m"}
_OFFSET = re.compile(r"([+-]\d+)([dbwm])")


def term_of(provision: Provision, facts: Facts) -> Term | None:
    """Choose the term that a provision sets in one case: the first whose `when` holds.

    None where it sets none, or a fact that decides is not stated.
    """
    for term in provision.term:
        if any(facts.get(name) is None for name in facts_of(term.when or {})):
            return None
        if meets((term.when or {},), facts):
            return term
    return None


def offset(term: Term) -> str | None:
    """Write how a step that is due before the change moves from its date.

    Returns:
        `-30d` (calendar days), `-5b` (working days), `-2w`, `-1m`, `-12m` for a year; None for a term that counts from
        or to any other event.
    """
    return _back(term) if term.before == CHANGE else None


def waiting_offset(term: Term) -> str | None:
    """Write how the latest day of the event that starts a waiting period moves from the date of the change.

    Returns:
        As `offset`; None where the term holds up nothing, or anything else than the change.
    """
    return _back(term) if term.holds == CHANGE else None


def due(term: Term, change: dt.date) -> dt.date | None:
    """Compute by which day a step is due; None for a term that counts from or to another event than the change."""
    said = offset(term)
    return moved(change, said) if said else None


def latest_start(term: Term, change: dt.date) -> dt.date | None:
    """Compute the latest day of the event, such as a notice, that starts a waiting period before the change.

    It is the change less the period: the period's last day is then that of the change. None where the term does not
    hold up the change.
    """
    said = waiting_offset(term)
    return moved(change, said) if said else None


def moved(day: dt.date, offset: str) -> dt.date:
    """Move a day by an offset such as `-1m`.

    Months and years are those of the calendar: what would fall behind the end of a month falls on its last day, so a
    month before 31 March is the last day of February. Working days are Monday to Friday; public holidays, which differ
    by place, are not left out.

    Raises:
        ValueError: the offset is none.
    """
    found = _OFFSET.fullmatch(offset)
    if not found:
        raise ValueError(f"`{offset}` is no offset: write one such as -30d, -5b, -2w or -1m")
    number, unit = int(found[1]), found[2]
    if unit == "b":
        return _by_working_days(day, number)
    if unit in "dw":
        return day + dt.timedelta(days=number * (7 if unit == "w" else 1))
    return _by_months(day, number)


def length(term: Term) -> str:
    """Write how long a term is: `1 month`, `10 working days`."""
    unit = term.unit.replace("_", " ")
    return f"{term.number} {unit}" if term.number == 1 else f"{term.number} {unit}s"


def term_in_words(term: Term, anchors: Mapping[str, str]) -> str:
    """Write a term in English: `at least 30 days before the change takes effect`.

    Args:
        anchors: name to clause, of the domain; a name that is not among them stands for itself.
    """
    side, event = ("before", term.before or "") if term.before else ("after", term.after or "")
    said = f"{'at least' if term.least else 'within'} {length(term)} {side} {_clause(event, anchors)}"
    return f"{said}, before {_clause(term.holds, anchors)}" if term.holds else said


def _clause(anchor: str, anchors: Mapping[str, str]) -> str:
    return anchors.get(anchor, anchor.replace("_", " "))


def _back(term: Term) -> str:
    number = term.number * (12 if term.unit == "year" else 1)
    return f"-{number}{_LETTERS[term.unit]}"


def _by_months(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _by_working_days(day: dt.date, number: int) -> dt.date:
    step = dt.timedelta(days=1 if number > 0 else -1)
    left = abs(number)
    while left:
        day += step
        left -= day.weekday() < calendar.SATURDAY
    return day
