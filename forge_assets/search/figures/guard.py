"""Draw the guard's work: what it changed, and the memory it expected beside the memory that trials took."""

from __future__ import annotations

from collections import Counter

import polars as pl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from forge_assets.search.figures.wording import Change, parse_changes
from forge_resources.presentation.figures import (
    ACCENT,
    HAIR,
    HALO,
    INK,
    PALE,
    QUIET,
    WARM,
    Picture,
    bare,
    canvas,
    in_words,
    styled,
)

MOST = 12
"""Kinds of change that are shown one by one."""
NEAR = 3.0
"""An envelope of more than so many times the most that was expected or measured is told, not drawn."""


@styled
def interventions(trials: pl.DataFrame, memory_budget_bytes: float) -> Picture:
    """Draw above each change that the guard made and in which trials, below every trial's memory in GB (10^9 bytes).

    Args:
        trials: as table `search.trials`.
        memory_budget_bytes: memory that the guard keeps to.
    """
    if trials.is_empty():
        return Picture(in_words("The guard has seen no trial."), "Guard interventions: it has seen no trial.", "")
    ordered = trials.sort("trial")
    made = {trial: parse_changes(text) for trial, text in ordered.select("trial", "guard").iter_rows()}
    kinds = sorted(
        dict.fromkeys(change for several in made.values() for change in several), key=lambda c: (c.rule, c.parameter)
    )
    rows = min(len(kinds), MOST + 1)
    upper = 0.42 * max(rows, 1)
    figure = canvas(3.3 + upper)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[upper, 2.4])
    bottom.set_xlim(-0.6, max(made) + 0.6)
    _changes(top, made, kinds)
    touched = {trial for trial, several in made.items() if several}
    _memory(bottom, ordered, touched, memory_budget_bytes / 1e9)
    bottom.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    bottom.set_xlabel("trial")
    caption = (
        "Above, what the guard changed and in which trials; below, memory expected, with its margin, and measured."
    )
    return Picture(figure, _alt(ordered, made, memory_budget_bytes / 1e9), caption)


def _changes(axes: Axes, made: dict[int, tuple[Change, ...]], kinds: list[Change]) -> None:
    """One row a change; those beyond `MOST` share the last."""
    bare(axes)
    axes.tick_params(labelbottom=False)
    if not kinds:
        axes.text(0, 0.5, "The guard changed nothing.", transform=axes.transAxes, va="center", color=QUIET)
        axes.set_yticks([])
        return
    labels = [f"{change.step}\n{change.rule}" for change in kinds[:MOST]]
    if len(kinds) > MOST:
        labels.append(f"{len(kinds) - MOST} further changes")
    points = sorted({(trial, min(kinds.index(c), MOST)) for trial, several in made.items() for c in several})
    axes.hlines(range(len(labels)), 0, 1, HAIR, linewidth=0.7, transform=axes.get_yaxis_transform(), zorder=0)
    axes.scatter([x for x, _ in points], [y for _, y in points], s=34, color=ACCENT, zorder=3)
    axes.set_yticks(range(len(labels)), labels, fontsize=8.5, linespacing=1.25)
    axes.set_ylim(len(labels) - 0.4, -0.6)


def _memory(axes: Axes, ordered: pl.DataFrame, touched: set[int], envelope: float) -> None:
    bare(axes, grid="y")
    axes.set_ylabel("memory, GB")
    highest = 0.0
    for trial, expected, measured in ordered.select("trial", "predicted_bytes", "measured_bytes").iter_rows():
        colour = ACCENT if trial in touched else PALE
        levels = [level / 1e9 for level in (expected, measured) if level is not None]
        highest = max([highest, *levels])
        if len(levels) == 2:
            axes.vlines(trial, min(levels), max(levels), color=colour, linewidth=1)
        if expected is not None:
            axes.scatter([trial], [expected / 1e9], s=70, marker="_", color=INK, linewidth=1.8, zorder=4)
        if measured is not None:
            axes.scatter([trial], [measured / 1e9], s=28, color=colour, zorder=3)
    far = envelope > NEAR * highest
    axes.set_ylim(0, (highest if far else max(highest, envelope)) * 1.15 or 1)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.legend(
        [Line2D([], [], color=INK), *(Line2D([], [], linestyle="", marker="o", color=c) for c in (PALE, ACCENT))],
        ["expected", "measured", "measured, after a change by the guard"],
        loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=8.5, labelcolor=QUIET,
        handlelength=1.2, borderaxespad=0.1,
    )  # fmt: skip
    if far:
        axes.text(1, 1.04, f"envelope {envelope:.3g} GB, far above", transform=axes.transAxes, ha="right", color=WARM)
        return
    axes.axhline(envelope, color=WARM, linewidth=1.3, linestyle=(0, (4, 2)))
    axes.annotate(
        f"envelope {envelope:.3g} GB", (1, envelope), (0, 3), xycoords=axes.get_yaxis_transform(),
        textcoords="offset points", ha="right", color=WARM, path_effects=[HALO],
    )  # fmt: skip


def _alt(ordered: pl.DataFrame, made: dict[int, tuple[Change, ...]], envelope: float) -> str:
    rules = Counter(rule for several in made.values() for rule in {change.rule for change in several})
    touched = sum(bool(several) for several in made.values())
    said = f"Guard interventions: {touched} of {len(made)} trials were changed"
    said += f", by {', '.join(f'{rule} ({n})' for rule, n in rules.most_common())}." if rules else "."
    known = ordered.filter(pl.col("measured_bytes").is_not_null())
    if known.is_empty():
        return f"{said} No trial's memory was measured."
    over = known.filter(pl.col("measured_bytes") > pl.col("predicted_bytes")).height
    most = max(known["measured_bytes"].to_list()) / 1e9
    return f"{said} At most {most:.1f} of {envelope:.1f} GB was used; {over} of {known.height} took more than expected."
