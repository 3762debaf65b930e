"""Read the questions that people ask in public, kept in the pack: what they state, and what a good answer must name.

They are held-out in the strictest sense: nobody who wrote them saw the wordings that questions are composed of.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from forge_assets.law.citation_key import CitationKey
from forge_assets.law.country import Country
from forge_assets.law.engine import Facts, State, obligations
from forge_assets.law.headline import lead
from forge_assets.law.model import CitedPlace, Domain, Framework, JurisdictionCode, Name, Provision, Slug, Text
from forge_assets.scenarios.answers.judgement import NO_LEVEL, UNSETTLED, Judgement, judge_change
from forge_resources.config.strict_yaml import FieldPath, Problem, nearest, read_yaml, refuse, validate
from forge_resources.storage.strict import Strict

DEPENDS = "depends"
"""The expected level where no duty applies for certain and facts decide that nobody stated."""

Kind = Literal["case", "place", "who", "when", "whether", "what_if", "out_of_scope"]
WITHOUT_CASE: tuple[Kind, ...] = ("place", "out_of_scope")
"""Kinds of question that state no case."""


class Expected(Strict):
    """What the law engine says of a country: the duty that is named first, or why none is."""

    level: Name
    """A level of the domain, or `none`, `unsettled`, `depends`."""
    body: Name | None = None
    hinges_on: tuple[Name, ...] = ()
    """Facts that decide and are not stated, of the level `depends`."""


class Question(Strict):
    """One question as somebody might ask it, and its label."""

    id: Slug
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    text: Text
    source: Annotated[str, Field(pattern=r"^(https?://\S+|after several)$")]
    """Address of the page whose way of asking it follows."""
    jurisdictions: tuple[JurisdictionCode, ...] = Field(min_length=1)
    change: Name | None = None
    also: tuple[Name, ...] = ()
    """Further kinds of change that the text implies: what applies to them may be cited too."""
    facts: dict[JurisdictionCode, dict[Name, int | bool]] = Field(default={})
    """By country; what the text does not say is not known."""
    supposed: dict[Name, int | bool] = Field(default={})
    """What a `what_if` supposes, in every country."""
    kind: Kind
    citations: tuple[CitedPlace, ...] = ()
    """Places that a good answer must name."""
    expected: dict[JurisdictionCode, Expected] = Field(default={})
    core_only_ok: bool = False
    """Whether all of `citations` are places of principal duties."""
    note: Text | None = None

    def stated(self, country: str) -> Facts:
        """The facts on which a country's law is asked."""
        return {**self.facts.get(country, {}), **self.supposed}


class QuestionFile(Strict):
    """`benchmark/questions.yaml`."""

    asked_on: dt.date
    """The day of whose law the labels speak."""
    questions: tuple[Question, ...] = Field(min_length=1)


def load_questions(pack_dir: Path, domain: Domain, countries: Mapping[str, Country] | None = None) -> QuestionFile:
    """Read `benchmark/questions.yaml`.

    Args:
        countries: where given, the labels are checked against the law too.

    Raises:
        SourceError: names file, line, problem and mend.
    """
    path = pack_dir / "benchmark" / "questions.yaml"
    data, lines = read_yaml(path)
    file = validate(QuestionFile, path, data, lines)
    refuse(path, lines, _problems(file, domain))
    if countries is not None:
        refuse(path, lines, _law_problems(file, domain, countries))
    return file


def expectation(domain: Domain, framework: Framework, question: Question, on: dt.date) -> Expected | None:
    """Ask the law engine what a country's principal duties say to a question; None where it states no case."""
    if question.change is None:
        return None
    judged = _judged(domain, framework, question, on)
    # Where what decides is not held, it is not said that a duty applies.
    first = lead(domain, (p for p in judged.applying if not p.incomplete))
    if first:
        return Expected(level=first.level, body=first.body)
    if judged.asks:
        return Expected(level=DEPENDS, hinges_on=tuple(sorted(judged.asks)))
    return Expected(level=NO_LEVEL if judged.is_settled else UNSETTLED)


def citable(domain: Domain, framework: Framework, question: Question, on: dt.date) -> frozenset[CitationKey]:
    """List the places of a country, or of a union, that an answer may name without being wrong.

    They are those of duties that the question's kinds of change pull, whether their threshold is met or not, with the
    places that bear them out, and of the steps of a dispute and the rules that hold whatever is planned. About a place
    it is the unit asked about.
    """
    if question.change is None:
        return frozenset(CitationKey(k.jurisdiction, k.law, k.unit) for k in question.citations)
    found: set[CitationKey] = {step.basis for step in framework.escalation}
    found |= {rule.basis for rule in (*framework.data_protection, *framework.collective_agreements)}
    facts = question.stated(framework.jurisdiction) or {k: v for s in question.facts.values() for k, v in s.items()}
    for change in (question.change, *question.also):
        for finding in obligations(domain, framework, change, facts, on):
            if finding.state is not State.NOT_TRIGGERED:
                said = (e.at for evidence in finding.provision.said_at.values() for e in evidence)
                found |= {finding.provision.cite, *(at for at in said if at is not None)}
    return frozenset(found)


def _judged(domain: Domain, framework: Framework, question: Question, on: dt.date) -> Judgement:
    facts = question.stated(framework.jurisdiction)
    return judge_change(domain, framework.core(), question.change or "", facts, on=on)


def _problems(file: QuestionFile, domain: Domain) -> Iterator[Problem]:
    """What a question says that the domain does not know, or that does not fit together."""
    ids = [question.id for question in file.questions]
    texts = [" ".join(question.text.split()).casefold() for question in file.questions]
    levels = (*domain.ranks, NO_LEVEL, UNSETTLED, DEPENDS)
    for i, question in enumerate(file.questions):
        at = ("questions", i)
        if question.id in ids[:i]:
            yield (*at, "id"), f"the id {question.id} is used twice", "give each its own"
        if texts[i] in texts[:i]:
            yield (*at, "text"), "the text stands there twice", "remove one of the two"
        for name, change in (("change", question.change), *(("also", each) for each in question.also)):
            if change is not None and change not in domain.change_types:
                yield (*at, name), f"{change} is no change type", nearest(change, domain.change_types)
        for field, facts in (*(("facts", f) for f in question.facts.values()), ("supposed", question.supposed)):
            for fact, value in facts.items():
                if fact not in domain.facts:
                    yield (*at, field), f"{fact} is no fact of domain.yaml", nearest(fact, domain.facts)
                elif isinstance(value, bool) is not (domain.facts[fact].type == "boolean"):
                    yield (*at, field), f"{fact} is of type {domain.facts[fact].type}", "give a value of that type"
        for code in (*question.facts, *question.expected, *(key.jurisdiction for key in question.citations)):
            if code not in question.jurisdictions:
                yield at, f"{question.id} speaks of {code}, which it does not ask about", "name it in `jurisdictions`"
        for code, expected in question.expected.items():
            if expected.level not in levels:
                yield (*at, "expected", code), f"{expected.level} is no level", nearest(expected.level, levels)
        yield from _shape_problems(question, at)


def _shape_problems(question: Question, at: FieldPath) -> Iterator[Problem]:
    """What a kind of question must have, and must not."""
    if question.kind in WITHOUT_CASE:
        if question.change or question.facts or question.expected:
            mend = "remove `change`, `facts` and `expected`"
            yield at, f"{question.id} is of kind {question.kind}, which states no case", mend
    elif question.change is None or set(question.expected) != set(question.jurisdictions):
        mend = "give `change`, and `expected` for each of `jurisdictions`"
        yield at, f"{question.id} is of kind {question.kind} and has no full label", mend
    if (question.kind == "what_if") is not bool(question.supposed):
        yield at, f"{question.id}: `supposed` and the kind what_if belong together", "give both or neither"
    if question.kind == "place" and not question.citations:
        yield at, f"{question.id} asks about a place and names none", "give it under `citations`"
    if question.kind == "out_of_scope" and question.citations:
        yield at, f"{question.id} is out of scope and expects citations", "remove them, or label it as what it is"


def _law_problems(file: QuestionFile, domain: Domain, countries: Mapping[str, Country]) -> Iterator[Problem]:
    """Where a label is not what the law held says."""
    for i, question in enumerate(file.questions):
        at = ("questions", i)
        named = {key: _verified(countries, key) for key in question.citations}
        for key in (key for key, found in named.items() if not found):
            mend = "name a place of a verified provision"
            yield (*at, "citations"), f"{question.id}: {key} is of no verified provision", mend
        core = all(any(p.core for p in found) for found in named.values())
        if all(named.values()) and question.core_only_ok is not core:
            problem = f"{question.id}: core_only_ok is not whether all citations are of core provisions"
            yield (*at, "core_only_ok"), problem, f"set it to {str(core).lower()}"
        for code in question.expected:
            if code in countries:
                yield from _label_problems(file, domain, countries[code], question, at)
            else:
                yield (*at, "expected", code), f"{code} is no country of the pack", nearest(code, countries)


def _verified(countries: Mapping[str, Country], key: CitationKey) -> list[Provision]:
    """The verified provisions that cite exactly this place."""
    country = countries.get(key.jurisdiction)
    held = country.framework.provisions if country else ()
    return [p for p in held if p.cite == key and country and country.statuses.get(p.id) == "verified"]


def _label_problems(
    file: QuestionFile, domain: Domain, country: Country, question: Question, at: FieldPath
) -> Iterator[Problem]:
    code, framework = country.framework.jurisdiction, country.framework
    said, wanted = question.expected[code], expectation(domain, framework, question, file.asked_on)
    said = said.model_copy(update={"hinges_on": tuple(sorted(said.hinges_on))})
    if said != wanted:
        mend = "correct the label, or the law"
        yield (*at, "expected", code), f"{question.id}: the law engine says {wanted}, the label {said}", mend
    named = {key for key in question.citations if key.jurisdiction == code}
    findings = obligations(domain, framework, question.change or "", question.stated(code), file.asked_on)
    due = {f.provision.cite for f in findings if (f.hinges_on if said.level == DEPENDS else f.applies)}
    if odd := named - due:
        listed = ", ".join(sorted(map(str, odd)))
        yield (*at, "citations"), f"{question.id}: {listed} does not apply", "name what applies on the facts stated"
    principal = {p.cite for p in _judged(domain, framework, question, file.asked_on).applying}
    principal = {p.cite for p in framework.provisions if p.cite in principal and country.statuses[p.id] == "verified"}
    if question.kind == "case" and (missing := principal - named):
        listed = ", ".join(sorted(map(str, missing)))
        yield (*at, "citations"), f"{question.id}: {listed} applies and is not named", "name every principal duty"
