"""Reads the numbers of a citation: units, their parts, lists and ranges, in the word order of any country.

What a part's word means (paragraph or point) depends on the law, which is known only once the whole chain is read:
`law_index` decides. Every pattern is anchored where it is tried and has bounded repeats, so reading is linear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from forge_assets.law.citation_forms import LABEL, C, Forms, S
from forge_assets.law.citation_words import folded

_PAREN = re.compile(rf"{S}?\(({LABEL}|[A-Z]\d{{1,2}})\)")
_DOT = re.compile(r"\.(\d{1,2})(?!\d)(?=\.?[^\d.]|\.?$|\.\d(?!\d))")
_DEGREE = re.compile(rf"(?:{C}|\.)(\d{{1,2}}\.?[\u00b0\u00ba](?:{S}?(?:bis|ter|quater)(?!\w))?)")
_LETTER = re.compile(rf"[.,]?{S}?([^\W\d_])\)")
_ROMAN = re.compile(
    rf"(?:,{S}?([IVX]{{1,4}})(?![^\W_])|{S}([IVX]{{1,4}})(?={S}?(?:[,.;:)\n]|Nr|No|Satz|S\.|\d{{1,2}}\u00b0|$)|{S}[A-Z]))"
)
_COMMA_PAREN = re.compile(rf",{S}?\((\d{{1,2}}[a-z]?)\)")
_NUMBERED = re.compile(rf"{S}(\d{{1,2}})\)(?!\w)")
_LOOSE = re.compile(rf"{S}(\d{{1,2}}[a-z]?)\.?(?=((?:(?:,{S}?|{S}[^\W\d_]{{1,4}}{S}|[-\u2013])\d{{1,2}})*{S}?))")
"""A number that stands without a word where a part may stand."""
_SLASH = re.compile(r"/(\d{1,2}|[a-z])(?![^\W_])")
_GLOSS = re.compile(rf"{S}\([^()\u00a7]{{2,60}}\)")
"""What a place is about, in brackets between two places of a list."""
_ROMAN_ALONE = re.compile(r"([IVX]{1,4})(?![^\W_])")
_PLAIN = re.compile(rf"({LABEL})(?![^\W_]|[.,]\d|{S}?%)")
_FOLLOWED_DIRECTLY = re.compile(r"\d{1,4}(?:\.\d|[^\W\d_]?\()")
POSITION = ""
"""The word of a part that is told by its place only, as in `87(1)` or `64.4`."""
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
    bare: bool = False
    """Known only by its place in a list, so a plain number in prose may look the same."""


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
    chain = [*_read_before(text, chain[0], forms, floor), *chain[1:]]
    while True:
        chain[-1] = _read_range(text, chain[-1], forms, many)
        tail = forms.following.match(text, chain[-1].end)
        if tail:
            chain[-1] = replace(chain[-1], end=tail.end())
        join = forms.join.match(text, chain[-1].end)
        gloss = None if join else _GLOSS.match(text, chain[-1].end)
        if gloss:
            join = forms.join.match(text, gloss.end())
        if join is None:
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


def _open(text: str, head: re.Match[str], forms: Forms) -> tuple[list[Reference], bool]:
    """The unit or units a head stands for, and whether plain numbers after it are units."""
    start, end = head.span()
    if head["units"] and forms.ends_with_wider.search(text, max(0, start - 30), start):
        return [], False  # the number of a chapter
    if head["units"]:
        return _units_before(text, head, forms), False
    if head["ordinal"]:
        number = forms.words.ordinal(head["o"])
        return ([_read_parts(text, Reference(start, end, head["ordinal"], number), forms)] if number else []), False
    if head["fixed"]:
        unit = forms.words.name_of(head["fixed"])
        return [_read_parts(text, Reference(start, end, head["fixed"], unit), forms)], False
    if head["name"]:
        unit = forms.words.name_of(head["name"]) + head["w"]
        return [_read_parts(text, Reference(start, end, head["name"], unit), forms)], False
    found = _read_unit(text, start, end, (head["many"] or head["one"] or "").strip(), forms)
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
    while at < end and (unit := forms.unit.match(text, at)):
        dotted = _DOT.match(text, unit.end())
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
        chain[-1] = _read_parts(text, replace(chain[-1], end=head.end()), forms)
    return chain


def _read_unit(text: str, start: int, at: int, head: str, forms: Forms) -> Reference | None:
    while at < len(text) and text[at] in " \t\u00a0\u202f\u2009":
        at += 1
    unit = forms.unit.match(text, at)
    return _read_parts(text, Reference(start, unit.end(), head, _tight(unit[0])), forms) if unit else None


def _tight(unit: str) -> str:
    return re.sub(r"\s|\.?[\u00ba\u00aa](?=$|-)", "", unit).replace("\u2011", "-")


def _read_parts(text: str, reference: Reference, forms: Forms) -> Reference:
    while found := _read_part(text, reference, forms):
        end, part = found
        reference = replace(reference, end=end, parts=(*reference.parts, part))
    return reference


def _read_part(text: str, ref: Reference, forms: Forms) -> tuple[int, Part] | None:
    last = ref.parts[-1] if ref.parts else None
    worded = _worded_part(text, ref.end, forms)
    if worded:
        listed = "," in text[ref.end : ref.end + 2] and forms.words.opens_units(worded[1].word)
        again = any(part.word == worded[1].word for part in ref.parts)
        return None if listed or again else worded
    degree = _DEGREE.match(text, ref.end)
    if degree and (last.word != DEGREE if last else text[ref.end - 1] not in "\u00ba\u00aa"):
        return degree.end(), Part(DEGREE, bare_label(degree[1]))
    loose = _LOOSE.match(text, ref.end) if last else None
    if loose and (forms.names.at(text, loose.end(2)) or text[loose.end(2) : loose.end(2) + 1] in ("*", ":")):
        return loose.end(), Part(POSITION, loose[1])
    after_comma = None if last else _COMMA_PAREN.match(text, ref.end)
    numbered = after_comma or (_NUMBERED.match(text, ref.end) if last and last.word == POSITION else None)
    if numbered:
        return numbered.end(), Part(POSITION, numbered[1])
    slash = _SLASH.match(text, ref.end)
    if slash and (text[ref.end - 1] in "\u00ba\u00aa" or text[ref.end - 2] == "/"):
        return slash.end(), Part(POSITION, slash[1])
    for pattern in (_PAREN, *([_DOT] if not ref.parts or text[ref.end - 1].isdigit() else []), _LETTER):
        match = pattern.match(text, ref.end)
        if match and pattern is _LETTER and last and last.label.isalpha() and last.label.islower():
            return None
        if match and len(ref.parts) < 4:
            return match.end(), Part(POSITION, bare_label(match[1]))
    roman = _ROMAN.match(text, ref.end) if not ref.parts else None
    return (roman.end(), Part(POSITION, roman[1] or roman[2])) if roman else None


def _worded_part(text: str, at: int, forms: Forms) -> tuple[int, Part] | None:
    match = forms.word_label.match(text, at)
    if match and not forms.names.at(text, match.start("w")):
        return match.end(), Part(folded(match["w"]), bare_label(match["l"]))
    match = forms.label_word.match(text, at)
    if match and not forms.names.at(text, match.start("w")):
        first, *also = _labels_before(match["l"], forms)
        return match.end(), Part(folded(match["w"]), first, tuple(also))
    fixed = forms.fixed.match(text, at)
    if fixed:
        return fixed.end(), Part(folded(fixed["w"]), "0")
    match = forms.ordinal_word.match(text, at)
    if match:
        first, *also = [forms.words.ordinal(word) or "0" for word in forms.order.findall(match["o"] or match["o2"])]
        return match.end(), Part(folded(match["w"] or match["w2"]), first, tuple(also))
    return None


def _labels_before(written: str, forms: Forms) -> list[str]:
    """The labels of a list or range before one word, `1 ja 2`, `1–3`."""
    pieces = forms.separator.split(written)
    labels = [bare_label(piece) for piece in pieces]
    between = forms.separator.search(written)
    if len(labels) == 2 and between and re.search(r"[\u2013\u2014-]", between[0]) and all(x.isdigit() for x in labels):
        low, high = (int(label) for label in labels)
        return [str(n) for n in range(low, min(high, low + 40) + 1)] or labels[:1]
    return labels


def _read_before(text: str, ref: Reference, forms: Forms, floor: int) -> list[Reference]:
    """The references of the parts that stand before a unit, as in `letras d) y e) del apartado 4 del artículo 64`."""
    if not forms.ends_with_of.search(text, max(floor, ref.start - 24), ref.start):
        return [ref]
    for begin in range(max(floor, ref.start - 70), ref.start - 2):
        if text[begin].isspace() or (begin and text[begin - 1].isalnum() and text[begin].isalnum()):
            continue
        groups = _read_groups(text, begin, ref.start, forms)
        if groups:
            narrow, *wide = groups
            kept = (*ref.parts, *(part for group in reversed(wide) for part in group[0]))
            found = [replace(ref, start=begin, parts=(*kept, *parts)) for parts in narrow]
            return [replace(each, end=ref.end) for each in found]
    return [ref]


def _read_groups(text: str, at: int, end: int, forms: Forms) -> list[list[tuple[Part, ...]]] | None:
    """Lists of parts, each followed by a word for `of`, that fill a text up to its end."""
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
        if not text[start:at].strip(" ,)\u00a0"):
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
        plain = _PLAIN.match(text, to.end()) if to else None
        if plain and _rises(group[-1][-1].label, bare_label(plain[1])):
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
    return bool(text[start:at].strip(" ,)\u00a0")) and (at >= stop or _worded_part(text, at, forms) is not None)


def _between(first: str, last: str) -> list[str]:
    """Labels after the first up to the last; only the last if they cannot be counted."""
    if first.isdigit() and last.isdigit() and int(last) - int(first) < 40:
        return [str(n) for n in range(int(first) + 1, int(last) + 1)]
    if len(first) == len(last) == 1:
        return [chr(n) for n in range(ord(first) + 1, ord(last) + 1)]
    return [last]


def _part_at(text: str, at: int, forms: Forms) -> tuple[int, tuple[Part, ...]] | None:
    """A part exactly at a position, with a deeper one in brackets: `point 4(a)`, `(2)(c)`, `1°`, `b)`, `II`."""
    worded = _worded_part(text, at, forms)
    if worded is None:
        patterns = (_DEGREE, _PAREN, _LETTER, _ROMAN_ALONE)
        match = next((m for pattern in patterns if (m := pattern.match(text, at)) and m.start(1) - at <= 1), None)
        if match is None or text[at].isspace():
            return None
        word = DEGREE if match[0][-1] in "\u00b0\u00ba" else POSITION
        worded = match.end(), Part(word, bare_label(match[1]))
    deeper = _PAREN.match(text, worded[0])
    if deeper:
        return deeper.end(), (worded[1], Part(POSITION, bare_label(deeper[1])))
    return worded[0], (worded[1],)


def _plain_at(text: str, at: int) -> tuple[int, tuple[Part, ...]] | None:
    plain = _PLAIN.match(text, at)
    return (plain.end(), (Part(POSITION, bare_label(plain[1])),)) if plain else None


def _read_next(text: str, at: int, before: Reference, many: bool, forms: Forms) -> Reference | None:
    """The next place of a list that gives no head of its own."""
    if forms.names.at(text, at):
        return None
    here = replace(before, start=at, end=at, last=None, bare=False)
    worded = _worded_part(text, at, forms)
    if worded:
        end, part = worded
        level = _level(before, part, forms)
        return _read_parts(text, replace(here, end=end, parts=(*before.parts[:level], part)), forms)
    paren = _PAREN.match(text, at) or _DEGREE.match(text, at)
    if paren and before.parts:
        label = bare_label(paren[1])
        word = DEGREE if "\u00b0" in paren[0] or "\u00ba" in paren[0] else POSITION
        level = next((i for i in reversed(range(len(before.parts))) if _same_sort(before.parts[i].label, label)), -1)
        kept = before.parts[: level if level >= 0 else len(before.parts)]
        word = before.parts[level].word if level >= 0 else word
        return _read_parts(text, replace(here, end=paren.end(), parts=(*kept, Part(word, label))), forms)
    unit = forms.unit.match(text, at)
    if unit and unit[0][0].isalpha():
        return _read_unit(text, at, at, before.head, forms)
    plain = _PLAIN.match(text, at)
    if unit and _is_unit(text, unit, plain, before, many, forms):
        return replace(_read_unit(text, at, at, before.head, forms) or here, bare=not many and not before.parts)
    if plain is None or not before.parts:
        return None
    label = bare_label(plain[1])
    last = before.parts[-1]
    following = None if text[plain.end() : plain.end() + 1] == "," else _worded_part(text, plain.end(), forms)
    level = _level(before, following[1], forms) - 1 if following else len(before.parts) - 1
    if 0 <= level < len(before.parts):
        last = before.parts[level]
    if not _same_sort(last.label, label):
        return None
    kept = before.parts[: max(level, 0)]
    return _read_parts(text, replace(here, end=plain.end(), parts=(*kept, Part(last.word, label)), bare=True), forms)


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
    following = None if text[unit.end() : unit.end() + 1] == "," else _worded_part(text, unit.end(), forms)
    if following and _level(before, following[1], forms) == 0:
        return True
    return many and _rises(before.unit, _tight(unit[0]))


def _level(ref: Reference, part: Part, forms: Forms) -> int:
    """At which place among a reference's parts a part with this word stands; after them all if none is like it."""
    return next((i for i, p in enumerate(ref.parts) if forms.words.alike(p.word, part.word)), len(ref.parts))


def _same_sort(label: str, other: str) -> bool:
    return label[:1].isdigit() == other[:1].isdigit()


def _read_range(text: str, ref: Reference, forms: Forms, many: bool) -> Reference:
    match = forms.range.match(text, ref.end)
    if match is None or ref.last:
        return ref
    if not ref.parts:
        again = forms.head.match(text, match.end())
        opened = _open(text, again, forms)[0] if again else []
        end = opened[0] if opened else _read_unit(text, match.start(), match.end(), ref.head, forms)
        if end is None or end.parts or (again is None and not many and re.fullmatch(r"\s[^\w.]\s", match[0])):
            return ref
        same_kind = end.unit[0].isdigit() == ref.unit[0].isdigit()
        rises = same_kind and _rises(ref.unit, end.unit)
        return replace(ref, end=end.end, last=end.unit, by=match[0].strip(" .\u00a0")) if rises else ref
    last = ref.parts[-1]
    worded = _worded_part(text, match.end(), forms)
    plain = _PLAIN.match(text, match.end()) or _PAREN.match(text, match.end())
    alike = worded and forms.words.alike(worded[1].word, last.word)
    if worded and alike and (worded[1].word == last.word or not forms.words.opens_units(worded[1].word)):
        end_at, label = worded[0], worded[1].label
    elif plain:
        end_at, label = plain.end(), bare_label(plain[1])
    else:
        return ref
    if not _same_sort(last.label, label) or not _rises(last.label, label):
        return ref
    return replace(ref, end=end_at, last=label, by=match[0].strip(" .\u00a0"))


def _rises(first: str, last: str) -> bool:
    one, other = _numbers(first), _numbers(last)
    return one < other or (one == other and first < last)


def _numbers(unit: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d+", unit))


def bare_label(label: str) -> str:
    """A label without brackets, degree signs and primes: `3bis`, `d`, `IV`."""
    return re.sub(r"[()\u00b0\u00ba\s'\u2019\u2032\u0384.]", "", label)
