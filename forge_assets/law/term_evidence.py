"""Read lengths of time in the words of a text, to test whether they say the number of a term."""

from __future__ import annotations

import re
from itertools import islice

from forge_assets.law.model import Framework, Provision, Term, TermUnit, TermWords

Length = tuple[int, TermUnit]

_WORD = re.compile(r"\w+")
_BETWEEN = 2
"""Words that may stand between a number and its unit, e.g. `trente (30) jours`."""


def unsaid_terms(framework: Framework, provision: Provision) -> list[Term]:
    """List the terms of a provision whose number and unit no words of the text say.

    The words are those of `deadline` and `term` under `said_at`; where there are none, the quote.
    """
    if not provision.term:
        return []
    said = [each.words for field in ("deadline", "term") for each in provision.said_at.get(field, ())]
    words = said or [provision.quote]
    found = {length for each in words for length in lengths_in(each, framework.term_words)}
    return [term for term in provision.term if (term.number, term.unit) not in found]


def lengths_in(words: str, written: TermWords) -> list[Length]:
    """Read the lengths of time that words of a text say.

    A number is digits, or a word that the country lists; its unit follows within three words. Where no unit follows a
    number, a unit alone says one: `a month before`.
    """
    units, numbers = _units(written), _numbers(written)
    text = " ".join(words.split())
    found = [
        (_value(number[0], written), unit)
        for number in numbers.finditer(text)
        if (unit := _unit_after(text, number.end(), units))
    ]
    return found or [(1, unit) for unit, pattern in units if pattern.search(text)]


def _units(written: TermWords) -> list[tuple[TermUnit, re.Pattern[str]]]:
    """Units to the pattern of a word that begins so; the longest beginning first, as in working days before days."""
    beginnings = [(beginning, unit) for unit, several in written.units.items() for beginning in several]
    beginnings.sort(key=lambda each: -len(each[0].split()))
    return [(unit, re.compile(rf"(?<!\w){re.escape(said)}", re.IGNORECASE)) for said, unit in beginnings]


def _numbers(written: TermWords) -> re.Pattern[str]:
    words = sorted(written.numbers, key=len, reverse=True)
    return re.compile("|".join([*(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words), r"(?<!\w)\d+"]), re.IGNORECASE)


def _value(said: str, written: TermWords) -> int:
    named = {word.casefold(): number for word, number in written.numbers.items()}
    return named[said.casefold()] if said.casefold() in named else int(said)


def _unit_after(text: str, end: int, units: list[tuple[TermUnit, re.Pattern[str]]]) -> TermUnit | None:
    """Which unit a number that ends there counts; None where no word for one follows."""
    for word in islice(_WORD.finditer(text, end), _BETWEEN + 1):
        for unit, pattern in units:
            if pattern.match(text, word.start()):
                return unit
    return None
