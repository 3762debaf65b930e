"""Parse a chain of places: units, lists, ranges and further heads, in the word order of any country.

What a part's word means (paragraph or point) depends on the law, which is known only once the whole chain is read:
`law_index` decides. Every pattern is anchored where it is tried and has bounded repeats, so reading is linear.
"""

from __future__ import annotations

import re
from dataclasses import replace

from forge_assets.citations.parts import (
    DEGREE,
    DEGREE_MARK,
    DOT,
    PAREN,
    PLAIN,
    POSITION,
    Part,
    Reference,
    bare_label,
    closing_number,
    read_before,
    read_parts,
    rises,
    worded_part,
)
from forge_assets.citations.patterns import Forms, S
from forge_assets.citations.vocabulary import folded

_GLOSS = re.compile(rf"{S}\([^()\u00a7]{{2,60}}\)")
"""What a place is about, in brackets between two places of a list."""
_WORD = re.compile(r"[^\W\d_]+")
_RAISED = re.compile(rf"{S}(\d)(?!\d)({S}?(?=\u00a7)|{S})")
"""What may be the raised digit of a unit's number, in text that lost the raising."""
_LETTER_RANGE = re.compile(r"[-\u2013]([b-z])(?![^\W_])")
_YEAR = re.compile(r"(?:18|19|20)\d{2}")
_NAME_WITH_NUMBER = re.compile(rf"\u00a7{S}([A-Z\u00c0-\u00de]{{2,8}}){S}$")
"""What looks like a law's name, behind a place and before a number, which is then part of the name."""
_CLOSED_LETTER = re.compile(r"([^\W\d_])\)")
_FOLLOWED_DIRECTLY = re.compile(r"\d{1,4}(?:\.\d|[^\W\d_]?\()")


def read_chain(text: str, head: re.Match[str], forms: Forms, floor: int) -> list[Reference]:
    """Read the references that follow a head, over lists, ranges and further heads, up to the law's name.

    Args:
        floor: where the citation before ended; words for parts may stand before the head, but not before this.
    """
    chain, many = _open(text, head, forms)
    if not chain:
        return []
    if len(chain) == 1 and (whole := _read_whole(text, chain[0], forms)):
        chain, many = whole
    chain = [*read_before(text, chain[0], forms, floor, bool(head["units"])), *chain[1:]]
    while True:
        chain[-1] = _read_range(text, chain[-1], forms, many)
        tail = forms.following.match(text, chain[-1].end)
        if tail:
            chain[-1] = replace(chain[-1], end=tail.end())
        join = forms.join.match(text, chain[-1].end)
        gloss = None if join else _GLOSS.match(text, chain[-1].end)
        if gloss:
            join = forms.join.match(text, gloss.end())
        if join is None or _is_name(text, join, forms):
            return chain
        again = forms.head.match(text, join.end())
        if again:
            opened, many = _open(text, again, forms)
            if opened:
                chain += opened
                continue
        following = _read_next(text, join.end(), chain[-1], many, forms)
        if following is None or (following.bare and (gloss or ";" in join[0])):
            return chain
        chain.append(replace(following, joined=join[0].strip()))


def _is_name(text: str, join: re.Match[str], forms: Forms) -> bool:
    """Whether what reads as `and` is the name of a law: `OR`, `ET`."""
    word = _WORD.search(join[0])
    return word is not None and word[0].isupper() and forms.names.at(text, join.start() + word.start()) is not None


def read_elliptic(text: str, before: Reference, named_until: int, forms: Forms) -> tuple[list[Reference], int]:
    """Read a place of a list that gives no head and whose law follows: `17 KSchG` in `§§ 102 BetrVG, 17 KSchG`.

    Args:
        named_until: where the name of the law of the place before ends.

    Returns:
        The place, and where its law's name must begin at the latest; none if it is no place.
    """
    join = forms.join.match(text, named_until)
    unit = forms.unit.match(text, join.end()) if join and not _is_name(text, join, forms) else None
    if join is None or unit is None or not unit[0][0].isdigit():
        return [], 0
    found = _read_unit(text, join.end(), join.end(), before.head, forms)
    if found is None:
        return [], 0
    at = found.end
    for _ in range(6):
        of = forms.of.match(text, at)
        if of is None or "," in of[0]:
            break
        at = of.end()
    return [found], at


def read_bare(text: str, at: int, forms: Forms) -> list[Reference]:
    """Read the place whose number stands right behind a law's name, with no word for a unit: `OR 335d ff.`"""
    space = re.compile(S).match(text, at)
    found = _read_unit(text, space.end(), space.end(), "", forms) if space else None
    if found is None or text[found.end : found.end + 1].isalnum():
        return []
    found = _read_range(text, found, forms, True)
    tail = forms.following.match(text, found.end)
    return [replace(found, end=tail.end()) if tail else found]


def _open(text: str, head: re.Match[str], forms: Forms) -> tuple[list[Reference], bool]:
    """The unit or units a head stands for, and whether plain numbers after it are units."""
    start, end = head.span()
    if head["units"] and forms.ends_with_wider.search(text, max(0, start - 30), start):
        return [], False  # the number of a chapter
    if head["units"]:
        return _units_before(text, head, forms), False
    if head["ordinal"]:
        number = forms.words.ordinal(head["o"])
        return ([read_parts(text, Reference(start, end, head["ordinal"], number), forms)] if number else []), False
    if head["fixed"]:
        unit = forms.words.name_of(head["fixed"])
        return [read_parts(text, Reference(start, end, head["fixed"], unit), forms)], False
    if head["name"]:
        unit = forms.words.name_of(head["name"]) + head["w"]
        return [read_parts(text, Reference(start, end, head["name"], unit), forms)], False
    found = _read_unit(text, start, end, (head["many"] or head["one"] or "").strip(), forms)
    if found and _YEAR.fullmatch(found.unit) and not found.parts and folded(found.head) in forms.title_words:
        return [], False  # `Regulations 2006`
    return ([found] if found else []), bool(head["many"])


def _read_whole(text: str, part: Reference, forms: Forms) -> tuple[list[Reference], bool] | None:
    """The unit that follows a part written like a unit, as in `section 5(f) of Article 64`."""
    if not part.head[:1].isalpha() or not forms.words.may_be_part(folded(part.head)):
        return None
    at = part.end + (text[part.end : part.end + 1] in ("\u00b0", "\u00ba"))
    while of := forms.of.match(text, at):
        at = of.end()
    head = forms.head.match(text, at) if text[part.end : at].strip(" ,\u00a0") else None
    if head is None or head["units"]:
        return None
    chain, many = _open(text, head, forms)
    if len(chain) != 1 or folded(chain[0].head) == folded(part.head):
        return None
    parts = (*chain[0].parts, Part(folded(part.head), part.unit), *part.parts)
    return [replace(chain[0], start=part.start, parts=parts)], many


def _units_before(text: str, head: re.Match[str], forms: Forms) -> list[Reference]:
    """Units that stand before their sign, as in `11, 12 och 14 §§`."""
    chain: list[Reference] = []
    at, end = head.start("units"), head.end("units")
    named = _NAME_WITH_NUMBER.search(text, max(0, at - 24), at)
    if named and not forms.names.at(text, named.start(1)) and (number := forms.unit.match(text, at)):
        following = forms.separator.match(text, number.end(), end)
        at = following.end() if following else at  # `17 § KQL 7, 25 § YTL`
    while at < end and (unit := forms.unit.match(text, at)):
        dotted = DOT.match(text, unit.end())
        parts = (Part(POSITION, dotted[1]),) if dotted else ()
        chain.append(Reference(at, dotted.end() if dotted else unit.end(), head["after"], _tight(unit[0]), parts))
        if dotted:
            break
        between = forms.separator.match(text, unit.end(), end)
        if between is None:
            break
        at = between.end()
        if (
            re.search(r"[\u2013\u2014-]", between[0])
            or forms.range.fullmatch(between[0])
            or forms.range.match(text, unit.end(), end)
        ):
            closing = forms.unit.match(text, at)
            if closing:
                chain[-1] = replace(chain[-1], end=closing.end(), last=_tight(closing[0]), by=between[0].strip())
                following = forms.separator.match(text, closing.end(), end)
                at = following.end() if following else end
    if chain:
        chain[-1] = read_parts(text, replace(chain[-1], end=head.end()), forms)
    return chain


def _read_unit(text: str, start: int, at: int, head: str, forms: Forms) -> Reference | None:
    while at < len(text) and text[at] in " \t\u00a0\u202f\u2009":
        at += 1
    unit = forms.unit.match(text, at)
    if unit is None:
        return None
    raised = _RAISED.match(text, unit.end()) if unit[0].isdigit() else None
    if raised and (text[raised.end(2) : raised.end(2) + 1] == "\u00a7" or forms.names.at(text, raised.end(2))):
        found = Reference(start, raised.end(1), head, unit[0], raised=raised[1])
    else:
        found = Reference(start, unit.end(), head, _tight(unit[0]))
    return read_parts(text, found, forms)


def _tight(unit: str) -> str:
    return re.sub(r"\s|\.?[\u00ba\u00aa](?=$|-)|(?<=\d)\.(?=[a-z]$)", "", unit).replace("\u2011", "-")


def _read_next(text: str, at: int, before: Reference, many: bool, forms: Forms) -> Reference | None:
    """The next place of a list that gives no head of its own."""
    if forms.names.at(text, at):
        return None
    here = replace(before, start=at, end=at, last=None, bare=False)
    worded = worded_part(text, at, forms)
    if worded:
        end, part = worded
        level = _level(before, part, forms)
        return read_parts(text, replace(here, end=end, parts=(*before.parts[:level], part)), forms)
    paren = PAREN.match(text, at) or DEGREE_MARK.match(text, at) or _CLOSED_LETTER.match(text, at)
    if paren and before.parts:
        label = bare_label(paren[1])
        word = DEGREE if "\u00b0" in paren[0] or "\u00ba" in paren[0] else POSITION
        level = next((i for i in reversed(range(len(before.parts))) if _same_sort(before.parts[i].label, label)), -1)
        kept = before.parts[: level if level >= 0 else len(before.parts)]
        word = before.parts[level].word if level >= 0 else word
        return read_parts(text, replace(here, end=paren.end(), parts=(*kept, Part(word, label))), forms)
    unit = forms.unit.match(text, at)
    if unit and unit[0][0].isalpha():
        return _read_unit(text, at, at, before.head, forms)
    plain = PLAIN.match(text, at)
    if unit and _is_unit(text, unit, plain, before, many, forms):
        return replace(_read_unit(text, at, at, before.head, forms) or here, bare=not many and not before.parts)
    if plain is None or not before.parts:
        return None
    label = bare_label(plain[1])
    last = before.parts[-1]
    following = None if text[plain.end() : plain.end() + 1] == "," else worded_part(text, plain.end(), forms)
    level = _level(before, following[1], forms) - 1 if following else len(before.parts) - 1
    if 0 <= level < len(before.parts):
        last = before.parts[level]
    if not _same_sort(last.label, label):
        return None
    kept = before.parts[: max(level, 0)]
    return read_parts(text, replace(here, end=plain.end(), parts=(*kept, Part(last.word, label)), bare=True), forms)


def _is_unit(
    text: str, unit: re.Match[str], plain: re.Match[str] | None, before: Reference, many: bool, forms: Forms
) -> bool:
    """Whether a number in a list is a unit of its own, not a further part of the unit before."""
    if _FOLLOWED_DIRECTLY.match(text, unit.start()) and not (plain and text[plain.end() - 1] == ")"):
        return True
    if re.match(r"[.,]\d|\s?%", text[unit.end() : unit.end() + 2]):
        return False
    if not before.parts:
        return True
    if text[before.end - 1] == ")" and before.parts[-1].word == POSITION and rises(before.unit, _tight(unit[0])):
        return True  # `Art. 4(1) and 7`: parts of this list stand in brackets
    following = None if text[unit.end() : unit.end() + 1] == "," else worded_part(text, unit.end(), forms)
    if following and _level(before, following[1], forms) == 0:
        return True
    return many and rises(before.unit, _tight(unit[0]))


def _level(ref: Reference, part: Part, forms: Forms) -> int:
    """At which place among a reference's parts a part with this word stands; after them all if none is like it."""
    return next((i for i, p in enumerate(ref.parts) if forms.words.alike(p.word, part.word)), len(ref.parts))


def _same_sort(label: str, other: str) -> bool:
    return label[:1].isdigit() == other[:1].isdigit()


def _read_range(text: str, ref: Reference, forms: Forms, many: bool) -> Reference:
    letter = _LETTER_RANGE.match(text, ref.end) if not ref.parts and ref.unit[-1].isalpha() else None
    if letter and (closing := closing_number(ref.unit, letter[1])) != letter[1]:
        return replace(ref, end=letter.end(), last=closing, by=letter[0][0])
    match = forms.range.match(text, ref.end)
    if match is None or ref.last:
        return ref
    if not ref.parts:
        again = forms.head.match(text, match.end())
        opened = _open(text, again, forms)[0] if again else []
        end = opened[0] if opened else _read_unit(text, match.start(), match.end(), ref.head, forms)
        if end is not None and many and not opened:
            end = replace(end, unit=closing_number(ref.unit, end.unit))
        if end is None or end.parts or (again is None and not many and re.fullmatch(r"\s[^\w.]\s", match[0])):
            return ref
        same_kind = end.unit[0].isdigit() == ref.unit[0].isdigit()
        if not same_kind or not rises(ref.unit, end.unit):
            return ref
        return replace(ref, end=end.end, last=end.unit, by=match[0].strip(" .\u00a0"))
    last = ref.parts[-1]
    worded = worded_part(text, match.end(), forms)
    plain = PLAIN.match(text, match.end()) or PAREN.match(text, match.end())
    alike = worded and forms.words.alike(worded[1].word, last.word)
    if worded and alike and (worded[1].word == last.word or not forms.words.opens_units(worded[1].word)):
        end_at, label = worded[0], worded[1].label
    elif plain:
        end_at, label = plain.end(), bare_label(plain[1])
    else:
        return ref
    if not _same_sort(last.label, label) or not rises(last.label, label):
        return ref
    return replace(ref, end=end_at, last=label, by=match[0].strip(" .\u00a0"))
