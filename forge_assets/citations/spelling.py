"""Write patterns of words that are met in other spellings: without diacritics, in other cases, with other endings."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_TWO_LETTERS = {"ß": "ss", "æ": "ae", "ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}
"""Letters that keyboards without them write as two."""
_PLAIN = {"ø": "o", "ł": "l", "đ": "d", "ı": "i", "ð": "d", "æ": "a"}
_LETTERS = re.compile(r"[^\W\d_]+")
_SHORT = 5
"""Letters from which on a word of a long name may have another ending."""


@lru_cache(maxsize=65_536)
def plain(word: str) -> str:
    """Fold the diacritics of a word away, letter by letter: `článek` is `clanek`; Cyrillic letters stay as they are."""
    return word if word.isascii() else "".join(_plain_letter(letter) for letter in word)


@lru_cache(maxsize=4_096)
def _plain_letter(letter: str) -> str:
    lower = letter.lower()
    if lower in _PLAIN:
        return _PLAIN[lower].upper() if letter != lower else _PLAIN[lower]
    bare = unicodedata.normalize("NFD", letter)[0]
    return letter if "\u0400" <= bare <= "\u052f" else bare


def in_two_letters(word: str) -> str:
    """Write a word as keyboards without its letters do: `Kuendigung`."""
    return "".join(_TWO_LETTERS.get(letter, letter) for letter in word.casefold())


def spelled(letter: str) -> str:
    """The pattern of one letter, with and without what is written on it."""
    bare, two = _plain_letter(letter), _TWO_LETTERS.get(letter.lower())
    if bare == letter and not two:
        return re.escape(letter)
    one = f"[{letter}{bare}]" if bare != letter else letter
    return f"(?:{one}|{two.capitalize() if letter.isupper() else two})" if two else one


def name_pattern(name: str, inflected: bool) -> str:
    """The pattern of a law's name as written; spaces after dots and last dots of words may be missing.

    Args:
        inflected: whether words of five letters and more may have other endings, as in `Kodeksu pracy`.
    """
    found, at = [], 0
    for word in _LETTERS.finditer(name):
        found += [_between(name[at : word.start()]), _word(word[0], inflected)]
        at = word.end()
    return "".join([*found, _between(name[at:])])


def _word(word: str, inflected: bool) -> str:
    if not inflected or len(word) < _SHORT:
        return "".join(map(spelled, word))
    kept = stem(word)
    return "".join(map(spelled, kept)) + rf"[^\W\d_]{{0,{len(word) - len(kept) + 3}}}"


def stem(word: str) -> str:
    """What stays of a word in all its cases: all but its last letter, or last two of a long word."""
    return word if len(word) < _SHORT else word[: -1 if len(word) < 7 else -2]


def _between(signs: str) -> str:
    pieces = []
    for i, sign in enumerate(signs):
        if sign.isspace():
            pieces.append(r"\s?" if i and signs[i - 1] == "." else r"\s{1,2}")
        elif sign == ".":
            pieces.append(r"\.?")
        elif sign in "'\u2019":
            pieces.append("['\u2019]")
        elif sign in "-\u2010\u2011\u2013\u2014":
            pieces.append("[-\u2010\u2011\u2013\u2014]")
        else:
            pieces.append(re.escape(sign))
    return "".join(pieces)
