"""Define a citation of law as found in a text."""

from __future__ import annotations

from dataclasses import dataclass

from forge_assets.citations.statute_index import CitationStatus
from forge_assets.law.citation_key import CitationKey

UNKNOWN = "ZZ"
"""Jurisdiction in the key of a citation whose law is not known, e.g. `ZZ:arbzg:4`."""


@dataclass(frozen=True)
class Citation:
    """A citation found in a text, and whether the place it names exists."""

    key: CitationKey
    span: tuple[int, int]
    text: str
    status: CitationStatus

    @property
    def jurisdiction(self) -> str:
        """The country cited, `ZZ` if the law is not known."""
        return self.key.jurisdiction
