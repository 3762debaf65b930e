"""Look up the words of citations: which name paragraphs, points or units, in which country; ordinals; ranges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar

from forge_assets.citations.spelling import plain
from forge_assets.law.model import CitationForms

_Meaning = TypeVar("_Meaning")
Kind = Literal["paragraph", "point", "narrower", "unit"]
COMMON = ""
"""Stands for a jurisdiction where forms are those of every law: English usage."""

_FIELDS: tuple[tuple[str, Kind], ...] = (
    ("paragraphs", "paragraph"),
    ("points", "point"),
    ("narrower", "narrower"),
    ("units", "unit"),
    ("many", "unit"),
)


@dataclass(frozen=True)
class CitationWords:
    """Words, folded, to what they mean; build with `Words.of`."""

    _kinds: Mapping[str, Mapping[str, tuple[Kind, ...]]]
    """Word to jurisdiction to kinds, the chief one first."""
    _ordinals: Mapping[str, int]
    _names: Mapping[str, str]
    _to: Mapping[str, frozenset[str]]
    _join: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, given: Mapping[str, CitationForms]) -> CitationWords:
        """Index the forms of all jurisdictions, `COMMON` included."""
        kinds: dict[str, dict[str, tuple[Kind, ...]]] = {}
        for jurisdiction, form in given.items():
            for field, kind in _FIELDS:
                for template in getattr(form, field):
                    owners = kinds.setdefault(folded(words_of(template)), {})
                    owners[jurisdiction] = (*owners.get(jurisdiction, ()), kind)
        forms = list(given.values())
        return cls(
            _also_plain(kinds),
            _also_plain({folded(w): n for form in forms for n, words in enumerate(form.ordinals, 1) for w in words}),
            _also_plain({folded(words_of(t)): start for form in forms for start, ts in form.named.items() for t in ts}),
            _also_plain(_owners(given, "to")),
            _also_plain(_owners(given, "join")),
        )

    def kind(self, word: str, jurisdiction: str | None) -> tuple[Kind | None, bool]:
        """Look up what a part's word means in a country's law, and whether that country says so itself.

        A word of other countries only is taken as most of them use it, unless it is a single letter.
        """
        owners = self._kinds.get(word, {})
        for owner in (jurisdiction, COMMON):
            if owner is not None and owner in owners:
                return owners[owner][0], owner != COMMON
        if not owners or (len(word) == 1 and jurisdiction is not None and word.isalpha()):
            return None, False
        used = [kinds[0] for kinds in owners.values()]
        ranked: tuple[Kind, ...] = ("paragraph", "point", "narrower", "unit")
        return max(ranked, key=used.count), False

    def opens_units(self, word: str) -> bool:
        """Whether a word opens a unit somewhere, as `§` does, which elsewhere names a paragraph."""
        return "unit" in self._all_kinds(word)

    def opens_units_in(self, word: str, jurisdiction: str) -> bool:
        """Whether a word opens a unit in a country's law, or in English usage."""
        owners = self._kinds.get(word, {})
        return any("unit" in owners.get(owner, ()) for owner in (jurisdiction, COMMON))

    def may_be_part(self, word: str) -> bool:
        """Whether a word names a paragraph or a point somewhere."""
        return bool(self._all_kinds(word) & {"paragraph", "point"})

    def alike(self, word: str, other: str) -> bool:
        """Whether two words can name parts of the same level."""
        return word == other or bool(self._all_kinds(word) & self._all_kinds(other))

    def is_range(self, word: str, jurisdiction: str) -> bool:
        """Whether a word between two places means `to` in a country, as `a` does in Spain but not in Slovakia."""
        return jurisdiction in self._to.get(folded(word), ()) or jurisdiction not in self._join.get(folded(word), ())

    def joins(self, word: str) -> bool:
        """Whether a word means `and` somewhere."""
        return folded(word) in self._join

    def is_word(self, word: str) -> bool:
        """Whether a word names a unit or a part somewhere."""
        return folded(word) in self._kinds

    def is_to(self, word: str) -> bool:
        """Whether a word or dash means `to` somewhere, and `and` nowhere."""
        return word in ("-", "\u2013", "\u2014") or (folded(word) in self._to and folded(word) not in self._join)

    def ordinal(self, word: str) -> str | None:
        """Look up the number an ordinal word stands for."""
        number = self._ordinals.get(folded(word))
        return None if number is None else str(number)

    def ordinal_words(self, number: int) -> list[str]:
        """List the words for an ordinal number."""
        return [word for word, value in self._ordinals.items() if value == number]

    def is_name(self, word: str) -> bool:
        """Whether a word names a unit that has a name, as an annex."""
        return folded(word) in self._names

    def name_of(self, word: str) -> str:
        """Look up the start of the number of a unit that is known by a name."""
        return self._names[folded(word)]

    def _all_kinds(self, word: str) -> set[Kind]:
        return {kind for kinds in self._kinds.get(word, {}).values() for kind in kinds}


@lru_cache(maxsize=65_536)
def folded(word: str) -> str:
    """Fold a word for look-up: without spaces and dots, in small letters if it is no single one."""
    tight = re.sub(r"[\s.]", "", word)
    return tight if len(tight) == 1 else tight.casefold()


def _also_plain(found: Mapping[str, _Meaning]) -> dict[str, _Meaning]:
    """The same, with every word that has diacritics once more without them, where that is no other word."""
    return {plain(word): meaning for word, meaning in found.items() if len(word) > 1} | dict(found)


def words_of(template: str) -> str:
    """Strip the field off a template."""
    return re.sub(r"\{\w\}", "", template).strip()


def _owners(given: Mapping[str, CitationForms], field: str) -> dict[str, frozenset[str]]:
    """A word of a field to the jurisdictions that use it."""
    owners: dict[str, set[str]] = {}
    for jurisdiction, form in given.items():
        words: Iterable[str] = getattr(form, field)
        for word in words:
            owners.setdefault(folded(word), set()).add(jurisdiction)
    return {word: frozenset(found) for word, found in owners.items()}
