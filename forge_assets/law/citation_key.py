"""Define the key of a place in law: `JURISDICTION:law:unit[:paragraph[:point]]`, e.g. `DE:betrvg:87:1:6`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

GRAMMAR = "JURISDICTION:law:unit[:paragraph[:point]]"
PATTERN = r"^[A-Z]{2}(:[^:\s]+){2,4}$"
"""The same as a regular expression, for editors too."""

_KEY = re.compile(PATTERN)
_SHOWN = 60


@dataclass(frozen=True, order=True, slots=True)
class CitationKey:
    """A unit of a law, one of its paragraphs, or one of that paragraph's points; keys order by their parts as text."""

    jurisdiction: str
    """Two capitals, e.g. `DE`."""
    law: str
    """Id of the law in its framework."""
    unit: str
    """Number of the unit without spaces, e.g. `47bis`."""
    paragraph: str = ""
    """Empty where the key names the whole unit; `-` where a unit without paragraphs has the point."""
    point: str = ""
    """Empty where the key names no point; never given without a paragraph."""

    @classmethod
    def parse(cls, text: str) -> CitationKey:
        """Read a key as files and tables hold it.

        Raises:
            ValueError: the text is no key; names it and the grammar.
        """
        return _parsed(text)

    def __str__(self) -> str:
        unit = f"{self.jurisdiction}:{self.law}:{self.unit}"
        if not self.paragraph:
            return unit
        return f"{unit}:{self.paragraph}:{self.point}" if self.point else f"{unit}:{self.paragraph}"

    def contains(self, other: CitationKey) -> bool:
        """Whether the other names this place or one within it."""
        return (
            self.unit == other.unit
            and self.law == other.law
            and self.jurisdiction == other.jurisdiction
            and (
                not self.paragraph
                or (self.paragraph == other.paragraph and (not self.point or self.point == other.point))
            )
        )

    def touches(self, other: CitationKey) -> bool:
        """Whether one of the two contains the other."""
        return self.contains(other) or other.contains(self)


@lru_cache(maxsize=65_536)
def _parsed(text: str) -> CitationKey:
    if not _KEY.fullmatch(text):
        raise ValueError(f"{text[:_SHOWN]!r} is no citation key: write {GRAMMAR}, e.g. DE:betrvg:87:1:6")
    return CitationKey(*text.split(":"))
