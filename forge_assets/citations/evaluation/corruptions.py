"""Corrupt citations of a pack's provisions in known ways, to test that each is classified as such."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import chain
from typing import Literal

from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.citations.rendering import Style, render
from forge_assets.citations.verdict import Situation, Verdict, judge, situation_of
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.engine import Facts, obligations, pulled_triggers
from forge_assets.law.model import Condition, Domain, Framework, Provision
from forge_assets.law.statutes import NO_PARAGRAPH, Statutes, StatuteUnit, is_repealed, repealed_units, subdivisions
from forge_assets.law.verification import verify

CorruptionKind = Literal["none", "unit", "paragraph", "point", "country", "repealed", "not_yet", "no_longer"]
ACCEPTED: frozenset[Verdict] = frozenset({"required", "relevant"})
STYLES: tuple[Style, ...] = ("national", "english")

_SENTENCES: dict[Style, str] = {
    "national": "- {cite}: duty of the employer, 30 days.",
    "english": "Under {cite}, the employer must act before it decides.",
}
_NO_UNIT, _NO_PART = 9999, "99"
_DAY = dt.timedelta(days=1)
_UNDATED = dt.date(2026, 1, 1)
_ROMAN = re.compile(r"[IVX]+")
_ALPHABETS = ("abcdefghijklmnopqrstuvwxyz", "αβγδεζηθικλμνξοπρστυφχψω", "абвгдежзийклмнопрстуфхцчшщюя")


@dataclass(frozen=True)
class CorruptedCitation:
    """A citation in a situation, and the class it has there. Kind `none` is the provision's own, uncorrupted."""

    kind: CorruptionKind
    provision: str
    key: CitationKey
    situation: Situation
    expected: Verdict
    home: str | None
    """Whose law a citation without a law's name means there."""


@dataclass(frozen=True)
class ClassifiedCase:
    """A case written in one style, read and judged."""

    case: CorruptedCitation
    text: str
    classes: tuple[Verdict, ...]
    """Of the citations found in the text; none if it was not read as a citation."""

    @property
    def accepted(self) -> bool:
        """Whether it passes for a citation that belongs there."""
        return not ACCEPTED.isdisjoint(self.classes)

    @property
    def right(self) -> bool:
        """Whether one citation was found and its class is the expected one."""
        return self.classes == (self.case.expected,)


def edge_facts(condition: Condition) -> dict[str, int | bool]:
    """Choose facts that just meet a condition."""
    facts: dict[str, int | bool] = {}
    for name, bound in condition.items():
        if bound.is_ is not None:
            facts[name] = bound.is_
        elif not bound.shares:
            facts[name] = bound.min if bound.min is not None else bound.max or 0
    for name, bound in condition.items():
        if bound.shares and bound.share_of:
            whole = facts.setdefault(bound.share_of, 1000)
            facts[name] = max(_edge_of_share(bound.shares, whole), bound.min or 0)
    return facts


def _edge_of_share(shares: Mapping[str, float], whole: int) -> int:
    """The least number that meets a lower share, else the greatest that meets an upper one."""
    edges = {word: Fraction(str(share)) * whole for word, share in shares.items()}
    if "at least" in edges:
        return math.ceil(edges["at least"])
    if "more than" in edges:
        return math.floor(edges["more than"]) + 1
    return math.floor(edges["at most"]) if "at most" in edges else math.ceil(edges["less than"]) - 1


def cases(
    domain: Domain, frameworks: Mapping[str, Framework], statutes: Mapping[str, Statutes], jurisdiction: str
) -> Iterator[CorruptedCitation]:
    """Generate every corruption of every provision of a jurisdiction that stands in its text, and the provision itself.

    Corrupted are: the unit, the paragraph or the point, each beyond the last; the country, by the same place of another
    one's law; the force, by a repealed unit of the law, and by a date before or after the provision's time. A provision
    without dates is given one that has not begun or is over, as has every other at its place.
    """
    framework, held = frameworks[jurisdiction], statutes[jurisdiction]
    checked = verify(framework, held)
    laws = {law.id: law for law in framework.laws}
    repealed = {law_id: repealed_units(units) for law_id, units in held.items()}
    for turn, provision in enumerate(framework.provisions):
        if checked[provision.id].status == "unverified":
            continue
        asked = _Circumstances.of(domain, frameworks, framework, provision)
        now = asked.situation(provision.valid_from)
        case = partial(CorruptedCitation, provision=provision.id, home=None if framework.members else jurisdiction)
        key = provision.cite
        law = laws[key.law]
        beyond: Verdict = "fabricated" if law.coverage == "complete" else "unverifiable"
        yield case(kind="none", key=key, situation=now, expected="required")
        yield case(kind="unit", key=_no_such_unit(key), situation=now, expected=beyond)
        yield case(kind="paragraph", key=_no_such_paragraph(key, held), situation=now, expected="fabricated")
        yield case(kind="point", key=_no_such_point(key, held), situation=now, expected="fabricated")
        foreign = _elsewhere(key, now, frameworks, statutes, turn)
        yield case(kind="country", key=foreign, situation=now, expected="wrong_country")
        if gone := repealed[law.id]:
            place = CitationKey(jurisdiction, law.id, gone[turn % len(gone)])
            yield case(kind="repealed", key=place, situation=now, expected="repealed")
        begins = provision.valid_from or _UNDATED
        ends = provision.valid_to or begins
        early, late = asked.situation(begins - _DAY, begins=begins), asked.situation(ends + _DAY, ends=ends)
        yield case(kind="not_yet", key=key, situation=early, expected="not_in_force")
        yield case(kind="no_longer", key=key, situation=late, expected="not_in_force")


def classify_cases(
    found: Iterable[CorruptedCitation], frameworks: Mapping[str, Framework], laws: LawIndex
) -> list[ClassifiedCase]:
    """Write each case in a sentence, in its country's form and in English, then parse and classify it."""
    judged = []
    for case in found:
        for style in STYLES:
            text = _SENTENCES[style].format(cite=render(case.key, frameworks[case.key.jurisdiction], style))
            classes = tuple(judge(citation, case.situation).verdict for citation in parse(text, laws, case.home))
            judged.append(ClassifiedCase(case, text, classes))
    return judged


def counts(judged: Iterable[ClassifiedCase]) -> dict[CorruptionKind, Counter[str]]:
    """Count by kind of case the classes given; `unread` where not exactly one citation was found."""
    counted: dict[CorruptionKind, Counter[str]] = {}
    for verdict in judged:
        name = verdict.classes[0] if len(verdict.classes) == 1 else "unread"
        counted.setdefault(verdict.case.kind, Counter())[name] += 1
    return counted


@dataclass(frozen=True)
class _Circumstances:
    """A change and facts under which a provision applies."""

    domain: Domain
    frameworks: tuple[Framework, ...]
    """The country asked about and the unions that bind it."""
    provision: Provision
    change: str
    facts: Mapping[str, Facts]
    pulled: bool
    """Whether a change type pulls the provision; if none does, what is required is said by hand."""

    @classmethod
    def of(
        cls, domain: Domain, frameworks: Mapping[str, Framework], framework: Framework, provision: Provision
    ) -> _Circumstances:
        asked = next((code for code in framework.members if code in frameworks), framework.jurisdiction)
        involved = (frameworks[asked], *(f for f in frameworks.values() if asked in f.members))
        for condition in provision.applies_when or ({},):
            for change, kind in domain.change_types.items():
                facts = edge_facts(condition)
                facts |= {c.fact: True for c in kind.conditional_triggers if c.trigger in provision.triggers}
                if not pulled_triggers(domain, change, facts) & set(provision.triggers):
                    continue
                findings = obligations(domain, framework, change, facts, provision.valid_from)
                if next(f for f in findings if f.provision == provision).applies:
                    return cls(domain, involved, provision, change, {asked: facts}, True)
        return cls(domain, involved, provision, next(iter(domain.change_types)), {asked: {}}, False)

    def situation(self, on: dt.date | None, begins: dt.date | None = None, ends: dt.date | None = None) -> Situation:
        """Collect what the change asks for on a date, where what stands at the provision's place begins and ends so."""
        dated = [self._dated(framework, begins, ends) for framework in self.frameworks]
        found = situation_of(self.domain, dated, self.change, self.facts, on)
        if self.pulled or begins or ends:
            return found
        return replace(found, required=found.required | {self.provision.cite})

    def _dated(self, framework: Framework, begins: dt.date | None, ends: dt.date | None) -> Framework:
        if not begins and not ends:
            return framework
        dates = {"valid_from": begins, "valid_to": ends}
        provisions = [p.model_copy(update=dates) if p.cite == self.provision.cite else p for p in framework.provisions]
        return framework.model_copy(update={"provisions": tuple(provisions)})


def _no_such_unit(key: CitationKey) -> CitationKey:
    """A unit beyond any law's last, numbered as the cited one: `L1233-8` becomes `L9999-1`, `AnnexIII` `AnnexXXX`."""
    if roman := re.match(r"(\D*?)[IVX]+(?![^\W_])", key.unit):
        return CitationKey(key.jurisdiction, key.law, f"{roman[1]}XXX")
    start = re.match(r"\D*(?=\d)", key.unit)
    hyphenated = "-1" if re.search(r"\d-\d", key.unit) else ""
    return CitationKey(key.jurisdiction, key.law, f"{start[0] if start else ''}{_NO_UNIT}{hyphenated}")


def _no_such_paragraph(key: CitationKey, statutes: Statutes) -> CitationKey:
    held = statutes[key.law]
    labels = [label for label in subdivisions(held[key.unit]) if label != NO_PARAGRAPH]
    usual = (label for other in held.values() for label in subdivisions(other) if label != NO_PARAGRAPH)
    return replace(key, paragraph=_beyond(labels, usual), point="")


def _no_such_point(key: CitationKey, statutes: Statutes) -> CitationKey:
    """A point beyond the last of the paragraph cited; of a whole unit, of its first paragraph that has points."""
    held = statutes[key.law]
    paragraphs = subdivisions(held[key.unit])
    pointed = (label for label, paragraph in paragraphs.items() if paragraph.points)
    place = key.paragraph or next(chain(pointed, paragraphs))
    everywhere = (paragraph for other in held.values() for paragraph in subdivisions(other).values())
    usual = (label for paragraph in everywhere for label in paragraph.points)
    return replace(key, paragraph=place, point=_beyond(list(paragraphs[place].points), usual))


def _beyond(labels: Sequence[str], usual: Iterable[str]) -> str:
    """A label that none of these is, of the same kind; without any, of the kind that is usual in the law."""
    example = labels[0] if labels else next(iter(usual), _NO_PART)
    if example[0].isdigit():
        return _NO_PART
    if _ROMAN.fullmatch(example):
        return "XV"
    alphabet = next((letters for letters in _ALPHABETS if example[0].casefold() in letters), _ALPHABETS[0])
    return next(letter for letter in reversed(alphabet) if letter not in labels)


def _elsewhere(
    key: CitationKey, facts: Situation, frameworks: Mapping[str, Framework], statutes: Mapping[str, Statutes], turn: int
) -> CitationKey:
    """The place with the same numbers in a country not asked about, or else just a provision of one.

    Which country comes first differs from turn to turn, so that all are used.
    """
    place = [part for part in (key.unit, key.paragraph, key.point) if part]
    others = [code for code in frameworks if code not in facts.jurisdictions]
    others = others[turn % len(others) :] + others[: turn % len(others)]
    for depth in (len(place), *([2] if len(place) > 2 and place[1] != NO_PARAGRAPH else []), 1):
        for code in others:
            for law, units in statutes[code].items():
                if _holds(units, place[:depth]):
                    return CitationKey(code, law, *place[:depth])
    provisions = frameworks[others[0]].provisions
    return provisions[turn % len(provisions)].cite


def _holds(units: Mapping[str, StatuteUnit], place: Sequence[str]) -> bool:
    """Whether a law has a place, in force."""
    unit = units.get(place[0])
    if unit is None or is_repealed(unit.text, unit.layout):
        return False
    if len(place) == 1:
        return True
    paragraph = subdivisions(unit).get(place[1])
    if paragraph is None or len(place) == 2:
        return paragraph is not None and not is_repealed(paragraph.text, unit.layout)
    return place[2] in paragraph.points
