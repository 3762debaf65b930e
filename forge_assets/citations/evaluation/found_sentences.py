"""Measure the citation parser on sentences that others wrote, labelled before it read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forge_assets.citations.citation import UNKNOWN
from forge_assets.citations.evaluation.labelled_set import LabelledText, ParsedText, SetScore, Tally
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse

DRAWS, SEED = 4000, 20261201
SURE = ("real", "repealed", "fabricated")
"""Statuses that say of a held law what its text has."""


@dataclass(frozen=True)
class FoundSentence:
    """A sentence of others and the places of held laws that a lawyer reads in it."""

    id: int
    country: str
    """Whose law its writer works with; `XX`: of no country of the catalog."""
    kind: str
    """Kind of text: court, statute, authority, firm, commentary, other."""
    text: str
    expected: tuple[str, ...]
    """Keys, each once."""
    half: str = ""
    """`seen` while the parser was mended, `unseen`: read once, at the end."""


@dataclass(frozen=True)
class SureMistake:
    """A place that the parser calls real or fabricated and that the sentence does not cite."""

    sentence: FoundSentence
    key: str
    status: str


@dataclass(frozen=True)
class SentenceScore:
    """How sentences were read."""

    score: SetScore
    """By `jurisdiction`, and by `form`, which is the kind of text."""
    mistakes: tuple[SureMistake, ...]


def read_sentences(path: Path) -> list[FoundSentence]:
    """Read labelled sentences, one JSON object a line; those whose text is not kept are passed over.

    Raises:
        KeyError: a line lacks a field.
    """
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return [
        FoundSentence(r["id"], r["country"], r["kind"], r["text"], tuple(r["expected"]), r.get("half", ""))
        for r in rows
        if r.get("text")
    ]


def score_sentences(rows: Iterable[FoundSentence], laws: LawIndex, countries: Iterable[str] = ()) -> SentenceScore:
    """Read every sentence; a place counts once in a sentence, a law that is not held not at all.

    Args:
        countries: those whose sentences are read as a reader of that country's law would; of no others it is told.
    """
    told = frozenset(countries)
    readings: list[ParsedText] = []
    mistakes: list[SureMistake] = []
    for row in rows:
        default = row.country if row.country in told else None
        found = {str(c.key): c.status for c in parse(row.text, laws, default) if c.jurisdiction != UNKNOWN}
        missed = tuple(key for key in row.expected if key not in found)
        extra = tuple(key for key in found if key not in row.expected)
        label = LabelledText(row.text, row.expected, row.kind, row.country, default)
        readings.append(ParsedText(label, len(found) - len(extra), missed, extra))
        mistakes += [SureMistake(row, key, found[key]) for key in extra if found[key] in SURE]
    return SentenceScore(SetScore(tuple(readings)), tuple(mistakes))


def interval(readings: Sequence[ParsedText], share: Callable[[Tally], float]) -> tuple[float, float]:
    """The 95% bootstrap interval of a share over sentences."""
    drawn = np.random.default_rng(SEED)
    tallies = np.array([[r.found, len(r.missed), len(r.extra)] for r in readings])
    weights = drawn.multinomial(len(readings), np.full(len(readings), 1 / len(readings)), size=DRAWS)
    shares = [share(Tally(len(readings), *map(int, counts))) for counts in weights @ tallies]
    low, high = np.percentile(shares, (2.5, 97.5))
    return float(low), float(high)


def agreement(first: Iterable[tuple[str, ...]], second: Iterable[tuple[str, ...]]) -> float:
    """How far two labellers agree: F1 of the keys of the one measured by those of the other, over all sentences."""
    common = total = 0
    for one, other in zip(first, second, strict=True):
        common += len(set(one) & set(other))
        total += len(set(one)) + len(set(other))
    return 2 * common / total if total else 1.0
