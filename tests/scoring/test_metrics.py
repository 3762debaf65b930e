"""One row makes a metric: all that shows metrics shows it, and the guides say what the rows say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import optuna
import polars as pl
import pytest

from forge_assets.benchmark import plots
from forge_assets.benchmark.report import ReportInput, render
from forge_assets.benchmark.statistics import summary
from forge_assets.benchmark.text_table import markdown_table, terminal_table
from forge_assets.citations.law_index import LawIndex
from forge_assets.scoring.metrics import METRICS, Metric, formula, is_intake
from forge_assets.scoring.reward import Reward
from forge_assets.scoring.score import score, score_frame
from forge_assets.search.space.parameters import SearchSpace
from forge_assets.search.study.record import remember_outcome, trials_table
from forge_resources.storage.store import Store
from forge_resources.storage.tables import TABLES

ROOT = Path(__file__).parents[2]


def reference() -> str:
    """The table of docs/benchmark.md."""
    lines = ["| metric | label | better | share of the composite | |", "|---|---|---|---|---|"]
    lines += [
        f"| `{name}` | {one.label} | {one.better} | {'' if one.weight is None else f'{one.weight:g}'} | {one.help} |"
        for name, one in METRICS.items()
    ]
    return "\n".join([*lines, ""])


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more row, as in "Add a metric" of docs/benchmark.md."""

    def short(answer: Any) -> float:
        return float(len(answer.text.split()) <= len(answer.sample["response"].split()))

    monkeypatch.setitem(METRICS, "short", Metric("Short enough", "no longer than the reference", short, chip=True))


@pytest.fixture
def report(added: None, sample: dict[str, Any], laws: LawIndex) -> ReportInput:
    samples = pl.DataFrame([sample | {"scenario_id": "s", "task_type": "duty", "prompt": "Which duties?"}])
    texts = {"student_tuned": sample["response"], "student_untuned": sample["response"] + " and more words"}
    answers = pl.DataFrame([{"model": m, "sample_id": "one", "answer": text} for m, text in texts.items()])
    return ReportInput(scores=score_frame(answers, samples, laws), samples=samples, answers=answers)


def test_an_added_metric_is_in_the_reports_tables_plots_and_answers(report: ReportInput) -> None:
    page, means = render(report), report.comparison.means
    rows = re.findall(r'<th scope="row">Short enough(?:<small>no longer than the reference</small>)?</th>', page)
    assert len(rows) == 2, "models side by side, and what tuning changed"
    assert "<span>Short enough 1.00</span>" in page and "<span>Short enough 0.00</span>" in page
    assert "Short enough" in [axes.get_title(loc="left") for axes in plots.metric_bars(means).axes]
    assert "\n| Short enough | 0.00 [" in markdown_table(means)
    assert "\nShort enough " in terminal_table(means).plain()


def test_an_added_metric_is_in_the_searchs_record_and_in_duckdb(report: ReportInput, tmp_path: Path) -> None:
    trial = optuna.create_study().ask()
    means = dict(report.scores.filter(pl.col("model") == "student_tuned").select("metric", "value").iter_rows())
    remember_outcome(trial, status="finished", why="", seconds=1.0, losses=[1.0], scores=means, answers={})
    store = Store(tmp_path)
    store.write("search.trials", trials_table("study", trial.study.get_trials(), SearchSpace({"rank": (8,)})))
    with duckdb.connect(str(store.publish()), read_only=True) as connection:
        found = connection.execute("SELECT s.metric, s.mean FROM search.trials, unnest(scores) AS t(s)").fetchall()
    assert found == [(name, means[name]) for name in METRICS if name in means]
    assert found[-1] == ("short", 1.0) and "deadline" not in means


def test_a_part_of_the_composite_is_weighed_in(
    monkeypatch: pytest.MonkeyPatch, sample: dict[str, Any], laws: LawIndex
) -> None:
    before = score("", sample, laws)["composite"]
    monkeypatch.setitem(METRICS, "given", Metric("Given", "1 for all", lambda _: 1.0, weight=0.25))
    assert (before, score("", sample, laws)["composite"]) == (0.0, 0.25 / 1.25)
    assert formula().endswith(" + 0.25 Given")


@pytest.mark.parametrize(("label", "text"), [("", "what it is"), ("Label", " ")])
def test_a_metric_without_label_or_help_is_refused(label: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"give both in scoring/metrics\.py"):
        Metric(label, text, lambda _: 1.0)


@pytest.mark.parametrize("weight", [0.0, 1.5])
def test_a_weight_that_is_no_share_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match=f"metric Label has weight {weight:g}"):
        Metric("Label", "what it is", lambda _: 1.0, weight=weight)


def test_a_score_by_a_metric_without_a_row_is_refused_by_name() -> None:
    scores = pl.DataFrame([("a", "0", "bleu", 0.5)], schema=["model", "sample_id", "metric", "value"], orient="row")
    with pytest.raises(ValueError, match="metric bleu is unknown: give it a row in METRICS"):
        summary(scores)


def test_labels_differ_and_the_weights_add_up_to_one() -> None:
    assert len({one.label for one in METRICS.values()}) == len(METRICS)
    read = [one for one in METRICS.values() if one.defined is is_intake]
    prose = [one for one in METRICS.values() if one.defined is not is_intake]
    assert [sum(one.weight or 0 for one in some) for some in (read, prose)] == pytest.approx([1.0, 1.0])


def test_the_guide_lists_every_metric_as_its_row_says() -> None:
    _, found, _ = re.split(
        r"<!-- (?:end of )?metrics[^\n]*-->\n\n?", (ROOT / "docs" / "benchmark.md").read_text("utf-8")
    )
    assert found == reference(), "write reference() between the two marks of docs/benchmark.md"


def test_the_guide_to_training_has_the_composites_formula() -> None:
    assert f"\n{formula()}\n" in (ROOT / "docs" / "ml.md").read_text("utf-8")


def test_the_results_show_metrics_by_their_labels_in_reading_order() -> None:
    shown = re.findall(
        r"^\| ([^|]+) \| (?:\*\*)?\d\.\d\d \[", (ROOT / "docs" / "results.md").read_text("utf-8"), re.MULTILINE
    )
    assert len(shown) > 10
    assert shown == [one.title for one in METRICS.values() if one.title in shown]


def test_a_column_that_holds_a_metric_says_what_its_row_says() -> None:
    columns = {
        f"{table.name}.{name}": (column.comment, METRICS[name].help)
        for table in TABLES.values()
        for name, column in table.columns.items()
        if name in METRICS and column.type == pl.Float64
    }
    assert len(columns) >= 4
    assert [name for name, (said, text) in columns.items() if said != f"{text[0].upper()}{text[1:]}."] == []


def test_the_dashboard_asks_for_metrics_and_parts_of_the_reward_that_there_are() -> None:
    dashboard = (ROOT / "docs" / "grafana.json").read_text("utf-8")
    shown: dict[str, str] = {}
    for panel in json.loads(dashboard)["panels"]:
        for target in panel.get("targets", ()):
            shown |= dict.fromkeys(re.findall(r'metric="(\w+)"', target["expr"]), panel["title"])
    assert shown.keys() >= {"composite"}
    assert [name for name, title in shown.items() if not title.startswith(METRICS[name].label)] == []
    assert set(re.findall(r'part=\\"(\w+)\\"', dashboard)) <= Reward.__dataclass_fields__.keys()
