"""Make the mistakes that people make when they type, in a wording: its slots are never touched, so no number, citation,
quote, place or name is. A mistake changes how a word is written, never which word it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache

from forge_assets.scenarios.facts.counter_rng import seed

LEAST = 5
"""Letters of the shortest word that is mistyped: "kein" must not become "ein"."""
VARIANTS = 3
"""Ways in which a wording is mistyped."""


class Slip(IntEnum):
    """How a whole question is typed."""

    NONE = 0
    LETTER = 1
    """Letters are swapped, dropped or doubled here and there."""
    LOWER = 2
    """No capitals."""
    ACCENTS = 3
    """A keyboard without the letters of the language."""
    STOP = 4
    """A question at the end has no mark."""


_SLOT = re.compile(r"(\{\^?\w*\})")
_WORD = re.compile(r"[^\W\d_]+")
_LETTERS = {"æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ß": "ss", "œ": "oe"}
"""Letters that do not come apart into a base and a mark."""
_DIGRAPHS = {
    "de": {"ä": "ae", "ö": "oe", "ü": "ue"},
    "da": {"ø": "oe", "å": "aa"},
    "nb": {"ø": "oe", "å": "aa"},
}
_BASES = re.compile(r"LATIN|GREEK")
"""Scripts whose marks people leave out; in Cyrillic a letter without its mark is another one."""


def mistype(text: str, variant: int, known: frozenset[str]) -> str:
    """Swap, drop or double one inner letter of one word; the same text where no word is long enough.

    Args:
        variant: below `VARIANTS`; another place or kind of mistake.
        known: words, case-folded, that a mistake must not turn into.
    """
    return _mistype(text, variant, known)


@lru_cache(maxsize=100_000)
def _mistype(text: str, variant: int, known: frozenset[str]) -> str:
    spots = [(m.start(), m.end()) for m in _WORD.finditer(_SLOT.sub(lambda slot: " " * len(slot[0]), text))]
    long = [(start, end) for start, end in spots if end - start >= LEAST]
    for attempt in range(8 if long else 0):
        drawn = int(seed("mistype", text, variant, attempt))
        start, end = long[drawn % len(long)]
        word = text[start:end]
        at = 1 + drawn // 97 % (len(word) - 3)  # the first letter and the last stay: "keine" is not "eine"
        kind = drawn // 9973 % 3
        wrong = (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[: at + 1] + word[at:],
        )[kind]
        if wrong != word and wrong.casefold() not in known:
            return text[:start] + wrong + text[end:]
    return text


def lower_case(text: str) -> str:
    """Write all in small letters."""
    return _outside_slots(text, str.lower)


def drop_accents(text: str, language: str) -> str:
    """Write as on a keyboard without the language's own letters: marks left out, or two letters for one."""
    return _outside_slots(text, lambda part: "".join(_bare(letter, language) for letter in part))


def _bare(letter: str, language: str) -> str:
    if letter.isascii():
        return letter
    small = letter.lower()
    pair = _DIGRAPHS.get(language, {}).get(small) or _LETTERS.get(small)
    if pair:
        return pair if letter == small else pair.capitalize()
    if not _BASES.match(unicodedata.name(letter, "")):
        return letter
    bare = "".join(c for c in unicodedata.normalize("NFD", letter) if not unicodedata.combining(c))
    return bare or letter


def _outside_slots(text: str, change: Callable[[str], str]) -> str:
    return "".join(part if _SLOT.fullmatch(part) else change(part) for part in _SLOT.split(text))
