"""Draw the typed values of an exhibit, and write each in any language, with the forms that an answer may use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import numpy as np

from forge_assets.scenarios.facts.counter_rng import keys
from forge_assets.scenarios.pack.exhibits import (
    SLOT,
    Between,
    Currency,
    DateKind,
    ExhibitKinds,
    Exhibits,
    NumberKind,
    PickKind,
    Unit,
    ValueKind,
    forms_of,
)

Value = int | dt.date | tuple[int, ...]
"""A number, a date, or the places of words in a list."""
EURO = Currency(code="EUR")
AT_ONCE = 128
WORDED, AGREED = "exhibit:words", "exhibit:value"
"""Sources of what an answer says of an exhibit: words of the language's file, and what was drawn."""


class Field(NamedTuple):
    """What an answer must say exactly, and the accepted ways of saying it."""

    name: str
    said: tuple[str, ...]


class Line(NamedTuple):
    """A line of an answer, what it says exactly, and the provisions that it names."""

    text: str
    fields: tuple[Field, ...] = ()
    provisions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Voice:
    """The words of one language, with what other files of that language say."""

    words: Exhibits
    date: str
    """How a date is written: `languages/<code>.yaml`."""
    levels: Mapping[str, str]
    """Level to its word as a label."""
    mark: Callable[[str, str], str] | None = None
    """Marks a piece of text with its source, where an answer shows them."""

    def source(self, name: str, text: str) -> str:
        """Give a piece of text its source."""
        return self.mark(name, text) if self.mark is not None and text else text

    def day(self, date: dt.date) -> str:
        """Write a date."""
        named = (("{d}", date.day), ("{m}", date.month), ("{y}", date.year))
        text = self.date
        for mark, number in named:
            text = text.replace(mark, str(number))
        return text


class Choices:
    """Draws of one exhibit, in order: the same words give the same draws on any machine."""

    def __init__(self, *words: object) -> None:
        self._left = _numbers(words)

    def below(self, n: int) -> int:
        """Draw a whole number from 0 to below n."""
        return next(self._left) % n

    def within(self, bounds: Between) -> int:
        """Draw a whole number between two ends."""
        return bounds.min + self.below(bounds.max - bounds.min + 1)

    def order(self, n: int) -> list[int]:
        """Draw an order of 0 to below n."""
        places = list(range(n))
        for last in range(n - 1, 0, -1):
            other = self.below(last + 1)
            places[last], places[other] = places[other], places[last]
        return places

    def date(self, years: Between) -> dt.date:
        """Draw a day of some years."""
        return dt.date(self.within(years), 1 + self.below(12), 1 + self.below(28))

    def values(self, kinds: Mapping[str, ValueKind], signed: dt.date, all_kinds: ExhibitKinds) -> dict[str, Value]:
        """Draw a value of each kind."""
        return {name: self._value(kind, signed, all_kinds) for name, kind in kinds.items()}

    def _value(self, kind: ValueKind, signed: dt.date, all_kinds: ExhibitKinds) -> Value:
        if isinstance(kind, NumberKind):
            return kind.of[self.below(len(kind.of))]
        if isinstance(kind, DateKind):
            first = _month_after(signed, 1 + kind.months_after[self.below(len(kind.months_after))])
            return first - dt.timedelta(days=1) if kind.last else first
        picked = self.order(all_kinds.lists[kind.pick])[: 1 + self.below(kind.most)]
        return tuple(sorted(picked))


def _numbers(words: tuple[object, ...]) -> Iterator[int]:
    """The keys of the counters from 0 on, some at a time: each call costs more than a key."""
    for first in count(0, AT_ONCE):
        yield from keys(np.arange(first, first + AT_ONCE, dtype=np.uint64), *words).tolist()


def _month_after(date: dt.date, months: int) -> dt.date:
    """The first day of the month, so many months later."""
    at = date.year * 12 + date.month - 1 + months
    return dt.date(at // 12, at % 12 + 1, 1)


@dataclass(frozen=True)
class Written:
    """A value as one language writes it."""

    label: str
    alone: str
    """The number without its unit."""
    fields: tuple[Field, ...]


def write(kind: ValueKind, name: str, value: Value, voice: Voice, currency: Currency = EURO) -> Written:
    """Write a value, and say what an answer must have of it.

    Args:
        name: of the value: the field of picked words.
    """
    if isinstance(kind, NumberKind) and isinstance(value, int):
        return _number(kind.unit, value, voice, currency)
    if isinstance(kind, DateKind) and isinstance(value, dt.date):
        return Written(voice.day(value), "", (date_field(value, voice),))
    assert isinstance(kind, PickKind) and isinstance(value, tuple)
    picked = [voice.words.lists[kind.pick][place] for place in value]
    return Written(voice.words.join.join(picked), "", tuple(Field(name, (word,)) for word in picked))


def date_field(date: dt.date, voice: Voice) -> Field:
    """Say how an answer may write a date: as its language does, or as the standard does."""
    return Field("date", tuple(dict.fromkeys((voice.day(date), date.isoformat()))))


def _number(unit: Unit, n: int, voice: Voice, currency: Currency) -> Written:
    number = n * currency.times if unit == "amount" else n
    written = grouped(number, voice.words.thousands)
    forms = [
        form.replace("{n}", digits).replace("{currency}", currency.code)
        for digits in dict.fromkeys((written, str(number)))
        for form in forms_of(voice.words, unit, n)
    ]
    return Written(forms[0], written, (Field("number", tuple(forms)),))


def grouped(number: int, separator: str) -> str:
    """Write a whole number with its thousands apart."""
    return f"{number:,}".replace(",", separator)


def slots_of(values: Mapping[str, Written], voice: Voice) -> dict[str, str]:
    """List the texts that values put into the slots of a template."""
    found = {}
    for name, value in values.items():
        found[name] = voice.source(AGREED, value.label)
        found[f"{name}#"] = voice.source(AGREED, value.alone)
    return found


def fill(template: str, slots: Mapping[str, str], voice: Voice) -> str:
    """Fill the slots of a template; a slot of the row stays. No full stop is doubled."""
    if voice.mark is not None:
        parts = SLOT.split(template)  # text, name, #, text, …
        said = [voice.source(WORDED, parts[0])]
        for name, alone, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            slot = f"{name}{alone}"
            said += [slots.get(slot) or voice.source(AGREED, f"{{{slot}}}"), voice.source(WORDED, text)]
        return "".join(said)
    return SLOT.sub(lambda slot: slots.get(f"{slot[1]}{slot[2]}", slot[0]), template).replace("..", ".")
