"""Draw the space that was searched: parameter importance, and every configuration with its score."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from matplotlib.axes import Axes

from forge_assets.search.figures.wording import format_name, format_value, parse_config
from forge_resources.presentation.figures import (
    ACCENT,
    HAIR,
    HALO,
    HEAT,
    INK,
    QUIET,
    WARM,
    WIDTH,
    Picture,
    bare,
    canvas,
    in_words,
    styled,
)

GAP = 0.07
"""Least distance of two labels on an axis of length 1."""
SPREAD = 0.05
"""Lines through one category are set apart by this much, better scores higher."""


@dataclass(frozen=True)
class _Axis:
    """A parameter's axis: place of each trial on it, NaN where the trial has no such parameter, and its labels."""

    title: str
    at: tuple[float, ...]
    labels: tuple[tuple[float, str], ...]


@styled
def importance(importances: Mapping[str, float]) -> Picture:
    """Draw the share of the scores' variation that each parameter explains.

    Args:
        importances: parameter to share; the shares sum to 1.
    """
    if not importances:
        sentence = "Too few trials to tell which parameters mattered."
        return Picture(in_words(sentence), f"Importance of parameters: {sentence.lower()}", "")
    order = sorted(importances, key=lambda name: (-importances[name], name))
    shares = [importances[name] for name in order]
    figure = canvas(0.35 + 0.3 * len(order))
    axes = figure.subplots()
    axes.barh(range(len(order)), shares, height=0.62, color=ACCENT)
    for y, share in enumerate(shares):
        axes.annotate(f"{share:.2f}", (share, y), (5, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(order)), [format_name(name) for name in order])
    axes.set_ylim(len(order) - 0.45, -0.55)
    axes.set_xlim(0, 1.06)
    axes.set_xticks([])
    axes.axvline(0, color=QUIET, linewidth=0.9)
    bare(axes)
    listed = ", ".join(f"{format_name(name)} {importances[name]:.2f}" for name in order)
    return Picture(
        figure, f"Importance of parameters, shares of 1: {listed}.", "Importance of each parameter, shares of 1."
    )


@styled
def parallel_coordinates(trials: pl.DataFrame, chosen: int | None = None) -> Picture:
    """Draw parallel coordinates: one axis a parameter and the score last, one line a trial's applied configuration.

    Args:
        trials: as table `search.trials`.
        chosen: trial that the search decided for.
    """
    ordered = trials.sort("trial").with_columns(pl.col("score").fill_nan(None))
    ran = [parse_config(text) for text in ordered["ran"]]
    names = list(dict.fromkeys(name for one in ran for name in one))
    if not names:
        return Picture(in_words("No trial has run."), "Configurations of the trials: none has run.", "")
    scores: list[float | None] = ordered["score"].to_list()
    low, high = (
        min((s for s in scores if s is not None), default=0),
        max((s for s in scores if s is not None), default=0),
    )
    height = [None if s is None else (s - low) / (high - low) if high > low else 0.5 for s in scores]
    columns = [_axis(name, [one.get(name) for one in ran], height) for name in names]
    width = int(WIDTH / (len(names) + 1) / 0.075)
    figure = canvas(4.1)
    axes = figure.subplots()
    _lines(axes, columns, height, ordered["trial"].to_list(), chosen)
    for x, column in enumerate(columns):
        _draw(axes, x, column, width)
    _score_axis(axes, len(columns), dict(zip(ordered["trial"], zip(scores, height, strict=True), strict=True)), chosen)
    axes.set_xlim(-0.4, len(columns) + 0.75)
    axes.set_ylim(-0.05, 1.13)
    axes.set_xticks([])
    axes.set_yticks([])
    bare(axes)
    scored = sum(s is not None for s in scores)
    alt = f"Configuration of {ordered.height} trials as they ran, over {', '.join(format_name(n) for n in names)}; "
    alt += f"{scored} have a score."
    if chosen in (numbers := ordered["trial"].to_list()):
        values = ran[numbers.index(chosen)]
        alt += (
            f" Trial {chosen}, chosen, ran "
            + ", ".join(f"{format_name(n)} {format_value(v)}" for n, v in values.items())
            + "."
        )
    caption = "One line a trial, as it ran; darker is better, thin grey has no score"
    return Picture(figure, alt, caption + (", orange was chosen." if chosen is not None else "."))


def _axis(name: str, values: Sequence[Any], height: Sequence[float | None]) -> _Axis:
    known = [value for value in values if value is not None]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        return _number_axis(name, values)
    words = [None if value is None else format_value(value) for value in values]
    order = sorted({word for word in words if word is not None}, key=lambda word: (len(word.split()), word))
    place = {word: i / (len(order) - 1) if len(order) > 1 else 0.5 for i, word in enumerate(order)}
    at = tuple(
        math.nan if word is None else place[word] + SPREAD * ((0.5 if up is None else up) - 0.5)
        for word, up in zip(words, height, strict=True)
    )
    return _Axis(format_name(name), at, tuple((place[word], word) for word in order))


def _number_axis(name: str, values: Sequence[float | None]) -> _Axis:
    """Logarithmic where the values span a decade or more; labels at both ends and at the values met most often."""
    counts = Counter(value for value in values if value is not None)
    low, high = min(counts), max(counts)
    log = low > 0 and high / low >= 10

    def place(value: float) -> float:
        if low == high:
            return 0.5
        return math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)

    labels: dict[float, str] = {}
    for value in (low, high, *sorted(counts, key=lambda v: (-counts[v], v))):
        if all(abs(place(value) - taken) >= GAP for taken in labels):
            labels[place(value)] = format_value(value)
    title = format_name(name) + (", log" if log else "")
    at = tuple(math.nan if value is None else place(value) for value in values)
    return _Axis(title, at, tuple(labels.items()))


def _lines(
    axes: Axes, columns: Sequence[_Axis], height: Sequence[float | None], trials: Sequence[int], chosen: int | None
) -> None:
    for i in sorted(range(len(trials)), key=lambda i: (trials[i] == chosen, -1 if (h := height[i]) is None else h)):
        up = height[i]
        ys = [*(column.at[i] for column in columns), *([] if up is None else [up])]
        look: dict[str, Any] = {"color": "#b9bfc5", "linewidth": 0.8}
        if up is not None:
            look = {"color": HEAT(0.3 + 0.7 * up), "linewidth": 1.5}
        if trials[i] == chosen:
            look = {"color": WARM, "linewidth": 3.2}
        axes.plot(range(len(ys)), ys, solid_joinstyle="round", **look)


def _draw(axes: Axes, x: int, column: _Axis, width: int) -> None:
    axes.vlines(x, -0.03, 1.03, color=INK, linewidth=1, zorder=3)
    axes.text(x, 1.07, textwrap.fill(column.title, width), ha="center", va="bottom", fontweight="bold")
    for y, label in column.labels:
        axes.annotate(
            textwrap.fill(label, width), (x, y), (5, 0), textcoords="offset points",
            va="center", fontsize=8.5, path_effects=[HALO], zorder=5,
        )  # fmt: skip


def _score_axis(
    axes: Axes, x: int, scored: Mapping[int, tuple[float | None, float | None]], chosen: int | None
) -> None:
    axes.text(x, 1.07, "score", ha="center", va="bottom", fontweight="bold")
    mine = scored.get(-1 if chosen is None else chosen, (None, None))
    labels = {} if mine[1] is None else {mine[1]: (f"{mine[0]:.2f}  trial {chosen}", WARM)}
    for score, up in sorted((s, u) for s, u in scored.values() if s is not None and u is not None):
        if up in (0, 0.5, 1) and all(abs(up - taken) >= GAP for taken in labels):
            labels[up] = (f"{score:.2f}", INK)
    axes.vlines(x, -0.03, 1.03, color=INK if labels else HAIR, linewidth=1, zorder=3)
    for y, (label, colour) in labels.items():
        axes.annotate(
            label, (x, y), (5, 0), textcoords="offset points", va="center", fontsize=8.5, color=colour,
            fontweight="bold" if colour == WARM else "normal", path_effects=[HALO], zorder=5,
        )  # fmt: skip
    if not labels:
        axes.text(x + 0.06, 0.5, "none", va="center", color=QUIET)
