"""List the duties that apply: a line each, in order of steps, with deadlines, or in full with the statute's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from forge_assets.law.model import Provision
from forge_assets.scenarios.answers.case import AnswerCase, Field, SectionText
from forge_assets.scenarios.answers.threshold_text import arithmetic, limits_of
from forge_assets.scenarios.answers.writer import unmarked

_NUMBER = re.compile(r"\b\d+ [^\W\d_]{3,}")
"""A number and what it counts, not `15 if`."""
_QUOTED = re.compile(r"«([^«»]*)»")


def basis(case: AnswerCase) -> SectionText:
    """List every applying provision with its duty."""
    return _lines(case, [f"- {case.law.duty(p)}" for p in case.home.applying], case.home.applying)


def timing(case: AnswerCase) -> SectionText:
    """List every applying provision with its deadline and what follows from a breach."""
    lines = [f"- {_timed(case, p, (case.law.deadline, case.law.consequence))}" for p in case.home.applying]
    return _lines(case, lines, case.home.applying, deadlines=True)


def duties(case: AnswerCase) -> SectionText:
    """Write each duty in a few sentences: what, owed to whom, by when, what follows from a breach."""
    return _told(case, in_full=False)


def duties_in_full(case: AnswerCase) -> SectionText:
    """Write each duty under a head of its own, with the statute's words and why it applies."""
    return _told(case, in_full=True)


def deadline_fields(case: AnswerCase, provisions: Iterable[Provision]) -> tuple[Field, ...]:
    """The numbers of the deadlines as exact fields."""
    texts = [unmarked(case.law.deadline(p)) for p in provisions]
    if not case.law.english:  # beside the quotes stand the places that say so, with numbers of their own
        texts = [" ".join(_QUOTED.findall(text)) for text in texts]
    found = [number for text in texts for number in _NUMBER.findall(text)]
    return tuple(Field("deadline", (number,)) for number in dict.fromkeys(found))


def repeats_quote(deadline: str, said: str) -> bool:
    """Tell whether a deadline quotes only words without a number that were quoted just before."""
    quotes = _QUOTED.findall(unmarked(deadline))
    before = " ".join(_QUOTED.findall(unmarked(said)))
    return bool(quotes) and all(quote in before and not any(map(str.isdigit, quote)) for quote in quotes)


def _told(case: AnswerCase, in_full: bool) -> SectionText:
    law, say, lines = case.law, case.writer.say, []
    fields: list[Field] = []
    for provision in case.home.applying:
        quote, told = law.quote(provision), []
        place = law.place(provision.cite)
        lines.append(say("head", level=law.level(provision.level), place=place))
        if law.english:
            told.append(say("what", gist=law.gist(provision)))
        if quote and (in_full or not law.english):
            told.append(say("words", quote=quote))
        told.append(say("owed_to", body=law.body(provision.body)))
        if (deadline := law.deadline(provision)) and not repeats_quote(deadline, " ".join(told)):
            told.append(say("by_when", deadline=deadline))
        if consequence := law.consequence(provision):
            told.append(say("on_breach", consequence=consequence))
        if in_full:
            tests = case.home.met.get(provision.id, ())
            reason = arithmetic(case, tests) or _facts(case, provision) or say("always")
            told.append(say("why", reason=reason))
            fields += limits_of(tests)
        lines += [f"- {line}" for line in told] if in_full else [" ".join(told)]
    return _lines(case, lines, case.home.applying, fields, deadlines=True)


def _facts(case: AnswerCase, provision: Provision) -> str:
    """The yes/no facts that a provision tests, as the case states them."""
    tests = case.home.met.get(provision.id, ())
    names = [test.fact for test in tests if test.bound.is_ is not None and test.fact in case.facts]
    return case.said_facts(dict.fromkeys(names))


def _timed(case: AnswerCase, provision: Provision, parts: Iterable[Callable[[Provision], str]]) -> str:
    text = case.law.duty(provision)
    for part in parts:
        if more := part(provision):
            text = case.writer.say("also", duty=text, more=more)
    return text


def _lines(
    case: AnswerCase,
    lines: list[str],
    provisions: Iterable[Provision],
    fields: Iterable[Field] = (),
    deadlines: bool = False,
) -> SectionText:
    found = [*fields, *(deadline_fields(case, provisions) if deadlines else ())]
    return SectionText("\n".join(lines), tuple(dict.fromkeys(found)))
