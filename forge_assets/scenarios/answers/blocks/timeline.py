"""Put the steps that a change needs in order of time, each with whom it is owed to and by when."""

from __future__ import annotations

from forge_assets.law.model import Provision, Term
from forge_assets.law.terms import offset, term_of, waiting_offset
from forge_assets.scenarios.answers.blocks.duties import deadline_fields, repeats_quote
from forge_assets.scenarios.answers.case import AnswerCase, Field, SectionText
from forge_assets.scenarios.answers.writer import capital, numbered

_DAYS = {"day": 1.0, "working_day": 1.4, "week": 7.0, "month": 30.4, "year": 365.0}
"""Days of a unit, to tell which term is the longer."""


def steps(case: AnswerCase) -> SectionText:
    """List every duty in order of time with its deadline, and its date where the question dates the change."""
    return _listed(case, [_timed(case, provision, case.law.duty(provision)) for provision in in_order(case)])


def timeline(case: AnswerCase) -> SectionText:
    """List the duties in order of time, each with the body that it is owed to, and the day of the change at the end.

    A memo has the statute's words under its duties.
    """
    law, lines = case.law, list[str]()
    in_memo = case.form.depth == "memo" and not law.english
    for provision in in_order(case):
        duty = law.place_of(provision) if in_memo else law.duty_alone(provision)
        owed = capital(case.writer.say("step_owner", body=law.body(provision.body), duty=duty))
        lines.append(_timed(case, provision, owed))
    if case.form.dated:
        lines += [_waiting(case, *found) for found in _waits(case)]
        lines.append(case.writer.say("change_on", date=_date(case, "")))
    return _listed(case, lines)


def in_order(case: AnswerCase) -> list[Provision]:
    """Sort the applying duties: first those in which somebody takes part and that have no time before the change, for
    they begin at once; then what is due longest before the change; then what nobody takes part in, last of all the
    periods that a notice starts. What is alike in this goes from the weakest to the strongest.
    """
    ladder, ranks = case.domain.levels, case.domain.ranks

    def rank(provision: Provision) -> tuple[int, float, bool, int]:
        term = term_of(provision, case.facts)
        ahead = term.number * _DAYS[term.unit] if term and offset(term) else 0.0
        waits = term is not None and waiting_offset(term) is not None
        part = 1 if ahead else 0 if provision.level in ladder else 2
        return part, -ahead, waits, ranks.index(provision.level)

    return sorted(case.home.applying, key=rank)


def _timed(case: AnswerCase, provision: Provision, duty: str) -> str:
    if (deadline := case.law.deadline(provision)) and not repeats_quote(deadline, duty):
        duty = case.writer.say("step_timed", duty=duty, deadline=deadline)
    term = term_of(provision, case.facts)
    moved = offset(term) if term else None
    if case.form.dated and moved:
        return case.writer.say("step_by", date=_date(case, moved), duty=duty)
    return duty


def _waits(case: AnswerCase) -> list[tuple[Provision, Term]]:
    """Duties that hold up the change, with their periods."""
    found = [(p, term_of(p, case.facts)) for p in case.home.applying]
    return [(p, term) for p, term in found if term and waiting_offset(term)]


def _waiting(case: AnswerCase, provision: Provision, term: Term) -> str:
    latest = _date(case, waiting_offset(term) or "")
    return case.writer.say("waiting", date=_date(case, ""), latest=latest, place=case.law.place(provision.cite))


def _date(case: AnswerCase, moved: str) -> str:
    return case.number(f"{{@date{moved}}}", "date")


def _listed(case: AnswerCase, lines: list[str]) -> SectionText:
    text = numbered(lines)
    moved = []
    if case.form.dated:
        terms = [term_of(p, case.facts) for p in case.home.applying]
        moved = [said for term in terms if term for said in (offset(term), waiting_offset(term)) if said]
    dates = [Field("date", (slot,)) for said in dict.fromkeys(moved) if (slot := f"{{@date{said}}}") in text]
    return SectionText(text, (*dates, *deadline_fields(case, in_order(case))))
