"""Test whether words of the law may stand in an answer: those that cite other places may not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.citations.vocabulary import words_of
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import Statutes


class QuotableWords:
    """Tests words once: an answer cites what it is asked for and nothing beside it.

    Args:
        frameworks: those whose law answers cite.
        statutes: jurisdiction to the text held, by which citations within words are known.
    """

    def __init__(self, domain: Domain, frameworks: tuple[Framework, ...], statutes: Mapping[str, Statutes]) -> None:
        self._domain = domain
        self._frameworks = frameworks
        self._statutes = statutes
        self._known: dict[tuple[str, str], bool] = {}

    def __call__(self, words: str, place: str = "") -> bool:
        """Test whether words cite no place.

        Args:
            place: a citation that stands beside the words, which may give a bare number in them its law.
        """
        known = (words, place)
        if known not in self._known:
            homes = [framework.jurisdiction for framework in self._frameworks]
            texts = (f"{place}: «{words}»", f"«{words}» ({place})") if place else (words,)
            found = [{each.key for each in parse(text, self._laws, home)} for text in texts for home in homes]
            signs = self._signs is not None and self._signs.search(words)
            self._known[known] = not signs and all(len(keys) <= bool(place) for keys in found)
        return self._known[known]

    @cached_property
    def _signs(self) -> re.Pattern[str] | None:
        """Numbers behind a sign such as `§`: a bare one may be read as a place, whatever stands around it."""
        forms = [t for f in self._frameworks for t in (*f.citation.units, *f.citation.many, *f.citation.paragraphs)]
        signs = sorted({head for head in map(words_of, forms) if head and not re.search(r"\w", head)})
        return re.compile(rf"(?:{'|'.join(map(re.escape, signs))})\s?\d") if signs else None

    @cached_property
    def _laws(self) -> LawIndex:
        return LawIndex.build(self._domain, self._frameworks, self._statutes)
