"""Define a domain pack as strict frozen models: the shape of the YAML files under `frameworks/<domain>/`.

Nothing here knows labour law: levels, facts, triggers and change types are names that the pack declares.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    PrivateAttr,
    WithJsonSchema,
    field_validator,
)

from forge_assets.law.citation_key import GRAMMAR, PATTERN, CitationKey
from forge_assets.law.label_patterns import label_pattern
from forge_resources.storage.strict import Strict

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=80)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
JurisdictionCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


def _key(written: Any) -> CitationKey:
    if isinstance(written, CitationKey):
        return written
    if not isinstance(written, str):
        raise ValueError(f"Input should be a valid string: {GRAMMAR}")
    return CitationKey.parse(written)


CitedPlace = Annotated[
    CitationKey,
    PlainValidator(_key),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"pattern": PATTERN, "type": "string"}),
]
"""A citation key; in files its text."""


Share = Annotated[float, Field(gt=0, le=1)]


class Bound(Strict):
    """A test of one fact. `share_of` makes each of the shares (0 to 1) one of another fact."""

    is_: bool | None = Field(default=None, alias="is")
    min: int | None = None
    max: int | None = None
    min_share: Share | None = None
    """At least this share."""
    over_share: Share | None = None
    """More than this share."""
    max_share: Share | None = None
    """At most this share."""
    under_share: Share | None = None
    """Less than this share."""
    share_of: Name | None = None

    @cached_property
    def shares(self) -> dict[str, float]:
        """The shares tested, by the word of the comparison."""
        tested = {
            "at least": self.min_share,
            "more than": self.over_share,
            "at most": self.max_share,
            "less than": self.under_share,
        }
        return {word: share for word, share in tested.items() if share is not None}

    @property
    def is_numeric(self) -> bool:
        """Whether a number is compared."""
        return self.min is not None or self.max is not None or bool(self.shares)


Condition = dict[Name, Bound]
"""Fact name to bound; all must hold."""


def facts_of(condition: Condition) -> set[str]:
    """Return the names of the facts that a condition tests, wholes of shares included."""
    return {*condition, *(b.share_of for b in condition.values() if b.share_of)}


CHANGE = "change"
"""The anchor whose date a plan states: every domain that declares anchors declares it."""

TermUnit = Literal["day", "working_day", "week", "month", "year"]
"""A `day` is a calendar day."""


class Term(Strict):
    """A deadline as a length of time before or after an event: at least so long before, within so long after, or, with
    `holds`, a waiting period."""

    least: Annotated[int, Field(ge=1)] | None = None
    most: Annotated[int, Field(ge=1)] | None = None
    unit: TermUnit
    before: Name | None = None
    """An anchor of `domain.yaml`."""
    after: Name | None = None
    holds: Name | None = None
    """What may not come before so much time has passed after the other event."""
    when: Condition | None = None
    """In which case it is so long, where the text gives several lengths; only facts that the provision tests. Of
    several terms the first that fits counts; the last may have none, for all other cases."""

    @property
    def number(self) -> int:
        """How many units."""
        return self.least or self.most or 0


def _terms(given: Any) -> tuple[Any, ...]:
    """One term or several: always a tuple, the only sequence that strict reading takes from here."""
    return tuple(given) if isinstance(given, list | tuple) else (given,)


class TermWords(Strict):
    """How a country's law writes lengths of time."""

    numbers: dict[Text, Annotated[int, Field(ge=1)]] = Field(default={})
    """Word, in each of its forms, to number."""
    units: dict[TermUnit, tuple[Text, ...]] = Field(default={})
    """Beginnings of the words for each unit."""


class FactType(Strict):
    """A fact a scenario may state."""

    type: Literal["integer", "boolean"]
    label: Text
    scope: Literal["site", "plan"] = "site"
    """Whether it is a fact of each country's site, or of the plan that is the same in all of them."""
    drawn: bool = True
    """Whether scenarios state it. A situation that hinges on a fact that none states is not asked about."""
    requires: Name | None = None
    """A yes/no fact without which this one cannot hold: no scenario says so, and stated false it decides this one."""
    changes: tuple[Name, ...] = ()
    """Kinds of change of which people say it, whatever the law asks. Empty: all."""


class ConditionalTrigger(Strict):
    """A trigger pulled only when a boolean fact is true."""

    fact: Name
    trigger: Name


class ChangeType(Strict):
    """What the employer means to do, and which legal triggers it pulls."""

    title: Text
    triggers: tuple[Name, ...]
    conditional_triggers: tuple[ConditionalTrigger, ...] = ()
    facts: tuple[Name, ...] = ()

    @cached_property
    def all_triggers(self) -> frozenset[str]:
        """The triggers that it pulls or may pull."""
        return frozenset(self.triggers) | {c.trigger for c in self.conditional_triggers}


class CitationForms(Strict):
    """How lawyers write where a rule stands. Templates: `{u}` is a unit, `{n}` a label, `{o}` an ordinal word."""

    units: tuple[Text, ...] = ()
    """What opens (or closes) a unit, e.g. `§ {u}`, `{u} straipsnio`, `artículo {o}`."""
    many: tuple[Text, ...] = ()
    """The same for several units, e.g. `§§ {u}`: plain numbers in the list that follows are units."""
    codes: tuple[Annotated[str, Field(pattern=r"^[^\W\d_]$")], ...] = ()
    """Letters that are part of a unit's number, e.g. `L` in `L. 1233-8`; such a number needs no opening word."""
    named: dict[str, tuple[Text, ...]] = Field(default={})
    """Units known by a name: start of their number to templates with `{w}`, e.g. `Annex: ["Annex {w}"]`, or to the
    whole name."""
    paragraphs: tuple[Text, ...] = ()
    """E.g. `Abs. {n}`, `{n} momentti`, `{o} lid`."""
    points: tuple[Text, ...] = ()
    """E.g. `Nr. {n}`, `lit. {n}`."""
    narrower: tuple[Text, ...] = ()
    """Parts that no key names, such as sentences: read over."""
    wider: tuple[Text, ...] = ()
    """What stands around a unit, such as chapters: read over."""
    ordinals: tuple[tuple[Text, ...], ...] = ()
    """The words for first, second, third and so on, each with its forms."""
    of: tuple[Text, ...] = ()
    """Words that may stand between a place and the law's name, or between a part and its whole."""
    join: tuple[Text, ...] = ()
    """Words between the places of a list."""
    to: tuple[Text, ...] = ()
    """Words between the ends of a range."""
    following: tuple[Text, ...] = ()
    """Words for `and the following`: read over."""
    same_law: tuple[Text, ...] = ()
    """Words for the law named before, e.g. `that Act`."""
    laws: tuple[Text, ...] = ()
    """Words that open the name of any law, e.g. `code`, `ustawy`: of a law not held as well."""
    titles: tuple[Text, ...] = ()
    """Words that end the name of any law, e.g. `Act`."""
    other_laws: tuple[Text, ...] = ()
    """Names of laws that are not held: what stands beside one is no place of a held law."""
    about: tuple[Text, ...] = ()
    """Words between a law's date or number and its subject, e.g. `o` in `ustawa z dnia … o …`."""
    approved: tuple[Text, ...] = ()
    """Words between a law's name and the decree that approved its text, e.g. `aprobado por`."""
    bare: bool = False
    """Whether a number right behind a law's name is a unit, as in `OR 335d`."""
    no_law: tuple[Text, ...] = ()
    """Words that say that what is cited is no law, e.g. `this`, `contract`; behind a place or before it."""
    written: Text | None = None
    """The canonical form, e.g. `§ {unit}[ Abs. {paragraph}][ Nr. {number}][ lit. {letter}] {law}`; `{number}` and
    `{letter}` are the two kinds of point, and what stands in brackets falls away with its field."""
    english: Text | None = None
    """The same in English, where `{law}` is the English title."""


class CombinedFact(Strict):
    """A fact of a group, computed from a fact of its countries: a sum, or how many reach a number."""

    sum: Name | None = None
    count: Name | None = None
    min: int = 1
    """`count` counts the countries in which the fact is at least this."""


class Transnational(Strict):
    """What a union has a body of several countries told, where a change concerns sites in two members at least."""

    duty: CitedPlace
    """Place of union law that has the body informed and consulted on single changes; national law carries it."""
    link: CitedPlace
    """Place of union law on how that stands to the national bodies' procedures."""
    changes: tuple[Name, ...] = Field(min_length=1)
    """Kinds of change that the place, and all that carries it, names."""


class BodyKind(Strict):
    """A kind of body, such as an authority."""

    means: Text
    participates: bool = False
    """Whether levels of the obligation ladder above the first may be owed to it."""
    standing: bool = False
    """Whether it exists only where it was set up: such a body says from which headcount on."""


class Domain(Strict):
    """`domain.yaml`: the vocabulary every jurisdiction of the pack shares."""

    domain: Name
    title: Text
    system_prompt: Text
    intake_prompt: Text
    """The system message of questions that are only to be read; it names the shape of the answer."""
    levels: tuple[Name, ...]
    """Obligation ladder, weakest first."""
    other_duties: dict[Name, Text] = Field(default={})
    """Kinds of duty in which nobody takes part, such as a prohibition: `level` of a provision may name them, and they
    rank below the ladder, the last first."""
    level_words: dict[Name, tuple[Text, ...]] = Field(default={})
    """Of a level or other duty: beginnings of words, one of which a summary of that level must have."""
    body_kinds: dict[Name, BodyKind] = Field(default={})
    """What bodies there are."""
    numbers_of: dict[Name, Name] = Field(default={})
    """Trigger to the number that decides whether there is such a case, e.g. `collective_dismissal: affected`."""
    facts: dict[Name, FactType]
    triggers: dict[Name, Text]
    stages: tuple[Name, ...]
    """Stages of a dispute, in order."""
    change_types: dict[Name, ChangeType]
    anchors: dict[Name, Text] = Field(default={})
    """Events from which terms count, each as a clause, e.g. `the change takes effect`."""
    combined_facts: dict[Name, CombinedFact] = Field(default={})
    """Facts that a group's countries add up to, within a union."""
    transnational: Transnational | None = None
    """A union's body of several countries, if it has one."""
    citation: CitationForms = CitationForms()
    """English usage, for the laws of every country."""

    @cached_property
    def pulled_by(self) -> dict[str, frozenset[str]]:
        """Trigger to the change types that pull it or may."""
        return {
            trigger: frozenset(name for name, kind in self.change_types.items() if trigger in kind.all_triggers)
            for trigger in self.triggers
        }

    @cached_property
    def ranks(self) -> tuple[str, ...]:
        """All kinds of duty, weakest first: those in which nobody takes part, then the ladder."""
        return (*self.other_duties, *self.levels)

    @property
    def drawn_facts(self) -> tuple[str, ...]:
        """Names of the facts that scenarios may state, in order."""
        return tuple(name for name, fact in self.facts.items() if fact.drawn)


class Layout(Strict):
    """How statute text marks its parts at the start of a line; templates are those of `law.label_patterns`."""

    paragraphs: tuple[Text, ...] | Literal["lines"] = ()
    """Label templates, e.g. `({n})`; `lines`: every line that opens no point is a paragraph, counted from 1."""
    points: tuple[Text, ...] = ()
    skip: tuple[Text, ...] = ()
    """Editorial marks that may stand before a label, e.g. `F{n}[`."""
    repealed: tuple[Text, ...] = ()
    """What stands in the place of a unit or paragraph that is no longer law, e.g. `(weggefallen)`."""
    first: Text | None = None
    """Label of a first paragraph that the text leaves unmarked, e.g. `1` where the next opens with `Stk. 2`."""

    @field_validator("paragraphs", "points", "skip")
    @classmethod
    def _readable(cls, templates: tuple[str, ...] | str) -> tuple[str, ...] | str:
        if not isinstance(templates, str):
            label_pattern(templates)
        return templates


class Law(Strict):
    """A statute the framework cites."""

    id: Name
    short: Text
    title: Text
    english: Text
    statute: Text
    """Path of the JSONL statute text, relative to the pack."""
    text_as_of: dt.date
    text_status: Literal["current", "outdated"] = "current"
    outdated_units: tuple[Text, ...] = ()
    """Units whose text is not current although the rest is."""
    text_note: Text | None = None
    """What is known about the state of the text, for a reader."""
    coverage: Literal["complete", "excerpt"] = "complete"
    """Whether every unit of the law is held. Of an excerpt, a unit that is not held cannot be called fabricated."""
    covered: tuple[Annotated[str, Field(pattern=r"^[^.]+\.\.[^.]+$")], ...] = ()
    """Ranges of an excerpt in which every unit in force is held, e.g. `L1233-1..L1233-91`."""
    binds: Literal["directly", "through_members"] = "directly"
    """A directive binds the member states, and employers through their law."""
    layout: Layout | None = None
    """Where this text is marked otherwise than the framework's `layout` says."""
    written: Text | None = None
    """Where this law is cited otherwise than the framework's `citation.written` says."""
    english_written: Text | None = None
    aliases: tuple[Text, ...] = ()


class Grounded(Strict):
    """What rests on a place in statute text."""

    basis: CitedPlace
    quote: Text | None = None
    """Words of the basis that say so, verbatim, in the original language."""


class Evidence(Strict):
    """Words of statute text that bear out a field."""

    at: CitedPlace | None = None
    """Where they stand; left out: the place that the entry cites."""
    words: Text
    """Verbatim, in the original language."""


def _evidence(given: Any) -> tuple[Any, ...]:
    """Words alone, one place, or several: always a tuple, the only sequence that strict reading takes from here."""
    several = given if isinstance(given, list | tuple) else [given]
    return tuple({"words": each} if isinstance(each, str) else each for each in several)


SaidAt = dict[Name, Annotated[tuple[Evidence, ...], BeforeValidator(_evidence), Field(min_length=1)]]
"""Field, or fact tested, to the words that say so."""
Accepted = dict[Name, Text]
"""Check of `forge check` to why what it warns of is right here."""


class Body(Grounded):
    """An employee representation body."""

    id: Name
    name: Text
    english: Text
    kind: Name | None = None
    """A kind of `domain.yaml`."""
    exists_when: tuple[Condition, ...] | None = None
    """Alternatives; one must hold, or no duty is owed to it. Empty: it is always there. Left out: the fact named like
    it decides, if there is one."""
    min_employees: Annotated[int, Field(ge=1)] | None = None
    substitutes: tuple[Name, ...] = ()
    """Bodies that the law gives its rights where it does not exist: the first of them that does."""
    said_at: SaidAt = Field(default={})
    accepted: Accepted = Field(default={})


class Review(Strict):
    """That a person who did not write an entry has read it against the text."""

    on: dt.date
    by: Literal["second_reading", "native_lawyer"]


class Provision(Strict):
    """One legal rule: where it stands, its words, when it applies."""

    id: Slug
    cite: CitedPlace
    quote: Text
    """Verbatim, in the original language."""
    summary: Text
    """One English clause: what the employer owes."""
    level: Name
    """A level of the obligation ladder, or one of the other duties."""
    body: Name
    substitutes: tuple[Name, ...] = ()
    """To whom it is owed where that body does not exist: the first of these that does."""
    triggers: tuple[Name, ...] = Field(min_length=1)
    applies_when: tuple[Condition, ...] = ()
    """Alternatives; one must hold. Empty: always."""
    only_if: Text | None = None
    """A condition that no fact states, in English: a person must judge it, so it is shown and never pulled."""
    incomplete: Text | None = None
    """What decides and is not held: such a provision is shown and never taught."""
    core: bool = False
    """One of the principal duties: what profiles with `provisions: core` teach and ask, and what a headline names."""
    implements: tuple[CitedPlace, ...] = ()
    """Provisions of a union's law that this one transposes, e.g. `EU:dir_98_59:2:1`."""
    order: Literal["no_later_than_national"] | None = None
    """Of a duty to a body of several countries: that it is due no later than the national ones, where the text says."""
    deadline: Text | None = None
    term: Annotated[tuple[Term, ...], BeforeValidator(_terms, json_schema_input_type=Term | list[Term])] = ()
    """What the deadline says, as a length of time before or after an event. Several: one for each case."""
    consequence: Text | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    said_at: SaidAt = Field(default={})
    """Where the text says the level, body, deadline, term, consequence and each fact that is tested."""
    accepted: Accepted = Field(default={})
    reviewed: Review | None = None

    @cached_property
    def tested(self) -> frozenset[str]:
        """Names of the facts that it tests, wholes of shares included."""
        return frozenset().union(*(facts_of(condition) for condition in self.applies_when))


class EscalationStep(Grounded):
    """One step of the path a dispute takes, in order."""

    step: Text
    stage: Name
    """A stage of `domain.yaml`; stages never go back along the path."""
    changes: tuple[Name, ...] = ()
    """Kinds of change on which the step exists. Empty: all."""
    applies_when: tuple[Condition, ...] = ()
    """Alternatives, as for provisions."""
    core: bool = False
    """One of the principal steps, as for provisions. Where none is marked, all are."""


class Completeness(Strict):
    """Why the texts held settle a kind of change whole, so that their silence means that nothing is owed."""

    because: Text
    at: tuple[CitedPlace, ...] = Field(min_length=1)


class Rule(Grounded):
    """A statement of law that is shown and traced, but pulled by no trigger."""

    id: Slug
    rule: Text
    """One English sentence."""
    quote: Text


class Framework(Strict):
    """`jurisdictions/<code>.yaml`: the framework of one country, or of a union of them."""

    jurisdiction: JurisdictionCode
    name: Text
    members: tuple[JurisdictionCode, ...] = ()
    """Countries of the pack that this law binds as well: makes the framework a union's."""
    called: tuple[Text, ...] = ()
    """Other names of the country and its adjectives: they tell whose law a name borne by several means."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    layout: Layout = Layout()
    citation: CitationForms = CitationForms()
    laws: tuple[Law, ...] = Field(min_length=1)
    bodies: tuple[Body, ...] = Field(min_length=1)
    provisions: tuple[Provision, ...] = Field(min_length=1)
    escalation: tuple[EscalationStep, ...] = ()
    complete_for: dict[Name, Completeness] = Field(default={})
    """Change types on which the texts held are all there is. Elsewhere their silence settles nothing."""
    size_words: tuple[Text, ...] = ()
    """Beginnings of the country's words for people who work, beside which a text names a headcount."""
    term_words: TermWords = TermWords()
    """How the texts write the numbers and units of terms."""
    data_protection: tuple[Rule, ...] = ()
    """Rules on employees' data."""
    collective_agreements: tuple[Rule, ...] = ()
    """Which agreements exist, whom they bind, what they may settle."""

    _minor: tuple[Provision, ...] = PrivateAttr(default=())

    @property
    def minor(self) -> tuple[Provision, ...]:
        """The duties that `core` left out: where one of them applies, silence of the others says nothing."""
        return self._minor

    def core(self) -> Framework:
        """Return the framework with its principal duties and steps only."""
        steps = tuple(step for step in self.escalation if step.core) or self.escalation
        kept = tuple(p for p in self.provisions if p.core)
        found = self.model_copy(update={"provisions": kept, "escalation": steps})
        return found.leaving_out(p for p in self.provisions if not p.core)

    def leaving_out(self, minor: Iterable[Provision]) -> Framework:
        """Return the framework with its own provisions, and these as what was left out."""
        found = self.model_copy()
        found._minor = tuple(minor)
        return found
