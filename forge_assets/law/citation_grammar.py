"""Reads the numbers of a citation: units, paragraphs and points as five countries and English write them.

Every pattern is anchored where it is tried and has bounded repeats, so reading is linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

Level = Literal["unit", "paragraph", "point"]

_S = r"[ \t\u00a0\u202f]"
_C = rf"(?:{_S}?,)?{_S}?"

HEAD = re.compile(
    rf"(?:(?P<many>§§|\b(?:sections|secs\.|artikelen|articles|artículos|arts\.|artt\.))"
    rf"|(?P<one>§|\b(?:section|sec\.|artikel|article|artículo|art\.?)))"
    rf"{_S}{{0,2}}(?=\d|[LRD]\.?{_S}?\d{{3}})"
    rf"|(?P<bare>(?<![\w.])(?=[LRD](?:\.{_S}?|{_S})?\d{{3,4}}-\d))",
    re.IGNORECASE,
)
_CODE_UNIT = re.compile(rf"([LRD])\.?{_S}?(\d{{3,4}}(?:-\d{{1,3}}){{1,3}})(?!\d)")
_UNIT = re.compile(rf"(\d{{1,4}})([a-z](?![\w)])|{_S}(?:bis|ter|quater|quinquies)\b(?!{_S}\d))?")
_UNIT_WITH_PARTS = re.compile(r"\d{1,4}(?:\.\d|[a-z]?\()")
_UNPREFIXED = re.compile(r"\d{4}-\d{1,3}(?!\d)")
_SHORT = re.compile(rf"(\d{{1,3}}[a-z]{{0,2}})(?![\w°)]|[.,]\d|{_S}%)")
_LETTER = re.compile(r"([a-z])(?![\w)'\u2019])")

_ORDINALS = ("eerste", "tweede", "derde", "vierde", "vijfde", "zesde", "zevende", "achtste", "negende")
_PARAGRAPHS = (
    re.compile(
        rf"{_C}(?:Abs(?:\.|atz|ätze)?|lid|leden|apartado|apdo\.|paragraph|para\.|subsection){_S}?"
        rf"(\d{{1,2}}[a-z]?|[IVX]{{1,4}})(?!\w)",
        re.IGNORECASE,
    ),
    re.compile(rf"(?:,{_S}?|{_S})([IVX]{{1,4}})(?={_S}?(?:[,.;:)\n]|Nr|No|Satz|S\.|\d{{1,2}}°|[A-Z]|$))"),
    re.compile(rf"{_C}({'|'.join(_ORDINALS)}){_S}lid\b", re.IGNORECASE),
    re.compile(r"\.(\d{1,2})(?!\d)"),
)
_POINTS = (
    re.compile(
        rf"{_C}(?:Nr\.?|Nrn\.|Nummern?|Nos?\.|No|numbers?|Z\.?|Ziff(?:er|\.)|items?|points?){_S}?"
        rf"(\d{{1,2}}[a-z]{{0,2}})(?!\w)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"{_C}(?:lit\.?|Buchst(?:abe|\.)|(?:aanhef en )?onder(?:deel)?|sub|letra|letter|point){_S}"
        rf"\(?([a-zñ])(?:\)|(?!\w))",
        re.IGNORECASE,
    ),
    re.compile(rf"(?:,{_S}?|{_S})?(\d{{1,2}}°(?:{_S}?(?:bis|ter|quater)\b)?)"),
    re.compile(rf"(?:\.|,)?{_S}?([a-zñ])\)"),
)
_PAREN = re.compile(rf"{_S}?\((\d{{1,2}}[a-z]?|[a-zñ]|[IVX]{{1,4}})\)")
_SKIPPED = re.compile(
    rf"{_C}(?:(?:S\.|Satz|Sätze|sentence|Halbsatz|Halbs\.|HS|alinéa|al\.|Unterabs\.){_S}?\d{{1,2}}(?:er|e)?(?!\w)"
    rf"|(?:ff?\.|et{_S}seq\.|et{_S}s\.|y{_S}ss\.|e\.v\.))"
)
_RANGE = re.compile(rf"{_S}?[-\u2013\u2014]{_S}?(?=[\dLRD])|{_S}(?:bis|to|à|a|al|t/m|through){_S}(?=[\dLRD])")
_JOIN = re.compile(
    rf"{_S}?,?{_S}?(?:i\.?{_S}?V\.?{_S}?m\.?|in Verbindung mit|in conjunction with|read with|juncto|jo\.)"
    rf"(?:{_S}|$)"
    rf"|{_S}?[,;]{_S}?(?:(?:und|and|y|e|et|en|or|oder|ou|o){_S})?"
    rf"|{_S}(?:und|and|&|y|e|et|en|sowie|or|oder|ou|o|bzw\.|u\.){_S}"
)


@dataclass(frozen=True)
class Reference:
    """One place as written; `last` ends a range at the level of the reference."""

    start: int
    end: int
    unit: str
    paragraph: str | None = None
    point: str | None = None
    last: str | None = None
    bare: bool = False
    """Known only by its place in a list, so a plain number in prose may look the same."""

    @property
    def level(self) -> Level:
        """The finest part given."""
        return "point" if self.point else "paragraph" if self.paragraph else "unit"


def read_chain(text: str, head: re.Match[str]) -> list[Reference]:
    """Read the references that follow a head, over lists, ranges and further heads, up to the law's name."""
    found = _read_unit(text, head.start(), head.end())
    if found is None:
        return []
    chain, many = [found], bool(head["many"]) or bool(head["bare"])
    while True:
        chain[-1] = _read_range(text, chain[-1])
        join = _JOIN.match(text, chain[-1].end)
        if join is None:
            return chain
        again = HEAD.match(text, join.end())
        if again:
            many = bool(again["many"]) or bool(again["bare"])
            following = _read_unit(text, again.start(), again.end())
        else:
            following = _read_next(text, join.end(), chain[-1], many)
        if following is None:
            return chain
        chain.append(following)


def _read_unit(text: str, start: int, at: int) -> Reference | None:
    code = _CODE_UNIT.match(text, at)
    if code:
        return _read_parts(text, Reference(start, code.end(), code[1].upper() + code[2]))
    unprefixed = _UNPREFIXED.match(text, at)
    if unprefixed:
        return _read_parts(text, Reference(start, unprefixed.end(), unprefixed[0]))
    plain = _UNIT.match(text, at)
    if plain is None:
        return None
    return _read_parts(text, Reference(start, plain.end(), plain[1] + (plain[2] or "").strip()))


def _read_parts(text: str, reference: Reference) -> Reference:
    while True:
        longer = _read_part(text, reference)
        if longer is None:
            return reference
        reference = longer


def _read_part(text: str, ref: Reference) -> Reference | None:
    skipped = _SKIPPED.match(text, ref.end)
    if skipped:
        return replace(ref, end=skipped.end())
    paren = _PAREN.match(text, ref.end)
    if paren:
        if ref.paragraph is None and not paren[1].islower():
            return replace(ref, end=paren.end(), paragraph=paren[1])
        return replace(ref, end=paren.end(), point=ref.point or paren[1])
    if ref.paragraph is None and ref.point is None:
        for pattern in _PARAGRAPHS:
            match = pattern.match(text, ref.end)
            if match:
                return replace(ref, end=match.end(), paragraph=_ordinal(match[1]))
    for pattern in _POINTS:
        match = pattern.match(text, ref.end)
        if match:
            return replace(ref, end=match.end(), point=ref.point or _bare(match[1]))
    return None


def _read_next(text: str, at: int, before: Reference, many: bool) -> Reference | None:
    """The next place of a list that gives no head of its own."""
    if _CODE_UNIT.match(text, at):
        return _read_unit(text, at, at)
    here = replace(before, start=at, end=at, last=None, bare=False)
    for pattern in _POINTS:
        match = pattern.match(text, at)
        if match and before.point:
            return _read_parts(text, replace(here, end=match.end(), point=_bare(match[1])))
    for pattern in _PARAGRAPHS[:1]:
        match = pattern.match(text, at)
        if match and before.paragraph:
            return _read_parts(text, replace(here, end=match.end(), paragraph=match[1], point=None))
    paren = _PAREN.match(text, at)
    if paren and before.point:
        return replace(here, end=paren.end(), point=paren[1])
    if paren and before.paragraph:
        return _read_parts(text, replace(here, end=paren.end(), paragraph=paren[1], point=None))
    own_parts = _UNIT_WITH_PARTS.match(text, at)
    unit = _UNIT.match(text, at)
    if unit and (own_parts or (many and (before.level == "unit" or int(unit[1]) > _number(before.unit)))):
        return _read_unit(text, at, at)
    short = _SHORT.match(text, at)
    if short and before.point and before.point[0].isdigit():
        return replace(here, end=short.end(), point=short[1], bare=True)
    if short and before.paragraph and not before.point:
        return _read_parts(text, replace(here, end=short.end(), paragraph=short[1], bare=True))
    letter = _LETTER.match(text, at)
    if letter and before.point and before.point.isalpha():
        return replace(here, end=letter.end(), point=letter[1], bare=True)
    return None


def _read_range(text: str, ref: Reference) -> Reference:
    match = _RANGE.match(text, ref.end)
    if match is None:
        return ref
    if ref.level == "unit":
        end = _read_unit(text, match.start(), match.end())
        same_kind = end is not None and end.unit[0].isdigit() == ref.unit[0].isdigit()
        rises = end is not None and _numbers(end.unit) > _numbers(ref.unit)
        if end is None or not same_kind or not rises or end.level != "unit":
            return ref
        return replace(ref, end=end.end, last=end.unit)
    short = _SHORT.match(text, match.end())
    first = ref.point or ref.paragraph or ""
    if short and first.isdigit() and short[1].isdigit() and int(first) < int(short[1]) <= int(first) + 40:
        return replace(ref, end=short.end(), last=short[1])
    return ref


def _ordinal(label: str) -> str:
    lowered = label.lower()
    return str(_ORDINALS.index(lowered) + 1) if lowered in _ORDINALS else label


def _bare(label: str) -> str:
    return re.sub(r"[°\s]", "", label).lower()


def _numbers(unit: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d+", unit))


def _number(unit: str) -> int:
    return _numbers(unit)[0]
