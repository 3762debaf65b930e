"""Tell a held law from one of the same name: by its number, its year, its subject and its country."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forge_assets.citations.law_names import LawId, words_of_name
from forge_assets.citations.spelling import plain
from forge_assets.law.model import Law

_NUMBER = re.compile(r"(?<![\d/.])(\d{1,4})[/:](\d{4}|\d{2})(?!\d)")
_YEAR = re.compile(r"(?<!\d)(?:18|19|20)\d{2}(?!\d)")
_KIND = re.compile(r"[^\W\d_]+")

Number = tuple[str, str]
"""Two numbers of a law's official number, a year among them by its last two digits."""


@dataclass(frozen=True)
class LawIdentity:
    """What the names of a law say of it."""

    numbers: frozenset[Number]
    years: frozenset[str]
    words: frozenset[str]
    """Stems of the words of its names."""
    kinds: frozenset[frozenset[str]]
    """Words before its number, name by name: `real decreto legislativo`."""

    @classmethod
    def of(cls, law: Law) -> LawIdentity:
        """Read a law's names."""
        names = (law.short, law.title, law.english, *law.aliases)
        numbers = {number_of(found) for name in names for found in _NUMBER.finditer(name)}
        kinds = {kind_of(name[: found.start()]) for name in names if (found := _NUMBER.search(name))}
        return cls(
            frozenset(numbers),
            frozenset(year for name in names for year in _YEAR.findall(name)),
            frozenset().union(*(words_of_name(name) for name in names)),
            frozenset(kinds),
        )


def number_of(found: re.Match[str]) -> Number:
    """The official number that a pattern with two groups found, written one way: `98/59`, `580/76`."""
    first, second = found[1], found[2]
    return _short(first), _short(second)


def _short(part: str) -> str:
    return part[2:] if _YEAR.fullmatch(part) else part.lstrip("0") or "0"


def kind_of(words: str) -> frozenset[str]:
    """The kind of instrument that stands before a number: its words, folded, without the shortest."""
    return frozenset(plain(word.casefold())[:3] for word in _KIND.findall(words) if len(word) > 2)


def by_number(laws: Iterable[tuple[LawId, Law]]) -> Mapping[Number, frozenset[LawId]]:
    """Index laws by their official numbers."""
    found: dict[Number, set[LawId]] = {}
    for law_id, law in laws:
        for number in LawIdentity.of(law).numbers:
            found.setdefault(number, set()).add(law_id)
    return {number: frozenset(held) for number, held in found.items()}
