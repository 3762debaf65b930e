"""Define what a question may bring with it, an agreement or the description of a system, as strict frozen models.

`exhibits.yaml` says which clauses there are and which typed values they hold; `exhibits/<code>.yaml` puts both the
clause and the line that sums it up into words of one language, so that a value drawn once can be written in either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, model_validator

from forge_assets.law.model import Domain, JurisdictionCode, Name, Text
from forge_assets.scenarios.pack.language import ENGLISH, Texts
from forge_resources.config.strict_yaml import FieldPath, Problem
from forge_resources.storage.strict import Strict

NOBODY = "none"
"""What a clause grants by which the employer decides alone."""
Unit = Literal["days", "weeks", "months", "hours", "minutes", "percent", "persons", "clock", "amount"]
Depth = Literal["note", "advice", "memo"]
Whole = Annotated[int, Field(ge=1)]
COMPANY = "company"
BODY = "body"
SLOT = re.compile(r"\{(\w+)(#?)\}")
"""A slot; with `#` the number alone, where the sentence has the unit's word itself."""


class Between(Strict):
    """Two whole numbers, both included."""

    min: Whole
    max: Whole

    @model_validator(mode="after")
    def _ordered(self) -> Between:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class NumberKind(Strict):
    """One of some numbers of a unit."""

    unit: Unit
    of: tuple[Whole, ...] = Field(min_length=1)


class DateKind(Strict):
    """The first day of a month, so many months after the agreement, or the last day of the month before it."""

    months_after: tuple[int, ...] = Field(min_length=1)
    last: bool = False


class PickKind(Strict):
    """Some entries of a list of words."""

    pick: Name
    most: Whole = 1


ValueKind = NumberKind | DateKind | PickKind


class Currency(Strict):
    """The money of a country, and by what amounts in euros are multiplied."""

    code: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    times: Whole = 1


class Part(Strict):
    """A part of an agreement: clauses stand in the order of the parts."""

    one: bool = False
    """At most one clause of it."""
    matters: bool = False
    """Whether a summary says so where the agreement has no clause of it."""


class Older(Strict):
    """One agreement in so many was signed in these years, but none on these changes."""

    years: Between
    one_in: Whole
    not_on: tuple[Name, ...] = ()


class ClauseKind(Strict):
    """A kind of clause: where it stands, on which changes, and the values in it."""

    part: Name
    changes: tuple[Name, ...] = ()
    """Empty: all."""
    grants: Name | None = None
    """The level of the obligation ladder that it gives to a body, or `none`: the employer decides alone."""
    mentions: tuple[Name, ...] = ()
    """Other duties of `domain.yaml` that it deals with."""
    repeats: bool = False
    """Whether it may stand several times, with other values."""
    planned: bool = False
    """Whether it names a day of the change: no agreement of older date has it."""
    values: dict[Name, ValueKind] = Field(default={})


class AgreementKinds(Strict):
    """What agreements are made of."""

    clauses_at: dict[Depth, Between] = Field(min_length=3)
    """Depth of the answer to the number of clauses."""
    recent: Between
    """Years in which most agreements were signed."""
    older: Older
    counts_as_older: Whole
    """Years before the text held after which an agreement counts as older than it."""
    collective: tuple[Name, ...] = ()
    """Bodies with which the agreement is a collective agreement."""
    others: dict[Name, Name] = Field(min_length=1)
    """Whom a clause may name in place of the body that the duty is owed to, with its kind of body."""
    parts: dict[Name, Part]
    clauses: dict[Name, ClauseKind]

    @cached_property
    def places(self) -> dict[str, int]:
        """Kind of clause to its place in an agreement."""
        parts = list(self.parts)
        order = sorted(self.clauses, key=lambda name: parts.index(self.clauses[name].part))
        return {name: place for place, name in enumerate(order)}


class LineKind(Strict):
    """A line of a system's description, and the facts it goes with."""

    part: Name
    needs: dict[Name, bool] = Field(default={})
    """Facts that must be stated so."""
    unless: dict[Name, bool] = Field(default={})
    """Facts that must not be stated so."""
    values: dict[Name, ValueKind] = Field(default={})


class SystemKinds(Strict):
    """What descriptions of systems are made of."""

    parts_at: dict[Depth, tuple[Name, ...]] = Field(min_length=3)
    """Depth of the answer to the parts described, in order."""
    years: Between
    lines: dict[Name, LineKind]


class ExhibitKinds(Strict):
    """`exhibits.yaml`."""

    currencies: dict[JurisdictionCode, Currency] = Field(default={})
    """Where it is not the euro."""
    lists: dict[Name, Whole]
    """List of words to its length, the same in every language."""
    agreement: AgreementKinds
    system: SystemKinds


class ClauseWords(Strict):
    """A clause as it stands in the text, and as a summary has it."""

    title: Text
    text: Texts
    summary: Texts


class UnitWords(Strict):
    """How a number of a unit is written: the first form is the label's, the others are inflected."""

    said: Texts
    but: dict[Annotated[str, Field(pattern=r"^[1-9]\d*$")], Texts] = Field(default={})
    """Numbers with other forms, e.g. `"2": ["{n} dny"]`."""


class AgreementWords(Strict):
    """Wordings of agreements and their summaries."""

    works: Texts
    collective: Texts
    subjects: dict[Name, Text]
    side: Text
    opening: Texts
    parties: Texts
    line: Text
    clause: Text
    others: dict[Name, Text]
    topics: dict[Name, Text]
    clauses: dict[Name, ClauseWords]
    findings: dict[Name, Texts]
    marks: dict[Name, Texts]
    """Kind of finding to the words, one of which each of its phrases has."""


class SystemWords(Strict):
    """Wordings of a system's description and its summary."""

    names: Texts
    line: Text
    lines: dict[Name, ClauseWords]


class Exhibits(Strict):
    """`exhibits/<code>.yaml`: all wordings of one language."""

    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    thousands: Annotated[str, Field(max_length=1)] = "."
    join: Text = ", "
    units: dict[Unit, UnitWords]
    lists: dict[Name, Texts]
    agreement: AgreementWords
    system: SystemWords


FINDINGS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "conforms": ("conforms", ("clause", "place")),
    "level_short": ("falls_short", ("clause", "level", "needed", "place", "body")),
    "decides_alone": ("falls_short", ("clause", "needed", "place", "body")),
    "other_body": ("falls_short", ("clause", "named", "needed", "place", "body")),
    "silent_on_duty": ("silent", ("needed", "place", "body")),
    "silent_on_topics": ("silent", ("topics",)),
    "older_than_rule": ("older", ("date", "place", "since")),
    "older_than_text": ("older", ("date", "place", "since")),
}
"""Phrase of a finding to the kind of finding and its slots, each once."""


def kind_problems(file: ExhibitKinds, domain: Domain) -> Iterator[Problem]:
    """Find what `exhibits.yaml` says that `domain.yaml` does not know."""
    for name, clause in file.agreement.clauses.items():
        at: FieldPath = ("agreement", "clauses", name)
        yield from _unknown((*at, "part"), [clause.part], file.agreement.parts, "part")
        yield from _unknown((*at, "changes"), clause.changes, domain.change_types, "change type")
        if clause.grants is not None:
            yield from _unknown((*at, "grants"), [clause.grants], (*domain.levels, NOBODY), "level")
        yield from _unknown((*at, "mentions"), clause.mentions, domain.other_duties, "other duty")
        yield from _value_problems((*at, "values"), clause.values, file)
    for level in (*domain.levels, NOBODY):
        if all(clause.grants != level for clause in file.agreement.clauses.values()):
            yield ("agreement", "clauses"), f"no clause grants {level}", "add one"
    yield from _unknown(("agreement", "older"), file.agreement.older.not_on, domain.change_types, "change type")
    for name, kind in file.agreement.others.items():
        yield from _unknown(("agreement", "others", name), [kind], domain.body_kinds, "kind of body")
    parts = {line.part for line in file.system.lines.values()}
    for depth, named in file.system.parts_at.items():
        yield from _unknown(("system", "parts_at", depth), named, parts, "part of a line")
    for name, line in file.system.lines.items():
        for group in ("needs", "unless"):
            facts = getattr(line, group)
            booleans = [n for n, fact in domain.facts.items() if fact.type == "boolean"]
            yield from _unknown(("system", "lines", name, group), facts, booleans, "yes/no fact")
        yield from _value_problems(("system", "lines", name, "values"), line.values, file)


def _unknown(at: FieldPath, given: Iterable[str], known: Iterable[str], what: str) -> Iterator[Problem]:
    names = list(known)
    for name in given:
        if name not in names:
            yield at, f"{name} is no {what}", f"use one of {', '.join(names)}"


def _value_problems(at: FieldPath, values: Mapping[str, ValueKind], file: ExhibitKinds) -> Iterator[Problem]:
    for name, kind in values.items():
        if name in (COMPANY, BODY):
            yield (*at, name), f"{name} is a slot of its own", "give the value another name"
        if isinstance(kind, PickKind):
            yield from _unknown((*at, name), [kind.pick], file.lists, "list")
            if kind.most > file.lists.get(kind.pick, kind.most):
                yield (*at, name), f"picks {kind.most} of a shorter list", "pick fewer"


def exhibit_problems(code: str, kinds: ExhibitKinds) -> Callable[[Exhibits, Domain], Iterator[Problem]]:
    """Return the checks of one language's file: words for all that may be drawn, each with all its values."""

    def problems(file: Exhibits, domain: Domain) -> Iterator[Problem]:
        if file.language != code:
            yield ("language",), f"the file says {file.language}, its name says {code}", "make them agree"
        topics = {name for name, part in kinds.agreement.parts.items() if part.matters}
        for at, given, wanted in (
            (("lists",), set(file.lists), set(kinds.lists)),
            (("units",), set(file.units), set(_units(kinds))),
            (("agreement", "subjects"), set(file.agreement.subjects), set(domain.change_types)),
            (("agreement", "others"), set(file.agreement.others), set(kinds.agreement.others)),
            (("agreement", "topics"), set(file.agreement.topics), topics),
            (("agreement", "clauses"), set(file.agreement.clauses), set(kinds.agreement.clauses)),
            (("agreement", "findings"), set(file.agreement.findings), set(FINDINGS)),
            (("agreement", "marks"), set(file.agreement.marks), {kind for kind, _ in FINDINGS.values()}),
            (("system", "lines"), set(file.system.lines), set(kinds.system.lines)),
        ):
            if given != wanted:
                odd = ", ".join(sorted(given ^ wanted))
                yield at, f"differs from exhibits.yaml or domain.yaml in {odd}", "name each exactly once"
        for name, words in file.lists.items():
            if len(words) != kinds.lists.get(name, len(words)):
                mend = f"give {kinds.lists[name]}, in the order of {ENGLISH}.yaml"
                yield ("lists", name), f"{len(words)} entries in {name}", mend
        for unit, said in file.units.items():
            for text in (*said.said, *(form for forms in said.but.values() for form in forms)):
                yield from _slots_of(("units", unit), text, ["n", "currency"] if unit == "amount" else ["n"])
        yield from _fixed_problems(file)
        for name, clause in kinds.agreement.clauses.items():
            grants = [] if clause.grants in (None, NOBODY) else [BODY]
            if clause_words := file.agreement.clauses.get(name):
                yield from _worded(file, ("agreement", "clauses", name), clause_words, clause.values, grants)
        for name, line in kinds.system.lines.items():
            if line_words := file.system.lines.get(name):
                yield from _worded(file, ("system", "lines", name), line_words, line.values, [])

    return problems


def _units(kinds: ExhibitKinds) -> Iterator[str]:
    holders = [clause.values for clause in kinds.agreement.clauses.values()]
    holders += [line.values for line in kinds.system.lines.values()]
    for values in holders:
        for kind in values.values():
            if isinstance(kind, NumberKind):
                yield kind.unit


def _fixed_problems(file: Exhibits) -> Iterator[Problem]:
    """Check the slots of the phrases that every exhibit needs."""
    agreement = file.agreement
    fixed: tuple[tuple[str, Texts, tuple[str, ...]], ...] = (
        ("works", agreement.works, ("subject",)),
        ("collective", agreement.collective, ("subject",)),
        ("opening", agreement.opening, (COMPANY, BODY, "date")),
        ("parties", agreement.parties, (COMPANY, BODY, "date")),
        ("line", (agreement.line,), ("n", "title", "text")),
        ("clause", (agreement.clause,), ("n",)),
    )
    for name, texts, slots in fixed:
        for text in texts:
            yield from _slots_of(("agreement", name), text, slots)
    yield from _slots_of(("system", "line"), file.system.line, ["title", "text"])
    for phrase, (kind, slots) in FINDINGS.items():
        for text in agreement.findings.get(phrase, ()):
            at: FieldPath = ("agreement", "findings", phrase)
            yield from _slots_of(at, text, slots)
            if re.search(r"\d", text):
                yield at, "a finding has a digit, and states a number that no source bears out", "leave it out"
            if "clause" in slots and agreement.clause.replace("{n}", "{clause}").casefold() not in text.casefold():
                yield at, "does not name the clause as `clause` does", f"write {agreement.clause} with {{clause}} as n"
            marks = agreement.marks.get(kind, ())
            if not any(mark.casefold() in text.casefold() for mark in marks):
                mend = f"use {' or '.join(marks)} in it, or add its words to marks.{kind}"
                yield at, f"nothing in it tells that it says `{kind}`", mend


def _worded(
    file: Exhibits, at: FieldPath, words: ClauseWords, values: Mapping[str, ValueKind], more: list[str]
) -> Iterator[Problem]:
    """Check that text and summary have every value once, in a form of its unit."""
    for group in ("text", "summary"):
        for i, text in enumerate(getattr(words, group)):
            here = (*at, group, i)
            yield from _slots_of(here, text.replace(f"{{{COMPANY}}}", ""), [*values, *more])
            for name, kind in values.items():
                if isinstance(kind, NumberKind) and f"{{{name}#}}" in text:
                    for n in kind.of:
                        written = text.replace(f"{{{name}#}}", str(n)).casefold()
                        forms = [form.replace("{n}", str(n)) for form in forms_of(file, kind.unit, n)]
                        if not any(form.casefold() in written for form in forms):
                            mend = f"write the unit as one of {', '.join(forms)}, or add the form to units.{kind.unit}"
                            yield here, f"{{{name}#}} is followed by no form of its unit", mend
            if not text.endswith("."):
                yield here, "does not end in a full stop", "end it in one; quote the whole line if it has a comma"
            if re.search(r"\d", SLOT.sub("", text)):
                yield here, "a number stands outside the values", "make it a value, or write it as a word"


def forms_of(file: Exhibits, unit: Unit, n: int) -> tuple[str, ...]:
    """List the ways in which a number of a unit is written, the label's form first."""
    words = file.units[unit]
    return words.but.get(str(n), words.said)


def _slots_of(at: FieldPath, text: str, wanted: Iterable[str]) -> Iterator[Problem]:
    found = sorted(name for name, _ in SLOT.findall(text))
    if found != sorted(wanted):
        slots = " ".join(f"{{{name}}}" for name in sorted(wanted)) or "no slot"
        yield at, f"has the slots {' '.join(found) or 'none'}", f"write {slots}, each once"
