"""Find the names of laws in a text: of laws that are held, and of laws that are known and not held."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from forge_assets.citations.spelling import in_two_letters, name_pattern, plain, stem
from forge_assets.law.model import Law

LawId = tuple[str, str]
"""Jurisdiction and law id."""

_WORD = re.compile(r"[^\W_]+")
_EDGE = r"(?![^\W_])"
_EDGE_OF_LONG = r"(?:(?![^\W_])|(?=\d{1,2}[ \u00a0]))"
"""Behind a long name the number of a footnote may stand at once."""
_LONG = 12
"""Letters from which on one word is a long name."""
_PREFIX = 4
"""Letters of the shortest word that may have other endings."""
_MOST = 65_536
_LONGEST = 7
"""Letters of a stem by which a name is looked up."""


@dataclass(frozen=True)
class NamedLaw:
    """A law's name found in a text."""

    laws: frozenset[LawId]
    """Several laws may bear a name, as many countries' `Labour Code`; none: the law is not held."""
    start: int
    end: int
    label: str = ""
    """Of a law that is not held: its name, as keys of unknown laws have it."""
    country: str = ""
    """Of a law that is not held: whose it is, if that is known."""
    bearers: frozenset[LawId] = frozenset()
    """All laws that may be meant where the place decides, if these are more."""
    rivals: frozenset[str] = frozenset()
    """Countries that have another law of this name, which is not held."""
    numbers: bool = False
    """Whether the name has digits, such as a date or a number."""


@dataclass(frozen=True)
class _Name:
    pattern: str
    laws: frozenset[LawId]
    label: str
    country: str
    rivals: frozenset[str]
    numbers: bool


@dataclass
class _Bucket:
    """Names that begin alike, tried at once: the first in order wins."""

    names: list[_Name]
    compiled: re.Pattern[str] | None = None

    def match(self, text: str, at: int) -> tuple[_Name, int] | None:
        if self.compiled is None:
            self.compiled = re.compile("|".join(f"({name.pattern})" for name in self.names))
        found = self.compiled.match(text, at)
        return (self.names[found.lastindex - 1], found.end()) if found and found.lastindex else None


@dataclass(frozen=True)
class LawNames:
    """Build with `LawNames.of`. Patterns are compiled when a text first has a word that they begin with."""

    _exact: Mapping[str, _Bucket]
    """First word in small letters to names."""
    _inflected: Mapping[str, _Bucket]
    """First letters of the first word of names whose words have other endings, to names."""
    _remembered: dict[str, tuple[_Bucket, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, laws: Iterable[tuple[LawId, Law]], others: Mapping[str, Sequence[str]] | None = None) -> LawNames:
        """Index short names, titles, English names and aliases. A name may belong to several laws.

        Args:
            others: jurisdiction to names of its laws that are not held.
        """
        owners: dict[str, set[LawId]] = {}
        chief: set[str] = set()
        for law_id, law in laws:
            chief.add(_tidy(law.short))
            for name in (law.short, law.title, law.english, *law.aliases):
                owners.setdefault(_tidy(name), set()).add(law_id)
        owners |= _alike(owners)
        countries: dict[str, str] = {}
        rivals: dict[str, set[str]] = {}
        for country, names in (others or {}).items():
            for name in map(_tidy, names):
                if name in chief:
                    continue  # what a country's canonical citations call a law is that law wherever it stands
                if name in owners:
                    rivals.setdefault(name, set()).add(country)
                else:
                    countries[name] = "" if name in countries else country
        exact: dict[str, list[_Name]] = {}
        inflected: dict[str, list[_Name]] = {}
        for name in sorted([*owners, *countries], key=lambda n: (-len(n), n)):
            first = _WORD.search(name)
            if first is None or owners.get(name.partition(" ")[2], set()) == owners.get(name, 0):
                continue  # the same name without its article is indexed
            held = frozenset(owners.get(name, ()))
            numbers = any(letter.isdigit() for letter in name)
            others_of = frozenset(rivals.get(name, ()))
            label = "" if held else re.sub(r"\W+", "_", name).strip("_").lower()
            written = name[first.start() :]
            for pattern in _as_written(written):
                entry = _Name(pattern, held, label, countries.get(name, ""), others_of, numbers)
                exact.setdefault(first[0].casefold(), []).append(entry)
                if plain(first[0].casefold()) != first[0].casefold():
                    exact.setdefault(plain(first[0].casefold()), []).append(entry)
            if _is_long(name) and len(first[0]) > _PREFIX:
                pattern = f"(?i:{name_pattern(written, True)}){_EDGE_OF_LONG}"
                entry = _Name(pattern, held, label, countries.get(name, ""), others_of, numbers)
                for prefix in {_stem(first[0]), _stem(in_two_letters(first[0]))}:
                    inflected.setdefault(prefix, []).append(entry)
        for alike in inflected.values():
            alike.sort(key=lambda n: -len(n.pattern))
        return cls(
            {word: _Bucket(names) for word, names in exact.items()},
            {word: _Bucket(names) for word, names in inflected.items()},
        )

    def at(self, text: str, position: int) -> NamedLaw | None:
        """Find the law whose name stands exactly at a position, the longest name winning."""
        word = _WORD.match(text, position)
        return self.at_word(text, position, word[0]) if word else None

    def at_word(self, text: str, position: int, word: str) -> NamedLaw | None:
        """The same, given the word that stands there."""
        found: tuple[_Name, int] | None = None
        for bucket in self._buckets(word):
            other = bucket.match(text, position)
            if other and (found is None or other[1] > found[1]):
                found = other
        if found is None:
            return None
        name, end = found
        return NamedLaw(name.laws, position, end, name.label, name.country, frozenset(), name.rivals, name.numbers)

    def begins(self, word: str) -> bool:
        """Whether a name may begin with a word."""
        return bool(self._buckets(word))

    def _buckets(self, word: str) -> tuple[_Bucket, ...]:
        """The names that begin with a word, and those whose first word has a stem that it begins with."""
        known = self._remembered.get(word)
        if known is None:
            if len(self._remembered) >= _MOST:
                self._remembered.clear()
            known = self._remembered[word] = tuple(self._looked_up(word.casefold()))
        return known

    def _looked_up(self, word: str) -> Iterator[_Bucket]:
        if bucket := self._exact.get(word):
            yield bucket
        letters = plain(word)
        for length in range(_PREFIX, min(_LONGEST, len(letters)) + 1):
            if bucket := self._inflected.get(letters[:length]):
                yield bucket


def _stem(word: str) -> str:
    return plain(stem(word.casefold()))[:_LONGEST]


def _tidy(name: str) -> str:
    return " ".join(name.split()).replace("\u2019", "'")


def _is_long(name: str) -> bool:
    return " " in name.replace(". ", ".") or len(name) > _LONG


def _alike(owners: Mapping[str, set[LawId]]) -> dict[str, set[LawId]]:
    """Long names that differ in case alone, with the laws of all of them."""
    groups: dict[str, set[LawId]] = {}
    for name, laws in owners.items():
        if _is_long(name):
            groups.setdefault(name.casefold(), set()).update(laws)
    return {name: groups[name.casefold()] for name in owners if _is_long(name)}


def _as_written(name: str) -> list[str]:
    """Patterns of a name. A short one is taken as it is written, `ET` is no `et`, but for a sentence's first letter
    and for text all in capitals; a long one in any case."""
    if _is_long(name):
        return [f"(?i:{name_pattern(name, False)}){_EDGE_OF_LONG}"]
    forms = {name: None}
    if name[0].islower():
        forms[name[0].upper() + name[1:]] = None
    letters = re.sub(r"\W", "", name)
    if len(letters) > 3 and not letters.isupper() and any(map(str.isupper, letters)):
        forms[name.upper()] = None
    return [name_pattern(form, False) + _EDGE for form in forms]


def words_of_name(name: str) -> frozenset[str]:
    """List the stems of a name's longer words, by which another wording of it is known."""
    return frozenset(plain(stem(word.casefold()))[:5] for word in _WORD.findall(name) if len(word) > 4)
