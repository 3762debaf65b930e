"""Put phrases of one language together, and mark, where asked to, what source each piece of a text has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from forge_assets.scenarios.facts.counter_rng import seed
from forge_assets.scenarios.pack.answer_words import AnswerWords

_OPEN, _TEXT, _CLOSE = "\ue000", "\ue001", "\ue002"
"""Private characters around a marked piece: open, source, text, close."""
_PIECE = re.compile(f"{_OPEN}([^{_TEXT}]*){_TEXT}([^{_CLOSE}]*){_CLOSE}")


class Piece(NamedTuple):
    """A piece of a text and its source: `phrase:owed`, `law:de-monitoring-devices.summary`; empty: none."""

    source: str
    text: str


class Writer:
    """Writes phrases of one language; `choice` says which of their alternatives.

    Args:
        marked: whether every piece is marked with its source, for `pieces`; the text is else the same.
    """

    def __init__(self, words: AnswerWords, choice: int = 0, marked: bool = False) -> None:
        self.words = words
        self.marked = marked
        self._choice = choice

    def say(self, phrase: str, /, **slots: str) -> str:
        """Write a phrase with its slots filled."""
        alternatives = self.words.split_phrases[phrase]
        which = (self._choice + _offset(phrase)) % len(alternatives) if len(alternatives) > 1 else 0
        parts = []
        for literal, slot in alternatives[which]:
            if literal:
                parts.append(self.source(f"phrase:{phrase}", literal) if self.marked else literal)
            if slot:
                parts.append(slots[slot])
        return "".join(parts)

    def source(self, name: str, text: str) -> str:
        """Give a piece of text its source."""
        return f"{_OPEN}{name}{_TEXT}{text}{_CLOSE}" if self.marked and text else text


@cache
def _offset(phrase: str) -> int:
    return int(seed("phrase", phrase) % 16)


def pieces(text: str) -> Iterator[Piece]:
    """Split a marked text into its pieces, in order; what has no source is a piece too."""
    end = 0
    for found in _PIECE.finditer(text):
        if found.start() > end:
            yield Piece("", text[end : found.start()])
        yield Piece(found[1], found[2])
        end = found.end()
    if end < len(text):
        yield Piece("", text[end:])


def unmarked(text: str) -> str:
    """Remove the marks of a text."""
    return "".join(piece.text for piece in pieces(text)) if _OPEN in text else text


def capital(text: str) -> str:
    """Return the text with a capital letter; a mark that opens it stays."""
    if text.startswith(_OPEN):
        at = text.index(_TEXT) + 1
        return text[:at] + text[at : at + 1].upper() + text[at + 1 :]
    return text[:1].upper() + text[1:]


def numbered(lines: Iterable[str]) -> str:
    """Write a numbered list; a dash parts a number from a sign such as `§`, with which it would read as a place."""
    listed = []
    for number, line in enumerate(lines, start=1):
        first = unmarked(line)[:1]
        listed.append(f"{number}. {line}" if first.isalnum() or first == "«" else f"{number}. – {line}")
    return "\n".join(listed)


def tidy(text: str) -> str:
    """Remove the full stop that a phrase sets after a citation or a clause that ends in one."""
    return text.replace("..", ".")
