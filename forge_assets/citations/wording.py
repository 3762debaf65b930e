"""Find passages of a text word for word, whatever white space, hyphenation and typographic signs they are set with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from forge_assets.citations.normalized_text import INVISIBLE

_LOOKS_ALIKE = str.maketrans(
    {
        **dict.fromkeys(INVISIBLE),
        **dict.fromkeys("’‘‛ʼ´`", "'"),
        **dict.fromkeys("“”„‟«»‹›", '"'),
        **dict.fromkeys("‐‑‒–—", "-"),
    }
)
_BROKEN = re.compile(r"(?<=[^\W_])- ")
_BETWEEN = "\x1f"
"""Parts two texts, so that no passage runs from one into the next."""


def wording(text: str) -> str:
    """Reduce a text to its words: without case and soft hyphens, one space for any white space, plain quote marks."""
    return _BROKEN.sub("-", " ".join(text.translate(_LOOKS_ALIKE).casefold().split()))


def find_whole(text: str, words: str, start: int = 0) -> int:
    """Find where words stand with no letter or digit directly beside their ends; -1 if nowhere."""
    at = text.find(words, start) if words else -1
    while at >= 0:
        end = at + len(words)
        if not (_joined(text[at - 1 : at], words[0]) or _joined(words[-1], text[end : end + 1])):
            return at
        at = text.find(words, at + 1)
    return -1


def _joined(before: str, after: str) -> bool:
    return before.isalnum() and after.isalnum()


class Wording:
    """The words of several texts, to look passages up in."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._text = _BETWEEN.join(map(wording, texts))

    def holds(self, parts: Sequence[str]) -> bool:
        """Whether all parts of a passage stand in one of the texts, each word for word, in order.

        Args:
            parts: as `wording` gives them.
        """
        longest, at = max(parts, key=len), -1
        while (at := find_whole(self._text, longest, at + 1)) >= 0:
            start, end = self._text.rfind(_BETWEEN, 0, at) + 1, self._text.find(_BETWEEN, at)
            if _in_order(self._text[start : end if end >= 0 else None], parts):
                return True
            if end < 0:
                return False
            at = end
        return False


def _in_order(text: str, parts: Sequence[str]) -> bool:
    position = 0
    for part in parts:
        at = find_whole(text, part, position)
        if at < 0:
            return False
        position = at + len(part)
    return True
