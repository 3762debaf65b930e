"""Format the models' means as plain text for a terminal and as Markdown for Dagster."""

from __future__ import annotations

import polars as pl

from forge_assets.benchmark.metric_labels import DASH, Model, format_number, models_in_order
from forge_assets.scoring.metrics import in_reading_order, metric
from forge_resources.presentation.text_table import TextTable

BEST = "*"


def best_models(summary: pl.DataFrame, name: str) -> set[str]:
    """Find the models whose mean on a metric, as printed, is the best; none where all are equal."""
    shown = {model: format_number(mean) for model, mean in _rows(summary, name).select("model", "mean").iter_rows()}
    if len(set(shown.values())) < 2:
        return set()
    top = (max if metric(name).better == "higher" else min)(shown.values(), key=float)
    return {model for model, text in shown.items() if text == top}


def most_samples(summary: pl.DataFrame) -> int:
    """Count the samples scored: of the metric that is defined for most of them."""
    return int(max(summary["n"].to_list()))


def fewer_samples(summary: pl.DataFrame, name: str) -> int | None:
    """Count the samples for which a metric is defined; None where it is for all."""
    count = int(_rows(summary, name)["n"][0])
    return count if count < most_samples(summary) else None


def terminal_table(summary: pl.DataFrame) -> TextTable:
    """Build one row a metric, one column a model, `mean [low, high]`; a star marks the best of a row."""
    if summary.is_empty():
        return TextTable(head=(), rows=(), note="No model was scored.")
    across = models_in_order(summary["model"].unique())
    rows, strong = [], set()
    for at, name in enumerate(in_reading_order(summary["metric"])):
        best = best_models(summary, name)
        strong |= {(at, i) for i, model in enumerate(across, 1) if model.name in best}
        arrow = " (less is better)" if metric(name).better == "lower" else ""
        some = f" ({count})" if (count := fewer_samples(summary, name)) else ""
        cells = [_cell(summary, name, m) + (BEST if m.name in best else " ") for m in across]
        rows.append((metric(name).label + some + arrow, *cells))
    return TextTable(
        head=("", *(model.label for model in across)),
        rows=tuple(rows),
        note=f"Mean and 95% interval over {_over(summary)}; {BEST} best of the row.",
        strong=frozenset(strong),
        ruled=True,
    )


def markdown_table(summary: pl.DataFrame) -> str:
    """Format the same table as Markdown; the best of a row is bold."""
    if summary.is_empty():
        return "No model was scored."
    across = models_in_order(summary["model"].unique())
    lines = [
        "| | " + " | ".join(_escaped(model.label) for model in across) + " |",
        "|---|" + "---:|" * len(across),
    ]
    for name in in_reading_order(summary["metric"]):
        best = best_models(summary, name)
        cells = [f"**{c}**" if m.name in best else c for m in across if (c := _cell(summary, name, m))]
        some = f" ({count})" if (count := fewer_samples(summary, name)) else ""
        lines.append(f"| {_escaped(metric(name).title)}{some} | " + " | ".join(cells) + " |")
    note = f"Mean [95% interval] over {_over(summary)}; ↓ less is better."
    return "\n".join([*lines, "", note])


def _over(summary: pl.DataFrame) -> str:
    some = any(fewer_samples(summary, name) for name in in_reading_order(summary["metric"]))
    return f"{most_samples(summary)} samples" + (", or as many as a metric's name says" if some else "")


def _rows(summary: pl.DataFrame, name: str) -> pl.DataFrame:
    return summary.filter(pl.col("metric") == name)


def _cell(summary: pl.DataFrame, name: str, model: Model) -> str:
    rows = _rows(summary, name).filter(pl.col("model") == model.name)
    if rows.is_empty():
        return DASH
    mean, low, high = rows.select("mean", "low", "high").row(0)
    return f"{mean:.2f} [{low:.2f}, {high:.2f}]"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
