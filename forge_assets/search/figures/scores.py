"""Draw the scores of trials: one after another, and the best of them in their race."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from forge_assets.scoring.bootstrap import Interval, clustered_mean
from forge_resources.presentation.figures import ACCENT, HAIR, INK, QUIET, WARM, Picture, bare, canvas, in_words, styled

PHASES = {"explore": ("o", "#7ba3d0"), "exploit": ("s", ACCENT), "refine": ("D", "#3d7d57")}
"""Mark and colour of each phase."""
UNSCORED = {"pruned": "v", "diverged": "^", "failed": "x", "running": "o"}
"""Mark of a trial without a score, by its status."""
ROOM = 0.25
"""Share of the scores' range kept free above them, for words."""
STAGES = {"trial": "#7ba3d0", "race": ACCENT, "confirm": WARM}


@styled
def best_so_far(trials: pl.DataFrame, chosen: int | None = None) -> Picture:
    """Draw every trial's score with its standard error, the best so far, and below them the trials without a score.

    Args:
        trials: as table `search.trials`.
        chosen: trial that the search decided for.
    """
    if trials.is_empty():
        return Picture(in_words("No trial was made."), "Score by trial: no trial was made.", "")
    ordered = trials.sort("trial").with_columns(pl.col("score", "standard_error").fill_nan(None))
    scored = ordered.filter(pl.col("score").is_not_null())
    lanes = [s for s in ordered.filter(pl.col("score").is_null())["status"].unique(maintain_order=True).sort()]
    below = 0.2 * len(lanes)
    figure = canvas(3.3 + below)
    heights = [2.6, max(below, 0.01)]
    top, floor = figure.subplots(2, 1, sharex=True, height_ratios=heights, gridspec_kw={"hspace": 0.02})
    last = max(ordered["trial"].to_list())
    top.set_xlim(-0.6, last + 0.6)
    _scores(top, scored, last)
    _phases(top, ordered)
    _tell(top, scored, chosen, last)
    for y, status in enumerate(lanes):
        at = ordered.filter(pl.col("score").is_null(), pl.col("status") == status)["trial"].to_list()
        hollow = "none" if status == "running" else QUIET
        edge = {"color": QUIET} if UNSCORED.get(status) == "x" else {"facecolor": hollow, "edgecolor": QUIET}
        floor.scatter(at, [y] * len(at), s=26, marker=UNSCORED.get(status, "P"), linewidth=1.2, **edge)
    floor.set_yticks(range(len(lanes)), lanes)
    floor.set_ylim(len(lanes) - 0.4, -0.6)
    floor.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    floor.set_xlabel("trial")
    top.set_ylabel("score")
    bare(top, grid="y")
    bare(floor)
    top.tick_params(labelbottom=False)
    caption = (
        "Score of each trial with its standard error. The line is the best so far; below it, trials without a score."
    )
    return Picture(figure, _alt(ordered, scored, chosen), caption)


@styled
def race(answers: pl.DataFrame, chosen: int | None = None, scenarios: Mapping[str, str] | None = None) -> Picture:
    """Draw the mean composite of each raced candidate with its 95% bootstrap interval, stage by stage.

    Args:
        answers: as table `search.answers`; who dropped out of the race has fewer of them.
        chosen: trial that the search decided for; its row is bold.
        scenarios: sample id to scenario id: whole scenarios are resampled, a sample that it lacks by itself.
    """
    raced = answers.filter(pl.col("stage") != "trial")["trial"].unique().sort().to_list()
    if not raced:
        return Picture(in_words("No race was held."), "Race of the best trials: none was held.", "")
    found = {
        (trial, stage): _interval(mine, scenarios or {})
        for trial in raced
        for stage in STAGES
        if not (mine := answers.filter(pl.col("trial") == trial, pl.col("stage") == stage)).is_empty()
    }
    most = {stage: max((e.items for (_, s), e in found.items() if s == stage), default=0) for stage in STAGES}
    rank = {trial: found[trial, "race"].value if (trial, "race") in found else 0.0 for trial in raced}
    order = sorted(raced, key=lambda trial: (trial != chosen, -rank[trial], trial))
    figure = canvas(0.75 + 0.62 * len(order))
    axes = figure.subplots()
    for (trial, stage), e in found.items():
        y = order.index(trial) + (list(STAGES).index(stage) - 1) * 0.24
        axes.hlines(y, e.low, e.high, color=STAGES[stage], linewidth=2.4)
        axes.scatter([e.value], [y], s=34, color=STAGES[stage], zorder=3)
        fewer = f"  on {e.items}, then out" if e.items < most[stage] else ""
        word = f"{e.value:.2f}{fewer}"
        axes.annotate(word, (e.high, y), (5, 0), textcoords="offset points", va="center", fontsize=8)
    between = [y + 0.5 for y in range(len(order) - 1)]
    axes.hlines(between, 0, 1, HAIR, linewidth=0.8, transform=axes.get_yaxis_transform())
    axes.set_yticks(range(len(order)), [f"trial {t}, chosen" if t == chosen else f"trial {t}" for t in order])
    for label, trial in zip(axes.get_yticklabels(), order, strict=True):
        label.set_fontweight("bold" if trial == chosen else "normal")
    axes.set_ylim(len(order) - 0.45, -0.55)
    axes.margins(x=0.06)
    bare(axes)
    for i, stage in enumerate(stage for stage in STAGES if most[stage]):
        word = f"● {stage}, {most[stage]} samples"
        axes.text(i / 3, 1.03, word, transform=axes.transAxes, color=STAGES[stage], fontweight="bold")
    listed = ", ".join(f"trial {t} {found[t, 'race'].value:.2f}" for t in order if (t, "race") in found)
    said = f"Race of the best trials, mean composite on further samples: {listed}."
    for (trial, stage), e in found.items():
        if stage == "confirm":
            said += f" Trial {trial} scored {e.value:.2f} on the samples that only it answered."
    caption = "Mean composite and 95% interval. Candidates were picked by the first stage, so it flatters them."
    return Picture(figure, said, caption)


def _scores(axes: Axes, scored: pl.DataFrame, last: int) -> None:
    if scored.is_empty():
        axes.text(0.5, 0.5, "No trial has a score.", transform=axes.transAxes, ha="center", color=QUIET)
        axes.set_yticks([])
        return
    at, best = scored["trial"].to_list(), scored["score"].cum_max().to_list()
    axes.step([*at, last + 0.4], [*best, best[-1]], where="post", color="#a9b1b9", linewidth=1.6, zorder=1)
    for phase in scored["phase"].unique(maintain_order=True):
        mark, colour = PHASES.get(phase, ("o", ACCENT))
        mine = scored.filter(pl.col("phase") == phase)
        at, score = mine["trial"].to_list(), mine["score"].to_list()
        axes.errorbar(
            at, score, yerr=mine["standard_error"].fill_null(0.0).to_list(),
            fmt=mark, color=colour, markersize=5.5, elinewidth=1, ecolor=colour, zorder=3,
        )  # fmt: skip
    axes.margins(y=0.06)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + ROOM * (high - low))


def _phases(axes: Axes, ordered: pl.DataFrame) -> None:
    """The phases' names over their ranges, parted by hairlines."""
    spans = [
        (phase, min(mine), max(mine))
        for phase in PHASES
        if (mine := ordered.filter(pl.col("phase") == phase)["trial"].to_list())
    ]
    for phase, first, last in spans:
        axes.text(
            (first + last) / 2, 1.03, phase, transform=axes.get_xaxis_transform(),
            ha="center", color=PHASES[phase][1], fontweight="bold",
        )  # fmt: skip
    for (_, _, last), (_, first, _) in pairwise(spans):
        axes.axvline((last + first) / 2, color=HAIR, linewidth=1, zorder=0)


def _tell(axes: Axes, scored: pl.DataFrame, chosen: int | None, last: int) -> None:
    """Name the chosen trial and, where it is another, the best one, in the room above the marks."""
    if scored.is_empty():
        return
    best = int(scored["trial"][scored["score"].arg_max() or 0])
    told = {best: 0.95} if chosen in (None, best) else {chosen: 0.95, best: 0.85}
    for trial, y in told.items():
        for row in scored.filter(pl.col("trial") == trial).iter_rows(named=True):
            picked, score, error = trial == chosen, row["score"], row["standard_error"]
            colour, place = WARM if picked else INK, row["trial"] / max(last, 1)
            axes.annotate(
                f"{'chosen' if picked else 'best'}: trial {trial}, {score:.2f}" + (f" ± {error:.2f}" if error else ""),
                (row["trial"], y), xycoords=axes.get_xaxis_transform(),
                ha="left" if place < 0.15 else "right" if place > 0.85 else "center", va="center",
                color=colour, fontweight="bold" if picked else "normal", zorder=6,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
            )  # fmt: skip
            axes.annotate(
                "", (row["trial"], score), (row["trial"], y), textcoords=axes.get_xaxis_transform(), zorder=5,
                arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.8, "shrinkA": 8, "shrinkB": 7},
            )  # fmt: skip
            if picked:
                axes.scatter([row["trial"]], [score], s=120, facecolor="none", edgecolor=WARM, linewidth=2, zorder=4)


def _alt(ordered: pl.DataFrame, scored: pl.DataFrame, chosen: int | None) -> str:
    lost = ordered.filter(pl.col("score").is_null()).group_by("status").len().sort("status")
    without = ", ".join(f"{count} {status}" for status, count in lost.iter_rows())
    said = f"Score of {ordered.height} trials in order; {scored.height} have a score"
    said += f", {without} without." if without else "."
    if scored.is_empty():
        return said
    top = scored.row(scored["score"].arg_max() or 0, named=True)
    said += f" The best so far ends at {top['score']:.2f}, trial {top['trial']}."
    return said if chosen is None else f"{said} Trial {chosen} was chosen."


def _interval(answers: pl.DataFrame, scenarios: Mapping[str, str]) -> Interval:
    return clustered_mean(answers["composite"].to_list(), [scenarios.get(name, name) for name in answers["sample_id"]])
