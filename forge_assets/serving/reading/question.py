"""Read a question into what the law engine takes, so that a person can see and correct it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from forge_assets.law.engine import Facts
from forge_assets.scenarios.intake.schema import asked_facts
from forge_assets.scenarios.pack.language import ENGLISH
from forge_assets.serving.library import Library
from forge_assets.serving.reading.countries import Countries
from forge_assets.serving.reading.languages import Languages
from forge_assets.serving.reading.numbers import Numbers
from forge_assets.serving.reading.tellers import Label, Teller, wordings
from forge_resources.storage.strict import Strict

SURE_CHANGE, SURE_NEXT = 3.0, 3.0
"""Nats by which a kind of change must be likelier than nothing, and than the next kind."""
CLOSE = 5.0
"""Nats by which a clause may tell a fact rather than a change, and still be one that tells a change."""
SURE_FACT, SURE_SIDE, SURE_RARE, SURE_OTHER = 3.0, 0.5, 9.0, 1.0
"""The same for facts: those that every question on some change states and whether they hold, and the others."""
CLEAR, CLEAR_NEXT = 10.0, 5.0
"""Nats by which a clause that does not name a fact by its usual words must tell it, and rather than anything else."""
_CLAUSE = re.compile(r"[.;!?\n()]+|,|\s[\u2013\u2014/-]\s")


class Reading(Strict):
    """What a question says.

    Attributes:
        language: None where none leads.
        change: None where no kind of change is named.
        facts: of all its countries.
        cites: places that it names itself, as keys.
    """

    language: str | None
    jurisdictions: tuple[str, ...]
    change: str | None
    facts: Mapping[str, int | bool]
    cites: tuple[str, ...] = ()


class Reader:
    """Reads questions by the wordings of a pack; a language's are read when one is asked in it, and kept."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._usual = frozenset(asked_facts(library.domain))
        self._tellers: dict[str, tuple[Teller, Numbers]] = {}

    @cached_property
    def _languages(self) -> Languages:
        return Languages(self._library.wordings)

    @cached_property
    def _countries(self) -> Countries:
        return Countries(self._library)

    def read(self, text: str) -> Reading:
        """Read a question."""
        from forge_assets.citations.parser import parse

        language = self._languages.tell(text)
        countries = self._countries.find(text)
        cited = parse(text, self._library.laws.index, countries[0] if len(countries) == 1 else None)
        teller, numbers = self._of(language or ENGLISH)
        change = _change(teller, text)
        facts = {**numbers.read(text, [one.span for one in cited]), **self._stated(teller, text)}
        kinds = self._library.domain.facts
        return Reading(
            language=language,
            jurisdictions=tuple(countries),
            change=change,
            facts={
                name: value for name, value in facts.items() if not kinds[name].changes or change in kinds[name].changes
            },
            cites=tuple(str(one.key) for one in cited),
        )

    def _of(self, language: str) -> tuple[Teller, Numbers]:
        if language not in self._tellers:
            pack = self._library.wordings
            words, plain = pack.languages[language], pack.plain.get(language)
            self._tellers[language] = (
                Teller(wordings(words, plain)),
                Numbers(words, plain, self._usual),
            )
        return self._tellers[language]

    def _stated(self, teller: Teller, text: str) -> Facts:
        """The yes/no facts that a clause of a question states for certain: of each clause the likeliest one."""
        found: dict[str, bool] = {}
        for clause in _CLAUSE.split(text):
            told = teller.tell(clause)
            clear = _clear(told)
            named = [
                (label, score)
                for label, score in told
                if label[0] == "fact"
                and (teller.names(label, clause) or (label[1] == clear and label[1] in self._usual))
            ]
            if not named:
                continue
            (_, name, value), score = named[0]
            if name in self._usual:
                side = teller.side(name, clause)
                holds, sure = side > 0, score >= SURE_FACT and abs(side) >= SURE_SIDE
            else:
                other = next((other for label, other in named[1:] if label[1] == name), 0)
                holds, sure = value == "true", score >= SURE_RARE and score - other >= SURE_OTHER
            if sure:
                found.setdefault(name, holds)
        return found


def _clear(told: Sequence[tuple[Label, float]]) -> str | None:
    """The fact that a clause tells rather than any other thing, whatever its words; None where none stands out."""
    (first, score), *others = told
    other = max((least for label, least in others if label[:2] != first[:2]), default=0.0)
    return first[1] if first[0] == "fact" and score >= CLEAR and score - max(other, 0.0) >= CLEAR_NEXT else None


def _change(teller: Teller, text: str) -> str | None:
    """The kind of change that the clauses of a question which tell of one make likeliest; None where none leads."""
    scores: dict[str, float] = defaultdict(float)
    for clause in _CLAUSE.split(text):
        told = teller.tell(clause)
        changes = {label[1]: score for label, score in told if label[0] == "change"}
        best = max((score for label, score in told if label[0] != "change"), default=0.0)
        if max(changes.values(), default=0.0) > max(0.0, best - CLOSE):
            for name, score in changes.items():
                scores[name] += max(score, 0.0)
    ranked = sorted(scores.items(), key=lambda scored: -scored[1])
    if not ranked or ranked[0][1] < SURE_CHANGE or (len(ranked) > 1 and ranked[0][1] - ranked[1][1] < SURE_NEXT):
        return None
    return ranked[0][0]
