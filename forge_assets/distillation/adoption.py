"""Decide whether a reinforced teacher replaces the tuned one: only where it is significantly better."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from forge_assets.scoring.bootstrap import codes, difference_interval, sign_flip

TUNED, REINFORCED = "tuned", "reinforced"
"""The two models, as the scores name them."""

LEVEL = 0.05


@dataclass(frozen=True)
class Adoption:
    """The verdict, the figures it rests on, and the sentence that says why; no figures where nothing was reinforced."""

    adopted: bool
    reason: str
    tuned: float | None = None
    """Mean composite."""
    reinforced: float | None = None
    low: float | None = None
    """95% interval of the paired difference."""
    high: float | None = None
    p: float | None = None


NOT_REINFORCED = Adoption(False, "The profile reinforces nothing.")


def adopt(scores: pl.DataFrame, samples: pl.DataFrame) -> Adoption:
    """Compare the composites of both teachers, paired by sample.

    Both must speak for it: a 95% bootstrap interval above 0, and a sign-flip test at 5%, which a handful of scenarios
    cannot pass by chance. Samples of one scenario resemble each other: whole scenarios are drawn and flipped.

    Args:
        scores: model (`TUNED`, `REINFORCED`), sample_id, metric, value.
        samples: sample_id, scenario_id.

    Raises:
        ValueError: there is no sample that both answered, or one that only one of them did.
    """
    wide = (
        scores.filter(pl.col("metric") == "composite")
        .pivot(on="model", index="sample_id", values="value")
        .join(samples.select("sample_id", "scenario_id").unique("sample_id"), on="sample_id", how="left")
        .sort("sample_id")
    )
    if not {TUNED, REINFORCED} <= set(wide.columns) or wide.is_empty() or wide.null_count().sum_horizontal().item():
        raise ValueError("the tuned and the reinforced teacher were not scored on the same samples")
    cluster = codes(wide["scenario_id"].to_list())
    paired = (wide[REINFORCED] - wide[TUNED]).to_numpy()[:, None]
    low, high = (float(end[0]) for end in difference_interval(paired, cluster))
    p = float(sign_flip(paired, cluster)[0])
    better = bool(low > 0 and p <= LEVEL)
    found = (
        f"{paired.mean():+.3f} composite on {wide.height} held-out samples of {int(cluster.max()) + 1} scenarios, "
        f"95% interval {low:+.3f} to {high:+.3f}, p {p:.3f}"
    )
    verdict = (
        "Reinforced: better beyond noise" if better else "Tuned: the reinforced teacher is not better beyond noise"
    )
    means = {name: float(wide[name].mean()) for name in (TUNED, REINFORCED)}  # type: ignore[arg-type]
    return Adoption(better, f"{verdict} ({found}).", means[TUNED], means[REINFORCED], float(low), float(high), p)
