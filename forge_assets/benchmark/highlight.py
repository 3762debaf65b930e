"""Split an answer into lines and pieces so that every citation in it is shown with its class."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from forge_assets.citations.citation import Citation
from forge_assets.citations.verdict import Verdict, asked, judge
from forge_assets.law.citation_key import CitationKey

MEANING: dict[Verdict, tuple[str, str]] = {
    "required": ("expected", "the reference cites it too"),
    "relevant": ("near", "around or within a place that the reference cites"),
    "not_applicable": ("not expected", "a real provision that the reference does not cite"),
    "wrong_country": ("wrong country", "a real provision of another country's law"),
    "fabricated": ("fabricated", "the law has no such unit"),
    "repealed": ("repealed", "the place is no longer law"),
    "unheld": ("law not held", "we hold no text of that law"),
    "ambiguous": ("ambiguous", "which law is meant was guessed"),
    "unverifiable": ("unverifiable", "no law is named, or it may stand in a part of the law that is not held"),
}
"""Verdicts that an answer's citations can have, in the order of the legend."""
LONGEST = 700


@dataclass(frozen=True)
class Piece:
    """A run of text, and what it is if it is a citation."""

    text: str
    mark: Verdict | None = None
    key: str = ""

    @property
    def meaning(self) -> str:
        """The mark in words, with the key it was read as."""
        return f"{self.key}: {': '.join(MEANING[self.mark])}" if self.mark else ""


@dataclass(frozen=True)
class Line:
    """A line of an answer; Markdown headings are set apart, the text stays as written."""

    heading: bool
    pieces: tuple[Piece, ...]


def lines(
    text: str, citations: Sequence[Citation], expected: Collection[CitationKey], at_home: Collection[str]
) -> tuple[Line, ...]:
    """Split a text into lines, cut at a space near `LONGEST` characters with a note of how much is left out."""
    end = len(text) if len(text) <= LONGEST else max(text.rfind(" ", 0, LONGEST), LONGEST // 2)
    shown, cut = text[:end], len(text) - end
    ordered = sorted(citations, key=lambda c: c.span)
    situation = asked(at_home, expected)
    marks = [(c.span, judge(c, situation).verdict, str(c.key)) for c in ordered]
    result, start = [], 0
    for raw in shown.split("\n"):
        result.append(Line(raw.lstrip().startswith("#"), tuple(_pieces(raw, start, marks))))
        start += len(raw) + 1
    if cut > 0:
        result.append(Line(False, (Piece(f"… {cut:,} more characters"),)))
    return tuple(result)


def _pieces(raw: str, start: int, marks: list[tuple[tuple[int, int], Verdict, str]]) -> list[Piece]:
    """The pieces of one line that begins at offset `start`; a citation over two lines is marked on both."""
    pieces, at, end = [], start, start + len(raw)
    for (first, last), kind, key in marks:
        left, right = max(first, at), min(last, end)
        if left >= right:
            continue
        if left > at:
            pieces.append(Piece(raw[at - start : left - start]))
        pieces.append(Piece(raw[left - start : right - start], kind, key))
        at = right
    if at < end:
        pieces.append(Piece(raw[at - start :]))
    return pieces
