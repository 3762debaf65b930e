"""The page: whole, self-contained, readable with any part missing, and safe with any answer."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from forge_assets.benchmark import statistics
from forge_assets.benchmark.highlight import MEANING
from forge_assets.benchmark.report import ReportInput, render
from forge_assets.scoring.bootstrap import Floats

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """What a reader of the page meets; fails on tags that do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[str] = []
        self.marks: set[str | None] = set()
        """Of citations in answers; those of the legend carry no title."""
        self.text = ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "mark" and "title" in dict(attrs):
            self.marks.add(dict(attrs)["class"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1] in ("h2", "h3"):
            self.headings.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def html(full_report: ReportInput) -> str:
    return render(full_report)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_outcome_comes_first(page: Page) -> None:
    body = page.text[page.text.index("Benchmark · Model Forge", 100) :]
    assert body.index("Tuning raised the student") < body.index("The student is") < body.index("side by side")


def test_every_part_of_a_full_report_is_there(page: Page) -> None:
    assert page.headings == [
        "The models side by side",
        "What tuning changed",
        "By task",
        "By jurisdiction",
        "Worked answers",
        "Best answer of the tuned student: composite 0.98",
        "Median answer of the tuned student: composite 0.83",
        "Worst answer of the tuned student: composite 0.47",
        "Search and training",
        "What it cost",
        "The law behind it",
        "Lineage",
    ]


def test_the_page_asks_the_network_for_nothing(page: Page, html: str) -> None:
    addresses = [a[k] or "" for _, a in page.tags for k in ("src", "href", "action", "data", "srcset") if k in a]
    assert addresses
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert not {"script", "link", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    assert "@import" not in html
    assert "url(" not in html


def test_every_link_leads_to_a_section(page: Page) -> None:
    targets = {attrs["id"] for attrs in page.of("section")}
    assert {(attrs["href"] or "").removeprefix("#") for attrs in page.of("a")} == targets


def test_figures_and_tables_speak_to_who_cannot_see_them(page: Page) -> None:
    assert all(len(attrs["alt"] or "") > 20 for attrs in page.of("img"))
    assert len(page.of("img")) == 5
    assert len(page.of("caption")) == len(page.of("table"))
    assert all(attrs.get("scope") in ("row", "col") for attrs in page.of("th"))


def test_the_choice_of_the_search_stands_before_its_pictures(page: Page, html: str) -> None:
    assert "Trial 8 was chosen: 0.62 (95% 0.53 to 0.71)" in page.text
    assert html.index("played no part in choosing it") < html.index("Score of 9 trials") < html.index("Every trial")


def test_citations_are_marked_by_what_they_are(page: Page) -> None:
    assert page.marks == {"required", "fabricated", "unheld"}
    legend = [attrs["class"] for attrs in page.of("mark") if "title" not in attrs]
    assert legend == list(MEANING)


def test_the_worst_answer_is_shown_with_every_models_attempt(page: Page, full_report: ReportInput) -> None:
    worst = page.text[page.text.index("Worst answer") : page.text.index("Students considered")]
    labels = ["Reference", "Teacher, tuned", "Student, tuned", "Student, untuned", "Teacher, untuned"]
    assert sorted(labels, key=worst.index) == labels


def test_markup_in_an_answer_stays_text(full_report: ReportInput) -> None:
    hostile = full_report.answers.with_columns(answer=pl.lit("<script>alert(1)</script></div><img src=//evil>"))
    html = render(dataclasses.replace(full_report, answers=hostile, title="<b>x</b>"))
    page = Page(html)
    assert "<script>alert(1)</script>" in page.text
    assert "script" not in {tag for tag, _ in page.tags}
    assert len(page.of("img")) == 5


def test_scores_alone_make_a_page_without_empty_sections(scores: pl.DataFrame, samples: pl.DataFrame) -> None:
    page = Page(render(ReportInput(scores=scores, samples=samples)))
    assert page.headings == ["The models side by side", "What tuning changed", "By task", "By jurisdiction"]
    assert {(a["href"] or "") for a in page.of("a")} == {"#models", "#tasks", "#jurisdictions"}


@pytest.fixture(scope="module")
def unscored(full_report: ReportInput) -> ReportInput:
    return dataclasses.replace(full_report, scores=full_report.scores.clear(), samples=full_report.samples.clear())


def test_a_run_that_scored_nothing_still_reports_what_it_did(unscored: ReportInput) -> None:
    page = Page(render(unscored))
    assert "No tuned student was benchmarked" in page.text
    assert page.headings == ["Search and training", "What it cost", "The law behind it", "Lineage"]


@pytest.mark.parametrize(
    ("parts", "heading"),
    [
        (("trials", "search", "search_choice", "losses", "choice"), "Search and training"),
        (("jobs",), "What it cost"),
        (("provisions",), "The law behind it"),
        (("lineage",), "Lineage"),
    ],
)
def test_a_missing_part_takes_its_section_with_it(unscored: ReportInput, parts: tuple[str, ...], heading: str) -> None:
    bare = ReportInput(unscored.scores, unscored.samples)
    gone = {part: getattr(bare, part) for part in parts}
    before, after = (
        Page(render(unscored)).headings,
        Page(render(dataclasses.replace(unscored, **gone))).headings,
    )
    assert [h for h in before if h not in after] == [heading]


def test_without_law_answers_are_shown_unmarked(full_report: ReportInput) -> None:
    page = Page(render(dataclasses.replace(full_report, laws=None)))
    assert "Worst answer of the tuned student: composite 0.47" in page.headings
    assert page.marks == set()


def test_the_whole_benchmark_is_resampled_once_for_each_kind_of_figure(
    full_report: ReportInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[str] = Counter()
    for name in ("mean_interval", "difference_interval", "resampled_means"):
        resample = getattr(statistics, name)

        def counted(values: Floats, cluster: Any, name: str = name, resample: Any = resample) -> Any:
            asked[name] += len(values) == full_report.samples.height
            return resample(values, cluster)

        monkeypatch.setattr(statistics, name, counted)
    report = dataclasses.replace(full_report)
    render(report)
    assert not report.comparison.means.is_empty()
    assert asked == {"mean_interval": 1, "difference_interval": 1, "resampled_means": 1}


def test_a_fresh_process_writes_the_same_bytes(html: str) -> None:
    here = Path(__file__).parent
    code = (
        "import hashlib, conftest; from forge_assets.benchmark.report import render;"
        "print(hashlib.sha256(render(conftest.make_report()).encode()).hexdigest())"
    )
    path = os.pathsep.join([str(here), str(here.parents[1])])
    environment = os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": "77"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.strip() == hashlib.sha256(html.encode()).hexdigest()
