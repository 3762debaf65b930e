"""Write numbers as words, in the languages and ranges where that changes no word beside them."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import polars as pl
from num2words import CONVERTER_CLASSES, num2words

_CODES = {"nb": "no"}
"""Languages that the library knows under another code."""
MOST = 1000
"""Larger numbers stay digits."""


def has_words(language: str) -> bool:
    """Whether the library has number words in a language."""
    return _CODES.get(language, language) in CONVERTER_CLASSES


def in_words(numbers: pl.Series, language: str, spoken: Literal["all", "tens", "none"]) -> pl.Series:
    """Write numbers as words; null where a number stays in digits.

    Args:
        numbers: whole numbers, null where there is none.
        language: code of the language.
        spoken: `all`: from two to a hundred, and whole hundreds; `tens`: whole tens to a hundred.

    Raises:
        NotImplementedError: the library has no words for the language.
    """
    values = [] if spoken == "none" else numbers.drop_nulls().unique().to_list()
    table = {n: _word(n, language) for n in values if _spoken(n, spoken)}
    return numbers.replace_strict(table, default=None, return_dtype=pl.String)


def _spoken(number: int, spoken: str) -> bool:
    if spoken == "tens":
        return 10 <= number <= 100 and number % 10 == 0
    return 2 <= number <= 100 or (number < MOST and number % 100 == 0)


@lru_cache(maxsize=10_000)
def _word(number: int, language: str) -> str:
    return str(num2words(number, lang=_CODES.get(language, language)))
