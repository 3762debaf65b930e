"""Normalize a text for parsing: composed letters, no invisible marks, and paragraphs on one line."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
"""Soft hyphen, zero-width space and joiners, marks of direction, byte order mark: PDF files and editors leave them
inside words."""
_LIGATURES = {
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
    "\ufb05": "st",
    "\ufb06": "st",
}
_WIDE = {0xFF01 + i: chr(0x21 + i) for i in range(94)}
"""Full-width forms of the signs of ASCII."""
_DIGITS = {
    ord(digit): str(unicodedata.digit(digit))
    for digit in map(chr, range(0x660, 0x1B60))
    if unicodedata.category(digit) == "Nd"
}
"""Digits of other scripts: a key has those of ASCII."""
_SHOWN_AS = {
    **dict.fromkeys(map(ord, INVISIBLE)),
    **dict.fromkeys((0x2010, 0x2011), "-"),
    **dict.fromkeys((0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x200A, 0x3000), " "),
    **_WIDE,
    **_DIGITS,
    **{ord(sign): letters for sign, letters in _LIGATURES.items()},
}
_ODD = re.compile("[" + "".join(map(chr, _SHOWN_AS)) + "]")
_UNEVEN = re.compile("[" + "".join(chr(sign) for sign, seen in _SHOWN_AS.items() if not seen or len(seen) != 1) + "]")
"""Signs that stand for none or for several."""
_MARKUP = re.compile(
    r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});"
    r"|<(?P<tag>/?(?:[a-zA-Z]{1,10}|h[1-6]))(?:\s[^<>]{0,300})?/?>"
    r"|\*\*\*?|__|`+|(?<![\w*])\*(?=[^\s*])|(?<=[^\s*])\*(?![\w*])|(?<=\d)\*(?=[a-z]\*)|\\(?=[_*.()\[\]#|-])"
    r"|(?<=\])\([^()\s]{1,300}\)|\[(?=[^\[\]\n]{1,80}\]\()|(?<=[\w.)])\](?=\()"
)
"""Entities, tags, emphasis and links."""
_MARKS = ("&", "<", "*", "__", "`", "\\", "](")
_RAISING, _BREAKING = {"sup"}, {"br", "p", "/p", "div", "/div", "li", "/li", "tr", "/tr", "h1", "h2", "h3", "h4"}
_LINE_END = re.compile(r"\r\n|\r|\n")
_QUOTE = re.compile(r"[ \t]*(?:>[ \t]?)+")
_BLOCK = re.compile(r"[ \t]*(?:#{1,6} |[-*+•] |\||```)")
"""What begins a block of its own: a heading, an item of a list, a row of a table."""
_COUNTED = re.compile(r"[ \t]*(?:\d{1,2}[.)]|\(?[a-z]{1,2}\))[ \t]")
"""An item of a counted list, or a paragraph or point that a line happens to begin with."""
_ITEM = re.compile(r"[ \t]*(\d{1,2})[.)][ \t]")
_ENDED = re.compile(r"(?:[:;!?]|[^\W\d_]{6,}\.|\)\.)$")
"""A line that ends a sentence. A short word with a full stop may be an abbreviation, as in `Abs.`"""
_HEADING = re.compile(r"#{1,6} ")
_COMMENT = re.compile(r"[ \t]+(\*)[ \t]+|[ \t]*(//+|--|#)[ \t]+")
"""What begins every line of a comment in a program."""
_STRING_END = re.compile(r"(?<=[^\s\"'`])[ \t]?(([\"'`])[ \t]*[+.&\\]?[ \t]*)$")
_STRING_START = re.compile(r"[ \t]*[+.&]?[ \t]*[fr]?([\"'`])(?=\S)")
"""A string of a program that goes on in the next line."""


@dataclass(frozen=True)
class CleanText:
    """A cleaned text, and where each of its characters stands in the text as given."""

    text: str
    _starts: list[int] | None = None
    _ends: list[int] | None = None

    @classmethod
    def of_markup(cls, given: str) -> CleanText:
        """Clean a text whose HTML entities, tags and Markdown emphasis are read as what they show."""
        if not any(sign in given for sign in _MARKS) or not _MARKUP.search(given):
            return cls.of(given)
        parts, starts, stops = [], list[int](), list[int]()
        position = 0
        for found in _MARKUP.finditer(given):
            parts.append(given[position : found.start()])
            starts += range(position, found.start())
            stops += range(position + 1, found.start() + 1)
            shown = _shown(found)
            parts.append(shown)
            starts += [found.start()] * len(shown)
            stops += [found.end()] * len(shown)
            position = found.end()
        parts.append(given[position:])
        starts += range(position, len(given))
        stops += range(position + 1, len(given) + 1)
        clean = cls.of("".join(parts))
        if clean._starts is None or clean._ends is None:
            return cls(clean.text, starts, stops)
        return cls(clean.text, [starts[at] for at in clean._starts], [stops[at - 1] for at in clean._ends])

    @classmethod
    def of(cls, given: str) -> CleanText:
        """Clean a text. Paragraphs, headings, items of lists and rows of tables stay apart."""
        normal = given.isascii() or (unicodedata.is_normalized("NFC", given) and not _ODD.search(given))
        shown = given if normal or _UNEVEN.search(given) else given.translate(_SHOWN_AS)
        if shown is not given and unicodedata.is_normalized("NFC", shown):
            given, normal = shown, True  # sign for sign, so that places are the same
        ends = [found.span() for found in _LINE_END.finditer(given)]
        joints = _joints(given, ends)
        if normal and not joints:
            return cls(given)
        parts, starts, stops = [], list[int](), list[int]()
        position = 0
        for start, end, between in [*joints, (len(given), len(given), "")]:
            if normal:
                parts.append(given[position:start])
                starts += range(position, start)
                stops += range(position + 1, start + 1)
            for letter, first, last in () if normal else _composed(given, position, start):
                parts.append(letter)
                starts.append(first)
                stops.append(last)
            if between:
                parts.append(between)
                starts.append(start)
                stops.append(end)
            position = end
        return cls("".join(parts), starts, stops)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Map a span to the text as given."""
        if self._starts is None or self._ends is None:
            return start, end
        if start >= end:
            at = self._starts[start] if start < len(self._starts) else (self._ends[-1] if self._ends else 0)
            return at, at
        return self._starts[start], self._ends[end - 1]


def _shown(found: re.Match[str]) -> str:
    """What a piece of markup shows: a letter, a raised digit, a new line, or nothing."""
    if found[0][0] == "&":
        shown = html.unescape(found[0])
        return shown if shown != found[0] else found[0]
    tag = (found["tag"] or "").lower()
    if tag in _RAISING:
        return "^"
    if tag in _BREAKING:
        return " " if tag == "br" else "\n"
    return " | " if tag in ("td", "/td", "th", "/th") else ""


def _joints(text: str, line_ends: list[tuple[int, int]]) -> list[tuple[int, int, str]]:
    """Line ends within a paragraph, the next line's quote marks and indentation included, and what stands for them."""
    found, before, item = [], 0, 0
    bounds = [*line_ends, (len(text), len(text))]
    for (start, end), (following, _) in pairwise(bounds):
        line, following_line = text[before:start], text[end:following]
        string = _goes_on(line, following_line)
        if string:
            found.append((before + string[0], end + string[1], ""))
            before = end
            continue
        shown = _unquoted(line.translate(_SHOWN_AS)).strip()
        quote = _commented(line, following_line) or _QUOTE.match(following_line)
        rest = following_line[quote.end() :] if quote else following_line
        before = end
        item = _item(shown) or item if shown else 0
        if item and _item(rest) == item + 1:
            continue  # the list goes on, whatever its last item ended with
        if shown and rest.strip() and not _HEADING.match(shown) and not _begins_block(rest, shown):
            skipped = len(following_line) - len(rest.lstrip(" \t"))
            hyphen = re.search(r"[^\W_]-[ \t]*$", line)
            kept = len(line.rstrip(" \t"))
            found.append((start - len(line) + kept, end + skipped, "" if hyphen else " "))
    return found


def _goes_on(line: str, following: str) -> tuple[int, int] | None:
    """Where a string of a program ends in a line and goes on in the next."""
    closed = _STRING_END.search(line)
    opened = _STRING_START.match(following) if closed else None
    return (closed.start(1), opened.end()) if closed and opened and closed[2] == opened[1] else None


def _commented(line: str, following: str) -> re.Match[str] | None:
    """The mark before a line that goes on with the comment of the line before."""
    one, other = _COMMENT.match(line), _COMMENT.match(following)
    if one is None or other is None or one[0].strip() != other[0].strip():
        return None
    first = following[other.end() : other.end() + 1]
    return other if one[2] in ("//", "--") or first.islower() or first.isdigit() else None


def _item(line: str) -> int:
    """The number that a line opens with as an item of a list; 0 for none."""
    numbered = _ITEM.match(line)
    return int(numbered[1]) if numbered else 0


def _begins_block(line: str, before: str) -> bool:
    """Whether a line, quote marks aside, goes on with something new after the line before."""
    if _COUNTED.match(line):
        return bool(_COUNTED.match(before + " ") or _ENDED.search(before))
    return bool(_BLOCK.match(line))


def _unquoted(line: str) -> str:
    quote = _QUOTE.match(line)
    return line[quote.end() :] if quote else line


def _composed(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Letters with what is written on them as one, each with its place in the text; nothing for what is not seen."""
    position = start
    while position < end:
        after = position + 1
        while after < end and (unicodedata.combining(text[after]) or text[after] in INVISIBLE):
            after += 1
        for letter in unicodedata.normalize("NFC", text[position:after].translate(_SHOWN_AS)):
            yield letter, position, after
        position = after
