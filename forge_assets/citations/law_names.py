"""Find the names of known laws in a text: a look-up by first word, then the whole name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from forge_assets.law.model import Law

LawId = tuple[str, str]
"""Jurisdiction and law id."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class NamedLaw:
    """A law's name found in a text; several laws may bear it, as many countries' `Labour Code`."""

    laws: frozenset[LawId]
    start: int
    end: int


@dataclass(frozen=True)
class LawNames:
    """Build with `LawNames.of`."""

    _by_first_word: Mapping[str, Sequence[tuple[re.Pattern[str], frozenset[LawId]]]]

    @classmethod
    def of(cls, laws: Iterable[tuple[LawId, Law]]) -> LawNames:
        """Index short names, titles, English names and aliases. A name may belong to several laws."""
        owners: dict[str, set[LawId]] = {}
        for law_id, law in laws:
            for name in (law.short, law.title, law.english, *law.aliases):
                owners.setdefault(" ".join(name.split()).replace("\u2019", "'"), set()).add(law_id)
        index: dict[str, list[tuple[re.Pattern[str], frozenset[LawId]]]] = {}
        for name in sorted(owners, key=len, reverse=True):
            first = _WORD.search(name)
            if first is None:
                continue
            alike = {owner for other in owners if _same(other, name) for owner in owners[other]}
            index.setdefault(first[0].casefold(), []).append((_pattern(name[first.start() :]), frozenset(alike)))
        return cls(index)

    def at(self, text: str, position: int) -> NamedLaw | None:
        """Find the law whose name stands exactly at a position, the longest name winning."""
        word = _WORD.match(text, position)
        if word is None:
            return None
        for pattern, laws in self._by_first_word.get(word[0].casefold(), ()):
            found = pattern.match(text, position)
            if found:
                return NamedLaw(laws, found.start(), found.end())
        return None

    def all(self, text: str) -> list[NamedLaw]:
        """Find every law named in a text, in order."""
        found: list[NamedLaw] = []
        end = 0
        for word in _WORD.finditer(text):
            if word.start() >= end and word[0].casefold() in self._by_first_word:
                law = self.at(text, word.start())
                if law:
                    found.append(law)
                    end = law.end
        return found


def _is_long(name: str) -> bool:
    return " " in name.replace(". ", ".") or len(name) > 12


def _same(name: str, other: str) -> bool:
    return name == other or (_is_long(name) and name.casefold() == other.casefold())


def _pattern(name: str) -> re.Pattern[str]:
    """Short names as they are written (`ET` is no `et`), long ones in any case; spaces after dots may be missing."""
    words = re.escape(name).replace(r"\ ", r"\s{1,2}").replace(r"\.\s{1,2}", r"\.?\s?").replace("'", "['\u2019]")
    words = re.sub(r"\\\.(?!\?)", r"\\.?", words)
    return re.compile((f"(?i:{words})" if _is_long(name) else words) + r"(?![^\W_])")
