"""One score for one answer: used as the benchmark's metric, the search's objective and the RL reward."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import polars as pl

from forge_assets.citations.citation import UNKNOWN
from forge_assets.citations.parser import LawIndex, parse
from forge_assets.law.citation_key import CitationKey
from forge_assets.scoring.answer_text import level_named, plain, rouge, structure
from forge_resources.storage.tables import TABLES

WEIGHTS = {"citation_f1": 0.4, "structure": 0.2, "rougeL": 0.2, "level": 0.1, "clean": 0.1}
"""Shares of the composite.

`clean` is 1 - max(fabricated_rate, wrong_country_rate), and 0 where a citation was due and none given.
"""


@dataclass(frozen=True)
class Scores:
    """All from 0 to 1. For the three `_rate`s lower is better."""

    citation_precision: float
    citation_recall: float
    citation_f1: float
    fabricated_rate: float
    """Share of citations of a law we hold to a unit or paragraph it does not have."""
    wrong_country_rate: float
    """Share of citations of a country that the question is not about, nor of a union whose law binds it."""
    unverifiable_rate: float
    """Share of citations of no law we hold."""
    structure: float
    rouge1: float
    rouge2: float
    rougeL: float  # noqa: N815 - the metric's name
    level: float
    """1 where the first level named is the expected one."""
    composite: float


METRICS = tuple(field.name for field in fields(Scores))


def score(answer: str, sample: Mapping[str, Any], laws: LawIndex) -> Scores:
    """Score one answer against its sample.

    Citations are compared as a set of keys, exactly: one that is less or more precise than expected does not
    match, repeating one changes nothing, adding others lowers precision. A blank answer's composite is 0.

    Args:
        sample: a row of `scenarios.samples`.
        laws: the laws whose text we hold, of every country.
    """
    answer = plain(answer)
    countries = list(sample["jurisdictions"])
    home = countries[0] if len(countries) == 1 else None
    cited = {c.key: c for c in parse(answer, laws, home)}
    expected = {CitationKey.parse(key) for key in sample["expected_citations"]}
    precision, recall, f1 = _match(set(cited), expected)
    if not answer.strip():
        precision = recall = f1 = 0.0
    fabricated = _share(sum(c.status == "fabricated" for c in cited.values()), len(cited))
    unverifiable = _share(sum(c.status == "unverifiable" for c in cited.values()), len(cited))
    at_home = {*countries, UNKNOWN}.union(*(laws.unions.get(country, ()) for country in countries))
    wrong = _share(sum(c.jurisdiction not in at_home for c in cited.values()), len(cited))
    rouge1, rouge2, rouge_l = rouge(answer, sample["response"])
    parts = {
        "citation_f1": f1,
        "structure": structure(answer, sample["sections"]),
        "rougeL": rouge_l,
        "level": float(level_named(answer, sample["levels"]) == sample["expected_level"]),
        "clean": 1 - max(fabricated, wrong) if answer.strip() and (cited or not expected) else 0.0,
    }
    return Scores(
        citation_precision=precision,
        citation_recall=recall,
        citation_f1=f1,
        fabricated_rate=fabricated,
        wrong_country_rate=wrong,
        unverifiable_rate=unverifiable,
        structure=parts["structure"],
        rouge1=rouge1,
        rouge2=rouge2,
        rougeL=rouge_l,
        level=parts["level"],
        composite=sum(WEIGHTS[name] * value for name, value in parts.items()),
    )


def score_frame(answers: pl.DataFrame, samples: pl.DataFrame, laws: LawIndex) -> pl.DataFrame:
    """Score many answers.

    Args:
        answers: columns `model`, `sample_id`, `answer`.
        samples: `scenarios.samples`, holding every sample answered.

    Returns:
        Long: one row a model, sample and metric, in the order of `answers` and of `METRICS`.

    Raises:
        KeyError: an answer to a sample that `samples` lacks.
    """
    by_id = {row["sample_id"]: row for row in samples.iter_rows(named=True)}
    rows = [
        {"model": row["model"], "sample_id": row["sample_id"], "metric": metric, "value": value}
        for row in answers.iter_rows(named=True)
        for metric, value in asdict(score(row["answer"], by_id[row["sample_id"]], laws)).items()
    ]
    return pl.DataFrame(rows, schema=TABLES["benchmark.scores"].schema)


def _match(cited: set[CitationKey], expected: set[CitationKey]) -> tuple[float, float, float]:
    """Precision, recall and F1 of two sets of keys; both empty is a full match."""
    if not cited and not expected:
        return 1.0, 1.0, 1.0
    hits = len(cited & expected)
    precision, recall = _share(hits, len(cited)), _share(hits, len(expected))
    return precision, recall, _share(2 * hits, len(cited) + len(expected))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
