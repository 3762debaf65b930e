"""Find the countries that a question is about: by their names and cities, their adjectives, and their laws."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from forge_assets.citations.mentions import Mentions
from forge_assets.law.model import Framework
from forge_assets.serving.library import Library


class Countries:
    """The names of a pack's countries.

    A name or a city tells more than an adjective, which may be of a language ("answer in English"); an adjective more
    than the name of a law.
    """

    def __init__(self, library: Library) -> None:
        self._index = library.laws.index
        places: dict[str, set[str]] = defaultdict(set)
        openers: set[str] = set()
        for language in library.wordings.languages.values():
            for code, country in language.countries.items():
                places[country.name].add(code)
                places[_proper(country.in_)].add(code)
                openers.add(country.in_.split()[0].casefold())
        for plain in library.wordings.plain.values():
            for code, written in plain.places.items():
                for text in written:
                    for part in text.split(","):
                        places[_proper(part)].add(code)
        for code, cities in library.cities.items():
            for city in cities:
                places[city].add(code)
        frameworks: Mapping[str, Framework] = library.laws.frameworks
        for code in library.names:
            places[frameworks[code].name].add(code)
        self._places = {name: min(codes) for name, codes in places.items() if name and len(codes) == 1}
        called: dict[str, set[str]] = defaultdict(set)
        for code in library.names:
            for word in frameworks[code].called:
                called[word].add(code)
        self._called = {
            word: min(codes) for word, codes in called.items() if word not in self._places and len(codes) == 1
        }
        self._openers = openers
        self._name = _any(self._places)
        self._adjective = _any(self._called)

    def find(self, text: str) -> list[str]:
        """List the countries that a question is about, in the order in which it names them."""
        named = [self._places[found[0]] for found in self._name.finditer(text)]
        if not named:
            named = [self._called[found[0]] for found in self._adjective.finditer(text) if self._is_of(text, found)]
        if not named:
            named = self._by_law(text)
        return list(dict.fromkeys(named))

    def _is_of(self, text: str, found: re.Match[str]) -> bool:
        """Whether an adjective says whose law or firm is meant, and not in which language something is written."""
        before = re.search(r"([^\W\d_]+)\s+$", text[: found.start()])
        if before is None or before[1].casefold() not in self._openers:
            return True
        after = re.match(r"\s+([^\W\d_]+)", text[found.end() :])
        law_words = self._index.law_words | self._index.title_words | self._index.last_law_words
        return after is not None and after[1].casefold() in law_words

    def _by_law(self, text: str) -> list[str]:
        """Whose laws a text names by names that are no other country's."""
        found = [{law[0] for law in one.laws} for one in Mentions.of(text, self._index, None).named]
        unions = {union for unions in self._index.unions.values() for union in unions}
        return [min(owners) for owners in found if len(owners) == 1 and not owners & unions]


def _proper(text: str) -> str:
    """The name within `here in the Czech Republic`: from its first capital letter on."""
    words = text.split()
    first = next((at for at, word in enumerate(words) if word[0].isupper()), len(words))
    return " ".join(words[first:])


def _any(names: Mapping[str, str]) -> re.Pattern[str]:
    words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or "(?!)"
    return re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])")
