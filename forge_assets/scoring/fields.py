"""Look up what an answer must say exactly: bodies, deadlines, arithmetic of thresholds, dates, terms of agreements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from forge_assets.scoring.exact_text import exact, numbers, says, without_digits

Field = Mapping[str, Any]
"""An entry of column `expected_fields` of a sample: its name, `field`, and the ways to write it, `said`."""

CLAUSE = "clause"
"""The field that is a place itself, in an agreement: it may look like a citation."""


@lru_cache(maxsize=65_536)
def _accepted(words: str) -> str:
    return exact(words.strip())


class Said:
    """An answer as exact fields are looked up in it.

    Args:
        text: as `answer_text.plain_text` gives it.
        citations: spans of its citations; their digits are numbers of places, and say no deadline or threshold.
    """

    def __init__(self, text: str, citations: Iterable[tuple[int, int]]) -> None:
        bare = without_digits(text, citations)
        self._whole, self._bare = exact(text), exact(bare)
        self.numbers: Sequence[str] = numbers(bare)
        """Its numbers, outside of citations, headings and the numbering of lists."""

    def says(self, field: Field) -> bool:
        """Whether one of the accepted ways of writing a field stands in it."""
        text = self._whole if field["field"] == CLAUSE else self._bare
        return any(says(text, _accepted(words)) for words in field["said"])

    def share(self, fields: Sequence[Field]) -> float:
        """Compute the share of some fields that it says; 0 of none."""
        return sum(map(self.says, fields)) / len(fields) if fields else 0.0

    def stray_numbers(self, *known: str) -> list[str]:
        """List its numbers that stand in none of some texts, each time it gives them."""
        if not self.numbers:
            return []
        held = {number for text in known for number in numbers(text, everywhere=True)}
        return [number for number in self.numbers if number not in held]
