"""Render the benchmark report: one HTML file with its figures inside, without network access, printable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import jinja2
import polars as pl
from matplotlib.figure import Figure

from forge_assets.benchmark import html_tables, plots
from forge_assets.benchmark.comparison import STUDENT, Comparison, compare
from forge_assets.benchmark.examples import worked_examples
from forge_assets.benchmark.highlight import MEANING, Line, lines
from forge_assets.benchmark.metric_labels import Model, format_label, format_number, models_in_order
from forge_assets.benchmark.verdict import benchmark_verdict
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.law.citation_key import CitationKey
from forge_assets.scoring.metrics import METRICS, formula
from forge_resources.presentation.figures import Picture, data_uri


@dataclass(frozen=True)
class ShownStudent:
    """Which student was tuned and why; `candidates` holds one row a student that was considered."""

    chosen: str
    reason: str
    candidates: pl.DataFrame = field(default_factory=pl.DataFrame)


@dataclass(frozen=True)
class ReportInput:
    """What the page shows; `scores` and `samples` are needed, a part left empty leaves its section out."""

    scores: pl.DataFrame
    """model, sample_id, metric, value."""
    samples: pl.DataFrame
    """sample_id, scenario_id, jurisdictions, task_type, prompt, response, expected_citations, ..."""
    answers: pl.DataFrame = field(default_factory=pl.DataFrame)
    """model, sample_id, answer."""
    trials: pl.DataFrame = field(default_factory=pl.DataFrame)
    """As table `search.trials`."""
    search: Mapping[str, Picture] = field(default_factory=dict)
    """Pictures of the search in reading order, as `search.figures.figure_set.pictures` gives."""
    search_choice: str = ""
    """The trial that was decided for and how sure that is, in sentences."""
    search_chosen: int | None = None
    """That trial's number: its row is bold."""
    jobs: pl.DataFrame = field(default_factory=pl.DataFrame)
    """The first column names the job; then seconds, peak_memory_bytes (or _mb), tokens_per_second, ..."""
    provisions: pl.DataFrame = field(default_factory=pl.DataFrame)
    """jurisdiction, status, text_as_of."""
    losses: pl.DataFrame = field(default_factory=pl.DataFrame)
    """model, step, loss, optionally split."""
    choice: ShownStudent | None = None
    laws: LawIndex | None = None
    """What citations are judged by; without it answers are shown unmarked."""
    lineage: Mapping[str, object] = field(default_factory=dict)
    """Profile, digests, framework versions, code version: text, lists or mappings."""
    machine: str = ""
    title: str = "Benchmark"

    @cached_property
    def comparison(self) -> Comparison:
        """Every figure of the scores, computed when first asked for."""
        return compare(self.scores, self.samples)


@dataclass(frozen=True)
class ShownFigure:
    """A figure, what it says to who cannot see it, and the line under it."""

    uri: str
    alt: str
    caption: str


@dataclass(frozen=True)
class ShownSearch:
    """What was decided, the pictures of the search and every trial of it."""

    choice: str
    figures: tuple[ShownFigure, ...]
    trials: html_tables.HtmlTable | None


@dataclass(frozen=True)
class ShownAnswer:
    """One model's answer to a worked example with its scores."""

    model: Model
    lines: tuple[Line, ...]
    scores: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ShownExample:
    """A worked example: question, reference and every model's answer."""

    title: str
    facts: str
    prompt: str
    reference: tuple[Line, ...]
    answers: tuple[ShownAnswer, ...]


def render(report: ReportInput) -> str:
    """Render the page as HTML text; equal inputs give equal bytes.

    Raises:
        ValueError: models were not scored on the same samples.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        title=report.title,
        machine=report.machine,
        verdict=benchmark_verdict(report.comparison),
        choice=report.choice,
        candidates=_candidates(report.choice),
        **_results(report.comparison),
        search=_search(report),
        losses=_losses(report.losses),
        examples=_examples(report),
        composite=formula(),
        marks=MEANING if report.laws else {},
        jobs=None if report.jobs.is_empty() else html_tables.job_table(report.jobs),
        law=None if report.provisions.is_empty() else html_tables.law_table(report.provisions),
        lineage=html_tables.lineage_rows(report.lineage),
    )


def _results(found: Comparison) -> dict[str, object]:
    """Tables and figures of the scores; all empty where nothing was scored."""
    if found.means.is_empty():
        return {"results": None, "bars": None, "changes": None, "tasks": None, "places": None}
    changes = None
    if found.changes is not None:
        caption = "Student, tuned minus untuned, sample by sample. Bold: the interval leaves out 0."
        changes = html_tables.difference_table(found.changes, caption)
    caption = "Composite by {}, with 95% interval. Bold: best of the row."
    return {
        "results": html_tables.metric_table(found.means),
        "bars": _figure(
            plots.metric_bars(found.means),
            f"Bars of each metric by model. {_sentence(found.means)}",
            "Mean by model; the thin line is the 95% interval. ↓ less is better.",
        ),
        "changes": changes,
        "tasks": (
            _figure(
                plots.task_heatmap(found.tasks),
                "Composite by task and model, as in the table below.",
                "Composite; number of samples in brackets.",
            ),
            html_tables.group_table(found.tasks, "task_type", caption.format("task type")),
        ),
        "places": (
            _figure(
                plots.jurisdiction_dots(found.places),
                "Composite by jurisdiction and model, as in the table below.",
                "Composite with 95% interval; number of samples in brackets.",
            ),
            html_tables.group_table(found.places, "jurisdiction", caption.format("jurisdiction")),
        ),
    }


def _sentence(whole: pl.DataFrame) -> str:
    rows = whole.filter(pl.col("metric") == "composite")
    means = dict(rows.select("model", "mean").iter_rows())
    listed = ", ".join(f"{model.label} {format_number(means[model.name])}" for model in models_in_order(means))
    return f"Composite: {listed}." if listed else ""


def _candidates(choice: ShownStudent | None) -> html_tables.HtmlTable | None:
    if choice is None or choice.candidates.is_empty():
        return None
    return html_tables.frame_table(choice.candidates, "Students considered.")


def _search(report: ReportInput) -> ShownSearch | None:
    if report.trials.is_empty() and not report.search and not report.search_choice:
        return None
    figures = tuple(_figure(picture.figure, picture.alt, picture.caption) for picture in report.search.values())
    trials = None if report.trials.is_empty() else html_tables.trial_table(report.trials, report.search_chosen)
    return ShownSearch(report.search_choice, figures, trials)


def _losses(losses: pl.DataFrame) -> ShownFigure | None:
    if losses.is_empty():
        return None
    last = losses.sort("step").group_by("model", maintain_order=True).last()
    ends = {row["model"]: f"{row['loss']:.2f}" for row in last.iter_rows(named=True)}
    listed = ", ".join(f"{model.label} ends at {ends[model.name]}" for model in models_in_order(ends))
    alt = f"Loss by training step. {listed}."
    return _figure(plots.loss_curves(losses), alt, "Training loss; validation dashed.")


def _figure(figure: Figure, alt: str, caption: str) -> ShownFigure:
    return ShownFigure(data_uri(figure), alt, caption)


def _examples(report: ReportInput) -> tuple[ShownExample, ...]:
    """The worked examples whose answers we hold."""
    if report.answers.is_empty():
        return ()
    written = {(m, s): a for m, s, a in report.answers.select("model", "sample_id", "answer").iter_rows()}
    shown = []
    for example in worked_examples(report.scores, STUDENT):
        sample = report.samples.filter(pl.col("sample_id") == example.sample_id).row(0, named=True)
        mine = report.scores.filter(pl.col("sample_id") == example.sample_id)
        value = {(m, name): v for m, name, v in mine.select("model", "metric", "value").iter_rows()}
        texts = {m: text for (m, s), text in written.items() if s == example.sample_id}
        answers = tuple(
            ShownAnswer(model, _lines(report, sample, texts[model.name]), _chips(value, model))
            for model in models_in_order(texts)
        )
        title = f"{example.rank} answer of the tuned student: composite {format_number(example.value)}"
        facts = " · ".join([", ".join(sample["jurisdictions"]), format_label(sample["task_type"])])
        reference = _lines(report, sample, sample["response"])
        shown.append(ShownExample(title, facts, sample["prompt"], reference, answers))
    return tuple(shown)


def _chips(value: Mapping[tuple[str, str], float], model: Model) -> tuple[tuple[str, str], ...]:
    chips = {name: metric.label for name, metric in METRICS.items() if metric.chip}
    return tuple((chips[name], format_number(value[model.name, name])) for name in chips if (model.name, name) in value)


def _lines(report: ReportInput, sample: Mapping[str, list[str]], text: str) -> tuple[Line, ...]:
    places = sample["jurisdictions"]
    if report.laws is None:
        return lines(text, (), (), ())
    found = parse(text, report.laws, places[0] if len(places) == 1 else None)
    expected = [CitationKey.parse(key) for key in sample["expected_citations"]]
    return lines(text, found, expected, report.laws.at_home(places))
