"""Index the text held of one law: its places, and its numbers and labels in all forms people write."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

from forge_assets.law.model import Law
from forge_assets.law.statutes import NO_PARAGRAPH, Paragraph, StatuteUnit, is_repealed, subdivisions

CitationStatus = Literal["real", "repealed", "fabricated", "unverifiable", "unheld", "ambiguous"]
"""Of a place: whether its law has it. `unheld`: the law is named, and its text is not held; `unverifiable`: no law is
named, or the place is one that an excerpt may lack; `ambiguous`: which law is meant was guessed."""
ROMAN = {n: str(i) for i, n in enumerate(("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"), start=1)}
_SUPERSCRIPTS = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "0123456789")
_COUNTED = re.compile(r"(.*?)(\d+)", re.DOTALL)
_DOTTED = re.compile(r"[^\W\d_]\.\d")
_RAISED = re.compile(r"[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+")
_ALPHABETS = ("αβγδεζηθικλμ", "абвгдежзийкл")
_SOUNDS = {"в": "v", "г": "g"}
"""English texts write a letter of another alphabet as the Latin one at its place, or as the one that sounds like it."""


@dataclass(frozen=True)
class IndexedLaw:
    """A law, the text held of it, and its units by the forms their numbers are written in."""

    law: Law
    units: Mapping[str, StatuteUnit]
    _by_form: Mapping[str, str]
    _covered: tuple[tuple[tuple[tuple[int, str], ...], tuple[tuple[int, str], ...]], ...]
    _order: tuple[str, ...]
    _parts: dict[str, Mapping[str, Paragraph]] = field(default_factory=dict)
    _repealed: dict[tuple[str, str], bool] = field(default_factory=dict)

    @classmethod
    def of(cls, law: Law, units: Mapping[str, StatuteUnit]) -> IndexedLaw:
        """Index a law's units."""
        forms: dict[str, str] = {}
        for number in units:
            for form in (_form(number), *_transliterated(number)):
                forms.setdefault(form, number)
        covered = tuple((order(low), order(high)) for low, high in (span.split("..") for span in law.covered))
        return cls(law, units, forms, covered, tuple(sorted(units, key=order)))

    def unit(self, written: str) -> str | None:
        """Find the number of the unit that is written so."""
        return self._by_form.get(_form(written))

    def ends_before(self, number: str) -> bool:
        """Whether a number lies far beyond the last unit held, so that the law cannot have it."""
        last = max((order(unit) for unit in self.units), default=())
        return bool(last) and order(number)[0][0] > 2 * last[0][0]

    @cached_property
    def dotted(self) -> bool:
        """Whether units have numbers such as `L.222-9`, with a full stop behind their letter."""
        return any(_DOTTED.match(number) for number in self.units)

    @cached_property
    def hyphenated(self) -> bool:
        """Whether units have numbers such as `15-2`, so that a hyphen is no range."""
        return any("-" in number for number in self.units)

    def parts(self, unit: str) -> Mapping[str, Paragraph]:
        """Split a unit into its paragraphs, by label."""
        if unit not in self._parts:
            self._parts[unit] = subdivisions(self.units[unit])
        return self._parts[unit]

    @cached_property
    def roman(self) -> bool:
        """Whether paragraphs have Roman numbers, so that `III` is no other way to write 3."""
        return any(label in ROMAN for unit in self.units for label in self.parts(unit))

    def status(self, unit: str, paragraph: str | None, point: str | None) -> CitationStatus:
        """Look a place up in the text held; a unit that an excerpt may simply lack is `unverifiable`."""
        if unit not in self.units:
            return "fabricated" if self.units and self._is_covered(unit) else "unverifiable"
        held = self.units[unit]
        if self._is_repealed(unit, "", held.text):
            return "repealed"
        if paragraph is None:
            return "real"
        found = self.parts(unit).get(paragraph)
        if found is None or (point is None and paragraph == NO_PARAGRAPH):
            return "fabricated"
        if self._is_repealed(unit, paragraph, found.text):
            return "repealed"
        return "real" if point is None or point in found.points else "fabricated"

    def _is_covered(self, unit: str) -> bool:
        """Whether a unit would be held if the law had it."""
        return self.law.coverage == "complete" or any(low <= order(unit) <= high for low, high in self._covered)

    def _is_repealed(self, unit: str, paragraph: str, text: str) -> bool:
        """Whether a unit or paragraph is no longer law; looked up once."""
        place = unit, paragraph
        if place not in self._repealed:
            self._repealed[place] = is_repealed(text, self.units[unit].layout)
        return self._repealed[place]

    @cached_property
    def shapes(self) -> frozenset[tuple[str, int]]:
        """How the numbers of units are built: letters before the first digits, and how many digits these are."""
        return frozenset(shape(number) for number in self.units)

    def between(self, first: str, last: str, limit: int = 40) -> list[str]:
        """List units from first to last as the statute orders them; only the two ends if there are too many.

        Units that an excerpt may lack are counted: `64-66` has three, whether or not 65 is held.
        """
        low = bisect_right(self._order, order(first), key=order)
        high = bisect_left(self._order, order(last), key=order)
        inner = [n for n in self._order[low:high] if _letters(n) == _letters(first)]
        inner += [n for n in _counted(first, last, limit) if n not in self.units and not self._is_covered(n)]
        return [first, *(sorted(inner, key=order) if len(inner) <= limit else []), last]


def _counted(first: str, last: str, limit: int) -> list[str]:
    """The numbers between two that differ in their last digits alone: `18-5` to `18-7` between `18-4` and `18-8`."""
    one, other = _COUNTED.fullmatch(first), _COUNTED.fullmatch(last)
    if not one or not other or one[1] != other[1] or int(other[2]) - int(one[2]) > limit:
        return []
    return [f"{one[1]}{n}" for n in range(int(one[2]) + 1, int(other[2]))]


def shape(number: str) -> tuple[str, int]:
    found = re.match(r"([^\W\d_]*)\.?(\d*)", number)
    return (found[1].casefold(), len(found[2])) if found else ("", 0)


def _letters(number: str) -> str:
    """What stands before the first digit: `L` of `L1233-8`."""
    return re.split(r"\d", number, maxsplit=1)[0]


def order(number: str) -> tuple[tuple[int, str], ...]:
    """Key that sorts unit numbers as statutes order them: `47`, `47bis`, `48`; `L1233-9` before `L1233-10`."""
    return tuple((int(digits), letters) for digits, letters in re.findall(r"(\d+)([^\W\d_]*)", number))


@lru_cache(maxsize=65_536)
def _form(number: str) -> str:
    """A unit's number without what differs from writer to writer."""
    number = re.sub(r"[^\W\d_]", lambda m: unicodedata.normalize("NFKC", m[0]) if m[0].isalpha() else m[0], number)
    plain = _RAISED.sub(lambda m: f"({m[0].translate(_SUPERSCRIPTS)})", number)
    plain = re.sub(r"\^(\d{1,2})|\[(\d)\]", lambda m: f"({m[1] or m[2]})", plain)
    plain = re.sub(r"^(\d+)(?:er|ère)$", r"\1", plain)
    plain = re.sub(r"-(?=(?:bis|ter|quater|quinquies)\b)", "", plain)
    return re.sub(r"^([^\W\d_])\.", r"\1", re.sub(r"[\s\u00ba\u00b0]", "", plain)).casefold()


def _transliterated(number: str) -> list[str]:
    """Forms of a number with letters of another alphabet, in Latin ones."""
    form = _form(number)
    by_place = "".join(_latin(letter) or letter for letter in form)
    by_sound = "".join(_SOUNDS.get(letter) or _latin(letter) or letter for letter in form)
    return [found for found in (by_place, by_sound) if found != form]


def _latin(letter: str) -> str | None:
    """The Latin letter at the same place of the alphabet."""
    return next((chr(ord("a") + letters.index(letter)) for letters in _ALPHABETS if letter in letters), None)


def as_keyed(written: str, held: IndexedLaw) -> str:
    """Write a number that is not held in the style of those that are."""
    number = _form(written)
    raised = held.unit(f"{number[:-1]}({number[-1:]})") if number.isdigit() else None
    if raised and held.ends_before(number):
        return raised  # a raised digit that lost its raising
    number = number[:1].upper() + number[1:] if number[:1].isalpha() else number
    if held.dotted:
        number = re.sub(r"^([^\W\d_])(?=\d)", r"\1.", number)
    return written if any(c.isupper() for c in written[1:]) else number


def known_label(written: str, known: Sequence[str]) -> str:
    """Find a part's label as the unit writes it, if it has it in another form."""
    if written in known:
        return written
    ordinal = re.sub(r"^(\d+)(?:re|e|ste|de)$", r"\1", _form(written))
    for form in (written.casefold(), written.upper(), ROMAN.get(written.upper(), ""), _form(written), ordinal):
        if form in known:
            return form
    if len(written) == 1 and written.islower():
        for label in known:
            if len(label) == 1 and _latin(label) == written:
                return label
    if written in ROMAN and known and all(label[:1].isdigit() for label in known):
        return ROMAN[written]
    return written if written in ROMAN else _form(ordinal)
