"""List the places of law that an answer about some countries may cite, as they are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from forge_assets.citations.rendering import render
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.model import Framework


def written_places(frameworks: Iterable[Framework]) -> tuple[str, ...]:
    """Write every place that the frameworks rest on, in the country's own form and in English; sorted, each once."""
    found: set[str] = set()
    for framework in frameworks:
        for key in {key for key in places_of(framework) if key.jurisdiction == framework.jurisdiction}:
            found |= {render(key, framework), render(key, framework, "english")}
    return tuple(sorted(found))


def places_of(framework: Framework) -> Iterator[CitationKey]:
    """Yield the places of a framework's duties, of what bears them out, of its bodies, steps and rules."""
    for provision in (*framework.provisions, *framework.minor):
        yield provision.cite
        for evidence in provision.said_at.values():
            yield from (one.at for one in evidence if one.at is not None)
    for entry in (
        *framework.bodies,
        *framework.escalation,
        *framework.data_protection,
        *framework.collective_agreements,
    ):
        yield entry.basis
    for complete in framework.complete_for.values():
        yield from complete.at
