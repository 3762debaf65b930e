"""Hold the law of a pack for answering: what the parser needs of all countries, duties of those asked about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from pydantic import RootModel

from forge_assets.citations.loading import LoadedLaws, load_laws
from forge_assets.citations.place_words import PlaceWords, place_words
from forge_assets.law.country import country_files, read_country
from forge_assets.law.loading import load_domain
from forge_assets.law.model import Framework, JurisdictionCode, Text
from forge_assets.scenarios.pack.files import Pack, load_pack
from forge_assets.serving.automaton import Automaton
from forge_assets.serving.grammar import answer_grammar
from forge_assets.serving.places import written_places
from forge_resources.config.strict_yaml import read_yaml, validate


class Cities(RootModel[dict[JurisdictionCode, tuple[Text, ...]]]):
    """`cities.yaml`."""


class Library:
    """The law of a pack; countries are read when they are asked about, and kept.

    Raises:
        SourceError: a file cannot be read; names file, line and mend.
    """

    def __init__(self, pack: Path) -> None:
        self.pack = pack
        self.domain = load_domain(pack)
        self.laws: LoadedLaws = load_laws(pack)
        self._read: dict[str, Framework] = {}
        self._grammars: dict[frozenset[str], str] = {}

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Country code to English name; unions are not among them."""
        return {code: each.name for code, each in sorted(self.laws.frameworks.items()) if not each.members}

    @cached_property
    def wordings(self) -> Pack:
        """How people ask."""
        return load_pack(self.pack, self.domain)

    @cached_property
    def cities(self) -> Mapping[str, tuple[str, ...]]:
        """Country code to cities by which questions name it, where the pack lists some.

        Raises:
            SourceError: the list cannot be read; names file, line and mend.
        """
        path = self.pack / "cities.yaml"
        if not path.exists():
            return {}
        data, lines = read_yaml(path)
        return validate(Cities, path, data, lines).root

    @cached_property
    def words(self) -> PlaceWords:
        """The words that open or follow the number of a place, in all countries."""
        return place_words((self.domain.citation, *(each.citation for each in self.laws.frameworks.values())))

    @cached_property
    def automaton(self) -> Automaton:
        """The automaton of texts that cite no place by hand."""
        return Automaton.of(self.words)

    def frameworks(self, countries: Iterable[str]) -> list[Framework]:
        """Read the law of some countries, and of the unions that bind them.

        Raises:
            KeyError: there is no such country.
        """
        asked = set(countries)
        unions = [code for code, each in self.laws.frameworks.items() if asked & set(each.members)]
        return [self._framework(code) for code in (*sorted(asked), *sorted(unions))]

    def _framework(self, code: str) -> Framework:
        if code not in self._read:
            self._read[code] = read_country(self.pack, self.domain, country_files(self.pack)[code]).framework
        return self._read[code]

    def places(self, countries: Iterable[str]) -> tuple[str, ...]:
        """List the places that an answer about some countries may cite, as they are written."""
        return written_places(self.frameworks(countries))

    def grammar(self, countries: Iterable[str]) -> str:
        """Write the grammar of answers about some countries; kept, for it is asked for again."""
        asked = frozenset(countries)
        if asked not in self._grammars:
            self._grammars[asked] = answer_grammar(self.automaton, self.places(asked))
        return self._grammars[asked]
