"""Measure precision and recall of the citation parser on labelled strings."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from forge_assets.citations.citation import UNKNOWN
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse

NEGATIVE = "negative"
"""The form of a string that looks like a citation and is none."""


@dataclass(frozen=True)
class LabelledText:
    """A string and the places that a reader finds in it."""

    text: str
    keys: tuple[str, ...]
    form: str
    jurisdiction: str
    default: str | None = None
    """Whose law a citation without a law's name means."""
    unverifiable: int = 0
    """How many citations of laws that are not held it has."""


@dataclass(frozen=True)
class ParsedText:
    """What the parser made of a labelled string."""

    row: LabelledText
    found: int
    """How many of its keys were read."""
    missed: tuple[str, ...]
    extra: tuple[str, ...]
    """Keys read that it has not, and citations of unknown laws beyond those it has."""


@dataclass(frozen=True)
class Tally:
    """Counts over some strings, every citation weighing the same."""

    texts: int
    found: int
    missed: int
    extra: int

    @classmethod
    def of(cls, readings: Iterable[ParsedText]) -> Tally:
        """Add readings up."""
        held = list(readings)
        return cls(
            texts=len(held),
            found=sum(r.found for r in held),
            missed=sum(len(r.missed) for r in held),
            extra=sum(len(r.extra) for r in held),
        )

    @property
    def precision(self) -> float:
        """Share of the places read that are there; 1 if none was read."""
        read = self.found + self.extra
        return self.found / read if read else 1.0

    @property
    def recall(self) -> float:
        """Share of the places there that were read; 1 if there is none."""
        there = self.found + self.missed
        return self.found / there if there else 1.0


@dataclass(frozen=True)
class SetScore:
    """How a set of labelled strings was read."""

    readings: tuple[ParsedText, ...]

    @property
    def whole(self) -> Tally:
        """Over all strings."""
        return Tally.of(self.readings)

    @property
    def by_jurisdiction(self) -> dict[str, Tally]:
        """Over the strings of each jurisdiction."""
        return self._by(lambda row: row.jurisdiction)

    @property
    def by_form(self) -> dict[str, Tally]:
        """Over the strings of each written form."""
        return self._by(lambda row: row.form)

    @property
    def clean_negatives(self) -> float:
        """Share of the negative strings in which nothing was read; 1 if there is none."""
        negatives = [r for r in self.readings if r.row.form == NEGATIVE]
        return sum(not r.extra for r in negatives) / len(negatives) if negatives else 1.0

    @property
    def mistakes(self) -> list[ParsedText]:
        """The strings not read as labelled."""
        return [r for r in self.readings if r.missed or r.extra]

    def _by(self, group: Callable[[LabelledText], str]) -> dict[str, Tally]:
        groups: dict[str, list[ParsedText]] = {}
        for reading in self.readings:
            groups.setdefault(group(reading.row), []).append(reading)
        return {name: Tally.of(groups[name]) for name in sorted(groups)}


def read_set(folder: Path) -> list[LabelledText]:
    """Read labelled strings: one JSON object a line, one file a jurisdiction; no files where there is no folder.

    Raises:
        KeyError: a line lacks `text`, `keys` or `form`.
    """
    rows: list[LabelledText] = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in filter(str.strip, path.read_text("utf-8").splitlines()):
            data = json.loads(line)
            rows.append(
                LabelledText(
                    text=data["text"],
                    keys=tuple(data["keys"]),
                    form=data["form"],
                    jurisdiction=path.stem.upper(),
                    default=data.get("default"),
                    unverifiable=data.get("unverifiable", 0),
                )
            )
    return rows


def score_set(rows: Iterable[LabelledText], laws: LawIndex) -> SetScore:
    """Parse every string and compare the keys read with its labels, repetitions counted.

    A citation of an unknown law is neither found nor missed: as many as the string is labelled with are allowed.
    """
    return SetScore(tuple(_read(row, laws) for row in rows))


def _read(row: LabelledText, laws: LawIndex) -> ParsedText:
    found = parse(row.text, laws, row.default)
    unknown = [str(citation.key) for citation in found if citation.jurisdiction == UNKNOWN]
    read = Counter(str(citation.key) for citation in found if citation.jurisdiction != UNKNOWN)
    there = Counter(row.keys)
    return ParsedText(
        row=row,
        found=(read & there).total(),
        missed=tuple((there - read).elements()),
        extra=(*(read - there).elements(), *unknown[row.unverifiable :]),
    )
