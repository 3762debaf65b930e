"""Compute means, paired differences and ratios of scores with 95% intervals from the same resamples.

Samples drawn from one scenario resemble each other, so where scenarios are known they are what is resampled. Where
nearly all values are at a bound the interval is exact, see `scoring.bootstrap`. A metric that is not defined for a
sample has no score of any model there: its figures are of the samples that have one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forge_assets.benchmark.metric_labels import models_in_order
from forge_assets.scoring.bootstrap import (
    TAILS,
    Floats,
    codes,
    difference_interval,
    mean_interval,
    resampled_means,
    sign_flip,
)
from forge_assets.scoring.metrics import in_reading_order

CROSS_BORDER = "Cross-border"


@dataclass(frozen=True)
class Estimate:
    """A value and its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class _Grid:
    """Metrics that are defined for the same samples.

    Values of shape (samples, columns); `cluster` numbers the scenario of each sample from 0.
    """

    columns: list[tuple[str, str]]
    values: Floats
    cluster: NDArray[np.intp]

    def pick(self, model: str, metric: str) -> Floats:
        return self.values[:, self.columns.index((model, metric))]


def summary(scores: pl.DataFrame, samples: pl.DataFrame | None = None) -> pl.DataFrame:
    """Compute mean and 95% interval of every model on every metric.

    Args:
        scores: columns model, sample_id, metric, value; every model scored on the same samples.
        samples: columns sample_id, scenario_id; given, whole scenarios are resampled.

    Returns:
        Columns model, metric, n, mean, low, high; models and metrics in reading order.

    Raises:
        ValueError: a score is missing, repeated or not a number, so a paired comparison would be wrong.
    """
    rows = {}
    for grid in _grids(scores, samples):
        low, high = mean_interval(grid.values, grid.cluster)
        for i, column in enumerate(grid.columns):
            rows[column] = (*column, len(grid.values), grid.values[:, i].mean(), low[i], high[i])
    return pl.DataFrame(
        [rows[column] for column in _columns(scores)],
        schema={
            "model": pl.String,
            "metric": pl.String,
            "n": pl.Int64,
            "mean": pl.Float64,
            "low": pl.Float64,
            "high": pl.Float64,
        },
        orient="row",
    )


def differences(scores: pl.DataFrame, model: str, baseline: str, samples: pl.DataFrame | None = None) -> pl.DataFrame:
    """Compute the paired difference `model - baseline` on every metric.

    Returns:
        Columns metric, n, model, baseline (both means), difference, low, high (95% interval) and p
        (two-sided sign-flip test; scenarios are flipped whole; not corrected for the number of metrics).

    Raises:
        ValueError: a model was not scored, or not on the same samples.
    """
    both = scores.filter(pl.col("model").is_in([model, baseline]))
    for name in (model, baseline):
        if name not in both["model"]:
            raise ValueError(f"no scores of {name}: models scored are {sorted(scores['model'].unique())}")
    rows = {}
    for grid in _grids(both, samples):
        metrics = in_reading_order(metric for _, metric in grid.columns)
        paired = np.column_stack([grid.pick(model, m) - grid.pick(baseline, m) for m in metrics])
        low, high = difference_interval(paired, grid.cluster)
        p = sign_flip(paired, grid.cluster)
        for i, metric in enumerate(metrics):
            rows[metric] = {
                "metric": metric,
                "n": len(paired),
                "model": float(grid.pick(model, metric).mean()),
                "baseline": float(grid.pick(baseline, metric).mean()),
                "difference": float(paired[:, i].mean()),
                "low": float(low[i]),
                "high": float(high[i]),
                "p": float(p[i]),
            }
    return pl.DataFrame([rows[metric] for metric in in_reading_order(rows)])


def share_kept(
    scores: pl.DataFrame,
    student: str,
    teacher: str,
    metric: str = "composite",
    samples: pl.DataFrame | None = None,
) -> Estimate | None:
    """Compute the student's mean as a share of the teacher's; None where the teacher's mean is 0."""
    both = scores.filter(pl.col("model").is_in([student, teacher]), pl.col("metric") == metric)
    if {student, teacher} - set(both["model"]):
        return None
    [grid] = _grids(both, samples)
    order = [grid.columns.index((name, metric)) for name in (student, teacher)]
    means = resampled_means(grid.values, grid.cluster)[:, order]
    kept, base = grid.values.mean(axis=0)[order]
    if base <= 0 or (means[:, 1] <= 0).any():
        return None
    low, high = np.percentile(means[:, 0] / means[:, 1], TAILS)
    if not np.ptp(grid.values[:, order], axis=0).any():  # what the two means may be bounds what their ratio may be
        lows, highs = mean_interval(grid.values[:, order], grid.cluster)
        low, high = lows[0] / highs[1], highs[0] / max(lows[1], 1e-9)
    return Estimate(float(kept / base), float(low), float(high))


def by_task(scores: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """Compute `summary` per task type, with a first column `task_type`."""
    return _grouped(scores, samples, samples.select("sample_id", "task_type"), "task_type")


def by_jurisdiction(scores: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """Compute `summary` per country, first column `jurisdiction`; samples of several countries are one group."""
    several = pl.col("jurisdictions").list.len() > 1
    home = pl.when(several).then(pl.lit(CROSS_BORDER)).otherwise(pl.col("jurisdictions").list.first())
    return _grouped(scores, samples, samples.select("sample_id", home.alias("jurisdiction")), "jurisdiction")


def _grouped(scores: pl.DataFrame, samples: pl.DataFrame, groups: pl.DataFrame, column: str) -> pl.DataFrame:
    known = groups.join(scores.select("sample_id").unique(), on="sample_id", how="semi")
    names = sorted(known[column].unique(), key=lambda name: (name == CROSS_BORDER, name))
    parts = []
    for name in names:
        members = known.filter(pl.col(column) == name)
        part = summary(scores.join(members, on="sample_id", how="semi"), samples)
        parts.append(part.select(pl.lit(name).alias(column), pl.all()))
    empty = summary(scores.clear()).select(pl.lit("").alias(column), pl.all())
    return pl.concat(parts) if parts else empty


def _columns(scores: pl.DataFrame) -> list[tuple[str, str]]:
    metrics = in_reading_order(scores["metric"].unique())
    return [(model.name, metric) for model in models_in_order(scores["model"].unique()) for metric in metrics]


def _grids(scores: pl.DataFrame, samples: pl.DataFrame | None) -> list[_Grid]:
    """Scores as one row a sample, in sample order, so that the order of the rows given changes nothing."""
    twice = scores.filter(pl.struct("model", "sample_id", "metric").is_duplicated())
    if len(twice):
        raise ValueError("scored twice: {model} on {sample_id}, {metric}".format(**twice.row(0, named=True)))
    columns, asked = _columns(scores), dict[str, set[str]]()
    for metric, sample_id in scores.select("metric", "sample_id").iter_rows():
        asked.setdefault(metric, set()).add(sample_id)
    together: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for column in columns:
        together.setdefault(tuple(sorted(asked[column[1]])), []).append(column)
    long = scores.select("model", "metric", "sample_id", "value")
    value = {(model, metric, sample_id): v for model, metric, sample_id, v in long.iter_rows()}
    return [_grid(list(ids), some, value, samples) for ids, some in together.items()]


def _grid(
    ids: list[str],
    columns: list[tuple[str, str]],
    value: Mapping[tuple[str, str, str], float | None],
    samples: pl.DataFrame | None,
) -> _Grid:
    found = [[value.get((*column, sample_id)) for column in columns] for sample_id in ids]
    values = np.array(found, dtype=np.float64).reshape(len(ids), len(columns))
    holes = np.argwhere(np.isnan(values))
    if len(holes):
        model, metric = columns[holes[0][1]]
        sample_id = ids[holes[0][0]]
        raise ValueError(f"{model} has no {metric} on sample {sample_id}: models must share their samples")
    return _Grid(columns, values, _clusters(ids, samples))


def _clusters(ids: list[str], samples: pl.DataFrame | None) -> NDArray[np.intp]:
    if samples is None or "scenario_id" not in samples.columns:
        return np.arange(len(ids))
    scenario = dict(samples.select("sample_id", "scenario_id").iter_rows())
    missing = [i for i in ids if i not in scenario]
    if missing:
        raise ValueError(f"sample {missing[0]} was scored but is not in the samples table")
    return codes([scenario[name] for name in ids])
