"""Compute the reward of an answer in reinforcement learning: verifiable parts and two penalties against gaming.

A policy finds whatever a reward pays for by mistake, so this one is stricter than the benchmark's composite: a section
counts by what stands under it, citing nothing earns something only where the answer says that nothing applies, and
citations and words beyond those that are due cost more than they can gain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from forge_assets.citations.citation import Citation
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.law.citation_key import CitationKey
from forge_assets.scoring.answer_text import heading_name, level_named, plain_text, rouge, sections_of, structure

WEIGHTS = {
    "citations": 0.5,
    "country": 0.1,
    "level": 0.15,
    "structure": 0.15,
    "wording": 0.1,
    "unexpected_citations": 0.3,
    "verbosity": 0.5,
}
"""What each part of a `Reward` weighs in its total."""

LOWEST, HIGHEST = -0.8, 1.0
"""Bounds of a total."""

FIELDS = ("sample_id", "jurisdictions", "response", "sections", "expected_citations", "expected_level", "levels")
"""What `reward` reads of a sample."""

_WORD = re.compile(r"\w+")
_RUN = 4
"""Words in a row that count as said again."""
_AGAIN = 3
_UNEXPECTED = 6
"""Citations at which the penalty is whole; one that is no law of the countries asked about counts twice."""
_LONGER = 1.5
"""How many times as long as the reference an answer may be."""


@dataclass(frozen=True)
class Reward:
    """The parts from 0 to 1, the penalties `unexpected_citations` and `verbosity` from -1 to 0."""

    citations: float
    """F1 of the citations against those due; where none is due, 1 if none is given and the level is right."""
    country: float
    """Countries named or cited that the reference names or cites too, as a share of all in either."""
    level: float
    """1 where the first level named is the expected one."""
    structure: float
    """Share of the sections in place and in order, times how far they are filled: half the words of the reference."""
    wording: float
    """ROUGE-L with the reference: what keeps right answers readable."""
    unexpected_citations: float
    """Citations that are not due: -1/6 each, -1/3 each where repealed, invented, unverifiable or of another country."""
    verbosity: float
    """Words beyond one and a half times the reference's, or three times the share that says again what was said."""

    @property
    def total(self) -> float:
        """Weighted sum, `LOWEST` to `HIGHEST`; the reference earns `HIGHEST`."""
        return float(sum(WEIGHTS[name] * value for name, value in asdict(self).items()))


def reward(answer: str, sample: Mapping[str, Any], laws: LawIndex) -> Reward:
    """Compute the reward of one answer; 0 for a blank one.

    Args:
        sample: the `FIELDS` of a row of `scenarios.samples`.
        laws: the laws that citations are judged by.
    """
    answer = plain_text(answer)
    if not answer.strip():
        return Reward(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    reference, home = sample["response"], sample["jurisdictions"]
    alone = home[0] if len(home) == 1 else None
    cited = {citation.key: citation for citation in parse(answer, laws, alone)}
    due = {citation.key: citation for citation in parse(reference, laws, alone)}
    expected = {CitationKey.parse(key) for key in sample["expected_citations"]}
    level = float(level_named(answer, sample["levels"]) == sample["expected_level"])
    return Reward(
        citations=2 * len(cited.keys() & expected) / (len(cited) + len(expected)) if cited or expected else level,
        country=_agreement(_countries(answer, cited, laws), _countries(reference, due, laws)),
        level=level,
        structure=structure(answer, sample["sections"]) * _filled(answer, reference, sample["sections"]),
        wording=rouge(answer, reference)[2],
        unexpected_citations=-_unexpected([c for key, c in cited.items() if key not in expected], home, laws),
        verbosity=-_verbosity(_words(answer), _words(reference)),
    )


def _countries(text: str, cited: Mapping[CitationKey, Citation], laws: LawIndex) -> set[str]:
    named = {country for _, country in laws.countries(text)}
    return named | {citation.jurisdiction for citation in cited.values()}


def _agreement(found: set[str], wanted: set[str]) -> float:
    """Jaccard similarity; both empty agree."""
    return len(found & wanted) / len(found | wanted) if found or wanted else 1.0


def _filled(answer: str, reference: str, sections: list[str]) -> float:
    """Mean over the sections of the different words under them, as a share of half of the reference's."""
    written, models = _bodies(answer), _bodies(reference)
    shares = []
    for name in map(heading_name, sections):
        enough = len(models.get(name, set())) / 2
        shares.append(min(1.0, len(written.get(name, set())) / enough) if enough else 1.0)
    return sum(shares) / len(shares) if shares else 1.0


def _bodies(text: str) -> dict[str, set[str]]:
    """Heading to the different words under it."""
    return {heading_name(name): set(_words(body)) for name, body in sections_of(text)}


def _unexpected(found: list[Citation], home: list[str], laws: LawIndex) -> float:
    at_home = laws.at_home(home)
    lawful = sum(c.status == "real" and c.jurisdiction in at_home for c in found)
    return min(1.0, (2 * len(found) - lawful) / _UNEXPECTED)


def _verbosity(answer: list[str], reference: list[str]) -> float:
    beyond = len(answer) / (_LONGER * len(reference)) - 1 if reference else 0.0
    return min(1.0, max(0.0, beyond, _AGAIN * (_said_again(answer) - _said_again(reference))))


def _said_again(words: list[str]) -> float:
    """Share of the runs of words that stood there before."""
    runs = [tuple(words[i : i + _RUN]) for i in range(len(words) - _RUN + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
