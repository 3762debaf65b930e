"""Attribute chains of places to laws: what costs least over the whole text, or else what the text says before.

A chain may belong to the law behind it or to the one before it. A law between two chains belongs to one of them, unless
the other has no law of its own. Where two readings cost alike, the chain is left open.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from forge_assets.citations.candidates import Candidate, Neighbours
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.law_names import LawId, NamedLaw
from forge_assets.citations.mentions import Mentions, chief_of
from forge_assets.citations.parts import Reference

_ALONE = 3.5
"""What it costs to leave a chain without a law beside it."""
_SHARED = 3.0
"""What it costs to give a law the chains on both its sides."""
_AGAINST_HABIT = 0.25
_ALIKE = 0.5
"""Readings whose costs differ by less are alike."""
_ENDED = re.compile(r"\s?(?:[).;:\]]|$)")
_SENTENCE_END = re.compile(r"(?:(?<=[^\W\d_]{4})|(?<=[\d)\]]))[.!?][)\u201d\u00bb\"]?\s+(?=\S)|\n")
_FAR = 600
"""Letters in which a sentence has ended."""
_SOON = 30
"""Letters between a place and the next one, at most, whose law it shares."""
_AT_ONCE = 20
"""Letters between a place and a law named behind other words, at most."""
_DOCUMENT = re.compile(r"\u00a7\s?\d{1,2}\.\d")
_OWN_START = re.compile(
    r"[\s\"'\u2018-\u201e\u00ab\u00bb]*(?:[(\[]\d{1,3}[a-z]?[)\]]\s|[-\u2013]\s\d{1,3}\.\s|\d{1,2}\u00b0\s"
    r"|(?:\d{1,3}(?:/[A-Z])?\.\s?\u00a7|\u00a7\s?\d{1,3}(?:\s?[a-z])?\.)\s(?:\(\d{1,2}\)\s)?(?=[A-Z\u00c0-\u00de\u0391-\u03a9\u0410-\u042f]))"
)
"""How a passage of a statute begins: by the number of a section, paragraph or point. Bare places in it are its own."""
_BEFORE_HEADING = " \t\n\u00a0\"'\u201e\u201c\u00ab#*-"
_HEADING_END = re.compile(
    r"(?:\.|(?<=\u00a7))\s{1,4}(?:\(?\d{1,2}[.)]\s)?"
    r"[A-Z\u00c0-\u00de\u0391-\u03a9\u0410-\u042f][a-z\u00df-\u00ff\u03ac-\u03ce\u0430-\u044f]"
)
"""What stands behind the number of a section that begins a passage of a statute: `Art. 5. 1. Pracodawca`."""
_CASE = re.compile(r"\d{1,6}/\d{2}(?:\d{2})?[\])]?,[ \u00a0]$")
"""The number of a case before a paragraph of its judgment: `no. 12345/99, § 44`."""


@dataclass(frozen=True)
class Attribution:
    """The law of a chain, or the name of one that is not held."""

    chain: tuple[Reference, ...]
    """What of the chain is a citation at all."""
    law: LawId | None
    label: str
    """A law that is not held, as its name is written; `unknown` where none is."""
    start: int
    end: int
    """Where the citation begins and ends, a law's name included."""
    guessed: bool = False
    """Another law may be meant."""
    doubtful: bool = False
    """No law is named beside it, so that a plain number in the chain may be prose."""


@dataclass(frozen=True)
class Reading:
    """One way to read a chain: a law beside it, or none."""

    candidate: Candidate | None
    cost: float


class Attributor:
    """Attributes the chains of one text."""

    def __init__(self, mentions: Mentions, default: str | None) -> None:
        self._mentions = mentions
        self._neighbours = Neighbours(mentions)
        self._default = default
        homes = {law[0] for mention in mentions.named if not mention.bearers for law in mention.laws}
        homes = homes or {law[0] for mention in mentions.named for law in mention.laws}
        self._home = default or (next(iter(homes)) if len(homes) == 1 else None)
        self._held = [mention for mention in mentions.named if mention.laws]
        self._starts = [mention.start for mention in self._held]
        self._all = frozenset(law for mention in self._held for law in mention.laws)
        self._homely = [law for law in self._all if self._is_home(law)]
        self._unheld_from = next((m.start for m in mentions.named if not m.laws), len(mentions.text))
        self._passed: dict[LawId, int] = {}
        self._next = 0
        own = _OWN_START.match(mentions.text)
        self._own = own.end() if own else -1
        """Where the number of the passage ends, if it is one of a statute."""
        self._cited: set[tuple[LawId, str]] = set()
        """Units that the text cites beside their law's name."""
        self._last: tuple[int, LawId | None, str] | None = None
        """Where the chain before ended, and its law."""

    @property
    def _laws(self) -> LawIndex:
        return self._mentions.laws

    def attribute(self, chains: Sequence[list[Reference]]) -> list[Attribution | None]:
        """Attribute the chains of a text, in order; None where one is prose or no law."""
        readings: list[list[Reading]] = []
        kept: list[list[Reference]] = []
        for i, chain in enumerate(chains):
            floor = chains[i - 1][-1].end if i else 0
            ceiling = chains[i + 1][0].start if i + 1 < len(chains) else len(self._mentions.text)
            kept.append(self._lawful(chain))
            found = self._neighbours.of(kept[-1], floor, ceiling) if kept[-1] else []
            readings.append([Reading(None, _ALONE), *(Reading(c, c.cost + self._habit(c)) for c in found)])
        totals = _totals(readings)
        return [
            self._read(chain, *_chosen(options, costs)) if chain else None
            for chain, options, costs in zip(kept, readings, totals, strict=True)
        ]

    def _habit(self, candidate: Candidate) -> float:
        countries = {law[0] for law in candidate.name.laws} or {candidate.name.country}
        first = any(self._laws.name_first(country) for country in countries)
        return _AGAINST_HABIT if first == candidate.after else 0.0

    def _lawful(self, chain: list[Reference]) -> list[Reference]:
        """A chain without its last place, if that is of no law: the places before may be of a law named before."""
        forms, at, text = self._laws.forms, chain[-1].end, self._mentions.text
        case = _CASE.search(text, max(0, chain[0].start - 14), chain[0].start)
        before = self._mentions.before(chain[0].start)
        if case and (before < 0 or self._mentions.named[before].end <= case.start()):
            return [place for place in chain[1:] if text.startswith(place.head or " ", place.start)]
        if not (forms.may_be_no_law(text, at) and forms.no_law.match(text, at)):
            return chain
        places = self._neighbours.places_after(at)
        if any(forms.same_law.match(text, place) for place in places):
            return chain
        named = any(self._laws.names.at(text, place) for place in places[-2:])
        return chain if named else chain[:-1]

    def _read(self, chain: list[Reference], reading: Reading, guessed: bool) -> Attribution | None:
        candidate = reading.candidate
        found: Attribution | None
        if candidate and candidate.drops:
            return None
        if candidate and candidate.after:
            found = self._of(chain, candidate.name, guessed)
        else:
            named = self._named_before_in_words(chain)
            if named:
                found = named
            else:
                chain = self._without_prose(chain)
                found = self._of(chain, candidate.name, guessed) if candidate else self._alone(chain)
        if found:
            self._last = (found.end, found.law, found.label)
            if found.law and not found.guessed:
                self._cited |= {(found.law, place.unit) for place in found.chain}
        return found

    def _of(self, chain: Sequence[Reference], name: NamedLaw, guessed: bool) -> Attribution | None:
        law = self._choice(name, chain) if name.laws else None
        if law is None and name.laws:
            guessed = True
        label = name.label if not name.laws else "unknown"
        if self._stands_for_document(chain):
            return None
        if law is None and _is_one_letter(chain[0]) and not name.label:
            return None
        start, end = min(chain[0].start, name.start), max(chain[-1].end, name.end)
        return Attribution(tuple(chain), law, label or "unknown", start, end, guessed=guessed and law is not None)

    def _without_prose(self, chain: list[Reference]) -> list[Reference]:
        text = self._mentions.text
        while (
            chain[-1].bare
            and not (chain[-1].joined.isalpha() or chain[-1].joined == "/")
            and not _ENDED.match(text, chain[-1].end)
        ):
            chain = chain[:-1]
        return chain

    def _named_before_in_words(self, chain: list[Reference]) -> Attribution | None:
        """The law named before, where words such as `of that Act` stand behind a place or before it."""
        start, end = chain[0].start, chain[-1].end
        before = self._mentions.before(start)
        if before < 0 or not self._says_same_law(chain):
            return None
        named = self._mentions.named[before]
        if len(named.laws) == 1:
            return Attribution(tuple(chain), next(iter(named.laws)), "unknown", start, end)
        if not named.laws:
            return Attribution(tuple(chain), None, named.label, start, end)
        return None

    def _says_same_law(self, chain: Sequence[Reference]) -> bool:
        forms, text, start = self._laws.forms, self._mentions.text, chain[0].start
        return any(forms.same_law.match(text, at) for at in self._neighbours.places_after(chain[-1].end)) or (
            forms.may_end_with_same_law(text, start)
            and forms.ends_with_same_law.search(text, max(0, start - 40), start) is not None
        )

    def _alone(self, chain: list[Reference]) -> Attribution | None:
        """A chain with no law beside it: of the law that the text speaks of, if it is told."""
        start, end = chain[0].start, chain[-1].end
        if self._stands_for_document(chain) or start < self._own:
            return None
        if not self._mentions.text[:start].strip(_BEFORE_HEADING) and _HEADING_END.match(self._mentions.text, end):
            self._own = end
            return None
        law, label = self._spoken_of(chain)
        if law is None and label == "unknown" and _is_prose(chain):
            return None
        if _is_one_letter(chain[0]):
            return None
        guessed = law is not None and not all((law, place.unit) in self._cited for place in chain)
        return Attribution(tuple(chain), law, label, start, end, guessed=guessed, doubtful=True)

    def _spoken_of(self, chain: list[Reference]) -> tuple[LawId | None, str]:
        """The law that a text speaks of at a chain, or the name of one not held."""
        start, head = chain[0].start, chain[0].head
        before = self._mentions.before(start)
        if self._last and self._last[1] and self._laws.forms.join.fullmatch(self._mentions.text, self._last[0], start):
            return self._last[1], "unknown"
        nearest = self._mentions.named[before] if before >= 0 else None
        unheld_last = self._last is not None and self._last[1] is None and self._last[2] != "unknown"
        if unheld_last and self._last and (nearest is None or nearest.end <= self._last[0]):
            return None, "unknown"
        if nearest and not nearest.laws and not self._sentence_between(nearest.end, start):
            return None, "unknown"
        owners = self._fitting(start, chain[0])
        if self._own >= 0:
            owners = [law for law in owners if (law, chain[0].unit) in self._cited]
        if owners:
            if len({law[0] for law in owners}) > 1:
                return None, "unknown"
            law = owners[-1] if nearest and len(nearest.laws) <= 1 else None
            return law or self._choice(NamedLaw(frozenset(owners), 0, 0), chain), "unknown"
        if self._own >= 0:
            return None, "unknown"
        named = self._named_later(chain)
        if named:
            return named, "unknown"
        others = self._unheld_from < len(self._mentions.text)
        told = self._default and not others and not any(law[0] == self._default for law in self._all)
        coded = self._laws.coded(chain[0].unit)
        if coded and not self._says_same_law(chain):
            return coded, "unknown"
        if self._default and told and not self._says_same_law(chain):  # else `this Act`: of the text itself
            law = self._laws.holding(self._default, chain[0])
            if law is None and not _is_prose(chain):
                law = self._laws.only_law(self._default)
            if law and self._laws.is_of_form(law, head):
                return law, "unknown"
        return None, "unknown"

    def _fitting(self, start: int, place: Reference) -> list[LawId]:
        """The laws of the home country named before a chain whose units are opened by its word, the last one last."""
        while self._next < len(self._held) and self._held[self._next].end <= start:
            self._passed |= dict.fromkeys(self._held[self._next].laws, self._next)
            self._next += 1
        fitting = [law for law in self._passed if self._is_home(law) and self._laws.may_have(law, place)]
        return sorted(fitting, key=lambda law: self._passed[law])

    def _is_home(self, law: LawId) -> bool:
        return self._home is None or law[0] == self._home or law[0] in self._laws.unions.get(self._home, ())

    def _named_later(self, chain: list[Reference]) -> LawId | None:
        """The one law of the text, where it is named later in the sentence, or with a place that follows at once."""
        laws = self._homely
        at = bisect_left(self._starts, chain[-1].end)
        if len(laws) != 1 or self._unheld_from < len(self._mentions.text) or at == len(self._held):
            return None
        law, named = laws[0], self._held[at].start
        if not self._laws.may_have(law, chain[0]):
            return None
        between = self._mentions.text[chain[-1].end : min(named, chain[-1].end + _FAR)]
        if self._laws.forms.head.match(between.lstrip(" .\n\u00a0")):
            return law
        if self._sentence_between(chain[-1].end, named + 1):
            return None
        if chain[0].unit[:1].isalpha():
            return law
        head = self._laws.forms.heads(between).next(0) if len(between) <= 2 * _SOON else None
        if head is None:
            joined = self._laws.forms.words.joins(between.strip())
            return law if len(between) <= _AT_ONCE and not joined else None
        return law if head.start() <= _SOON else None

    def _sentence_between(self, start: int, end: int) -> bool:
        text = self._mentions.text
        if end - start > _FAR:
            return True
        ends = _SENTENCE_END.finditer(text, start, end)
        return any(found[0] == "\n" or not text[found.end()].islower() for found in ends)

    def _stands_for_document(self, chain: Sequence[Reference]) -> bool:
        """Whether a place is written as sections of documents are: `§3.3`."""
        return _DOCUMENT.match(self._mentions.text, chain[0].start) is not None

    def _choice(self, name: NamedLaw, chain: Sequence[Reference]) -> LawId | None:
        """Which of the laws that bear a name is meant.

        That of the country named with it; one that has the unit, best of the home country; one whose units have such
        numbers; that country's own; the one whose chief name it is.
        """
        if name.bearers:
            name = replace(name, laws=name.bearers)
        if len(name.laws) == 1:
            return next(iter(name.laws))
        indexed, unit = self._laws.laws, chain[0].unit
        country = self._mentions.country_of(name, name.end) if name.end else None
        having = [law for law in name.laws if indexed[law].unit(unit)]
        alike = self._laws.alike_shape(name.laws, unit)
        for choice in (
            [law for law in name.laws if law[0] == country],
            [law for law in having if law[0] == self._home],
            having,
            [law for law in name.laws if law[0] == self._default],
            alike if unit[:1].isalpha() else [],
            [law for law in name.laws if law[0] == self._home],
            chief_of(self._mentions.text[name.start : name.end], name.laws, self._laws),
        ):
            if len(choice) == 1:
                return choice[0]
        return None


def _totals(readings: Sequence[Sequence[Reading]]) -> list[list[float]]:
    """The least cost of the whole text with each reading of each chain: forwards and backwards, linear."""
    forward: list[list[float]] = []
    for i, options in enumerate(readings):
        if not i:
            forward.append([option.cost for option in options])
            continue
        forward.append(
            [
                option.cost
                + min(f + _shared(other, option) for f, other in zip(forward[i - 1], readings[i - 1], strict=True))
                for option in options
            ]
        )
    backward = [[0.0] * len(options) for options in readings]
    for i in range(len(readings) - 2, -1, -1):
        backward[i] = [
            min(
                b + following.cost + _shared(option, following)
                for b, following in zip(backward[i + 1], readings[i + 1], strict=True)
            )
            for option in readings[i]
        ]
    return [[f + b for f, b in zip(one, other, strict=True)] for one, other in zip(forward, backward, strict=True)]


def _shared(one: Reading, other: Reading) -> float:
    """What two neighbouring chains cost that take the law between them."""
    if one.candidate is None or other.candidate is None:
        return 0.0
    left, right = one.candidate, other.candidate
    return _SHARED if left.after and not right.after and left.name.start == right.name.start else 0.0


def _chosen(options: Sequence[Reading], totals: Sequence[float]) -> tuple[Reading, bool]:
    """The cheapest reading, and whether another law costs about as little."""
    best = min(range(len(options)), key=lambda i: totals[i])
    chosen = options[best].candidate
    if chosen is None:
        return options[best], False
    rivals = [
        option.candidate
        for option, total in zip(options, totals, strict=True)
        if option.candidate and option.candidate is not chosen and total - totals[best] < _ALIKE
    ]
    return options[best], any(r.name.laws != chosen.name.laws or not r.name.laws for r in rivals)


def _is_prose(chain: Sequence[Reference]) -> bool:
    """`section 3` alone is the section of a report, not of a law; `§ 3` is one."""
    return len(chain) == 1 and not chain[0].parts and not chain[0].last and chain[0].head[:1] != "§"


def _is_one_letter(place: Reference) -> bool:
    """Whether a place is opened by one letter without a dot, which is a word of its own in many languages: `s 20`."""
    return len(place.head) == 1 and place.head.isalpha() and not place.parts
