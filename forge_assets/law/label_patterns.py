"""Compile label patterns of paragraphs and points in statute text, from templates such as `({n})` or `{n}° `."""

from __future__ import annotations

import re
from functools import cache

_LETTER = "a-zà-öø-ÿāăąćčďđęěłľňőřśšťůűžźżα-ωά-ώа-я"
_PLACEHOLDERS = {
    "n": r"([A-Z]{0,2}\d{1,3}(?:[a-z]{1,2}(?![a-z])|[A-Z]{1,2}(?![A-Za-z]))?)",
    "a": rf"([{_LETTER}]{{1,2}})",
    "A": r"([A-Z])",
    "I": r"([IVX]{1,5})",
    "i": r"([ivx]{1,5})",
    "x": r"(?:er)?(?:\s?(bis|ter|quater|quinquies))?",
}
"""`n` a number with or without letters, `a` one or two small letters, `A` a capital, `I`/`i` a Roman number,
`x` an optional Latin suffix (`bis`) or French ending (`1er`)."""

_FIELD = re.compile(r"\{(\w)\}")


class TemplateError(ValueError):
    """A label template that cannot be read."""


@cache
def label_pattern(templates: tuple[str, ...], skipped: tuple[str, ...] = ()) -> re.Pattern[str]:
    """Compile one pattern for all templates, to be matched where a line starts.

    Args:
        templates: tried in order; spaces stand for optional white space.
        skipped: templates of editorial marks that may stand before the label, e.g. `F{n}[`.

    Raises:
        TemplateError: a template has no placeholder or an unknown one.
    """
    if not templates:
        return re.compile("(?!)")
    marks = "|".join(_compiled(mark, capture=False) for mark in skipped) or "(?!)"
    labels = "|".join(_compiled(template) for template in templates)
    return re.compile(rf"\s*(?:(?:{marks})\s*)*(?:{labels})(?![\dºª°])")


def label_of(match: re.Match[str]) -> str:
    """Return the bare label: `6`, `1a`, `3bis`, `d`."""
    return "".join(group for group in match.groups() if group)


def _compiled(template: str, capture: bool = True) -> str:
    names = _FIELD.findall(template)
    unknown = [name for name in names if name not in _PLACEHOLDERS]
    if not names or unknown:
        known = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
        raise TemplateError(f"`{template}` is no label: write one of {known} in it")
    parts = []
    for place, piece in enumerate(_FIELD.split(template)):
        if place % 2:
            pattern = _PLACEHOLDERS[piece]
            parts.append(pattern if capture else pattern.replace("(", "(?:", 1) if piece != "x" else "")
        else:
            parts.append(r"\s*".join(re.escape(word) for word in piece.split(" ")))
    return "".join(parts)
