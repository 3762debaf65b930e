"""Decide whether a deployment may go live: what it must be able to do, and that it is not worse than the live one."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from forge_assets.benchmark.statistics import differences
from forge_assets.delivery.deployment import Check, Deployment
from forge_assets.delivery.parity import Parity
from forge_assets.delivery.regression import compared

LEAST_PARITY = 0.99
"""Of greedy answers of the f16 file that must be those of Transformers, near ties apart."""
MOST_LOST = 0.02
"""Composite that the served file may lose against the model that was benchmarked."""
CHECKS = ("token_ids", "parity", "served_score", "learned", "no_regression")
"""Names of the checks, in order."""


def judge(
    golden: tuple[int, int],
    parity: Parity,
    scores: pl.DataFrame,
    samples: pl.DataFrame,
    served: str,
    live: Deployment | None,
) -> tuple[Check, ...]:
    """Judge a deployment.

    Args:
        golden: prompts whose token ids were compared, and of how many they are the same.
        scores: model, sample_id, metric, value of `student_tuned`, `student_untuned` and of `served`.
        samples: sample_id, scenario_id.
        live: what is asked now.
    """
    composite = scores.filter(pl.col("metric") == "composite")
    mine = dict(composite.filter(pl.col("model") == served).select("sample_id", "value").iter_rows())
    return (
        Check(
            name="token_ids",
            passed=golden[0] == golden[1],
            said=f"{golden[1]} of {golden[0]} conversations have the same token ids in training and llama.cpp",
        ),
        Check(
            name="parity",
            passed=parity.share >= LEAST_PARITY,
            said=f"{parity.same} of {parity.answers} greedy answers of the f16 file are those of Transformers, "
            f"{parity.near_ties} more part where two tokens are within a tenth of a nat; "
            f"at least {LEAST_PARITY:.0%} asked for",
        ),
        _served(composite, samples, served),
        _learned(composite, samples),
        _no_regression(mine, live),
    )


def _served(scores: pl.DataFrame, samples: pl.DataFrame, served: str) -> Check:
    row = differences(scores, served, "student_tuned", samples).row(0, named=True)
    return Check(
        name="served_score",
        passed=row["high"] >= -MOST_LOST,
        said=f"{served} scores {_change(row)} against the model that was benchmarked; "
        f"a loss of more than {MOST_LOST} must not be shown",
    )


def _learned(scores: pl.DataFrame, samples: pl.DataFrame) -> Check:
    row = differences(scores, "student_tuned", "student_untuned", samples).row(0, named=True)
    return Check(name="learned", passed=row["low"] > 0, said=f"tuning changed the composite by {_change(row)}")


def _no_regression(mine: Mapping[str, float], live: Deployment | None) -> Check:
    against = compared(mine, live.composites) if live else None
    if live is None or against is None:
        why = "nothing is live yet" if live is None else f"{live.name} shares no question with it"
        return Check(name="no_regression", passed=True, said=why)
    said = f"{against} against {live.name}, which is live (p {against.p:.3f})"
    return Check(name="no_regression", passed=not against.worse, said=said)


def _change(row: Mapping[str, float]) -> str:
    return f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}] on {row['n']:.0f} questions"
