"""Check that every piece of a marked answer has a source: a phrase of its language, or a field of the law held."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from forge_assets.citations.rendering import render, without_bracketed_citations
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.model import CitationForms, Framework
from forge_assets.scenarios.answers.law_text import shortened
from forge_assets.scenarios.answers.writer import capital, pieces
from forge_assets.scenarios.exhibits.sourced import ExhibitWords
from forge_assets.scenarios.pack.answer_words import AnswerWords
from forge_assets.scenarios.pack.exhibits import Exhibits

_LAYOUT = re.compile(r"(?:\d+\. |[\s\-–*#,;.«»])*")
"""What a text may have of its own: white space, list marks and numbers, punctuation, quotation marks."""
_NUMBER = re.compile(r"[\d.%{}=@/a-z_+-]+|\d+%")


@dataclass(frozen=True)
class Unsourced:
    """A piece of an answer that its source does not bear out."""

    source: str
    text: str


class SourceCheck:
    """Checks marked answers on the law of some frameworks; each field of the law is looked up where it stands.

    Args:
        exhibits: language to the words in which answers speak of agreements and systems.
    """

    def __init__(self, frameworks: Sequence[Framework], usage: CitationForms, exhibits: Mapping[str, Exhibits]) -> None:
        self._exhibits = {code: ExhibitWords(words) for code, words in exhibits.items()}
        self._bodies = {n for f in frameworks for body in f.bodies for n in (body.name, body.english)}
        self._frameworks = {framework.jurisdiction: framework for framework in frameworks}
        self._law: dict[str, set[str]] = {}
        for framework in frameworks:
            for variant in (framework, without_bracketed_citations(framework, usage)):
                for source, text in _fields(variant):
                    self._law.setdefault(source, set()).update(_forms(text))

    def unsourced(self, marked: str, words: AnswerWords) -> list[Unsourced]:
        """List the pieces that no source bears out."""
        return [Unsourced(*piece) for piece in pieces(marked) if not self._is_borne_out(*piece, words)]

    def _is_borne_out(self, source: str, text: str, words: AnswerWords) -> bool:
        kind, _, name = source.partition(":")
        if not source:
            return _LAYOUT.fullmatch(text) is not None
        if kind == "law":
            return name.endswith((".valid_from", ".text_as_of")) or text in self._law.get(name, ())
        if kind == "cite":
            key = CitationKey.parse(name)
            place = render(key, self._frameworks[key.jurisdiction])
            return text in (place, capital(place))
        if kind == "body":
            return text in self._law.get(source, ())
        if kind == "phrase":
            return any(text == literal for parts in words.split_phrases[name] for literal, _ in parts)
        if kind == "exhibit":
            exhibits = self._exhibits.get(words.language)
            return exhibits is not None and exhibits.bear_out(source, text, self._bodies)
        if kind in ("number", "limit", "difference", "share", "date"):
            return _NUMBER.fullmatch(text) is not None
        return kind in _OF_WORDS and _is_of_words(words, kind, name, text)


_OF_WORDS = ("level", "heading", "stage", "change", "measure", "asked", "fact", "country")


def _is_of_words(words: AnswerWords, kind: str, name: str, text: str) -> bool:
    if kind == "country":
        return bool(text)
    if kind == "fact":
        phrase = words.facts.get(name)
        if phrase is None or text == f"{{{name}}}" or text == "{@date}":
            return text.startswith("{")
        said = (phrase,) if isinstance(phrase, str) else (phrase.if_true, phrase.if_false)
        return text in {each.replace("{n}", f"{{{name}}}") for each in said}
    table: Mapping[str, Mapping[str, str]] = {
        "level": words.levels,
        "heading": words.headings,
        "stage": words.stages,
        "change": words.changes,
        "measure": words.measures,
        "asked": words.asked,
    }
    return text.casefold() == table[kind].get(name, "").casefold()


def _forms(text: str) -> Iterator[str]:
    """A field's text as answers write it."""
    plain = " ".join(text.split())
    for form in (plain, plain.rstrip("."), shortened(plain)):
        yield form
        yield form[:1].upper() + form[1:]


def _fields(framework: Framework) -> Iterator[tuple[str, str]]:
    code = framework.jurisdiction
    for p in (*framework.provisions, *framework.minor):
        for name in ("summary", "quote", "deadline", "consequence", "only_if"):
            if text := getattr(p, name):
                yield f"{p.id}.{name}", text
        for name, evidence in p.said_at.items():
            for each in evidence:
                yield f"{p.id}.{name}", each.words
    for step in framework.escalation:
        yield f"step:{step.basis}.step", step.step
        if step.quote:
            yield f"step:{step.basis}.quote", step.quote
    for rule in framework.data_protection:
        yield f"{rule.id}.rule", rule.rule
        yield f"{rule.id}.quote", rule.quote
    for body in framework.bodies:
        owner = f"body:{body.basis.jurisdiction}.{body.id}"
        yield owner, body.name
        yield owner, body.english if body.english == body.name else f"{body.english} ({body.name})"
    for law in framework.laws:
        yield f"{code}.{law.id}.short", law.short
