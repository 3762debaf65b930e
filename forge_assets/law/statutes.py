"""Holds the statute text that citations are checked against: units, paragraphs and points."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from forge_assets.law.load import LawError
from forge_assets.law.model import Framework

Statutes = dict[str, dict[str, "StatuteUnit"]]
"""Law id to unit number (without spaces, e.g. `47bis`) to unit."""

NO_PARAGRAPH = "-"
"""Stands for the paragraph in a key to a point of a unit that has no paragraphs, e.g. `DE:betrvg:111:-:5`."""

_LABELS = {
    "de": (re.compile(r"\((\d+[a-z]?)\)\s"), re.compile(r"(\d+[a-z]{0,2})\.\s")),
    "fr": (re.compile(r"([IVX]{1,5})\s?\.\s?[-\u2013]"), re.compile(r"(\d+°(?:\s(?:bis|ter|quater))?)\s")),
    "nl": (re.compile(r"(\d+)\.\s"), re.compile(r"([a-z])\.\s")),
    "es": (re.compile(r"(\d+)\.(?![\dºª°])"), re.compile(r"([a-zñ])\)\s")),
}
"""Language to the marks that open a paragraph and a point at the start of a line."""

_OTHER_LABELS = (re.compile(r"\(?(\d+[a-z]?)[.)]\s"), re.compile(r"\(?([a-z])[.)]\s"))


@dataclass(frozen=True)
class StatuteUnit:
    """One article or section of a statute, verbatim."""

    law_id: str
    unit: str
    number: str
    heading: str
    text: str
    language: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph's whole text and the text of each of its points."""

    text: str
    points: dict[str, str]


def squeezed(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


def load_statutes(pack: Path, framework: Framework) -> Statutes:
    """Read the statute text of every law of a framework.

    Raises:
        LawError: a file is missing, is not JSON Lines, or holds another law or a unit twice.
    """
    return {law.id: _load(pack / law.statute, framework.jurisdiction, law.id) for law in framework.laws}


def _load(path: Path, jurisdiction: str, law_id: str) -> dict[str, StatuteUnit]:
    if not path.is_file():
        raise LawError(path, 1, "the statute text is missing", "add the file or correct the law's `statute`")
    units: dict[str, StatuteUnit] = {}
    for line, row in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            data = json.loads(row)
            fields = {name: str(data[name]) for name in ("law_id", "unit", "heading", "text", "language")}
            unit = StatuteUnit(number=str(data["number"]).replace(" ", ""), **fields)
            origin = data["jurisdiction"], unit.law_id
        except (ValueError, KeyError, TypeError) as error:
            raise LawError(path, line, f"not a statute unit ({error})", "write one JSON object a line") from error
        if origin != (jurisdiction, law_id):
            problem = f"the unit is of {':'.join(origin)}"
            raise LawError(path, line, problem, f"keep units of {jurisdiction}:{law_id} in this file")
        if unit.number in units:
            raise LawError(path, line, f"unit {unit.number} is given twice", "keep one of them")
        units[unit.number] = unit
    return units


def subdivisions(unit: StatuteUnit) -> dict[str, Paragraph]:
    """Split a unit into paragraphs and points by the labels its lines open with.

    Returns:
        Paragraph label to paragraph; `NO_PARAGRAPH` holds what stands before the first label.
        Point labels are bare: `6`, `1a`, `d`, `3bis`.
    """
    paragraph_label, point_label = _LABELS.get(unit.language, _OTHER_LABELS)
    lines: dict[str, list[str]] = {}
    points: dict[str, dict[str, list[str]]] = {}
    paragraph, point = NO_PARAGRAPH, ""
    for line in unit.text.splitlines():
        opened = paragraph_label.match(line)
        rest = line
        if opened:
            paragraph, point, rest = opened[1], "", line[opened.end() :].lstrip()
        numbered = point_label.match(rest)
        if numbered:
            point = re.sub(r"[°\s]", "", numbered[1])
        lines.setdefault(paragraph, []).append(line)
        if point:
            points.setdefault(paragraph, {}).setdefault(point, []).append(line)
    return {
        label: Paragraph(
            squeezed(" ".join(found)),
            {name: squeezed(" ".join(part)) for name, part in points.get(label, {}).items()},
        )
        for label, found in lines.items()
    }
