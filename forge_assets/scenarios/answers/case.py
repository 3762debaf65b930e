"""Define what answers are composed from and what they are made of: a case, its form, sections and exact fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from forge_assets.law.citation_key import CitationKey
from forge_assets.law.engine import Facts, Finding
from forge_assets.law.model import Domain, Provision
from forge_assets.scenarios.answers.judgement import Judgement
from forge_assets.scenarios.answers.law_text import LawText, Quotable
from forge_assets.scenarios.answers.what_if import Flip
from forge_assets.scenarios.answers.writer import Writer

if TYPE_CHECKING:
    from forge_assets.scenarios.answers.blocks.exhibited import Exhibit

Depth = Literal["note", "advice", "memo"]
DEPTHS: tuple[Depth, ...] = ("note", "advice", "memo")


@dataclass(frozen=True)
class Form:
    """How an answer is written."""

    depth: Depth = "note"
    question_language: str = "en"
    answer_language: str = "en"
    choice: int = 0
    """Which wordings it uses."""
    dated: bool = False
    """Whether the question states the date of the change."""
    exhibit: int = 0
    """Which agreement or description the question brings with it, where it brings one."""


@dataclass(frozen=True)
class Field:
    """Something that an answer must say exactly."""

    name: str
    said: tuple[str, ...]
    """The accepted ways of writing it; slots are filled as in the answer."""


@dataclass
class SectionText:
    """A section's text and what must be said exactly in it."""

    text: str
    """Empty: there is nothing to say; an answer longer than a note has no such section."""
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True)
class AnswerCase:
    """What a block may speak of: a judgement for each country, home first."""

    domain: Domain
    change_type: str
    facts: Facts
    """What is stated of the first country."""
    judged: tuple[Judgement, ...]
    deciding: tuple[str, ...]
    """Names of the facts that decide where nothing applies."""
    form: Form
    writer: Writer
    names: Mapping[str, str]
    """Country code to its name in the answer's language."""
    quotable: Quotable
    day: Callable[[dt.date], str]
    """Writes a date in the answer's language."""
    flips: Callable[[], tuple[Flip, ...]] = field(default=tuple)
    """What single other facts would change, of the first country."""
    supposed: Flip | None = None
    """The other fact that a what-if question supposes."""
    written: dict[CitationKey, str] = field(default_factory=dict)
    """Citations written before: of many answers each is written once."""
    exhibit: Exhibit | None = None
    """What the question brings with it."""
    across: tuple[Finding, ...] = ()
    """How the home country's provisions on a change in several countries stand to this one."""
    laws: tuple[LawText, ...] = ()
    """The law of each country in words, in the order of `judged`."""

    def __post_init__(self) -> None:
        if not self.laws:
            texts = tuple(LawText(j.framework, self.writer, self.quotable, self.written) for j in self.judged)
            object.__setattr__(self, "laws", texts)

    @property
    def home(self) -> Judgement:
        """The judgement of the first country."""
        return self.judged[0]

    @property
    def law(self) -> LawText:
        """The law of the first country in words."""
        return self.laws[0]

    @property
    def cited(self) -> tuple[CitationKey, ...]:
        """Places that the blocks written so far cited."""
        return tuple(dict.fromkeys(key for law in self.laws for key in law.cited))

    @property
    def change(self) -> str:
        """The change under its legal name."""
        return self.writer.source(f"change:{self.change_type}", self.writer.words.changes[self.change_type])

    def country(self, judged: Judgement | None = None) -> str:
        """Name a country, the first by default."""
        framework = (judged or self.home).framework
        name = self.names.get(framework.jurisdiction, framework.name)
        return self.writer.source(f"country:{framework.jurisdiction}", name)

    def fact(self, name: str, value: int | bool | None = None, mark: str = "") -> str:
        """Say a fact as an item of a list; a number as a slot of the row.

        Args:
            value: of a yes/no fact; None: as it is stated.
        """
        phrase = self.writer.words.facts[name]
        if isinstance(phrase, str):
            said = phrase.replace("{n}", f"{{{name}{mark}}}")
        else:
            said = phrase.if_true if (self.facts[name] if value is None else value) else phrase.if_false
        return self.writer.source(f"fact:{name}", said)

    def said_facts(self, names: Iterable[str]) -> str:
        """Say some stated facts, comma separated."""
        return ", ".join(self.fact(name) for name in names)

    def measure(self, name: str) -> str:
        """Name what a number counts."""
        return self.writer.source(f"measure:{name}", self.writer.words.measures[name])

    def number(self, text: str, source: str = "number") -> str:
        """Write a number, or a slot that becomes one."""
        return self.writer.source(source, text)

    def body_field(self, provision: Provision, law: LawText | None = None) -> Field:
        """What names the body that a provision is owed to."""
        law = law or self.law
        body = next(b for b in law.framework.bodies if b.id == provision.body)
        return Field("body", (body.english, body.name) if law.english and body.english != body.name else (body.name,))


Block = Callable[[AnswerCase], SectionText]
