"""List the laws that may own a chain of places: those named right behind it and right before it, and at what price."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from forge_assets.citations.law_names import NamedLaw
from forge_assets.citations.mentions import Mentions
from forge_assets.citations.parts import Reference

_ABBREVIATION = re.compile(r"[^\W\d_][\w-]{0,30}(?:\.\s?[^\W\d_]{1,8}\.)*(?:\s\d{1,4}/\d{4})?")
_ABBREVIATED_BEFORE = re.compile(
    r"(?<![^\W_])(?<![.-])([^\W\d_][\w-]{0,14})(?:[ \u00a0](?:[IVX]{1,4}|\d{1,2}|(?:19|20)\d{2}))?[ \u00a0]{1,2}$"
)
_CLOSED = re.compile(r"[.\u00ba\u00b0](?![^\W_])|\)(?![^\W_]|[,.;:])")
_INFLECTED = re.compile(r"[:'\u2019-][^\W\d_]{1,4}\b|\s?\([^()]{2,40}\)")
"""An ending or a gloss between a law's name and a place: `YTL:n 16 §`, `TUPE (2006) reg. 13`."""
_WORD_AT = re.compile(r"[^\W\d_]+(?![^\W_])")
_SHORT_WORD = re.compile(r"[^\W\d_]{1,4}\b|\([^()]{2,40}\)")
_BRACKET = re.compile(r"[ \t\u00a0\u202f]?[(,]\s?")
_NEAR = ' \t\u00a0\u202f,:(*|"\u201e\u201c\u00ab'
_WORDS = re.compile(r"[^\W\d_]+")
_BEFORE_COST = {",": 1.0, ":": 2.0, "(": 0.5, "|": 1.0, "-": 1.0, "\u2013": 1.0, "\u2014": 1.0}
_DASH = re.compile(r"[ \u00a0][-\u2013\u2014][ \u00a0]")
_FOOTNOTE = re.compile(r"\d{1,2}(?=[ \u00a0])")
"""The number of a footnote right behind a law's name."""
_AFTER_COST = {",": 2.0, "|": 1.0, "(": 0.25}
_WIDE = 60
"""Letters between a law's name and a place, at most."""
_ROMAN = re.compile(r"[IVXLC]+")


@dataclass(frozen=True)
class Candidate:
    """A law that may own a chain, and how far that is from how lawyers write: 0 is beside it, with nothing between."""

    name: NamedLaw
    cost: float
    after: bool
    drops: bool = False
    """It says that what is cited is no law."""


@dataclass(frozen=True)
class Neighbours:
    """What stands around the chains of one text."""

    mentions: Mentions
    _places: dict[int, list[int]] = field(default_factory=dict)

    def of(self, chain: Sequence[Reference], floor: int, ceiling: int) -> list[Candidate]:
        """List the laws that may own a chain.

        Args:
            floor: where the chain before ended.
            ceiling: where the next chain begins.
        """
        after, before = self._after(chain, ceiling), self._before(chain, floor)
        return [found for found in (after, before) if found]

    # Behind a place

    def _after(self, chain: Sequence[Reference], ceiling: int) -> Candidate | None:
        at = chain[-1].end
        text, names = self.mentions.text, self.mentions.laws.names
        places = self.places_after(at)
        for place in places:
            name = self.mentions.at(place) or names.at(text, place)
            if name and name.end <= ceiling + 1:
                name = self._with_short_name(name)
                return Candidate(name, self._after_cost(at, place, name, chain), after=True)
        return self._looks_like_law(at, places, ceiling, chain)

    def _after_cost(self, at: int, place: int, name: NamedLaw, chain: Sequence[Reference]) -> float:
        """Commas and words that mean `and` part a place from the law behind it."""
        laws, between = self.mentions.laws, self.mentions.text[at:place]
        if between == " ":
            return 0.0
        words = _WORDS.findall(between.casefold())
        cost = sum(_AFTER_COST.get(sign, 0.0) for sign in between)
        if "," in between and (words or any("," in self.mentions.text[r.start : r.end] for r in chain)):
            cost -= 1.0  # `artículo 64, apartado 4, del ET`
        countries = {law[0] for law in name.laws} or ({name.country} if name.country else set())
        if "." in between and not any(laws.is_dotted(country) for country in countries):
            cost += 2.0
        for word in words:
            if any(laws.is_of(country, word) for country in countries):
                continue
            if any(laws.joins(country, word) for country in countries):
                cost += 3.0
            elif laws.forms.words.joins(word):
                cost += 1.0
        return cost

    def _with_short_name(self, name: NamedLaw) -> NamedLaw:
        """The name together with the law's other name in brackets behind it, which may settle whose law it is."""
        text = self.mentions.text
        bracket = _BRACKET.match(text, name.end)
        again = self.mentions.laws.names.at(text, bracket.end()) if bracket else None
        if again is None or not (common := again.laws & (name.bearers or name.laws)):
            return name
        closed = text[again.end : again.end + 1] == ")"
        return NamedLaw(common, name.start, again.end + closed)

    def _looks_like_law(
        self, at: int, places: Sequence[int], ceiling: int, chain: Sequence[Reference]
    ) -> Candidate | None:
        """What looks like the name of a law that is not held, behind a place."""
        text, forms = self.mentions.text, self.mentions.laws.forms
        for place in places:
            between = text[at:place]
            comma = "," in between
            named = forms.other_law.match(text, place) if comma and between.rpartition(",")[2].strip() else None
            if named and text[place].isupper():
                return self._unheld(place, named.end(), 0.5)  # `artikel 14, tweede lid, van de Wet`
            found = None if comma else forms.other_law.match(text, place)
            if found:
                stops = [m.start() for m in (forms.join.search(found[0]), forms.head.search(found[0])) if m]
                end = place + min((stop for stop in stops if stop > 0), default=len(found[0]))
                return self._unheld(place, end, 0.5)
            if comma and between.strip(", \u00a0"):
                continue
            compound = _WORD_AT.match(text, place)
            if compound and forms.is_compound(compound[0]):
                return self._unheld(place, compound.end(), 1.5 if comma else 0.5)
            if comma:
                continue
            titled = forms.titled.match(text, place)
            if titled and titled.end() <= ceiling:
                return self._unheld(place, titled.end(), 0.5)
            word = _ABBREVIATION.match(text, place)
            if word is None or self._is_head(word.start()):
                continue
            written = re.sub(r"\.\s[^\W\d_]{1,8}\.$", "", word[0]) if ". " in word[0] else word[0]
            capitals = sum(letter.isupper() for letter in written)
            between = text[at:place].strip(" \t\u00a0\u202f,().\u00ba\u00b0|")
            dotted = "." in written and len(written) > 3
            if dotted and written[0].islower() and not capitals and not between and "." not in written[:-1]:
                continue
            if capitals >= 2 or (between and written[0].isupper() and len(written) > 2) or dotted:
                if _ROMAN.fullmatch(written):
                    continue
                return self._unheld(place, place + len(written), 2.0 if written[0].islower() else 1.0)
        return None

    def _is_head(self, at: int) -> bool:
        return self.mentions.laws.forms.head.match(self.mentions.text, at) is not None

    # Before a place

    def _before(self, chain: Sequence[Reference], floor: int) -> Candidate | None:
        text, laws, forms = self.mentions.text, self.mentions.laws, self.mentions.laws.forms
        start = chain[0].start
        near = max(floor, start - 30)
        wider = forms.wider.search(text, near, start) if forms.may_be_wider(text, near, start) else None
        if wider:
            start = wider.start()
        found = self.mentions.before(start)
        name = self.mentions.named[found] if found >= 0 else None
        if name:
            cost = self._before_cost(text[name.end : start])
            if cost is not None:
                return Candidate(replace(name, end=chain[0].start), cost, after=False)
        word, at, end = self._last_word(floor, start)
        if not word:
            return None
        gap = text[end:start]
        if gap.strip(" ,(\u00a0"):
            return None
        if forms.is_compound(word) or word.casefold() in laws.last_law_words:
            cost = sum(_BEFORE_COST.get(sign, 0.0) for sign in gap)
            return self._unheld(at, chain[0].start, 0.5 + cost + (cost > 0), after=False)
        if word.casefold() in laws.last_no_law_words and "(" not in gap and "," not in gap:
            no_law = forms.ends_with_no_law.search(text, max(floor, start - 60), start)
            if no_law:
                return Candidate(NamedLaw(frozenset(), no_law.start(), start), 0.5, after=False, drops=True)
        if gap.strip(" \u00a0"):
            return None
        found_word = _ABBREVIATED_BEFORE.search(text, max(floor, start - 30), start)
        if found_word and self._is_abbreviation(found_word[1]) and not forms.words.is_word(found_word[1]):
            return self._unheld(found_word.start(), chain[0].start, 1.5, after=False)
        return None

    def _last_word(self, floor: int, start: int) -> tuple[str, int, int]:
        """The word before a position, signs between aside; where it begins and ends."""
        text, end = self.mentions.text, start
        while end > floor and text[end - 1] in " ,(\u00a0":
            end -= 1
        at = end
        while at > max(floor, end - 40) and (text[at - 1].isalnum() or text[at - 1] in ".-"):
            at -= 1
        return text[at:end], at, end

    def _before_cost(self, between: str) -> float | None:
        """The price of a law's name with something between it and a place; None: it stands elsewhere."""
        if between == " ":
            return 0.0
        if len(between) > _WIDE:
            return None
        footnote = _FOOTNOTE.match(between)
        between = between[footnote.end() :] if footnote else between
        cost = sum(_BEFORE_COST.get(sign, 0.0) for sign in between)
        if between.strip(_NEAR + ")") and not _DASH.fullmatch(between):
            rest = between.lstrip(_NEAR)
            glued = _INFLECTED.match(between)
            word = glued or _SHORT_WORD.match(rest)
            if word is None or (not glued and self.mentions.laws.forms.words.joins(word[0].casefold())):
                return None
            if (between if glued else rest)[word.end() :].strip(_NEAR + ")"):
                return None
            cost += 0.0 if glued else 1.0
        return cost

    def _is_abbreviation(self, word: str) -> bool:
        """Whether a word has capitals as abbreviations of laws have: `MuSchG`, `LRJS`; no Roman number."""
        capitals = sum(letter.isupper() for letter in word)
        return capitals >= 2 and len(word) > 1 and word[0].isupper() and not _ROMAN.fullmatch(word)

    def _unheld(self, start: int, end: int, cost: float, after: bool = True) -> Candidate:
        label = re.sub(r"\W+", "_", self.mentions.text[start:end]).strip("_").lower() or "unknown"
        return Candidate(NamedLaw(frozenset(), start, end, label), cost, after)

    def places_after(self, at: int) -> list[int]:
        """Where a law's name may begin: behind brackets, articles and the like."""
        if at not in self._places:
            self._places[at] = self._steps_after(at)
        return self._places[at]

    def _steps_after(self, at: int) -> list[int]:
        text, of = self.mentions.text, self.mentions.laws.forms.of
        if _CLOSED.match(text, at):
            at += 1
        places = [at]
        while len(places) < 14 and (step := of.match(text, places[-1])):
            places.append(step.end())
        return places
