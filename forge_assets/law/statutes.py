"""Read the statute text that citations are checked against: units, paragraphs and points."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from forge_assets.law.label_patterns import label_of, label_pattern
from forge_assets.law.model import Framework, Layout
from forge_resources.config.strict_yaml import SourceError, read_text

Statutes = dict[str, dict[str, "StatuteUnit"]]
"""Law id to unit number (without spaces, e.g. `47bis`) to unit."""

MAX_BYTES = 50_000_000
"""Of one statute; the longest of the labour pack has a hundredth of it."""

NO_PARAGRAPH = "-"
"""Stands for the paragraph in a key to a point of a unit that has no paragraphs, e.g. `DE:betrvg:111:-:5`."""


@dataclass(frozen=True)
class StatuteUnit:
    """One article or section of a statute, verbatim."""

    law_id: str
    unit: str
    number: str
    heading: str
    text: str
    layout: Layout = field(default_factory=Layout)

    @cached_property
    def parts(self) -> dict[str, Paragraph]:
        """Its paragraphs and points, split once: every field of a provision asks for some."""
        return _split(self)

    @cached_property
    def squeezed(self) -> str:
        """Its text with every run of white space as one space."""
        return squeezed(self.text)


@dataclass(frozen=True)
class Paragraph:
    """A paragraph's whole text and the text of each of its points."""

    text: str
    points: dict[str, str]


def squeezed(text: str) -> str:
    """Collapse every run of white space to one space."""
    return " ".join(text.split())


def load_statutes(pack: Path, framework: Framework) -> Statutes:
    """Read the statute text of every law of a framework.

    Raises:
        SourceError: a file is missing, is not JSON Lines, or holds another law or a unit twice.
    """
    return {
        law.id: _load(pack / law.statute, framework.jurisdiction, law.id, law.layout or framework.layout)
        for law in framework.laws
    }


def _load(path: Path, jurisdiction: str, law_id: str, layout: Layout) -> dict[str, StatuteUnit]:
    units: dict[str, StatuteUnit] = {}
    if not path.exists() and not path.is_symlink():
        raise SourceError(path, 1, "the statute text is missing", "add the file or correct the law's `statute`")
    for line, row in enumerate(
        unicodedata.normalize("NFC", read_text(path, MAX_BYTES)).removesuffix("\n").split("\n"), 1
    ):
        try:
            data = json.loads(row)
            fields = {name: str(data[name]) for name in ("law_id", "unit", "heading", "text")}
            unit = StatuteUnit(number=str(data["number"]).replace(" ", ""), layout=layout, **fields)
            origin = str(data["jurisdiction"]), unit.law_id
            row.encode("utf-8"), "".join(fields.values()).encode("utf-8")
        except RecursionError as error:
            raise SourceError(path, line, "nested too deeply", "write one flat JSON object a line") from error
        except (ValueError, KeyError, TypeError) as error:
            raise SourceError(path, line, f"not a statute unit ({error})", "write one JSON object a line") from error
        if origin != (jurisdiction, law_id):
            problem = f"the unit is of {':'.join(origin)}"
            raise SourceError(path, line, problem, f"keep units of {jurisdiction}:{law_id} in this file")
        if unit.number in units:
            raise SourceError(path, line, f"unit {unit.number} is given twice", "keep one of them")
        units[unit.number] = unit
    return units


def is_repealed(text: str, layout: Layout) -> bool:
    """Test whether a unit or paragraph, its label aside, consists of words that say it is no longer law."""
    words = squeezed(label_pattern(() if layout.paragraphs == "lines" else tuple(layout.paragraphs)).sub("", text, 1))
    return words in layout.repealed


def repealed_units(units: Mapping[str, StatuteUnit]) -> list[str]:
    """List the numbers of the units that are no longer law."""
    return [number for number, unit in units.items() if is_repealed(unit.text, unit.layout)]


def subdivisions(unit: StatuteUnit) -> dict[str, Paragraph]:
    """Split a unit into paragraphs and points by the labels its lines open with.

    Returns:
        Paragraph label to paragraph; `NO_PARAGRAPH` holds what stands before the first label.
        Labels are bare: `6`, `1a`, `d`, `3bis`.
    """
    return unit.parts


def _split(unit: StatuteUnit) -> dict[str, Paragraph]:
    layout = unit.layout
    by_line = layout.paragraphs == "lines"
    paragraph_label = label_pattern(() if by_line else tuple(layout.paragraphs), layout.skip)
    point_label = label_pattern(layout.points, layout.skip)
    lines: dict[str, list[str]] = {}
    points: dict[str, dict[str, list[str]]] = {}
    paragraph, point, count = layout.first or NO_PARAGRAPH, "", 0
    for line in unit.text.splitlines():
        opened = paragraph_label.match(line)
        rest = line[opened.end() :] if opened else line
        numbered = point_label.match(rest)
        if opened or (by_line and not numbered):
            count += 1
            paragraph, point = label_of(opened) if opened else str(count), ""
        if numbered:
            point = label_of(numbered)
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
