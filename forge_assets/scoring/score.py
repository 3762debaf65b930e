"""Score answers by every metric, for the search, the choices between models and the benchmark.

Training by reward has a score of its own, `reward`, which is harder to game.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from forge_assets.citations.law_index import LawIndex
from forge_assets.scoring.answer_text import plain_text
from forge_assets.scoring.metrics import METRICS, Answer
from forge_resources.storage.tables import TABLES


def score(answer: str, sample: Mapping[str, Any], laws: LawIndex) -> dict[str, float]:
    """Score one answer against its sample; a blank answer's composite is 0.

    Args:
        sample: a row of `scenarios.samples`.
        laws: the laws whose text we hold, of every country.

    Returns:
        Metric to value from 0 to 1, in the order of `METRICS`; those that are not defined for the sample are left out.
    """
    read = Answer(plain_text(answer), sample, laws)
    return {name: metric.value(read) for name, metric in METRICS.items() if metric.defined(sample)}


def score_frame(answers: pl.DataFrame, samples: pl.DataFrame, laws: LawIndex) -> pl.DataFrame:
    """Score many answers.

    Args:
        answers: columns `model`, `sample_id`, `answer`.
        samples: `scenarios.samples`, holding every sample answered.

    Returns:
        Long: one row a model, sample and metric defined for it, in the order of `answers` and of `METRICS`.

    Raises:
        KeyError: an answer to a sample that `samples` lacks.
    """
    by_id = {row["sample_id"]: row for row in samples.iter_rows(named=True)}
    rows = [
        {"model": row["model"], "sample_id": row["sample_id"], "metric": metric, "value": value}
        for row in answers.iter_rows(named=True)
        for metric, value in score(row["answer"], by_id[row["sample_id"]], laws).items()
    ]
    return pl.DataFrame(rows, schema=TABLES["benchmark.scores"].schema)
