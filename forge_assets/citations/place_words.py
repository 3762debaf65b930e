"""Collect the words that open, or follow, the number of a place: what guards of a model's answers look for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from forge_assets.citations.vocabulary import words_of
from forge_assets.law.model import CitationForms


class PlaceWords(NamedTuple):
    """How places of law are written by hand: words before a number, such as `Art.`, and words behind one."""

    before: tuple[str, ...]
    after: tuple[str, ...]


def place_words(forms: Iterable[CitationForms]) -> PlaceWords:
    """Collect the words of several countries' forms; sorted, each once."""
    before: set[str] = set()
    after: set[str] = set()
    for form in forms:
        for template in (*form.units, *form.many):
            if "{u}" in template:  # those of ordinals and names hold no digits
                (after if template.startswith("{u}") else before).add(words_of(template))
    return PlaceWords(tuple(sorted(before)), tuple(sorted(after)))
