"""Compile the citation forms that a pack declares, of every country and English, into patterns."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forge_assets.citations.law_names import LawNames
from forge_assets.citations.spelling import in_two_letters, plain, spelled
from forge_assets.citations.vocabulary import CitationWords, folded, words_of
from forge_assets.law.model import CitationForms

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
_LETTER = r"[^\W\d_](?![^\W_])|(?:[^\W\d_A-Z]{2}|[A-Z]{2})(?=\))"
_PRIME = "['\u2019\u2032\u0384]"
LABEL = (
    rf"\(?(?:{_NUMBER}(?:[\u00ba\u00b0](?:{S}?{_LATIN}(?!\w))?)?|{_ROMAN}"
    rf"|(?:{_LETTER})(?:{_PRIME}?\)|{_PRIME}(?!\w))?)(?:(?<=\(.)\)|(?<=\(..)\)|(?<=\(...)\))?"
)
"""A paragraph's or point's label, with what closes it: `1a`, `3° bis`, `IV`, `d)`, `\u03b1\u2032`."""
_TOKEN = re.compile(r"\u00a7|\d+|[^\W\d_]+")
_LAST_WORD = re.compile(r"([^\W\d_]+)[.]?\s+$")
_LETTERS = re.compile(r"[^\W\d_]+")
EDGE = r"(?<![^\W_])"
END = r"(?![^\W_])"
_ABSENT = "".join(f"(?P<{group}>(?!))?" for group in ("many", "one", "ordinal", "o", "fixed", "name", "w", "code"))
"""Groups of a head that a number cannot begin."""


@dataclass(frozen=True)
class Forms:
    """Patterns over the words of all countries, what the words mean, and where names of laws begin."""

    words: CitationWords
    names: LawNames
    """Where one begins, no word is taken for a part."""
    head: re.Pattern[str]
    """Opens a citation; groups many, one, name (with `w`), fixed, ordinal (with `o`), code, or units closed by
    `after`."""
    head_of_number: re.Pattern[str]
    """The same where a number begins one."""
    openers: frozenset[str]
    """First words of heads, in small letters: at any other word no head can begin."""
    last_of_words: frozenset[str]
    last_same_words: frozenset[str]
    """Last words of `of` and `same_law`, in small letters."""
    wider_words: tuple[str, ...]
    """Words of `wider`, in small letters."""
    part_openers: frozenset[str]
    """First words of parts and ordinals, in small letters."""
    no_law_words: frozenset[str]
    """First words of what says that no law is cited, in small letters."""
    title_words: frozenset[str]
    """Words that end titles of laws, folded."""
    endings: tuple[str, ...]
    """Words for law that words for single laws end with, in small letters."""
    unit: re.Pattern[str]
    word_label: re.Pattern[str]
    label_word: re.Pattern[str]
    ordinal_word: re.Pattern[str]
    order: re.Pattern[str]
    fixed: re.Pattern[str]
    """Parts that have no label, as `letzter Satz`."""
    range: re.Pattern[str]
    join: re.Pattern[str]
    separator: re.Pattern[str]
    """Between the numbers of a list or range that its word follows."""
    following: re.Pattern[str]
    of: re.Pattern[str]
    ends_with_of: re.Pattern[str]
    wider: re.Pattern[str]
    """Chapters and the like that stand right before a place."""
    ends_with_wider: re.Pattern[str]
    same_law: re.Pattern[str]
    ends_with_same_law: re.Pattern[str]
    other_law: re.Pattern[str]
    """The name of some law, held or not."""
    titled: re.Pattern[str]
    """A name that ends as titles of laws do: `Employment Rights Act 1996`."""
    small_word: re.Pattern[str]
    """A word that is no part of a title, as `The`."""
    subject: re.Pattern[str]
    """What a law named by its date or number is about; group subject."""
    approved: re.Pattern[str]
    no_law: re.Pattern[str]
    ends_with_no_law: re.Pattern[str]

    @classmethod
    def compile(cls, given: Mapping[str, CitationForms], names: LawNames, countries: Iterable[str] = ()) -> Forms:
        """Compile the forms of all jurisdictions, `COMMON` included.

        Args:
            countries: names and adjectives, which may stand before a law's name.
        """
        forms = list(given.values())

        def every(*fields: str) -> list[str]:
            return [text for form in forms for field in fields for text in getattr(form, field)]

        parts, wider = every("paragraphs", "points", "narrower"), every("wider")
        of = _any([*countries, *every("of")])
        join, to, same = _any(every("join")), _any(every("to")), _any(every("same_law"))
        order = _any(word for form in forms for ordinal in form.ordinals for word in ordinal)
        joining = rf"(?:{_any(every('join'))})"
        separator = (
            rf"\.?(?:{S}?[\u2013\u2014-]{S}?|{S}?,{S}{joining}{S}|{S}?,{S}?|{S}(?:{_any(every('join', 'to'))}){S})"
        )
        before, after = _opening(parts, "{n}"), _closing(parts, "{n}")
        unit = _unit(forms, before)
        orders = rf"(?:{order})(?:{separator}(?:{order})){{0,7}}"
        dashes = "[-\u2010\u2011\u2013\u2014]"
        endings = [word.casefold() for word in every("laws") if len(word) > 3 and word.isalpha()]
        titles = "|".join(map(re.escape, every("titles"))) or "(?!)"
        title_word = r"(?:[A-Z\u00c0-\u00de][\w'\u2019-]{0,30}|[a-z]{2,3}\.?|\([^()]{2,40}\))"
        joined = rf"(?:{join})(?:{S}|(?=\u00a7))"
        around = rf"{_opening(wider, '{n}')}", rf"{_closing(wider, '{n}')}"
        patterns = {
            "head": _head(forms, unit, order, separator),
            "head_of_number": _ABSENT + _closed_head(forms, unit, separator),
            "unit": unit,
            "word_label": rf"{C}(?P<w>{EDGE}(?:{before}))(?:{S}{{1,2}}|(?<![^\W\d_])|(?=[\d(]))(?P<l>{LABEL})",
            "label_word": rf"{C}(?P<l>{_NUMBER}(?:{separator}{_NUMBER}){{0,5}}|{_ROMAN}|[^\W\d_]\))\.?{S}?"
            rf"(?P<w>{after}){END}(?!(?<=[\s.]\w)\))",
            "ordinal_word": rf"{C}(?:(?P<o>{orders}){S}(?P<w>{_closing(parts, '{o}')})"
            rf"|(?P<w2>{_opening(parts, '{o}')}){S}(?P<o2>{order})){END}",
            "order": rf"{EDGE}(?:{order}){END}",
            "fixed": rf"{C}(?P<w>{_any(t for t in parts if '{' not in t)}){END}",
            "range": rf"\.?{S}?{dashes}{S}?(?=[\w(\u00a7])|\.?{S}(?:{to}){S}(?=[\w(\u00a7])",
            "join": rf"\.?{S}?[,;]{S}?(?:{joined})?|\.?{S}{joined}|{S}?[&+/]{S}?",
            "separator": separator,
            "following": rf"{C}(?:{_any(every('following'))}){END}",
            "of": rf"{S}|[,(*)_\"\u00ab\u201e|]|(?:{of})(?:['\u2019]s)?(?:(?<=['\u2019])|{END})",
            "ends_with_of": rf"{EDGE}(?:{of})(?:{S}|(?<=['\u2019]))$",
            "wider": rf"(?:{around[0]}){S}?{LABEL}[ ,]{{0,2}}$|{LABEL}\.?{S}?(?:{around[1]})[ ,]{{0,2}}$",
            "ends_with_wider": rf"{EDGE}(?:{around[0]}){S}?$",
            "same_law": rf"(?:{same}){END}",
            "ends_with_same_law": rf"{EDGE}(?:{same}){S}$",
            "other_law": rf"(?:{_any(every('laws'))}){END}(?:{S}[^\W_][\w./-]*){{0,4}}",
            "titled": rf"(?=[A-Z\u00c0-\u00de(])(?:{title_word}{S}){{1,10}}(?:{titles}){END}"
            rf"(?:,?{S}(?:18|19|20)\d{{2}}(?!\d))?",
            "small_word": rf"(?i:{of}|{same}|{_any(every('no_law'))})",
            "subject": rf"{S}{{1,2}}(?:{_any(every('about'))}){S}(?P<subject>[^.,;()\d\n]{{4,60}})",
            "approved": rf"[ ,\u00a0]{{1,2}}(?:{_any(every('approved'))}){END}",
            "no_law": rf"[ ,.\u00a0]{{0,2}}(?:(?:{of}){S}){{0,3}}(?:{_any(every('no_law'))}){END}",
            "ends_with_no_law": rf"{EDGE}(?:{_any(t for t in every('no_law') if len(t) > 5)})[ ,(\u00a0]{{0,2}}$",
        }
        opening = [*every("units", "many"), *(t for f in forms for templates in f.named.values() for t in templates)]
        first = [word[0].casefold() for template in opening if (word := _TOKEN.match(words_of(template)))]
        first += [plain(word) for word in first]
        parting = [*parts, *(word for form in forms for ordinal in form.ordinals for word in ordinal)]
        first_of_parts = [word[0].casefold() for text in parting if (word := _TOKEN.match(words_of(text)))]
        compiled = {name: re.compile(pattern) for name, pattern in patterns.items()}
        return cls(
            words=CitationWords.of(given),
            names=names,
            openers=frozenset([*first, *_codes(forms).lower()]),
            last_of_words=frozenset(map(_last_letters, [*countries, *every("of")])),
            last_same_words=frozenset(map(_last_letters, every("same_law"))),
            wider_words=tuple(dict.fromkeys(_last_letters(words_of(word)) for word in wider)),
            part_openers=_spellings(first_of_parts),
            no_law_words=_spellings(map(_first_letters, every("no_law"))),
            title_words=frozenset(map(folded, every("titles"))),
            endings=tuple(sorted(_spellings(endings))),
            **compiled,
        )

    def may_open_part(self, text: str, at: int) -> bool:
        """Whether a part may begin at a position: a look-up by word, before patterns that are slow to try."""
        word = _LETTERS.match(text, at)
        return word is None or len(word[0]) <= 3 or word[0].casefold() in self.part_openers

    def names_part(self, text: str, at: int) -> bool:
        """Whether a word at a position may name a part, alone or with an ordinal; a sign may."""
        word = _LETTERS.match(text, at)
        return word is None or word[0].casefold() in self.part_openers

    def is_compound(self, word: str) -> bool:
        """Whether a word ends as words for law do: `ferieloven`."""
        return word.isalpha() and word.casefold().endswith(self.endings) and word.casefold() not in self.endings

    def may_be_no_law(self, text: str, at: int) -> bool:
        """Whether words that say that no law is cited may follow: a look-up by word, before a pattern that is slow."""
        following = _LETTERS.findall(text, at, at + 60)
        return not self.no_law_words.isdisjoint(word.casefold() for word in following[:5])

    def heads(self, text: str) -> Heads:
        """Find where heads of citations may begin in a text."""
        tokens = {
            token for token in set(_TOKEN.findall(text)) if token[0].isdigit() or token.casefold() in self.openers
        }
        starts = [token.start() for token in _TOKEN.finditer(text) if token[0] in tokens] if tokens else []
        return Heads(text, self.head, self.head_of_number, starts)

    def may_end_with_of(self, text: str, at: int) -> bool:
        """Whether a word for `of` may stand before a position: a look-up by word, before a pattern that is slow."""
        before = text[max(0, at - 2) : at]
        if not before or before[-1] in "'\u2019":
            return bool(before)
        return before[-1].isspace() and self._last_word(text, at) in self.last_of_words

    def may_end_with_same_law(self, text: str, at: int) -> bool:
        """Whether a word for the law named before may stand before a position."""
        return text[at - 1 : at].isspace() and self._last_word(text, at) in self.last_same_words

    def may_be_wider(self, text: str, start: int, at: int) -> bool:
        """Whether a chapter or the like may stand in a piece of text."""
        piece = text[start:at].casefold()
        return any(word in piece for word in self.wider_words)

    def _last_word(self, text: str, at: int) -> str:
        word = _LAST_WORD.search(text, max(0, at - 24), at)
        return word[1].casefold() if word else ""


@dataclass(frozen=True)
class Heads:
    """Where heads of citations may begin in one text."""

    text: str
    head: re.Pattern[str]
    head_of_number: re.Pattern[str]
    starts: list[int]

    def next(self, position: int) -> re.Match[str] | None:
        """Find the next head at a position or behind it."""
        for i in range(bisect_left(self.starts, position), len(self.starts)):
            start = self.starts[i]
            pattern = self.head_of_number if self.text[start].isdigit() else self.head
            if head := pattern.match(self.text, start):
                return head
        return None


def _spellings(words: Iterable[str]) -> frozenset[str]:
    """Words in small letters, as they are and in the spellings of keyboards without their letters."""
    return frozenset(written for word in words for written in (word, plain(word), in_two_letters(word)))


def _first_letters(words: str) -> str:
    found = re.findall(r"[^\W\d_]+", words.casefold())
    return found[0] if found else words


def _last_letters(words: str) -> str:
    found = re.findall(r"[^\W\d_]+", words.casefold())
    return found[-1] if found else words


def _unit(forms: Iterable[CitationForms], words: str) -> str:
    """A unit's number: `87`, `613a`, `11/A`, `L. 1233-8`, `47 bis`, `22²`, `360.º`, `19 a` before a sign or part,
    `142.a` before the unit's word."""
    codes = _codes(forms)
    closing = _closing([t for f in forms for t in (*f.units, *f.many)], "{u}")
    following = _any(word for form in forms for word in form.following)
    fields = ("of", "join", "to", "following")
    small = {folded(word) for form in forms for name in fields for word in getattr(form, name)}
    letters = "".join(letter for letter in "bcdefghijklmnopqrstuvwxyz" if letter not in small)
    suffix = (
        rf"[^\W\d_]{{1,2}}(?![\w)])|/[A-Z](?!\w)|{S}{_LATIN}(?!\w)(?!{S}\d)|-{_LATIN}(?!\w)|[{_SUPERSCRIPT}]+"
        rf"|\^\d{{1,2}}|\[\d\]|\(\d{{1,2}}\)(?={S}?\u00a7)|{S}[a-z](?={S}?\u00a7|,{S}?(?:[\d\u00a7]|(?:{words}){S})|{S}(?:och|ja|og|samt|sek\u00e4){S})"
        rf"|{S}[{letters}](?=,)"
        rf"|{S}[a-z](?={S}(?:{words}){S}?\d)|{S}[{letters}](?={S}(?:{following}){END}|{S}[A-Z][^\W\d_]{{0,9}}[A-Z])"
        rf"|\.[a-z](?={S}(?:{closing}){END})"
    )
    return (
        rf"(?:\d{{1,2}}{S}?[A-Z]-\d{{1,3}}(?!\w)|(?:\d{{1,2}}:(?=\d{{3}}))?"
        rf"(?:[{codes}]\.?{S}{{0,2}}(?=\d{{3}}))?\d{{1,4}}(?:[-\u2011]\d{{1,3}}){{0,3}}"
        rf"(?:{suffix}|(?<=-\d){S}[a-z](?=[.;,)]|$|{S}[A-Z]))?(?:\.?[\u00ba\u00aa](?!\w)(?:-[A-Z]{END})?)?)"
    )


def _head(forms: list[CitationForms], unit: str, order: str, separator: str) -> str:
    codes = _codes(forms)
    units, many = [t for f in forms for t in f.units], [t for f in forms for t in f.many]
    named = [t for f in forms for templates in f.named.values() for t in templates]
    start = rf"(?=\d|[{codes}]\.?{S}{{0,2}}\d{{3}})"
    edge = rf"(?:{EDGE}|(?<=\w)(?=\u00a7))"
    return (
        rf"(?P<many>{edge}(?:{_opening(many, '{u}')})){S}{{0,2}}{start}"
        rf"|(?P<one>{edge}(?:{_opening(units, '{u}')})){S}{{0,2}}{start}"
        rf"|{EDGE}(?P<ordinal>{_opening(units, '{o}')}){S}(?P<o>{order}){END}"
        rf"|{EDGE}(?P<fixed>{_any(t for t in named if '{' not in t)}){END}"
        rf"|{EDGE}(?P<name>{_opening(named, '{w}')}){S}"
        rf"(?P<w>[IVX]{{1,5}}(?:\.\d{{1,2}})?|\d{{1,2}}\.?\u00aa|{order}){END}"
        rf"|(?P<code>(?<![\w.])(?=[{codes}](?:\.{S}{{0,2}}|{S})?\d{{3,4}}-\d))"
        rf"|{_closed_head(forms, unit, separator)}"
    )


def _closed_head(forms: Iterable[CitationForms], unit: str, separator: str) -> str:
    """Units whose word stands behind their numbers."""
    closing = _closing([t for f in forms for t in (*f.units, *f.many)], "{u}")
    return (
        rf"(?<![\w.,\u2013-])(?P<units>{unit}(?:\.\d{{1,3}})?(?:{separator}{unit}){{0,6}})\.?{S}?"
        rf"(?P<after>{closing})(?:[:.]\w{{1,4}})?{END}"
    )


def _codes(forms: Iterable[CitationForms]) -> str:
    """The letters that are part of unit numbers, for a character class that is never empty."""
    return "".join(sorted({code for form in forms for code in form.codes})) or "0"


def _opening(templates: Iterable[str], field: str) -> str:
    return _any(words_of(t) for t in templates if t.endswith(field))


def _closing(templates: Iterable[str], field: str) -> str:
    return _any(words_of(t).lstrip(". ") for t in templates if t.startswith(field))


def _any(words: Iterable[str]) -> str:
    """One of the words; longer ones first, a last dot optional, case free from two letters on."""
    found = sorted({w for w in words if w}, key=lambda w: (-len(w), w))
    return "|".join(_written(word) for word in found) or "(?!)"


def _written(word: str) -> str:
    pieces = "".join(
        rf"\.{S}?" if c == "." else rf"{S}{{1,2}}" if c == " " else "['\u2019]" if c in "'\u2019" else spelled(c)
        for c in word.replace(". ", ".")
    )
    if word.endswith("."):
        pieces = pieces.removesuffix(rf"\.{S}?") + r"\.?"
    return f"(?<!['\u2019]){pieces}" if len(folded(word)) == 1 and word[0].isalpha() else f"(?i:{pieces})"
