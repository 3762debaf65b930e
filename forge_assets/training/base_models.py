"""The models that trainings start from: the profile's, with a token for each place of law that is taught."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from forge_assets.citations.place_words import place_words
from forge_assets.citations.rendering import render
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.country import Country
from forge_assets.law.model import Domain
from forge_assets.training.jobs.spec import Guard
from forge_assets.training.made_from import ChainRecord
from forge_resources.config.profile import Profile


class BaseModels(ChainRecord):
    """Each base model of the profile, by name, as the digest that jobs start from."""

    asset = "base_models"

    models: dict[str, str]


def citation_rows(taught: pl.DataFrame, countries: Sequence[Country]) -> list[dict[str, Any]]:
    """Build the rows of a `TokensJob`: each written form of the places that training samples cite, and whose it is.

    In the order of the places' keys, so that a place that is renumbered moves few others.

    Args:
        taught: training samples.
    """
    frameworks = {country.framework.jurisdiction: country.framework for country in countries}
    found: dict[str, list[str]] = {}
    for key in sorted({key for cited in taught["expected_citations"].to_list() for key in cited}):
        place = CitationKey.parse(key)
        found.setdefault(render(place, frameworks[place.jurisdiction]), []).append(key)
    return [{"text": text, "places": places} for text, places in found.items()]


def vocabulary_rows(taught: pl.DataFrame) -> list[dict[str, Any]]:
    """Build the rows of a `VocabularyJob`: each word of training samples, as it begins a line and within one.

    Without words that hold a digit: numbers are written with tokens that every vocabulary has. Sorted, so that samples
    of the same words give the same rows.

    Args:
        taught: training samples.
    """
    texts = (text for name in ("system", "prompt", "response") for text in taught[name].to_list())
    words = {word for text in texts for word in text.split() if not any(map(str.isdigit, word))}
    return [{"text": text} for word in sorted(words) for text in (word, f" {word}")]


def guard_of(domain: Domain, countries: Iterable[Country]) -> Guard:
    """Build the guard of answers from the words that the pack declares to open, or to follow, the number of a place."""
    held = list(countries)
    words = place_words((domain.citation, *(country.framework.citation for country in held)))
    unions = tuple(sorted(c.framework.jurisdiction for c in held if c.framework.members))
    return Guard(before=words.before, after=words.after, everywhere=unions)


def citation_spec(profile: Profile) -> dict[str, Any]:
    """Fields of a training job that say how citation tokens are learned."""
    if profile.citation_tokens is None:
        return {}
    return {"citation_weight": profile.citation_tokens.weight, "citation_rate": profile.citation_tokens.rate}
