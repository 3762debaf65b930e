"""Compute the reward of an answer in reinforcement learning: verifiable parts and three penalties against gaming.

A policy finds whatever a reward pays for by mistake, so this one is stricter than the benchmark's composite: a section
counts by what stands under it, citing nothing earns something only where the answer says that nothing applies, and
citations, bodies, numbers, quotes and words beyond those that are due cost more than they can gain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from forge_assets.citations.citation import Citation
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.citations.verdict import asked, judge
from forge_assets.law.citation_key import CitationKey
from forge_assets.scoring.answer_text import heading_name, level_named, plain_text, rouge, sections_of, structure
from forge_assets.scoring.fields import Said
from forge_assets.scoring.metrics import Answer, composite, is_intake
from forge_assets.scoring.quotes import false_quotes, quotes
from forge_assets.scoring.repetition import repeats, said_again, words

WEIGHTS = {
    "citations": 0.5,
    "fields": 0.1,
    "country": 0.1,
    "level": 0.1,
    "structure": 0.1,
    "wording": 0.1,
    "unexpected_citations": 0.3,
    "unexpected_content": 0.3,
    "verbosity": 0.5,
}
"""What each part of a `Reward` weighs in its total."""

LOWEST, HIGHEST = -1.1, 1.0
"""Bounds of a total."""

FIELDS = (
    *("sample_id", "task_type", "jurisdictions", "system", "prompt", "response", "sections"),
    *("expected_citations", "expected_level", "expected_fields", "level_words", "output_schema"),
)
"""What `reward` reads of a sample."""

_AGAIN = 3
_UNEXPECTED = 6
"""Citations, or numbers and bodies, at which a penalty is whole; citations that are no law of the countries asked about
and false quotes count twice."""
_LONGER = 1.5
"""How many times as long as the reference an answer may be."""


@dataclass(frozen=True)
class Reward:
    """The parts from 0 to 1, the penalties from -1 to 0.

    A part that there is nothing to judge by earns what another does, so that it is not earned for nothing: level,
    citations, fields and wording stand in, in this order.
    """

    citations: float
    """F1 of the citations against those due; where none is due and none given, nothing to judge by.

    Where the question itself cites all that is due, no more than what is said of it earns.
    """
    fields: float
    """Share of what must be said exactly that is said."""
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
    unexpected_content: float
    """Numbers and bodies that neither question nor reference names: -1/6 each; quotes that are not verbatim: -1/3."""
    verbosity: float
    """Words beyond one and a half times the reference's, or three times the share that says again what was said; whole
    where an answer repeats itself to its end or does not end."""

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
        return Reward(*[0.0] * len(WEIGHTS))
    reference, home = sample["response"], sample["jurisdictions"]
    verbosity = -_verbosity(answer, reference)
    if is_intake(sample):  # JSON has one merit: how much of it is right
        read = composite(Answer(answer, sample, laws))
        return Reward(read, read, read, read, read, read, 0.0, 0.0, verbosity)
    alone = home[0] if len(home) == 1 else None
    found = parse(answer, laws, alone)
    cited = {citation.key: citation for citation in found}
    due = {citation.key: citation for citation in parse(reference, laws, alone)}
    expected = {CitationKey.parse(key) for key in sample["expected_citations"]}
    said = Said(answer, [citation.span for citation in found])
    wording = rouge(answer, reference)[2]
    right = 2 * len(cited.keys() & expected) / (len(cited) + len(expected)) if cited or expected else None
    fields = said.share(sample["expected_fields"]) if sample["expected_fields"] else None
    if expected and right and expected <= {citation.key for citation in parse(sample["prompt"], laws, alone)}:
        right = min(right, wording if fields is None else fields)
    level, citations, fields = _judged(answer, sample, right, fields, wording)
    return Reward(
        citations=citations,
        fields=fields,
        country=_agreement(_countries(answer, cited, laws), _countries(reference, due, laws)),
        level=level,
        structure=structure(answer, sample["sections"]) * _filled(answer, reference, sample["sections"]),
        wording=wording,
        unexpected_citations=-_unexpected([c for key, c in cited.items() if key not in expected], home, laws),
        unexpected_content=-_unexpected_content(answer, said, sample, laws),
        verbosity=verbosity,
    )


def _judged(
    answer: str, sample: Mapping[str, Any], citations: float | None, fields: float | None, wording: float
) -> tuple[float, float, float]:
    """Level, citations and fields; where there is nothing to judge one by, the first of them that there is."""
    named = level_named(answer, sample["level_words"])
    level = float(named == sample["expected_level"]) if sample["expected_level"] else None
    other = next((part for part in (level, citations, fields) if part is not None), wording)
    level, citations, fields = (other if part is None else part for part in (level, citations, fields))
    return level, citations, fields


def _countries(text: str, cited: Mapping[CitationKey, Citation], laws: LawIndex) -> set[str]:
    named = {country for _, country in laws.countries(text)}
    return named | {citation.jurisdiction for citation in cited.values()}


def _agreement(found: set[str], wanted: set[str]) -> float:
    """Jaccard similarity; both empty agree."""
    return len(found & wanted) / len(found | wanted) if found or wanted else 1.0


def _filled(answer: str, reference: str, sections: list[str]) -> float:
    """Mean over the sections of the different words under them, as a share of half of the reference's.

    Of the whole answer where no sections are wanted.
    """
    if not sections:
        return _enough(set(words(answer)), set(words(reference)))
    written, models = _bodies(answer), _bodies(reference)
    return sum(
        _enough(written.get(name, set()), models.get(name, set())) for name in map(heading_name, sections)
    ) / len(sections)


def _enough(written: set[str], models: set[str]) -> float:
    return min(1.0, 2 * len(written) / len(models)) if models else 1.0


def _bodies(text: str) -> dict[str, set[str]]:
    """Heading to the different words under it."""
    return {heading_name(name): set(words(body)) for name, body in sections_of(text)}


def _unexpected(found: list[Citation], home: list[str], laws: LawIndex) -> float:
    situation = asked(laws.at_home(home), ())
    lawful = sum(judge(citation, situation).verdict == "not_applicable" for citation in found)
    return min(1.0, (2 * len(found) - lawful) / _UNEXPECTED)


def _unexpected_content(answer: str, said: Said, sample: Mapping[str, Any], laws: LawIndex) -> float:
    asked, reference = f"{sample['system']}\n{sample['prompt']}", sample["response"]
    at_home = laws.at_home(sample["jurisdictions"])
    stray = said.stray_numbers(asked, reference)
    bodies = laws.bodies(answer, at_home) - laws.bodies(f"{asked}\n{reference}", at_home)
    false = false_quotes(quotes(answer), asked, laws, at_home)
    return min(1.0, (len(stray) + len(bodies) + 2 * false) / _UNEXPECTED)


def _verbosity(answer: str, reference: str) -> float:
    if repeats(answer, reference):
        return 1.0
    said, models = words(answer), words(reference)
    beyond = len(said) / (_LONGER * len(models)) - 1 if models else 0.0
    return min(1.0, max(0.0, beyond, _AGAIN * (said_again(said) - said_again(models))))
