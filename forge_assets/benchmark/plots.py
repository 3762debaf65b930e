"""Draw the figures of the benchmark page: one colour a model, values at the marks, no frames."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from forge_assets.benchmark.metric_labels import Model, format_label, format_number, models_in_order
from forge_assets.scoring.metrics import in_reading_order, metric
from forge_resources.presentation.figures import HAIR, HEAT, INK, QUIET, bare, canvas, styled


@styled
def metric_bars(summary: pl.DataFrame) -> Figure:
    """Draw one panel a metric with one bar a model and its 95% interval.

    Args:
        summary: columns model, metric, mean, low, high, as `statistics.summary` gives.
    """
    names = [name for name in in_reading_order(summary["metric"]) if metric(name).bar]
    across = models_in_order(summary["model"].unique())
    columns = min(4, max(len(names), 1))
    rows = max(-(-len(names) // columns), 1)
    figure = canvas(0.5 + rows * (0.75 + 0.27 * len(across)))
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for i, axes in enumerate(grid.flat):
        if i >= len(names):
            axes.set_axis_off()
            continue
        _bars(axes, summary.filter(pl.col("metric") == names[i]), across)
        axes.set_title(metric(names[i]).title, loc="left", fontsize=9.5, fontweight="bold")
        axes.tick_params(axis="y", labelleft=i % columns == 0)
    return figure


@styled
def task_heatmap(by_task: pl.DataFrame, name: str = "composite") -> Figure:
    """Draw a heatmap of model by task with the mean in each cell.

    Args:
        by_task: columns task_type, model, metric, n, mean, as `statistics.by_task` gives.
        name: the metric to show.
    """
    rows = by_task.filter(pl.col("metric") == name)
    across, tasks = models_in_order(rows["model"].unique()), list(rows["task_type"].unique(maintain_order=True))
    value = {(row["task_type"], row["model"]): row["mean"] for row in rows.iter_rows(named=True)}
    size = dict(rows.select("task_type", "n").iter_rows())
    figure = canvas(0.6 + 0.34 * len(tasks))
    axes = figure.subplots()
    cells = [[value.get((task, model.name), float("nan")) for model in across] for task in tasks]
    axes.pcolormesh(cells, cmap=HEAT, vmin=0, vmax=1, edgecolors="white", linewidth=2.5)
    for y, task in enumerate(tasks):
        for x, model in enumerate(across):
            mean = value.get((task, model.name))
            colour = "white" if mean is not None and mean > 0.62 else INK
            axes.text(x + 0.5, y + 0.5, format_number(mean), ha="center", va="center", color=colour)
    labels = [f"{format_label(task)}  ({size[task]})" for task in tasks]
    axes.set_yticks([y + 0.5 for y in range(len(tasks))], labels)
    axes.set_xticks([x + 0.5 for x in range(len(across))], [model.label for model in across])
    axes.invert_yaxis()
    axes.xaxis.tick_top()
    for label, model in zip(axes.get_xticklabels(), across, strict=True):
        label.set(color=_readable(model), fontweight="bold")
    bare(axes)
    return figure


@styled
def jurisdiction_dots(by_jurisdiction: pl.DataFrame, name: str = "composite") -> Figure:
    """Draw one row a country with one dot a model and its 95% interval.

    Args:
        by_jurisdiction: columns jurisdiction, model, metric, n, mean, low, high, as
            `statistics.by_jurisdiction` gives.
        name: the metric to show.
    """
    rows = by_jurisdiction.filter(pl.col("metric") == name)
    across = models_in_order(rows["model"].unique())
    places = list(rows["jurisdiction"].unique(maintain_order=True))
    size = dict(rows.select("jurisdiction", "n").iter_rows())
    figure = canvas(0.7 + 0.17 * len(across) * len(places))
    axes = figure.subplots()
    step = 0.78 / max(len(across), 1)
    for i, model in enumerate(across):
        mine = rows.filter(pl.col("model") == model.name)
        ys = [places.index(place) + (i - (len(across) - 1) / 2) * step for place in mine["jurisdiction"]]
        axes.hlines(ys, mine["low"].to_list(), mine["high"].to_list(), color=model.colour, linewidth=2.4)
        axes.scatter(mine["mean"].to_list(), ys, s=34, color=model.colour, zorder=3)
        for y, mean, high in zip(ys, mine["mean"], mine["high"], strict=True):
            axes.text(high + 0.012, y, format_number(mean), va="center", fontsize=8, color=_readable(model))
    axes.set_yticks(range(len(places)), [f"{place}  ({size[place]})" for place in places])
    axes.hlines([y + 0.5 for y in range(len(places) - 1)], 0, 1, color=HAIR, linewidth=0.8)
    axes.set_ylim(len(places) - 0.45, -0.55)
    axes.set_xlim(0, 1.06)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    bare(axes)
    for i, model in enumerate(across):
        _key(axes, i / max(len(across), 1), model)
    return figure


@styled
def loss_curves(losses: pl.DataFrame) -> Figure:
    """Draw training loss by step, one line a model, validation dashed.

    Args:
        losses: columns model, step, loss, and optionally split ("train" or "validation").
    """
    frame = losses if "split" in losses.columns else losses.with_columns(split=pl.lit("train"))
    figure = canvas(2.9)
    axes = figure.subplots()
    ends: list[tuple[float, float, str, str]] = []
    for model in models_in_order(frame["model"].unique()):
        for split, dashes in (("train", "-"), ("validation", (0, (3, 2)))):
            line = frame.filter(pl.col("model") == model.name, pl.col("split") == split).sort("step")
            if line.is_empty():
                continue
            steps, loss = line["step"].to_list(), line["loss"].to_list()
            colour = _readable(model)
            axes.plot(steps, loss, color=colour, linewidth=1.6, linestyle=dashes)
            name = model.label if split == "train" else f"{model.label}, validation"
            ends.append((loss[-1], steps[-1], name, colour))
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    _end_labels(axes, ends)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    bare(axes, grid="y")
    return figure


def _bars(axes: Axes, rows: pl.DataFrame, across: list[Model]) -> None:
    found = {row["model"]: row for row in rows.iter_rows(named=True)}
    for y, model in enumerate(across):
        row = found.get(model.name)
        if row is None:
            continue
        axes.barh(y, row["mean"], height=0.66, color=model.colour)
        axes.hlines(y, row["low"], row["high"], color=INK, linewidth=1)
        axes.text(max(row["high"], row["mean"]) + 0.03, y, format_number(row["mean"]), va="center")
    axes.set_yticks(range(len(across)), [model.label for model in across])
    axes.set_ylim(len(across) - 0.45, -0.55)
    axes.set_xlim(0, 1.22)
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.vlines([0.5, 1], -0.55, len(across) - 0.45, color=HAIR, linewidth=0.7, zorder=0)
    axes.vlines(0, -0.55, len(across) - 0.45, color=QUIET, linewidth=0.9)
    bare(axes)


def _end_labels(axes: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Write each line's name at its end, pushed apart where ends lie close."""
    low, high = axes.get_ylim()
    right = max(step for _, step, _, _ in ends)
    gap, last = (high - low) * 0.085, -float("inf")
    for loss, _, name, colour in sorted(ends):
        last = max(loss, last + gap)
        axes.annotate(
            f"{name}  {loss:.2f}", (right, last), xytext=(6, 0), textcoords="offset points",
            va="center", color=colour, annotation_clip=False,
        )  # fmt: skip


def _key(axes: Axes, x: float, model: Model) -> None:
    colour = _readable(model)
    axes.text(x, 1.02, f"● {model.label}", transform=axes.transAxes, color=colour, fontweight="bold")


def _readable(model: Model) -> str:
    """The model's colour, darkened where it is too pale to read as text."""
    red, green, blue = to_rgb(model.colour)
    shade = 0.6 if 0.3 * red + 0.59 * green + 0.11 * blue > 0.6 else 1.0
    return to_hex((red * shade, green * shade, blue * shade))
