"""Knows the laws of the frameworks: their names, how they are cited, and which places their text has."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from forge_assets.law.citation_forms import Forms
from forge_assets.law.citation_grammar import DEGREE, POSITION, Part, Reference
from forge_assets.law.citation_words import COMMON, folded
from forge_assets.law.law_names import LawId, LawNames
from forge_assets.law.model import Domain, Framework, Law
from forge_assets.law.statutes import NO_PARAGRAPH, Paragraph, Statutes, StatuteUnit, is_repealed, subdivisions

CitationStatus = Literal["real", "repealed", "fabricated", "unverifiable"]
Place = tuple[str, str | None, str | None]
"""Unit, paragraph and point."""

_ROMAN = {
    "I": "1",
    "II": "2",
    "III": "3",
    "IV": "4",
    "V": "5",
    "VI": "6",
    "VII": "7",
    "VIII": "8",
    "IX": "9",
    "X": "10",
}
_SUPERSCRIPTS = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "0123456789")
_RAISED = re.compile(r"[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+")
_ALPHABETS = ("αβγδεζηθικλμ", "абвгдежзийкл")
_SOUNDS = {"в": "v", "г": "g"}
"""English texts write a letter of another alphabet as the Latin one at its place, or as the one that sounds like it."""


@dataclass(frozen=True)
class HeldLaw:
    """A law, the text held of it, and its units by the forms their numbers are written in."""

    law: Law
    units: Mapping[str, StatuteUnit]
    _by_form: Mapping[str, str]
    _covered: tuple[tuple[tuple[tuple[int, str], ...], tuple[tuple[int, str], ...]], ...]
    _order: tuple[str, ...]
    _parts: dict[str, Mapping[str, Paragraph]] = field(default_factory=dict)

    @classmethod
    def of(cls, law: Law, units: Mapping[str, StatuteUnit]) -> HeldLaw:
        """Index a law's units."""
        forms: dict[str, str] = {}
        for number in units:
            for form in (_form(number), *_transliterated(number)):
                forms.setdefault(form, number)
        covered = tuple((order(low), order(high)) for low, high in (span.split("..") for span in law.covered))
        return cls(law, units, forms, covered, tuple(sorted(units, key=order)))

    def unit(self, written: str) -> str | None:
        """The number of the unit held that is written so."""
        return self._by_form.get(_form(written))

    @property
    def hyphenated(self) -> bool:
        """Whether units have numbers such as `15-2`, so that a hyphen is no range."""
        return any("-" in number for number in self.units)

    def parts(self, unit: str) -> Mapping[str, Paragraph]:
        """Paragraphs of a unit held, by label."""
        if unit not in self._parts:
            self._parts[unit] = subdivisions(self.units[unit])
        return self._parts[unit]

    def status(self, unit: str, paragraph: str | None, point: str | None) -> CitationStatus:
        """Whether a place is in the text held. A unit that an excerpt may simply lack is `unverifiable`."""
        if unit not in self.units:
            known = self.law.coverage == "complete" or any(low <= order(unit) <= high for low, high in self._covered)
            return "fabricated" if self.units and known else "unverifiable"
        held = self.units[unit]
        if is_repealed(held.text, held.layout):
            return "repealed"
        if paragraph is None:
            return "real"
        found = self.parts(unit).get(paragraph)
        if found is None or (point is None and paragraph == NO_PARAGRAPH):
            return "fabricated"
        if is_repealed(found.text, held.layout):
            return "repealed"
        return "real" if point is None or point in found.points else "fabricated"

    def between(self, first: str, last: str, limit: int = 40) -> list[str]:
        """Units from first to last as the statute orders them; only the two ends if there are too many."""
        low = bisect_right(self._order, order(first), key=order)
        high = bisect_left(self._order, order(last), key=order)
        inner = [n for n in self._order[low:high] if _letters(n) == _letters(first)]
        return [first, *(inner if len(inner) <= limit else []), last]


@dataclass(frozen=True)
class LawIndex:
    """Build with `LawIndex.build`; one index serves any number of texts."""

    laws: Mapping[LawId, HeldLaw]
    names: LawNames
    forms: Forms
    unions: Mapping[str, frozenset[str]]
    """Country to the unions whose law binds it as well."""
    _called: Mapping[str, str]
    _countries: re.Pattern[str]

    @classmethod
    def build(cls, domain: Domain, frameworks: Sequence[Framework], statutes: Mapping[str, Statutes]) -> LawIndex:
        """Index the laws of frameworks.

        Args:
            statutes: jurisdiction to the statute text held; a law without text makes citations unverifiable.
        """
        laws = {(f.jurisdiction, law.id): law for f in frameworks for law in f.laws}
        held = {key: HeldLaw.of(law, statutes.get(key[0], {}).get(key[1], {})) for key, law in laws.items()}
        called = {name: f.jurisdiction for f in frameworks for name in (f.name, *f.called)}
        names = LawNames.of(laws.items())
        written = {COMMON: domain.citation, **{f.jurisdiction: f.citation for f in frameworks}}
        forms = Forms.compile(written, names, called)
        words = "|".join(re.escape(name) for name in sorted(called, key=len, reverse=True)) or "(?!)"
        countries = re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])")
        codes = {code for f in frameworks for code in (f.jurisdiction, *f.members)}
        unions = {code: frozenset(f.jurisdiction for f in frameworks if code in f.members) for code in codes}
        return cls(held, names, forms, unions, called, countries)

    def country_before(self, text: str, end: int) -> str | None:
        """The country last named in a text before a place."""
        last = None
        for found in self._countries.finditer(text, 0, end):
            last = self._called[found[0]]
        return last

    def country_after(self, text: str, at: int) -> str | None:
        """The country named right behind a place, as in `Labour Code of Bulgaria`."""
        start = at
        while of := self.forms.of.match(text, at):
            found = self._countries.match(text, at)
            if found:
                break
            at = of.end()
        found = self._countries.match(text, at) if at > start else None
        return self._called[found[0]] if found else None

    def holding(self, jurisdiction: str, reference: Reference) -> LawId | None:
        """The jurisdiction's law that has a unit, if exactly one has it."""
        laws = [key for key, law in self.laws.items() if key[0] == jurisdiction and law.unit(reference.unit)]
        return laws[0] if len(laws) == 1 else None

    def only_law(self, jurisdiction: str) -> LawId | None:
        """The jurisdiction's law if it has exactly one."""
        laws = [law for law in self.laws if law[0] == jurisdiction]
        return laws[0] if len(laws) == 1 else None

    def status(self, law: LawId, unit: str, paragraph: str | None, point: str | None) -> CitationStatus:
        """Whether a place exists in the text held of a law."""
        return self.laws[law].status(unit, paragraph, point)

    def status_of(self, key: str) -> CitationStatus:
        """Whether the place a key names exists in the text held."""
        jurisdiction, law, unit, *rest = key.split(":")
        if (jurisdiction, law) not in self.laws:
            return "unverifiable"
        paragraph, point = [*rest, None, None][:2]
        return self.status((jurisdiction, law), unit, paragraph, point)

    def continues(self, law: LawId, head: str) -> bool:
        """Whether a word that opens units elsewhere opens a part of a unit in this law, as `§` does in Poland."""
        return not self.forms.words.opens_units_in(folded(head), law[0]) and self.forms.words.may_be_part(folded(head))

    def places(self, law: LawId, reference: Reference) -> list[Place]:
        """The places of a law that a reference names: several if it is a range."""
        held = self.laws[law]
        number, last, parts = reference.unit, reference.last, list(reference.parts)
        if parts and parts[-1].also:
            each_alone = [replace(parts[-1], label=label, also=()) for label in (parts[-1].label, *parts[-1].also)]
            listed = [replace(reference, parts=(*parts[:-1], part)) for part in each_alone]
            return [place for each in listed for place in self.places(law, each)]
        if held.unit(number) is None and "-" in number and not held.hyphenated and not last:
            first, _, rest = number.partition("-")
            if order(rest) > order(first):
                number, last, parts = first, rest, []
        if parts and (joined := self._joined(held, number, parts[0])):
            number, parts = joined, parts[1:]
        unit = held.unit(number) or self._by_ordinal(law, number) or _as_keyed(number, held)
        if last and not self.forms.words.is_range(reference.by, law[0]):
            ends = [replace(reference, last=None), _with_end(reference, last)]
            return [place for each in ends for place in self.places(law, each)]
        if last and not parts:
            closing = held.unit(last) or _as_keyed(last, held)
            return [(each, None, None) for each in held.between(unit, closing)]
        paragraph, point = self._placed(law, held, unit, parts)
        if not last:
            return [(unit, paragraph, point)]
        subdivided = held.parts(unit) if unit in held.units else {}
        if point is not None:
            labels = list(subdivided[paragraph].points) if paragraph and paragraph in subdivided else []
            return [(unit, paragraph, each) for each in _series(point, _label(last, labels), labels)]
        labels = [label for label in subdivided if label != NO_PARAGRAPH]
        return [(unit, each, None) for each in _series(paragraph or "1", _label(last, labels), labels)]

    def is_narrow(self, law: LawId, reference: Reference) -> bool:
        """Whether the last part of a reference is below what a key names, as a sentence is."""
        word = reference.parts[-1].word if reference.parts else POSITION
        return word not in (POSITION, DEGREE) and self.forms.words.kind(word, law[0])[0] in ("narrower", None)

    def _joined(self, held: HeldLaw, number: str, part: Part) -> str | None:
        """The unit whose number the first part belongs to, as in `art. 22(2)`."""
        return held.unit(f"{number}({part.label})") if part.word == POSITION else None

    def _by_ordinal(self, law: LawId, number: str) -> str | None:
        """The unit held under an ordinal word, as `d.a.vigesimotercera` for `DA 23.ª`."""
        start, digits = re.match(r"(.*?)(\d*)$", number.rstrip(".\u00aa"), re.DOTALL).groups()  # type: ignore[union-attr]
        words = self.forms.words.ordinal_words(int(digits)) if start and digits else []
        return next((found for word in words if (found := self.laws[law].unit(start + word))), None)

    def _placed(self, law: LawId, held: HeldLaw, unit: str, parts: Sequence[Part]) -> tuple[str | None, str | None]:
        """Paragraph and point, by what the words mean in this country and what the unit has."""
        subdivided = held.parts(unit) if unit in held.units else {}
        labels = [label for label in subdivided if label != NO_PARAGRAPH]
        loose = list(subdivided[NO_PARAGRAPH].points) if NO_PARAGRAPH in subdivided else []
        paragraph: str | None = None
        for part in parts:
            kind, own = self._kind(law, part)
            if kind in (None, "narrower"):
                continue
            label = _label(part.label, [*labels, *loose])
            if paragraph is None:
                if self._opens_paragraph(kind, own, label, labels, loose):
                    paragraph = label
                    continue
                paragraph = labels[0] if len(labels) == 1 and not loose else NO_PARAGRAPH
            points = list(subdivided[paragraph].points) if paragraph in subdivided else []
            return paragraph, _label(part.label, points)
        return paragraph, None

    def _kind(self, law: LawId, part: Part) -> tuple[str | None, bool]:
        if part.word == POSITION:
            return "any", False
        if part.word == DEGREE:
            return "point", True
        kind, own = self.forms.words.kind(part.word, law[0])
        return ("paragraph" if kind == "unit" else kind), own

    def _opens_paragraph(
        self, kind: str | None, own: bool, label: str, labels: Sequence[str], loose: Sequence[str]
    ) -> bool:
        """Whether a first part is a paragraph of its unit, and not a point of a unit without paragraphs."""
        if kind == "point":
            return (not own or label.isalpha()) and label in labels and label not in loose
        if kind == "paragraph" and own:
            return True
        if label in labels:
            return True
        if label in loose:
            return False
        return kind == "paragraph" or not label.islower()


def _with_end(reference: Reference, last: str) -> Reference:
    """The other end of what looked like a range."""
    if not reference.parts:
        return replace(reference, unit=last, last=None)
    parts = (*reference.parts[:-1], Part(reference.parts[-1].word, last))
    return replace(reference, parts=parts, last=None)


def _letters(number: str) -> str:
    """What stands before the first digit: `L` of `L1233-8`."""
    return re.split(r"\d", number, maxsplit=1)[0]


def order(number: str) -> tuple[tuple[int, str], ...]:
    """Sorts unit numbers as statutes order them: `47`, `47bis`, `48`; `L1233-9` before `L1233-10`."""
    return tuple((int(digits), letters) for digits, letters in re.findall(r"(\d+)([^\W\d_]*)", number))


def _form(number: str) -> str:
    """A unit's number without what differs from writer to writer."""
    number = re.sub(r"[^\W\d_]", lambda m: unicodedata.normalize("NFKC", m[0]) if m[0].isalpha() else m[0], number)
    plain = re.sub(
        r"([\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+)", lambda m: f"({m[1].translate(_SUPERSCRIPTS)})", number
    )
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


def _as_keyed(written: str, held: HeldLaw) -> str:
    """A number that is not held, in the style of those that are."""
    number = _form(written)
    number = number[:1].upper() + number[1:] if number[:1].isalpha() else number
    if any(re.match(r"[^\W\d_]\.\d", unit) for unit in held.units):
        number = re.sub(r"^([^\W\d_])(?=\d)", r"\1.", number)
    return written if any(c.isupper() for c in written[1:]) else number


def _label(written: str, known: Sequence[str]) -> str:
    """A part's label as the unit writes it, if it has it in another form."""
    if written in known:
        return written
    ordinal = re.sub(r"^(\d+)(?:re|e|ste|de)$", r"\1", _form(written))
    for form in (written.casefold(), written.upper(), _ROMAN.get(written.upper(), ""), _form(written), ordinal):
        if form in known:
            return form
    if len(written) == 1 and written.islower():
        for label in known:
            if len(label) == 1 and _latin(label) == written:
                return label
    if written in _ROMAN and known and all(label[:1].isdigit() for label in known):
        return _ROMAN[written]
    return written if written in _ROMAN else _form(ordinal)


def _series(first: str, last: str, known: Sequence[str], limit: int = 40) -> list[str]:
    """Labels from first to last: as the unit orders them, or else counted."""
    if first in known and last in known and known.index(first) < known.index(last):
        return list(known[known.index(first) : known.index(last) + 1])
    if first.isdigit() and last.isdigit() and int(first) < int(last) <= int(first) + limit:
        return [str(n) for n in range(int(first), int(last) + 1)]
    if len(first) == len(last) == 1 and ord(first) < ord(last) <= ord(first) + limit:
        return [chr(n) for n in range(ord(first), ord(last) + 1)]
    return [first, last]
