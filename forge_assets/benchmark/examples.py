"""Pick the answers that the report shows in full: best, median and worst of the tuned student."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class WorkedExample:
    """A sample to show, why it was picked, and the picked model's score on it."""

    rank: str
    sample_id: str
    value: float


def worked_examples(
    scores: pl.DataFrame, model: str = "student_tuned", metric: str = "composite"
) -> list[WorkedExample]:
    """Pick the best, the median and the worst sample of a model; of equal scores the lower sample id is first.

    Args:
        scores: columns model, sample_id, metric, value.
        model: whose answers are ranked.
        metric: what they are ranked by, more is better.

    Returns:
        Three examples, fewer where fewer samples were scored, none where the model was not.
    """
    ranked = sorted(
        scores.filter(pl.col("model") == model, pl.col("metric") == metric).select("value", "sample_id").iter_rows(),
        key=lambda row: (-row[0], row[1]),
    )
    if not ranked:
        return []
    places = {0: "Best", len(ranked) - 1: "Worst", len(ranked) // 2: "Median"}
    if len(ranked) < 3:
        places = {0: "Best", len(ranked) - 1: "Worst"} if len(ranked) == 2 else {0: "Only"}
    return [WorkedExample(places[i], ranked[i][1], ranked[i][0]) for i in sorted(places)]
