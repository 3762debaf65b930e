"""A citation of law, as it was found in a text."""

from __future__ import annotations

from dataclasses import dataclass

from forge_assets.citations.statute_index import CitationStatus

UNKNOWN = "ZZ"
"""Jurisdiction in the key of a citation whose law is not known, e.g. `ZZ:arbzg:4`."""


@dataclass(frozen=True)
class Citation:
    """A citation found in a text; `key` is `JURISDICTION:law:unit[:paragraph[:point]]`."""

    key: str
    span: tuple[int, int]
    text: str
    status: CitationStatus

    @property
    def jurisdiction(self) -> str:
        """The country cited, `ZZ` if the law is not known."""
        return self.key[:2]
