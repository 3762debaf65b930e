"""Write the text blocks of reference answers from a judgement and the framework.

What differs between cases that the law cannot tell apart stands as a slot: `{company}`, `{change}`, `{date}` and the
numbers, `{employees}`. One text serves them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from forge_assets.citations.rendering import render
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.engine import Alternative, Facts, Finding
from forge_assets.law.explanation import percent
from forge_assets.law.model import Domain, Framework, Provision
from forge_assets.scenarios.answers.comparison import Reason, TimetableStep, rank_countries
from forge_assets.scenarios.answers.comparison import timetable as timetable_of
from forge_assets.scenarios.answers.judgement import Judgement, body_of
from forge_assets.scenarios.pack.files import Block, Vocabulary

NOTHING_TO_CITE = "None in the texts held."
NAMED = 2
"""Provisions named that do not apply, or not yet, or that hinge on what is not stated."""
SHORT = 60
"""Characters of a threshold in words; longer ones are left to the catalogue."""


@dataclass(frozen=True)
class AnswerCase:
    """What a block may speak of: one judgement, or two to four where countries are compared (home first)."""

    domain: Domain
    words: Vocabulary
    change_type: str
    facts: Facts
    """What is stated of the first country."""
    judged: tuple[Judgement, ...]
    deciding: tuple[str, ...]
    """Names of the facts that decide where nothing applies."""
    across: tuple[Finding, ...] = ()
    """How the home country's provisions on a change in several countries stand to this one."""


@dataclass(frozen=True)
class SectionText:
    """A section's text and the places it cites."""

    text: str
    citations: tuple[CitationKey, ...] = ()


def verdict(case: AnswerCase) -> SectionText:
    """Write country and kind of change, then the strongest duty and its body, or why nothing applies.

    What must be asked first, and what is not in force yet, is said here too.
    """
    return _verdict(case, "")


def thresholds(case: AnswerCase) -> SectionText:
    """Write the verdict and the threshold that the strongest provision needed."""
    judged = case.judged[0]
    met = _numbers(judged.met.get(judged.lead.id, ())) if judged.lead else ""
    return _verdict(case, f" Threshold met: {met}." if met else "")


def _verdict(case: AnswerCase, met: str) -> SectionText:
    judged = case.judged[0]
    said, keys = [_qualified(case)], []
    if judged.asks:
        labels = ", ".join(_asked(case.domain, name) for name in judged.asks)
        open_ = list({p.cite: p for p in judged.undecided}.values())[:NAMED]
        keys += [p.cite for p in open_]
        said.append(f"Not stated: {labels}. On this depends {_stop(_cites(judged, open_))}")
    if judged.body is not None:
        sure = "In any case: " if judged.asks else ""
        owed = "owed to" if judged.level in case.domain.levels else "it concerns"
        said.append(f"{sure}{case.words.levels[judged.level]}: {owed} the {_body(judged)}.{met}")
    elif judged.asks:
        said.append("In any case no provision held applies.")
    else:
        reason = facts_in_words(case, case.deciding)
        if judged.is_settled:
            said.append(f"No provision applies: {reason}.")
        else:
            said.append(f"The texts held do not settle it: none of them asks for anything here ({reason}).")
        needs = {name: _needs(failed) for name, failed in judged.failed.items()}
        short = [p for p in judged.considered if 0 < len(needs.get(p.id, "")) <= SHORT]
        for provision in sorted(short, key=lambda p: list(needs).index(p.id))[:NAMED]:
            keys.append(provision.cite)
            said.append(f"Not reached: {render(provision.cite, judged.framework)}, {needs[provision.id]}.")
    for provision in judged.later[:NAMED]:
        keys.append(provision.cite)
        cite = render(provision.cite, judged.framework)
        said.append(f"Not yet in force on {{date}}: {cite}, which applies from {provision.valid_from}.")
    return SectionText(" ".join(said), tuple(keys))


def basis(case: AnswerCase) -> SectionText:
    """List every applying provision with its duty."""
    judged = case.judged[0]
    return _lines((f"- {_duty(judged, p)}" for p in judged.applying), judged.applying)


def steps(case: AnswerCase) -> SectionText:
    """List every applying provision, weakest duty first, with its deadline."""
    judged = case.judged[0]
    order = sorted(judged.applying, key=lambda p: case.domain.ranks.index(p.level))
    return _lines(
        (f"{i}. {_duty(judged, p)}" + (f"; {p.deadline}" if p.deadline else "") for i, p in enumerate(order, start=1)),
        order,
    )


def lead(case: AnswerCase) -> SectionText:
    """Write the strongest duty with its citation."""
    judged = case.judged[0]
    if judged.lead is None or judged.asks or judged.later:
        return verdict(case)
    text = f"{_qualified(case)} {case.words.levels[judged.level]}: {_duty(judged, judged.lead)}"
    return SectionText(_stop(text), (judged.lead.cite,))


def escalation(case: AnswerCase) -> SectionText:
    """List the country's escalation steps in order, each with its basis."""
    judged = case.judged[0]
    steps = [step for _, step in judged.steps]
    lines = [f"{i}. {_capital(s.step)}: {render(s.basis, judged.framework)}" for i, s in enumerate(steps, start=1)]
    return SectionText("\n".join(lines), tuple(step.basis for step in steps))


def timing(case: AnswerCase) -> SectionText:
    """List every applying provision with its deadline and what follows from a breach."""
    judged = case.judged[0]
    return _lines((f"- {_duty(judged, p)}{_timing(p)}" for p in judged.applying), judged.applying)


def agreement(case: AnswerCase) -> SectionText:
    """Write what an agreement is about, led by the strongest duty behind it."""
    level = case.words.levels[case.judged[0].level]
    return SectionText(f"{_qualified(case)} {level}: agreement at {{company}} to {{change}}.")


def stricter(case: AnswerCase) -> SectionText:
    """Write which of several countries asks for more on the obligation ladder."""
    ranking = rank_countries(case.domain, case.judged)
    first, two = ranking.strictest[0], len(case.judged) == 2
    change = f"{_capital(case.domain.change_types[case.change_type].title)}."
    if not ranking.others:
        if first.level not in case.domain.levels:
            nothing = ", ".join(f"{_less(case, j)} in {j.framework.name}" for j in case.judged)
            return SectionText(f"{change} {_capital(nothing)}: {'neither' if two else 'none'} asks for participation.")
        level = case.words.levels[first.level]
        return SectionText(
            f"{change} {level} in {'both' if two else 'all'}: {'neither' if two else 'none'} is stricter."
        )
    names = _listed(j.framework.name for j in ranking.strictest)
    less = ", ".join(f"{_less(case, j)} in {j.framework.name}" for j in ranking.others)
    verb = "is" if len(ranking.strictest) == 1 else "are"
    degree = "stricter" if two else "strictest"
    return SectionText(f"{change} {case.words.levels[first.level]} in {names} against {less}: {names} {verb} {degree}.")


def _less(case: AnswerCase, judged: Judgement) -> str:
    return case.words.levels[judged.level].lower() if judged.lead else "no duty"


def _listed(texts: Iterable[str]) -> str:
    *some, last = texts
    return f"{', '.join(some)} and {last}" if some else last


def compare(case: AnswerCase) -> SectionText:
    """Write one line a country: its strongest duty."""
    texts, keys = [], []
    for judged in case.judged:
        if judged.lead is None:
            texts.append(f"- {judged.framework.name}: no provision applies")
        else:
            texts.append(f"- {judged.framework.name}: {_duty(judged, judged.lead)}")
            keys.append(judged.lead.cite)
    return SectionText("\n".join(texts), tuple(keys))


def timetable(case: AnswerCase) -> SectionText:
    """List the duties of all countries in order, the body of several countries first where the law held has one."""
    steps = timetable_of(case.domain, case.judged, case.across)
    lines = (f"{i}. {_step(step)}" for i, step in enumerate(steps, start=1))
    return _lines(lines, (p for step in steps for p in (step.provision, step.ordered_by) if p))


def _step(step: TimetableStep) -> str:
    """Country or body of several countries, duty with citation, deadline; then what it hangs on."""
    provision, law = step.provision, step.framework
    said = f"{provision.summary}, {render(provision.cite, law)}" + (
        f"; {provision.deadline}" if provision.deadline else ""
    )
    if step.reason is Reason.LADDER:
        return f"{law.name}: {said}"
    if step.condition:
        said += f"; if {step.condition}"
    if step.ordered_by is None:
        return f"{_capital(_body_named(law, provision))}: {said}. The texts held do not say whether it comes first."
    rule = step.ordered_by
    return f"{_capital(_body_named(law, provision))}: {said}. {_capital(rule.summary)}, {_stop(render(rule.cite, law))}"


def facts_in_words(case: AnswerCase, names: Iterable[str]) -> str:
    """Write the facts as a prompt states them, comma separated."""
    said = []
    for name in names:
        value, phrase = case.facts[name], case.words.facts[name]
        if isinstance(phrase, str):
            said.append(phrase.format(n=f"{{{name}}}"))
        else:
            said.append(phrase.if_true if value else phrase.if_false)
    return ", ".join(said)


def _body(judged: Judgement) -> str:
    assert judged.lead is not None
    return _body_named(judged.framework, judged.lead)


def _body_named(framework: Framework, provision: Provision) -> str:
    body = body_of(framework, provision.body)
    return body.english if body.english == body.name else f"{body.english} ({body.name})"


def _numbers(tests: Alternative) -> str:
    """The numeric tests: `at least 21 employees`, `20 to 99 employees`; empty where none is."""
    said = []
    for test in tests:
        name, bound = test.fact, test.bound
        if bound.min is not None and bound.max is not None:
            said.append(f"{bound.min} to {bound.max} {name}")
        elif bound.min is not None:
            said.append(f"at least {bound.min} {name}")
        elif bound.max is not None:
            said.append(f"at most {bound.max} {name}")
        said += [f"{word} {percent(share)} of {bound.share_of} {name}" for word, share in bound.shares.items()]
    return " and ".join(said).replace("_", " ")


def _needs(failed: Iterable[Alternative]) -> str:
    """What failed, as an answer says it: `at least 21 employees`; empty where it is not numbers alone."""
    alternatives = [_numbers(tests) for tests in failed]
    return " or ".join(dict.fromkeys(alternatives)) if all(alternatives) else ""


def _asked(domain: Domain, name: str) -> str:
    """A fact that must be asked for: a number by its label, a yes/no fact as a question."""
    fact = domain.facts[name]
    return f"whether {fact.label}" if fact.type == "boolean" else fact.label


def _stop(text: str) -> str:
    """The text with one full stop: some citations end in one."""
    return text if text.endswith(".") else f"{text}."


def _cites(judged: Judgement, provisions: Iterable[Provision]) -> str:
    return ", ".join(render(p.cite, judged.framework) for p in provisions)


def _timing(provision: Provision) -> str:
    return "".join(f"; {part}" for part in (provision.deadline, provision.consequence) if part)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _qualified(case: AnswerCase) -> str:
    """The facts under their legal name, as a lawyer begins: `Germany, transfer of an undertaking.`"""
    change = case.domain.change_types[case.change_type]
    return f"{case.judged[0].framework.name}, {change.title}."


def _duty(judged: Judgement, provision: Provision) -> str:
    """Duty first, citation after it: a model that has named the duty knows which citation follows."""
    return f"{provision.summary}, {render(provision.cite, judged.framework)}"


def _lines(lines: Iterable[str], provisions: Iterable[Provision]) -> SectionText:
    text = "\n".join(lines)
    return SectionText(text or NOTHING_TO_CITE, tuple(dict.fromkeys(p.cite for p in provisions)))


BLOCKS: dict[Block, Callable[[AnswerCase], SectionText]] = {
    "verdict": verdict,
    "thresholds": thresholds,
    "basis": basis,
    "steps": steps,
    "lead": lead,
    "escalation": escalation,
    "timing": timing,
    "agreement": agreement,
    "stricter": stricter,
    "compare": compare,
    "timetable": timetable,
}
