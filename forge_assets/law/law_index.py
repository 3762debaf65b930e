"""Knows the laws of the frameworks by their names, and which units, paragraphs and points their text has."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from forge_assets.law.model import Framework, Law
from forge_assets.law.statutes import NO_PARAGRAPH, Statutes, StatuteUnit, subdivisions

CitationStatus = Literal["real", "fabricated", "unverifiable"]
LawId = tuple[str, str]
"""Jurisdiction and law id."""


@dataclass(frozen=True)
class NamedLaw:
    """A law's name found in a text."""

    law: LawId
    start: int
    end: int


@dataclass(frozen=True)
class LawIndex:
    """Build with `LawIndex.build`; one index serves any number of texts."""

    units: Mapping[LawId, Mapping[str, StatuteUnit]]
    languages: Mapping[LawId, str]
    _names: Mapping[str, LawId]
    _pattern: re.Pattern[str]
    _places: dict[tuple[LawId, str], Mapping[str, frozenset[str]]] = field(default_factory=dict)

    @classmethod
    def build(cls, frameworks: Sequence[Framework], statutes: Mapping[str, Statutes]) -> LawIndex:
        """Index the laws of frameworks.

        Args:
            statutes: jurisdiction to the statute text held; a law without text makes citations unverifiable.
        """
        owners: dict[str, set[LawId]] = {}
        units: dict[LawId, Mapping[str, StatuteUnit]] = {}
        languages: dict[LawId, str] = {}
        for framework in frameworks:
            for law in framework.laws:
                law_id = framework.jurisdiction, law.id
                units[law_id] = statutes.get(framework.jurisdiction, {}).get(law.id, {})
                languages[law_id] = framework.language
                for name in _names_of(law):
                    owners.setdefault(_folded(name), set()).add(law_id)
        names = {name: min(laws) for name, laws in owners.items() if len(laws) == 1}
        return cls(units, languages, names, _pattern(names))

    def named(self, text: str, position: int) -> NamedLaw | None:
        """The law whose name stands exactly at a position, the longest name winning."""
        return self._named(self._pattern.match(text, position))

    def mentions(self, text: str) -> list[NamedLaw]:
        """Every law named in a text, in order."""
        found = (self._named(match) for match in self._pattern.finditer(text))
        return [law for law in found if law]

    def _named(self, match: re.Match[str] | None) -> NamedLaw | None:
        if match is None:
            return None
        return NamedLaw(self._names[_folded(match[0])], match.start(), match.end())

    def status(self, law: LawId, unit: str, paragraph: str | None, point: str | None) -> CitationStatus:
        """Whether a place exists in the text held of a law."""
        if not self.units.get(law):
            return "unverifiable"
        if unit not in self.units[law]:
            return "fabricated"
        if paragraph is None:
            return "real"
        points = self._subdivisions(law, unit).get(paragraph)
        if points is None or (point is None and paragraph == NO_PARAGRAPH):
            return "fabricated"
        return "real" if point is None or point in points else "fabricated"

    def _subdivisions(self, law: LawId, unit: str) -> Mapping[str, frozenset[str]]:
        if (law, unit) not in self._places:
            found = subdivisions(self.units[law][unit])
            self._places[law, unit] = {label: frozenset(part.points) for label, part in found.items()}
        return self._places[law, unit]

    def between(self, law: LawId, first: str, last: str, limit: int = 30) -> list[str]:
        """Units from first to last as the statute orders them; only the two ends if there are too many."""
        numbers = sorted(self.units.get(law, {}), key=_order)
        low = bisect_right(numbers, _order(first), key=_order)
        high = bisect_right(numbers, _order(last), key=_order)
        inner = [n for n in numbers[low:high] if n != last]
        return [first, *(inner if len(inner) <= limit else []), last]

    def only_law(self, jurisdiction: str) -> LawId | None:
        """The jurisdiction's law if it has exactly one."""
        laws = [law for law in self.units if law[0] == jurisdiction]
        return laws[0] if len(laws) == 1 else None


def _order(number: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(digits), letters) for digits, letters in re.findall(r"(\d+)([a-z]*)", number))


def _names_of(law: Law) -> list[str]:
    return [law.short, law.title, law.english, *law.aliases]


def _is_long(name: str) -> bool:
    return " " in name.replace(". ", ".") or len(name) > 12


def _folded(name: str) -> str:
    tight = re.sub(r"\s+", " ", name)
    if _is_long(tight):
        return tight.replace("\u2019", "'").casefold()
    return tight.replace(" ", "").removesuffix(".")


def _pattern(names: Mapping[str, LawId]) -> re.Pattern[str]:
    """Short names as they are written (`ET` is no `et`), long ones in any case."""
    parts = []
    for name in sorted(names, key=len, reverse=True):
        words = re.escape(name).replace(r"\ ", r"\s").replace("'", "['\u2019]").replace(r"\.", r"\.\s?")
        parts.append(f"(?i:{words})" if _is_long(name) else words + r"\.?" * ("." in name))
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts) or '(?!)'})(?!\w)")
