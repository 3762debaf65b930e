"""Compiles the citation forms that a pack declares, of every country and English, into patterns to read with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from forge_assets.law.law_names import LawNames
from forge_assets.law.model import CitationForms

Kind = Literal["paragraph", "point", "narrower", "unit"]
COMMON = ""
"""Stands for a jurisdiction where forms are those of every law: English usage."""

S = "[ \\t\u00a0\u202f\u2009]"
C = rf"(?:[.,]{{0,2}}{S}{{1,2}}|,|(?!\.))"
"""What may stand between two parts of one place."""

_SUPERSCRIPT = "\u2070\u00b9\u00b2\u00b3\u2074-\u2079"
_LATIN = r"(?:bis|ter|quater|quinquies|sexies|septies)"
_NUMBER = (
    rf"\d{{1,3}}(?:{S}?{_LATIN}(?!\w)(?!{S}\d)|-{_LATIN}(?!\w)|[^\W\d_]{{1,2}}(?![^\W_])(?!['\u2019])"
    rf"|[{_SUPERSCRIPT}]+|\^\d{{1,2}})?"
)
_ROMAN = r"[IVX]{1,5}(?![^\W_])"
_LETTER = r"[^\W\d_](?![^\W_])|[^\W\d_]{2}(?=\))"
_LETTER_IN_BRACKET = r"[^\W\d_]\)"
LABEL = (
    rf"\(?(?:{_NUMBER}(?:[\u00ba\u00b0](?:{S}?{_LATIN}(?!\w))?)?|{_ROMAN}|(?:{_LETTER})(?:['\u2019\u2032\u0384]?\)|['\u2019\u2032\u0384](?!\w))?)"
    rf"(?:(?<=\(.)\)|(?<=\(..)\)|(?<=\(...)\))?"
)
_SUFFIX = (
    rf"(?:[^\W\d_]{{1,2}}(?![\w)])|{S}{_LATIN}(?!\w)(?!{S}\d)|-{_LATIN}(?!\w)|[{_SUPERSCRIPT}]+|\^\d{{1,2}}|\[\d\]"
    rf"|\(\d{{1,2}}\)(?={S}?\u00a7)|{S}[a-z](?={S}?[,\u00a7]|{S}(?:och|ja|og|samt|sek\u00e4){S}))"
)


@dataclass(frozen=True)
class Forms:
    """Patterns over the words of all countries, and what each word means where."""

    head: re.Pattern[str]
    """Opens a citation; groups many, one, name (with `w`), fixed, ordinal (with `o`), code, or units closed by
    `after`."""
    unit: re.Pattern[str]
    word_label: re.Pattern[str]
    label_word: re.Pattern[str]
    ordinal_word: re.Pattern[str]
    order: re.Pattern[str]
    range: re.Pattern[str]
    join: re.Pattern[str]
    of: re.Pattern[str]
    ends_with_of: re.Pattern[str]
    no_law: re.Pattern[str]
    wider: re.Pattern[str]
    """Chapters and the like that stand right before a place."""
    other_law: re.Pattern[str]
    """The name of some law, held or not."""
    other_law_before: re.Pattern[str]
    following: re.Pattern[str]
    same_law: re.Pattern[str]
    ends_with_same_law: re.Pattern[str]
    separator: re.Pattern[str]
    fixed: re.Pattern[str]
    """Parts that have no label, as `letzter Satz`."""
    _kinds: Mapping[str, Mapping[str, Kind]]
    _owned: Mapping[str, Mapping[str, set[Kind]]]
    _ordinals: Mapping[str, int]
    _names: Mapping[str, str]
    _to: Mapping[str, frozenset[str]]
    _join: Mapping[str, frozenset[str]]
    names: LawNames

    @classmethod
    def compile(
        cls, given: Mapping[str, CitationForms], names_of_laws: LawNames, countries: Iterable[str] = ()
    ) -> Forms:
        """Compile the forms of all jurisdictions, `COMMON` included.

        Args:
            names_of_laws: where one begins, no word is taken for a part.
            countries: names and adjectives, which may stand before a law's name.
        """
        forms = list(given.values())
        of = [*countries, *(word for form in forms for word in form.of)]
        kinds: dict[str, dict[str, Kind]] = {}
        owned: dict[str, dict[str, set[Kind]]] = {}
        fields: tuple[tuple[str, Kind], ...] = (
            ("paragraphs", "paragraph"), ("points", "point"), ("narrower", "narrower"), ("units", "unit"),
            ("many", "unit"),
        )  # fmt: skip
        for jurisdiction, form in given.items():
            for field, kind in fields:
                for template in getattr(form, field):
                    word = folded(_words_of(template))
                    kinds.setdefault(word, {}).setdefault(jurisdiction, kind)
                    owned.setdefault(word, {}).setdefault(jurisdiction, set()).add(kind)
        ordinals = {
            folded(word): number for form in forms for number, words in enumerate(form.ordinals, 1) for word in words
        }
        parts = [t for f in forms for t in (*f.paragraphs, *f.points, *f.narrower)]
        names = {folded(_words_of(t)): start for f in forms for start, ts in f.named.items() for t in ts}
        codes = "".join(sorted({code for form in forms for code in form.codes}))
        spaced = rf"{S}[a-z](?={S}(?:{_opening(parts, '{n}')}){S}?\d)"
        unit = rf"(?:\d{{1,2}}:(?=\d{{3}}))?(?:[{codes or '0'}]\.?{S}?(?=\d{{3}}))?\d{{1,4}}(?:[-\u2011]\d{{1,3}}){{0,3}}(?:{_SUFFIX}|{spaced})?(?:\.?[\u00ba\u00aa](?!\w)(?:-[A-Z](?![^\W_]))?)?"
        sep = rf"(?:{S}?[\u2013\u2014-]{S}?|{S}?,{S}?|{S}(?:{_any(t for f in forms for t in (*f.join, *f.to))}){S})"
        order = _any(ordinals_of(forms))
        templates = [t for f in forms for t in f.units]
        before = _opening(templates, "{u}")
        many = _opening([t for f in forms for t in f.many], "{u}")
        after = _closing([t for f in forms for t in (*f.units, *f.many)], "{u}")
        with_ordinal = _opening(templates, "{o}")
        named = _opening([t for f in forms for ts in f.named.values() for t in ts], "{w}")
        fixed_names = _any(t for f in forms for ts in f.named.values() for t in ts if "{" not in t)
        start = rf"(?=\d|[{codes or '0'}]\.?{S}?\d{{3}})"
        edge = r"(?<![^\W_])"
        head = re.compile(
            rf"(?P<many>(?:{edge}|(?<=\w)(?=\u00a7))(?:{many})){S}{{0,2}}{start}"
            rf"|(?P<one>(?:{edge}|(?<=\w)(?=\u00a7))(?:{before})){S}{{0,2}}{start}"
            rf"|{edge}(?P<ordinal>{with_ordinal}){S}(?P<o>{order})(?![^\W_])"
            rf"|{edge}(?P<fixed>{fixed_names})(?![^\W_])"
            rf"|{edge}(?P<name>{named}){S}(?P<w>[IVX]{{1,5}}(?:\.\d{{1,2}})?|\d{{1,2}}\.?\u00aa|{order})(?![^\W_])"
            rf"|(?P<code>(?<![\w.])(?=[{codes or '0'}](?:\.{S}?|{S})?\d{{3,4}}-\d))"
            rf"|(?<![\w.,\u2013-])(?P<units>{unit}(?:\.\d{{1,3}})?(?:{sep}{unit}){{0,6}})\.?{S}?(?P<after>{after})(?:[:.]\w{{1,4}})?(?![^\W_])"
        )
        more = rf"(?:{sep}{_NUMBER}){{0,5}}"
        post_label = rf"(?P<l>{_NUMBER}{more}|{_ROMAN}|{_LETTER_IN_BRACKET})\.?{S}?(?P<w>{_closing(parts, '{n}')})(?![^\W_])(?!(?<=[\s.]\w)\))"
        return cls(
            head=head,
            unit=re.compile(unit),
            word_label=re.compile(rf"{C}(?P<w>{edge}(?:{_opening(parts, '{n}')}))(?:{S}{{1,2}}|(?<![^\W\d_])|(?=[\d(]))(?P<l>{LABEL})"),
            label_word=re.compile(rf"{C}{post_label}"),
            order=re.compile(rf"(?<![^\W_])(?:{order})(?![^\W_])"),
            ordinal_word=re.compile(
                rf"{C}(?:(?P<o>(?:{order})(?:{sep}(?:{order})){{0,3}}){S}(?P<w>{_closing(parts, '{o}')})|(?P<w2>{_opening(parts, '{o}')}){S}(?P<o2>{order}))(?![^\W_])"
            ),
            range=re.compile(
                rf"\.?{S}?[-\u2010\u2011\u2013\u2014]{S}?(?=[\w(\u00a7])|\.?{S}(?:{_any(t for f in forms for t in f.to)}){S}(?=[\w(\u00a7])"
            ),
            join=re.compile(
                rf"\.?{S}?[,;]{S}?(?:(?:{_any(t for f in forms for t in f.join)})(?:{S}|(?=\u00a7)))?"
                rf"|\.?{S}(?:{_any(t for f in forms for t in f.join)})(?:{S}|(?=\u00a7))|{S}?[&+/]{S}?"
            ),
            of=re.compile(rf"{S}|[,(*)_\"«„]|(?:{_any(of)})(?:['\u2019]s)?(?:(?<=['\u2019])|(?![^\W_]))"),
            ends_with_of=re.compile(rf"{edge}(?:{_any(of)})(?:{S}|(?<=['\u2019]))$"),
            no_law=re.compile(
                rf"[ ,.\u00a0]{{0,2}}(?:(?:{_any(of)}){S}){{0,3}}"
                rf"(?:{_any(t for f in forms for t in f.no_law)})(?![^\W_])"
            ),
            wider=re.compile(
                rf"(?:{_opening([t for f in forms for t in f.wider], '{n}')}){S}?{LABEL}[ ,]{{0,2}}$"
                rf"|{LABEL}\.?{S}?(?:{_closing([t for f in forms for t in f.wider], '{n}')})[ ,]{{0,2}}$"
            ),
            other_law=re.compile(
                rf"(?:{_any(t for f in forms for t in f.laws)})(?![^\W_])(?:{S}[^\W_][\w./-]*){{0,4}}"
            ),
            other_law_before=re.compile(
                rf"(?<![^\W_])[^\W\d_]{{0,30}}(?:{_any(t for f in forms for t in f.laws if len(t) > 3)})[ ,\u00a0]{{0,2}}$"
            ),
            following=re.compile(rf"{C}(?:{_any(t for f in forms for t in f.following)})(?![^\W_])"),
            same_law=re.compile(rf"(?:{_any(t for f in forms for t in f.same_law)})(?![^\W_])"),
            ends_with_same_law=re.compile(rf"{edge}(?:{_any(t for f in forms for t in f.same_law)}){S}$"),
            fixed=re.compile(rf"{C}(?P<w>{_any(t for t in parts if '{' not in t)})(?![^\W_])"),
            separator=re.compile(sep),
            _kinds=kinds,
            _owned=owned,
            _ordinals=ordinals,
            _names=names,
            _to=_owners(given, "to"),
            _join=_owners(given, "join"),
            names=names_of_laws,
        )

    def kind(self, word: str, jurisdiction: str | None) -> tuple[Kind | None, bool]:
        """What a part's word means in a country's law, and whether that country says so itself.

        A word of other countries only is taken as most of them use it, unless it is a single letter.
        """
        owners = self._kinds.get(word, {})
        for owner in (jurisdiction, COMMON):
            if owner is not None and owner in owners:
                return owners[owner], owner != COMMON
        if len(word) == 1 and jurisdiction is not None and word.isalpha():
            return None, False
        kinds = list(owners.values())
        ranked: tuple[Kind, ...] = ("paragraph", "point", "narrower", "unit")
        return (max(ranked, key=kinds.count) if kinds else None), False

    def alike(self, word: str, other: str) -> bool:
        """Whether two words can name parts of the same level."""
        if word == other:
            return True
        return bool({*self._kinds.get(word, {}).values()} & {*self._kinds.get(other, {}).values()})

    def opens_units(self, word: str) -> bool:
        """Whether a word opens a unit somewhere, as `§` does, which elsewhere names a paragraph."""
        return "unit" in self._all_kinds(word)

    def opens_units_in(self, word: str, jurisdiction: str) -> bool:
        """Whether a word opens a unit in a country's law, or in English usage."""
        owners = self._owned.get(word, {})
        return any("unit" in owners.get(owner, ()) for owner in (jurisdiction, COMMON))

    def may_be_part(self, word: str) -> bool:
        """Whether a word names a paragraph or a point somewhere."""
        return bool(self._all_kinds(word) & {"paragraph", "point"})

    def _all_kinds(self, word: str) -> set[Kind]:
        return {kind for owners in self._owned.get(word, {}).values() for kind in owners}

    def is_range(self, word: str, jurisdiction: str) -> bool:
        """Whether a word between two places means `to` in a country, as `a` does in Spain but not in Slovakia."""
        return jurisdiction in self._to.get(folded(word), ()) or jurisdiction not in self._join.get(folded(word), ())

    def ordinal(self, word: str) -> str | None:
        """The number an ordinal word stands for."""
        number = self._ordinals.get(folded(word))
        return None if number is None else str(number)

    def ordinal_words(self, number: int) -> list[str]:
        """The words for an ordinal number."""
        return [word for word, value in self._ordinals.items() if value == number]

    def name_of(self, word: str) -> str:
        """The start of the number of a unit that is known by a name."""
        return self._names[folded(word)]


def _owners(given: Mapping[str, CitationForms], field: str) -> dict[str, frozenset[str]]:
    """A word of a field to the jurisdictions that use it."""
    owners: dict[str, set[str]] = {}
    for jurisdiction, form in given.items():
        for word in getattr(form, field):
            owners.setdefault(folded(word), set()).add(jurisdiction)
    return {word: frozenset(found) for word, found in owners.items()}


def folded(word: str) -> str:
    """A word as it is looked up: without spaces and dots, in small letters if it is no single one."""
    tight = re.sub(r"[\s.]", "", word)
    return tight if len(tight) == 1 else tight.casefold()


def ordinals_of(forms: Iterable[CitationForms]) -> list[str]:
    """Every ordinal word."""
    return [word for form in forms for words in form.ordinals for word in words]


def _words_of(template: str) -> str:
    return re.sub(r"\{\w\}", "", template).strip()


def _opening(templates: Iterable[str], field: str) -> str:
    return _any(_words_of(t) for t in templates if t.endswith(field))


def _closing(templates: Iterable[str], field: str) -> str:
    return _any(_words_of(t) for t in templates if t.startswith(field))


def _any(words: Iterable[str]) -> str:
    """One of the words; longer ones first, a last dot optional, case free from two letters on."""
    found = sorted({w for w in words if w}, key=lambda w: (-len(w), w))
    return "|".join(_written(word) for word in found) or "(?!)"


def _written(word: str) -> str:
    pieces = "".join(
        rf"\.{S}?" if c == "." else rf"{S}{{1,2}}" if c == " " else "['\u2019]" if c in "'\u2019" else re.escape(c)
        for c in word.replace(". ", ".")
    )
    if word.endswith("."):
        pieces = pieces.removesuffix(rf"\.{S}?") + r"\.?"
    return f"(?<!['\u2019]){pieces}" if len(folded(word)) == 1 else f"(?i:{pieces})"
