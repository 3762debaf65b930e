"""Attribute a chain of places to a law: the one named behind it, before it, earlier in the text, or none."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.law_names import LawId, NamedLaw
from forge_assets.citations.parts import Reference

_ABBREVIATION = re.compile(r"[^\W\d_][\w-]{0,30}(?:\.\s?[^\W\d_]{1,8}\.)*(?:\s\d{1,4}/\d{4})?")
_CLOSED = re.compile(r"[.\u00ba\u00b0](?![^\W_])|\)(?![^\W_]|[,.;:])")
_ENDED = re.compile(r"\s?(?:[).;:\]]|$)")
_BRACKET = re.compile(r"[ \t\u00a0\u202f]?[(,]\s?")
_INFLECTED = re.compile(r"^(?::?[^\W\d_]{1,4}\b|\([^()]{2,40}\))")
"""An ending or a gloss between a law's name and a place: `YTL:n 16 §`, `TUPE (2006) reg. 13`."""
_NEAR = " \t\u00a0\u202f,:(*"


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
    doubtful: bool = False
    """No law is named beside it, so that a plain number in the chain may be prose."""


@dataclass(frozen=True)
class LawMentions:
    """A text with the laws it names."""

    text: str
    laws: LawIndex
    mentions: Sequence[NamedLaw]
    countries: Sequence[tuple[int, str]]
    """Where countries are named; empty where no law's name is borne by several."""
    default: str | None
    home: str | None
    """Whose law a citation without a name means."""

    @classmethod
    def of(cls, text: str, laws: LawIndex, default: str | None) -> LawMentions:
        """Find the laws a text names; without a default, its home is the one country whose laws it names."""
        mentions = laws.names.all(text)
        countries = laws.countries(text) if any(len(mention.laws) > 1 for mention in mentions) else []
        mentions = [_settled(text, mention, countries, laws) for mention in mentions]
        homes = {law[0] for mention in mentions for law in mention.laws}
        home = default or (homes.pop() if len(homes) == 1 else None)
        return cls(text, laws, mentions, countries, default, home)

    def name_around(self, position: int) -> NamedLaw | None:
        """Find the law's name that a position lies within, its first letter aside."""
        before = bisect_right(self.mentions, position, key=lambda m: m.start) - 1
        name = self.mentions[before] if before >= 0 else None
        return name if name and name.start < position < name.end else None

    def attribute(self, chain: list[Reference], floor: int) -> Attribution | None:
        """Attribute a chain to a law; None if it is prose.

        Args:
            floor: where the citation before ended.
        """
        if self._is_no_law(chain[-1].end):
            chain = chain[:-1]  # the places before may be of a law that is named before them
            if not chain:
                return None
        start, end = chain[0].start, chain[-1].end
        name = self._name_after(end)
        unknown = None if name else self._unknown_after(end)
        if unknown and unknown[0][0].islower() and "." in unknown[0] and (before := self._name_before(start, floor)):
            name, unknown = before, None  # `m.w.N.` and the like
        if name or unknown:
            law = self._chosen(name, chain) if name else None
            return _attributed(chain, law, name, unknown)
        law = self._same_law(start, end)
        if law:
            return _attributed(chain, law, None, None)
        while chain[-1].bare and not chain[-1].joined.isalpha() and not _ENDED.match(self.text, chain[-1].end):
            chain = chain[:-1]
        name = self._name_before(start, floor)
        if name:
            return _attributed(chain, self._chosen(name, chain), name, None)
        unknown = self._unknown_before(start, chain[-1].end, floor)
        law = None if unknown else self._meant(chain)
        if law is None and unknown is None and _is_prose(chain):
            return None
        return replace(_attributed(chain, law, None, unknown), doubtful=True)

    def _meant(self, chain: list[Reference]) -> LawId | None:
        """The law of the home country that a chain without a name is of."""
        if self.home is None:
            return None
        law = self._named_last(chain[0].start, self.home)
        if law is None and self.default:
            law = self.laws.holding(self.default, chain[0])
            if law is None and not _is_prose(chain):
                law = self.laws.only_law(self.default)
        return law

    def _named_last(self, start: int, home: str) -> LawId | None:
        before = bisect_right(self.mentions, start, key=lambda m: m.end)
        for place in range(before - 1, -1, -1):
            at_home = [law for law in self.mentions[place].laws if law[0] == home]
            if len(at_home) == 1:
                return at_home[0]
        everywhere = {law for mention in self.mentions for law in mention.laws if law[0] == home}
        return everywhere.pop() if len(everywhere) == 1 else None

    def _chosen(self, name: NamedLaw, chain: Sequence[Reference]) -> LawId | None:
        """Which of the laws that bear a name is meant.

        That of the country named with it; one that has the unit, best of the home country; that country's own; the one
        whose chief name it is.
        """
        if len(name.laws) == 1:
            return next(iter(name.laws))
        indexed = self.laws.laws
        country = _country_of(self.text, name, name.end, self.countries, self.laws)
        having = [law for law in name.laws if indexed[law].unit(chain[0].unit)]
        for choice in (
            [law for law in name.laws if law[0] == country],
            [law for law in having if law[0] == self.home],
            having,
            [law for law in name.laws if law[0] == self.home],
            _chief(self.text[name.start : name.end], name, self.laws),
        ):
            if len(choice) == 1:
                return choice[0]
        return None

    def _is_no_law(self, at: int) -> bool:
        """Whether the text goes on with `of this agreement` and the like."""
        forms, places = self.laws.forms, self._places_after(at)
        if not forms.no_law.match(self.text, at) or any(forms.same_law.match(self.text, place) for place in places):
            return False
        return self.laws.names.at(self.text, places[-1]) is None

    def _same_law(self, start: int, end: int) -> LawId | None:
        """The law named before, where words such as `of that Act` stand behind a place or before it."""
        forms = self.laws.forms
        before = bisect_right(self.mentions, start, key=lambda m: m.end) - 1
        if before < 0:
            return None
        after = any(forms.same_law.match(self.text, at) for at in self._places_after(end))
        if not after and not forms.ends_with_same_law.search(self.text, max(0, start - 40), start):
            return None
        found = self.mentions[before].laws
        return next(iter(found)) if len(found) == 1 else None

    def _name_after(self, at: int) -> NamedLaw | None:
        for place in self._places_after(at):
            name = self.laws.names.at(self.text, place)
            if name:
                return self._with_short_name(name)
        return None

    def _with_short_name(self, name: NamedLaw) -> NamedLaw:
        """The name together with the law's other name in brackets behind it, which may settle whose law it is."""
        bracket = _BRACKET.match(self.text, name.end)
        again = self.laws.names.at(self.text, bracket.end()) if bracket else None
        if again is None or not (common := again.laws & name.laws):
            return name
        closed = self.text[again.end : again.end + 1] == ")"
        return NamedLaw(common, name.start, again.end + closed)

    def _name_before(self, start: int, floor: int) -> NamedLaw | None:
        before = bisect_right(self.mentions, start, key=lambda m: m.end) - 1
        if before < 0 or self.mentions[before].start < floor:
            return None
        between = self.laws.forms.wider.sub("", self.text[self.mentions[before].end : start].lstrip(_NEAR))
        if between.strip(_NEAR):
            between = _INFLECTED.sub("", between)
        return None if between.strip(_NEAR + ")") else replace(self.mentions[before], end=start)

    def _unknown_after(self, at: int) -> tuple[str, int] | None:
        """The name of a law that is not held, behind a place, and its end."""
        text, forms = self.text, self.laws.forms
        for place in self._places_after(at):
            if "," in text[at:place]:
                return None
            found = forms.other_law.match(text, place)
            if found:
                stops = [m.start() for m in (forms.join.search(found[0]), forms.head.search(found[0])) if m]
                end = place + min((stop for stop in stops if stop > 0), default=len(found[0]))
                return text[place:end], end
            word = _ABBREVIATION.match(text, place)
            if word is None:
                continue
            capitals = sum(letter.isupper() for letter in word[0])
            connected = bool(text[at:place].strip(" \t\u00a0\u202f,().º°"))
            dotted = "." in word[0] and len(word[0]) > 3
            if capitals >= 2 or (connected and word[0][0].isupper() and len(word[0]) > 2) or dotted:
                return word[0], word.end()
        return None

    def _unknown_before(self, start: int, end: int, floor: int) -> tuple[str, int] | None:
        """The name of a law that is not held, right before a place: `ferieloven § 5`."""
        found = self.laws.forms.ends_with_other_law.search(self.text, max(floor, start - 60), start)
        return (found[0].strip(" ,\u00a0"), end) if found else None

    def _places_after(self, at: int) -> list[int]:
        """Where a law's name may begin: behind brackets, articles and the like."""
        if _CLOSED.match(self.text, at):
            at += 1
        places = [at]
        while len(places) < 14 and (step := self.laws.forms.of.match(self.text, places[-1])):
            places.append(step.end())
        return places


def _attributed(
    chain: Sequence[Reference], law: LawId | None, name: NamedLaw | None, unknown: tuple[str, int] | None
) -> Attribution:
    start = min(chain[0].start, name.start) if name else chain[0].start
    end = max(chain[-1].end, name.end if name else 0, unknown[1] if unknown else 0)
    label = re.sub(r"\W+", "_", unknown[0]).strip("_").lower() if unknown else "unknown"
    return Attribution(tuple(chain), law, label, start, end)


def _country_of(
    text: str, name: NamedLaw, before: int, countries: Sequence[tuple[int, str]], laws: LawIndex
) -> str | None:
    """The country named right behind a law's name, or else last named before a place."""
    last = bisect_right(countries, before, key=lambda named: named[0]) - 1
    return laws.country_after(text, name.end) or (countries[last][1] if last >= 0 else None)


def _settled(text: str, mention: NamedLaw, countries: Sequence[tuple[int, str]], laws: LawIndex) -> NamedLaw:
    """A mention narrowed to the one law meant: that of the country named with it, or whose chief name it is."""
    if len(mention.laws) == 1:
        return mention
    country = _country_of(text, mention, mention.start, countries, laws)
    of_country = [law for law in mention.laws if law[0] == country]
    meant = of_country or _chief(text[mention.start : mention.end], mention, laws)
    return replace(mention, laws=frozenset(meant)) if len(meant) == 1 else mention


def _chief(written: str, name: NamedLaw, laws: LawIndex) -> list[LawId]:
    indexed = {law: laws.laws[law].law for law in name.laws}
    return [key for key, law in indexed.items() if written.casefold() in (law.short.casefold(), law.title.casefold())]


def _is_prose(chain: Sequence[Reference]) -> bool:
    """`section 3` alone is the section of a report, not of a law; `§ 3` is one."""
    return len(chain) == 1 and not chain[0].parts and not chain[0].last and chain[0].head[:1] != "§"
