"""Hold an answer back as it comes until what it says was judged, so that an invented citation is never shown."""

from __future__ import annotations

import re
from collections.abc import Callable

LOOKED_BACK = 1200
"""Letters before a piece that are read with it, for a law that was named there: what is read stays linear."""
_END = re.compile(r"\n|(?:[^\W\d_]{5,}|[)\u00bb\u201d\u201c\"])[.!?] +(?=[^\W\d_])")
"""Where a sentence ends for certain: no abbreviation of law has so many letters before its stop."""


class InventedError(ValueError):
    """An answer cites a place that does not exist; the message is the citation as written."""


class JudgedStream:
    """Takes an answer in pieces and gives on what was judged.

    Args:
        invented: finds a citation of a text that no law has.
    """

    def __init__(self, invented: Callable[[str], str | None]) -> None:
        self._invented = invented
        self._shown = ""
        self._held = ""
        self._looked = 0

    def feed(self, piece: str) -> str:
        """Take a piece; returns what may be shown now, or an empty text.

        Raises:
            InventedError: the answer cites what does not exist; nothing of that is given on.
        """
        self._held += piece
        ends = [found.end() for found in _END.finditer(self._held, self._looked)]
        self._looked = max(0, len(self._held) - 40)
        return self._release(ends[-1]) if ends else ""

    def close(self) -> str:
        """End the answer; returns what was still held back.

        Raises:
            InventedError: as for `feed`.
        """
        return self._release(len(self._held))

    def _release(self, end: int) -> str:
        sentence, self._held = self._held[:end], self._held[end:]
        self._looked = 0
        before = self._shown[-LOOKED_BACK:]
        found = self._invented(before + sentence) if any(map(str.isdigit, sentence)) else None
        if found is not None:
            raise InventedError(found)
        self._shown += sentence
        return sentence
