"""Figures write their values at the marks and keep a model's colour."""

from __future__ import annotations

import base64
import itertools
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import polars as pl
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from forge_assets.benchmark import plots
from forge_assets.benchmark.metric_labels import MODELS
from forge_assets.benchmark.report import ReportInput
from forge_assets.benchmark.statistics import by_jurisdiction, by_task, summary
from forge_resources.presentation.figures import data_uri


def words_in(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_every_bar_carries_its_mean_and_its_models_colour(scores: pl.DataFrame) -> None:
    whole = summary(scores)
    figure = plots.metric_bars(whole)
    composite = figure.axes[0]
    means = whole.filter(pl.col("metric") == "composite")["mean"]
    assert [text.get_text() for text in composite.texts] == [f"{mean:.2f}" for mean in means]
    for axes in figure.axes:
        shown = [model.colour for model in MODELS if model.name in set(scores["model"])]
        assert [to_hex(bar.get_facecolor()) for bar in axes.patches] == shown


def test_the_heatmap_writes_one_mean_a_cell(scores: pl.DataFrame, samples: pl.DataFrame) -> None:
    assert len(words_in(plots.task_heatmap(by_task(scores, samples)))) == 7 * 4


def test_jurisdictions_are_labelled_with_their_number_of_samples(scores: pl.DataFrame, samples: pl.DataFrame) -> None:
    axes = plots.jurisdiction_dots(by_jurisdiction(scores, samples)).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()][-1] == "Cross-border  (18)"


def test_end_labels_of_close_curves_do_not_cover_each_other(full_report: ReportInput) -> None:
    axes = plots.loss_curves(full_report.losses).axes[0]
    heights = sorted(float(text.xy[1]) for text in axes.texts)  # type: ignore[attr-defined]
    gap = (axes.get_ylim()[1] - axes.get_ylim()[0]) * 0.08
    assert len(heights) == 3
    assert all(b - a >= gap for a, b in itertools.pairwise(heights))


def test_a_single_model_and_metric_is_enough(scores: pl.DataFrame) -> None:
    one = scores.filter(pl.col("model") == "student_tuned", pl.col("metric") == "composite")
    assert len(words_in(plots.metric_bars(summary(one)))) == 1


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_equal_data_gives_equal_bytes(scores: pl.DataFrame, kind: str) -> None:
    whole = summary(scores)
    first, second = (data_uri(plots.metric_bars(whole), kind) for _ in range(2))  # type: ignore[arg-type]
    assert first == second


def test_the_svg_is_well_formed_and_points_nowhere(scores: pl.DataFrame) -> None:
    svg = base64.b64decode(data_uri(plots.metric_bars(summary(scores))).split(",", 1)[1])
    root = ElementTree.fromstring(svg)
    links = [v for node in root.iter() for k, v in node.attrib.items() if k.endswith("href")]
    assert links
    assert all(link.startswith("#") for link in links)


def test_drawing_leaves_other_peoples_settings_alone(scores: pl.DataFrame) -> None:
    before = dict(mpl.rcParams)
    data_uri(plots.metric_bars(summary(scores)))
    assert dict(mpl.rcParams) == before
