"""Text blocks that answers are made of; each says only what the judgement found and the framework states."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from forge_assets.law.citations import render
from forge_assets.law.model import Domain, Provision
from forge_assets.scenarios.judge import Judgement, body_of
from forge_assets.scenarios.pack import Vocabulary
from forge_assets.scenarios.situations import Situation

NOTHING_TO_CITE = "None in the catalogue."


@dataclass(frozen=True)
class Case:
    """What a block may speak of: one judgement, or two where countries are compared (home first)."""

    domain: Domain
    words: Vocabulary
    situation: Situation
    change: str
    """The wording of the change that the prompt uses."""
    judged: tuple[Judgement, ...]
    facts: tuple[str, ...]
    """Names of the facts that decide where nothing applies."""


@dataclass(frozen=True)
class Part:
    """A section's text and the citation keys it names."""

    text: str
    citations: tuple[str, ...] = ()


def verdict(case: Case) -> Part:
    """Country and kind of change, then the strongest duty and its body, or why nothing applies."""
    judged = case.judged[0]
    if judged.body is None:
        return Part(f"{_qualified(case)} No provision in the catalogue applies: {facts_in_words(case, case.facts)}.")
    return Part(f"{_qualified(case)} {case.words.levels[judged.level]}: owed to the {_body(judged)}.")


def thresholds(case: Case) -> Part:
    """The verdict and the threshold that the strongest provision needed."""
    judged = case.judged[0]
    met = _numbers(judged.thresholds.get(judged.lead.id, "")) if judged.lead else ""
    text = verdict(case).text
    return Part(f"{text} Threshold met: {met}." if met else text)


def basis(case: Case) -> Part:
    """Every applying provision with its duty."""
    judged = case.judged[0]
    return _lines((f"- {_duty(judged, p)}" for p in judged.applying), judged.applying)


def steps(case: Case) -> Part:
    """Every applying provision, weakest duty first, with its deadline."""
    judged = case.judged[0]
    order = sorted(judged.applying, key=lambda p: case.domain.levels.index(p.level))
    return _lines(
        (f"{i}. {_duty(judged, p)}" + (f"; {p.deadline}" if p.deadline else "") for i, p in enumerate(order, start=1)),
        order,
    )


def lead(case: Case) -> Part:
    """The strongest duty with its citation."""
    judged = case.judged[0]
    if judged.lead is None:
        return verdict(case)
    text = f"{_qualified(case)} {case.words.levels[judged.level]}: {_duty(judged, judged.lead)}."
    return Part(text, (judged.lead.cite,))


def escalation(case: Case) -> Part:
    """The country's escalation steps in order, each with its basis."""
    framework = case.judged[0].framework
    lines = [
        f"{i}. {_capital(step.step)}: {render(step.basis, framework)}"
        for i, step in enumerate(framework.escalation, start=1)
    ]
    return Part("\n".join(lines), tuple(s.basis for s in framework.escalation))


def timing(case: Case) -> Part:
    """Every applying provision with its deadline and what follows from a breach."""
    judged = case.judged[0]
    return _lines((f"- {_duty(judged, p)}{_timing(p)}" for p in judged.applying), judged.applying)


def agreement(case: Case) -> Part:
    """What an agreement is about, led by the strongest duty behind it."""
    level = case.words.levels[case.judged[0].level]
    return Part(f"{_qualified(case)} {level}: agreement at {case.situation.company.name} to {case.change}.")


def stricter(case: Case) -> Part:
    """Which of two countries asks for more on the obligation ladder."""
    home, other = case.judged
    ranks = [_rank(case.domain, j) for j in case.judged]
    change = f"{_capital(case.domain.change_types[case.situation.change].title)}."
    if ranks[0] == ranks[1]:
        return Part(f"{change} {case.words.levels[home.level]} in both: neither is stricter.")
    strong, weak = (home, other) if ranks[0] > ranks[1] else (other, home)
    less = case.words.levels[weak.level].lower() if weak.lead else "no catalogued duty"
    there = weak.framework.name
    return Part(
        f"{change} {case.words.levels[strong.level]} in {strong.framework.name} against {less} in {there}: "
        f"{strong.framework.name} is stricter."
    )


def compare(case: Case) -> Part:
    """One line a country: its strongest duty."""
    texts, keys = [], []
    for judged in case.judged:
        if judged.lead is None:
            texts.append(f"- {judged.framework.name}: no provision in the catalogue applies")
        else:
            texts.append(f"- {judged.framework.name}: {_duty(judged, judged.lead)}")
            keys.append(judged.lead.cite)
    return Part("\n".join(texts), tuple(keys))


def facts_in_words(case: Case, names: Iterable[str]) -> str:
    """The facts as a prompt states them, comma separated."""
    said = []
    for name in names:
        value, phrase = case.situation.facts[name], case.words.facts[name]
        if isinstance(phrase, str):
            said.append(phrase.format(n=value))
        else:
            said.append(phrase.if_true if value else phrase.if_false)
    return ", ".join(said)


def _rank(domain: Domain, judged: Judgement) -> int:
    return domain.levels.index(judged.level) if judged.lead else -1


def _body(judged: Judgement) -> str:
    assert judged.lead is not None
    body = body_of(judged.framework, judged.lead.body)
    return body.english if body.english == body.name else f"{body.english} ({body.name})"


def _numbers(met: str) -> str:
    """The numeric tests of an engine reason, `employees at least 21` as `at least 21 employees`."""
    ranges = re.sub(r"(\w+) at least (\d+) and \1 at most (\d+)", r"\1 from \2 to \3", met)
    tests = [part for part in ranges.split(" and ") if re.search(r"\d", part)]
    return " and ".join(re.sub(r"^(\w+) (?:from )?(.+)$", r"\2 \1", test) for test in tests).replace("_", " ")


def _timing(provision: Provision) -> str:
    return "".join(f"; {part}" for part in (provision.deadline, provision.consequence) if part)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _qualified(case: Case) -> str:
    """The facts under their legal name, as a lawyer begins: `Germany, transfer of an undertaking.`"""
    change = case.domain.change_types[case.situation.change]
    return f"{case.judged[0].framework.name}, {change.title}."


def _duty(judged: Judgement, provision: Provision) -> str:
    """Duty first, citation after it: a model that has named the duty knows which citation follows."""
    return f"{provision.summary}, {render(provision.cite, judged.framework)}"


def _lines(lines: Iterable[str], provisions: Iterable[Provision]) -> Part:
    text = "\n".join(lines)
    return Part(text or NOTHING_TO_CITE, tuple(dict.fromkeys(p.cite for p in provisions)))


BLOCKS: dict[str, Callable[[Case], Part]] = {
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
}
