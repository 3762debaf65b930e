"""Tell answers that repeat themselves to their end, or do not end, from their text alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

RUN = 4
"""Words in a row that count as said again."""

_WORD = re.compile(r"\w+")
_TIMES = 3
"""How often the same words in a row at the end are a loop, the last time perhaps cut."""
_LEAST = 12
"""Words that a loop has in all: `information, information, information` is a list."""
_COUNTED_TIMES, _COUNTED_LEAST = 8, 24
"""The same where the numbers in it differ: `Nr. 7, Nr. 8, Nr. 9` may be meant, up to a point."""
_LOST_TIMES, _LOST_LEAST = 5, 40
"""The same for an answer that is not at its end, and will not come to one."""
_MOSTLY, _SOME = 0.5, 24
"""Share of runs said again at which an answer is a repetition wherever it ends, and how many runs it needs.

Where the reference says things again, as a memo names a body under every duty, of what it does not."""
_LONGER, _SHORT = 2.0, 60
"""How many times its reference an answer may have and stop in mid-sentence, and words below which it may anyway."""
_ITEM = re.compile(r"[ \t]*(?:[-*+•|#]|\(?\w{1,3}[.)])[ \t]?")
_OPEN = re.compile(r"[^\W_]$|[,(\-–„«:]$")


def words(text: str) -> list[str]:
    """Split a text into its case-folded words."""
    return _WORD.findall(text.casefold())


def said_again(given: Sequence[str]) -> float:
    """Compute the share of the runs of four words that stood there before."""
    runs = [tuple(given[i : i + RUN]) for i in range(len(given) - RUN + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def repeats(answer: str, reference: str) -> bool:
    """Whether an answer says the same again and again, or is far longer than its reference and stops in mid-sentence.

    That an answer was cut is not kept with it: a short one that was cut within a sentence is not told.
    """
    said = words(answer)
    if _loops(said, _TIMES, _LEAST):
        return True
    if _loops(["0" if word.isdigit() else word for word in said], _COUNTED_TIMES, _COUNTED_LEAST):
        return True
    if len(said) >= _SOME + RUN - 1 and said_again(said) > _MOSTLY + (1 - _MOSTLY) * said_again(words(reference)):
        return True
    return len(said) > max(_SHORT, _LONGER * len(words(reference))) and _is_cut(answer)


def runs_in_a_loop(answer: str) -> bool:
    """Whether an answer that is still being written says nothing but the same words, and would be a repetition.

    Stricter than `repeats`: a list may say the same of three bodies, and go on.
    """
    return _loops(words(answer), _LOST_TIMES, _LOST_LEAST)


def _loops(said: Sequence[str], times: int, least: int) -> bool:
    """Whether the last words are the same ones in a row, `times` times and `least` words in all."""
    backwards = said[::-1]
    for period in range(1, len(said) // times + 1):
        enough, length = max(times * period, least), period
        while length < len(said) and backwards[length] == backwards[length - period]:
            length += 1
            if length >= enough:
                return True
    return False


def _is_cut(answer: str) -> bool:
    lines = answer.rstrip().splitlines()
    last = lines[-1] if lines else ""
    return not _ITEM.match(last) and _OPEN.search(last.rstrip("*_` ")) is not None
