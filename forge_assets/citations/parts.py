"""Parse the parts of a unit: paragraphs and points, behind the unit or before it, singly or in lists.

Every pattern is anchored where it is tried and has bounded repeats, so reading is linear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from forge_assets.citations.patterns import LABEL, C, Forms, S
from forge_assets.citations.vocabulary import folded

PAREN = re.compile(rf"{S}?\(({LABEL}|[A-Z]\d{{1,2}})\)")
DOT = re.compile(r"\.(\d{1,2})(?!\d)(?=\.?[^\d.]|\.?$|\.\d(?!\d))")
DEGREE_MARK = re.compile(rf"(?:{C}|\.)(\d{{1,2}}\.?[\u00b0\u00ba](?:{S}?(?:bis|ter|quater)(?!\w))?)")
_LETTER = re.compile(rf"[.,]?{S}?([^\W\d_])\)")
_LOOSE_LETTER = re.compile(rf"{S}([b-df-hj-np-tv-xz])(?=[,;])")
"""The letter of a point that stands without a bracket: `64.4 d,`."""
_ROMAN = re.compile(
    rf"(?:,{S}?([IVX]{{1,4}})(?![^\W_])|{S}([IVX]{{1,4}})(?={S}?(?:[,.;:)\n]|Nr|No|Satz|S\.|\d{{1,2}}\u00b0|$)|{S}[A-Z]|{S}\d{{1,2}}(?![\w.])))"
)
_AFTER_ROMAN = re.compile(rf"{S}(\d{{1,2}})(?![^\W_]|[.,]\d|{S}?%)(?={S}[A-Z]|[ ,.;)]|$)")
"""The number of a sentence behind a Roman paragraph, as in `§ 102 I 3`."""
_COMMA_PAREN = re.compile(rf",{S}?\((\d{{1,2}}[a-z]?)\)")
_NUMBERED = re.compile(rf"{S}(\d{{1,2}})\)(?!\w)")
_LOOSE = re.compile(rf"{S}(\d{{1,2}}[a-z]?)\.?(?=((?:(?:,{S}?|{S}[^\W\d_]{{1,4}}{S}|[-\u2013])\d{{1,2}})*{S}?))")
"""A number that stands without a word where a part may stand."""
_ABBREVIATION_BEFORE = re.compile(r"[A-Z\u00c0-\u00de][^\W\d_]*[A-Z\u00c0-\u00de][^\W\d_]*\s$")
_SLASH = re.compile(r"/(\d{1,2}|[a-z])(?![^\W_])")
_ROMAN_ALONE = re.compile(r"([IVX]{1,4})(?![^\W_])")
PLAIN = re.compile(rf"({LABEL})(?![^\W_]|[.,]\d|{S}?%)")
_BETWEEN = " \t.,\u00a0\u202f\u2009"
POSITION = ""
"""The word of a part that is told by its place only, as in `87(1)` or `64.4`."""
SENTENCE = "\u2026"
"""The word of a sentence that is told by its place behind a Roman paragraph: no key names it."""
DEGREE = "\u00b0"
"""The word of a point written `4°`."""


@dataclass(frozen=True)
class Part:
    """A part of a unit as written."""

    word: str
    """Folded; `POSITION` or `DEGREE` where there is none."""
    label: str
    also: tuple[str, ...] = ()
    """Further labels before one word, as in `1 ja 2 momentti`."""


@dataclass(frozen=True)
class Reference:
    """One place as written; `last` ends a range at the level of the last part, or of the unit."""

    start: int
    end: int
    head: str
    """The word that opened or closed the unit."""
    unit: str
    parts: tuple[Part, ...] = ()
    last: str | None = None
    by: str = ""
    """The word between the ends of a range."""
    joined: str = ""
    """What joins it to the place before."""
    raised: str = ""
    """A small number that stood behind the unit's as a raised digit does: `23 1` for `23¹`."""
    bare: bool = False
    """Known only by its place in a list, so a plain number in prose may look the same."""


def read_parts(text: str, reference: Reference, forms: Forms) -> Reference:
    """Read the parts that stand behind a reference, and give it with them."""
    while found := _read_part(text, reference, forms):
        end, part = found
        reference = replace(reference, end=end, parts=(*reference.parts, part))
    return reference


def _read_part(text: str, ref: Reference, forms: Forms) -> tuple[int, Part] | None:
    last = ref.parts[-1] if ref.parts else None
    worded = worded_part(text, ref.end, forms)
    if worded:
        opens = forms.words.opens_units(worded[1].word)
        listed = opens and "," in text[ref.end : ref.end + 2]
        again = any(part.word == worded[1].word for part in ref.parts)
        return None if listed or again or (opens and _same_sign(ref, worded[1])) else worded
    degree = DEGREE_MARK.match(text, ref.end)
    if degree and last is None and text[ref.end] == "." and degree[0][-1] == "\u00ba":
        return degree.end(), Part(POSITION, bare_label(degree[1]))
    if last and last.word == POSITION and _ROMAN_ALONE.fullmatch(last.label) and text[ref.end - 1] != ")":
        sentence = _AFTER_ROMAN.match(text, ref.end)
        if sentence:
            return sentence.end(), Part(SENTENCE, sentence[1])
    if degree and (last.word != DEGREE if last else text[ref.end - 1] not in "\u00ba\u00aa"):
        return degree.end(), Part(DEGREE, bare_label(degree[1]))
    loose = _LOOSE.match(text, ref.end) if last else None
    if loose and (forms.names.at(text, loose.end(2)) or text[loose.end(2) : loose.end(2) + 1] in ("*", ":")):
        return loose.end(), Part(POSITION, loose[1])
    lettered = _LOOSE_LETTER.match(text, ref.end) if last and last.label.isdigit() else None
    if lettered:
        return lettered.end(), Part(POSITION, lettered[1])
    after_comma = None if last else _COMMA_PAREN.match(text, ref.end)
    numbered = after_comma or (_NUMBERED.match(text, ref.end) if last and last.word == POSITION else None)
    if numbered:
        return numbered.end(), Part(POSITION, numbered[1])
    slash = _SLASH.match(text, ref.end)
    if slash and (text[ref.end - 1] in "\u00ba\u00aa" or text[ref.end - 2] == "/"):
        return slash.end(), Part(POSITION, slash[1])
    for pattern in (PAREN, *([DOT] if not ref.parts or text[ref.end - 1].isdigit() else []), _LETTER):
        match = pattern.match(text, ref.end)
        if match and pattern is _LETTER and last and last.label.isalpha() and last.label.islower():
            return None
        if match and len(ref.parts) < 4:
            return match.end(), Part(POSITION, bare_label(match[1]))
    roman = _ROMAN.match(text, ref.end) if not ref.parts else None
    return (roman.end(), Part(POSITION, roman[1] or roman[2])) if roman else None


def _same_sign(ref: Reference, part: Part) -> bool:
    """Whether a part's word is the sign that opened the unit, so that it opens another: `§ 87. § 90`."""
    return folded(ref.head)[:1] == part.word[:1] and not part.word.isalpha()


def worded_part(text: str, at: int, forms: Forms) -> tuple[int, Part] | None:
    """Read a part that is named by a word, as in `Abs. 2` or `second paragraph`; its end and the part."""
    after = at
    while after < len(text) and text[after] in _BETWEEN:
        after += 1
    begins = text[after : after + 1]
    known = not begins.isdigit() and forms.names_part(text, after)
    match = forms.word_label.match(text, at) if known else None
    if match and not forms.names.at(text, match.start("w")):
        return match.end(), Part(folded(match["w"]), bare_label(match["l"]))
    labelled = begins.isdigit() or begins in "IVX" or text[after + 1 : after + 2] == ")"
    match = forms.label_word.match(text, at) if labelled else None
    if match and not forms.names.at(text, match.start("w")):
        first, *also = _labels_before(match["l"], forms)
        return match.end(), Part(folded(match["w"]), first, tuple(also))
    if not known or not begins.isalpha():
        return None
    fixed = forms.fixed.match(text, at)
    if fixed:
        return fixed.end(), Part(folded(fixed["w"]), "0")
    match = forms.ordinal_word.match(text, at)
    if match:
        first, *also = _ordinals(match["o"] or match["o2"], forms)
        return match.end(), Part(folded(match["w"] or match["w2"]), first, tuple(also))
    return None


def _ordinals(written: str, forms: Forms) -> list[str]:
    """The numbers of ordinal words, all of a range: `første til fjerde`."""
    found = list(forms.order.finditer(written))
    labels = [forms.words.ordinal(word[0]) or "0" for word in found]
    if len(labels) == 2 and int(labels[0]) < int(labels[1]):
        between = written[found[0].end() : found[1].start()].strip(" \u00a0")
        if forms.words.is_to(between):
            return [str(n) for n in range(int(labels[0]), int(labels[1]) + 1)]
    return labels


def _labels_before(written: str, forms: Forms) -> list[str]:
    """The labels of a list or range before one word, `1 ja 2`, `1–3`."""
    pieces = forms.separator.split(written)
    labels = [bare_label(piece) for piece in pieces]
    between = forms.separator.search(written)
    if len(labels) == 2 and between and re.search(r"[\u2013\u2014-]", between[0]) and all(x.isdigit() for x in labels):
        low, high = (int(label) for label in labels)
        return [str(n) for n in range(low, min(high, low + 40) + 1)] or labels[:1]
    return labels


def read_before(text: str, ref: Reference, forms: Forms, floor: int, cased: bool = False) -> list[Reference]:
    """Read the parts that stand before a unit, as in `letras d) y e) del apartado 4 del artículo 64`.

    Args:
        cased: the unit's word stands behind its number, so a case may stand for `of`: `prvi odstavek 99. člena`.
    """
    if not cased and not (
        forms.may_end_with_of(text, ref.start)
        and forms.ends_with_of.search(text, max(floor, ref.start - 24), ref.start)
    ):
        return [ref]
    for begin in range(max(floor, ref.start - 70), ref.start - 2):
        if text[begin].isspace() or (begin and text[begin - 1].isalnum() and text[begin].isalnum()):
            continue
        if not forms.may_open_part(text, begin) or _is_of_name(text, begin, floor):
            continue
        groups = _read_groups(text, begin, ref.start, forms, cased)
        if groups:
            narrow, *wide = groups
            kept = (*ref.parts, *(part for group in reversed(wide) for part in group[0]))
            found = [replace(ref, start=begin, parts=(*kept, *parts)) for parts in narrow]
            return [replace(each, end=ref.end) for each in found]
    return [ref]


def _is_of_name(text: str, begin: int, floor: int) -> bool:
    """Whether a Roman number ends the name of a law, as in `SGB IX`."""
    roman = _ROMAN_ALONE.match(text, begin)
    return roman is not None and _ABBREVIATION_BEFORE.search(text, max(floor, begin - 16), begin) is not None


def _read_groups(text: str, at: int, end: int, forms: Forms, cased: bool) -> list[list[tuple[Part, ...]]] | None:
    """Lists of parts up to the end, each followed by a word for `of` or, where a case may stand for it, worded."""
    groups: list[list[tuple[Part, ...]]] = []
    while at < end and len(groups) < 3:
        found = _read_group(text, at, end, forms)
        if found is None or found[0] > end:
            return None
        at, group = found
        groups.append(group)
        start = at
        while at < end and (of := forms.of.match(text, at, end)):
            at = of.end()
        told = cased and group[0][0].word not in (POSITION, DEGREE)
        if not told and not text[start:at].strip(" ,)\u00a0"):
            return None
    return groups if groups and at == end else None


def _read_group(text: str, at: int, stop: int, forms: Forms) -> tuple[int, list[tuple[Part, ...]]] | None:
    """Parts of one level in a list or range, `1° et 2°`, `letras a), c) y f)`, and where they end."""
    first = _part_at(text, at, forms)
    if first is None:
        return None
    end, parts = first
    word, group = parts[0].word, [parts]
    while len(group) < 12 and not _whole_follows(text, end, stop, forms):
        to, join = forms.range.match(text, end), forms.join.match(text, end)
        plain = PLAIN.match(text, to.end()) if to else None
        if plain and rises(group[-1][-1].label, bare_label(plain[1])):
            *kept, last = group[-1]
            group += [(*kept, Part(last.word, label)) for label in _between(last.label, bare_label(plain[1]))]
            end = plain.end()
        elif join and (following := _part_at(text, join.end(), forms) or _plain_at(text, join.end())):
            end, parts = following
            group.append(parts if parts[0].word else (Part(word, parts[0].label), *parts[1:]))
        else:
            break
    return end, group


def _whole_follows(text: str, at: int, stop: int, forms: Forms) -> bool:
    """Whether a word for `of` and then the wider part or the unit follow, so that `of` is no Dutch `or`."""
    start = at
    while at < stop and (of := forms.of.match(text, at, stop)):
        at = of.end()
    return bool(text[start:at].strip(" ,)\u00a0")) and (at >= stop or worded_part(text, at, forms) is not None)


def _between(first: str, last: str) -> list[str]:
    """Labels after the first up to the last; only the last if they cannot be counted."""
    if first.isdigit() and last.isdigit() and int(last) - int(first) < 40:
        return [str(n) for n in range(int(first) + 1, int(last) + 1)]
    if len(first) == len(last) == 1:
        return [chr(n) for n in range(ord(first) + 1, ord(last) + 1)]
    return [last]


def _part_at(text: str, at: int, forms: Forms) -> tuple[int, tuple[Part, ...]] | None:
    """A part exactly at a position, with a deeper one in brackets: `point 4(a)`, `(2)(c)`, `1°`, `b)`, `II`."""
    worded = worded_part(text, at, forms)
    if worded is None:
        patterns = (DEGREE_MARK, PAREN, _LETTER, _ROMAN_ALONE)
        match = next((m for pattern in patterns if (m := pattern.match(text, at)) and m.start(1) - at <= 1), None)
        if match is None or text[at].isspace():
            return None
        word = DEGREE if match[0][-1] in "\u00b0\u00ba" else POSITION
        worded = match.end(), Part(word, bare_label(match[1]))
    deeper = PAREN.match(text, worded[0])
    if deeper:
        return deeper.end(), (worded[1], Part(POSITION, bare_label(deeper[1])))
    return worded[0], (worded[1],)


def _plain_at(text: str, at: int) -> tuple[int, tuple[Part, ...]] | None:
    plain = PLAIN.match(text, at)
    return (plain.end(), (Part(POSITION, bare_label(plain[1])),)) if plain else None


def rises(first: str, last: str) -> bool:
    """Test whether two numbers ascend, so that they can be the ends of a range."""
    one, other = _numbers(first), _numbers(last)
    return one < other or (one == other and first < last)


def closing_number(first: str, last: str) -> str:
    """The end of a range whose first digits or number are left out: `188-9` ends at 189, `335d-k` at 335k."""
    digits = re.match(r"\d+", first)
    if digits and re.fullmatch(r"[^\W\d_]", last) and first[-1].isalpha() and first[-1] < last:
        return digits[0] + last
    if digits and last.isdigit() and len(last) < len(digits[0]) and not rises(first, last):
        whole = digits[0][: -len(last)] + last
        return whole if rises(first, whole) else last
    return last


def _numbers(unit: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d+", unit))


def bare_label(label: str) -> str:
    """Strip brackets, degree signs and primes off a label: `3bis`, `d`, `IV`."""
    return re.sub(r"[()\u00b0\u00ba\s'\u2019\u2032\u0384.]", "", label)
