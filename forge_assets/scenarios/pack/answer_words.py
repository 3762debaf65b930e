"""Define the wordings of answers in one language, `answers/<code>.yaml`, as a strict frozen model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Annotated

from pydantic import Field

from forge_assets.law.model import Domain, Name, Text
from forge_assets.scenarios.pack.answer_phrases import PHRASES, SAYS_NONE, SAYS_UNSETTLED, is_english_only
from forge_assets.scenarios.pack.language import ENGLISH
from forge_resources.config.strict_yaml import Problem
from forge_resources.storage.strict import Strict

Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
_SLOT = re.compile(r"\{(\w*)\}")


class BooleanPhrase(Strict):
    """How an answer says that a yes/no fact holds or fails."""

    if_true: Text
    if_false: Text


class Silence(Strict):
    """Words by which an answer is known to say that nothing applies, or that the texts held do not settle the case."""

    none: Texts
    unsettled: Texts


class AnswerWords(Strict):
    """All wordings of answers in one language; law comes from the framework and is put into their slots."""

    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    headings: dict[Name, Text]
    levels: dict[Name, Text]
    silence: Silence
    facts: dict[Name, BooleanPhrase | Text]
    asked: dict[Name, Text]
    measures: dict[Name, Text]
    changes: dict[Name, Text]
    stages: dict[Name, Text]
    phrases: dict[Name, Texts]

    @property
    def level_words(self) -> dict[str, tuple[str, ...]]:
        """Level, `none` and `unsettled` to the words by which an answer names it."""
        named = {level: (word,) for level, word in self.levels.items()}
        return named | {"none": self.silence.none, "unsettled": self.silence.unsettled}

    @cached_property
    def split_phrases(self) -> dict[str, tuple[tuple[tuple[str, str], ...], ...]]:
        """Each alternative as pairs of literal text and the slot after it; the last slot is empty."""
        return {name: tuple(_split(text) for text in texts) for name, texts in self.phrases.items()}


def _split(template: str) -> tuple[tuple[str, str], ...]:
    found, end = [], 0
    for match in _SLOT.finditer(template):
        found.append((template[end : match.start()], match[1]))
        end = match.end()
    return (*found, (template[end:], ""))


def answer_problems(code: str, headings: frozenset[str]) -> Callable[[AnswerWords, Domain], Iterator[Problem]]:
    """Return the checks of one language's file.

    Args:
        headings: ids that the tasks name.
    """

    def problems(file: AnswerWords, domain: Domain) -> Iterator[Problem]:
        if file.language != code:
            yield ("language",), f"the file says {file.language}, its name says {code}", "make them agree"
        numbers = {name for name in domain.drawn_facts if domain.facts[name].type == "integer"}
        needed = {name for name in PHRASES if code == ENGLISH or not is_english_only(name)}
        for group, given, wanted in (
            ("levels", set(file.levels), set(domain.ranks)),
            ("facts", set(file.facts), set(domain.drawn_facts)),
            ("asked", set(file.asked), set(domain.drawn_facts)),
            ("measures", set(file.measures), numbers),
            ("changes", set(file.changes), set(domain.change_types)),
            ("stages", set(file.stages), set(domain.stages)),
            ("phrases", set(file.phrases), needed),
        ):
            if given != wanted:
                odd = ", ".join(sorted(given ^ wanted))
                yield (group,), f"differs from what answers need in {odd}", "name each exactly once"
        for name in sorted(headings - file.headings.keys()):
            yield ("headings",), f"has no {name}, which tasks.yaml names", "give its words"
        for name, words in file.facts.items():
            if isinstance(words, str) is (name not in numbers):
                yield ("facts", name), f"{name} is of type {domain.facts[name].type}", "give words of that type"
            if isinstance(words, str) and _SLOT.findall(words) != ["n"]:
                yield ("facts", name), "has no {n} for the number", "write {n} once"
        yield from _phrase_problems(file)

    return problems


def _phrase_problems(file: AnswerWords) -> Iterator[Problem]:
    for name, texts in file.phrases.items():
        for i, text in enumerate(texts):
            at = ("phrases", name, i)
            if set(_SLOT.findall(text)) != set(PHRASES.get(name, ())):
                wanted = " ".join(f"{{{slot}}}" for slot in PHRASES.get(name, ())) or "no slot"
                yield at, f"{name} must have {wanted} and no other", "write them where the answer's words belong"
            if re.search(r"\d", _SLOT.sub("", text)):
                yield at, "a phrase has a digit, and states a number that no source bears out", "leave it out"
    for kind, names in (("none", SAYS_NONE), ("unsettled", SAYS_UNSETTLED)):
        marks = getattr(file.silence, kind)
        for name in names:
            for i, text in enumerate(file.phrases.get(name, ())):
                if not any(mark.casefold() in text.casefold() for mark in marks):
                    mend = f"use {' or '.join(marks)} in it, or add its words to silence.{kind}"
                    yield ("phrases", name, i), f"nothing in it tells that it says `{kind}`", mend
