"""Write numbers and white space of a text one way, so that what must be said exactly can be looked up in it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from forge_assets.citations.wording import find_whole

_SPACE = re.compile(r"\s+")
_GROUPED = re.compile(r"(?<![^\W_])(?<!\d[.,'’])([1-9]\d{0,2})([.,'’ \u00a0\u2009\u202f])\d{3}(?:\2\d{3})*(?!\d|\2\d)")
_SHARE = re.compile(r"(?<=\d) %")
_DIGIT = re.compile(r"\d")
_DAY = re.compile(r"\b(\d{4})-(\d\d?)-(\d\d?)\b|\b(\d\d?)\.(\d\d?)\.(\d{4})\b")
_NUMBER = re.compile(r"(?<![^\W_])\d+(?:[.,]\d+)?(?![^\W_])")
_NUMBERING = re.compile(
    r"^[ \t]*(?:[-*+•][ \t]+)?(?:\*\*)?\(?\d{1,3}[.)](?=[ \t*])|(?<![\w(])\d{1,2}\)(?=\s)", re.MULTILINE
)
_HEADING = re.compile(r"^#{1,6} .*$", re.MULTILINE)
_HIDDEN = "\u25a1"


def exact(text: str) -> str:
    """Normalize a text: case-folded, one space for any white space, `1400` for `1,400`, `1.400`, `1 400`, `10%`."""
    plain = _GROUPED.sub(lambda found: re.sub(r"\D", "", found[0]), text.casefold())
    return _SHARE.sub("%", _SPACE.sub(" ", plain))


def says(text: str, said: str) -> bool:
    """Whether a text says something, with no letter or digit beside it, nor more digits of a number or a date.

    Args:
        text: as `exact` gives it.
        said: as `exact` gives it.
    """
    at = find_whole(text, said)
    while at >= 0:
        before, after = text[max(0, at - 2) : at], text[at + len(said) : at + len(said) + 2]
        begun = said[0].isdigit() and before[-1:] in (".", ",") and before[:1].isdigit()
        goes_on = said[-1].isdigit() and after[:1] in (".", ",") and after[1:].isdigit()
        if not (begun or goes_on):
            return True
        at = find_whole(text, said, at + 1)
    return False


def without_digits(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Hide the digits of some spans of a text: a number in a citation is the number of a place, and says no other."""
    position, parts = 0, []
    for start, end in sorted(spans):
        start = max(start, position)
        parts += [text[position:start], _DIGIT.sub(_HIDDEN, text[start:end])]
        position = max(position, end)
    return "".join([*parts, text[position:]])


def numbers(text: str, *, everywhere: bool = False) -> list[str]:
    """List the numbers of a text in order, as digits with a point before decimals; days as day, month and year.

    Digits that are part of a word, as in `21a`, are left out.

    Args:
        everywhere: in headings and where the items of a list are counted, too.
    """
    prose = text if everywhere else _NUMBERING.sub(" ", _HEADING.sub("", text))
    prose = _DAY.sub(lambda day: " ".join(part for part in day.groups() if part), exact(prose))
    return [_canonical(found) for found in _NUMBER.findall(prose)]


def _canonical(number: str) -> str:
    whole, _, rest = number.replace(",", ".").partition(".")
    rest = rest.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{rest}" if rest else "")
