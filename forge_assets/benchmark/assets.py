"""benchmark_report: four models answer the same questions; tables, intervals, plots and one HTML page."""

import platform
from typing import Any

import dagster as dg
import polars as pl

from forge_assets.benchmark.report import ReportInput, StudentChoice, render
from forge_assets.benchmark.statistics import summary
from forge_assets.benchmark.text_table import markdown_table
from forge_assets.catalog.snapshot import live_countries
from forge_assets.citations.law_index import law_index
from forge_assets.citations.parser import parse
from forge_assets.datasets.roles import prompt_rows
from forge_assets.search.figures.figure_set import pictures
from forge_assets.training.asset_support import drawn_sets, greedy, job_runner, scored
from forge_assets.training.jobs.runner import Finished
from forge_assets.training.jobs.spec import GenerateJob
from forge_resources.forge import Forge
from forge_resources.launchers.base import Launcher
from forge_resources.storage.store import atomic


@dg.asset(deps=["student_adapter", "teacher_adapter"], group_name="benchmark", kinds={"duckdb", "html"})
def benchmark_report(context: dg.AssetExecutionContext, forge: Forge, launcher: Launcher) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Untuned and tuned, student and teacher, side by side on the profile's benchmark."""
    runner, sets = job_runner(context, forge, launcher), drawn_sets(forge)
    samples = sets.filter(pl.col("role") == "benchmark")
    prompts = runner.dataset(prompt_rows(sets, "benchmark"))
    teacher, student = forge.recall("teacher_adapter"), forge.recall("student_adapter")
    models = {
        "student_untuned": student["untuned"],
        "teacher_untuned": teacher | {"base": forge.models.ensure(forge.profile.teacher.model).digest, "adapter": None},
        "teacher_tuned": teacher,
        "student_tuned": student["tuned"],
    }
    done = {
        name: runner.run(GenerateJob(**model, prompts=prompts, sampling=greedy(forge)), f"{name} benchmark answers")
        for name, model in models.items()
    }
    answers, scores = scored(forge, done, samples)
    forge.store.write("benchmark.answers", answers)
    forge.store.write("benchmark.scores", scores)
    forge.store.publish()
    page = forge.store.root / "report" / "index.html"
    with atomic(page) as draft:
        draft.write_text(render(_report(forge, samples, answers, scores)), "utf-8")
    table = summary(scores, samples)
    forge.remember("benchmark_report", {"fingerprint": forge.recall("warehouse")["fingerprint"], "page": str(page)})
    means = {
        f"{model} {metric}": round(value, 4)
        for model, metric, value in table.select("model", "metric", "mean").iter_rows()
        if metric in ("composite", "citation_f1")
    }
    return dg.MaterializeResult(
        metadata={
            "table": dg.MetadataValue.md(markdown_table(table)),
            "page": dg.MetadataValue.url(page.as_uri()),
            "student": student["reason"],
            **means,
        }
    )


def _report(forge: Forge, samples: pl.DataFrame, answers: pl.DataFrame, scores: pl.DataFrame) -> ReportInput:
    domain, countries = live_countries(forge)
    laws = law_index(domain, countries)
    student, store = forge.recall("student_adapter"), forge.store
    found, trials = forge.recall("search_results"), store.read("search.trials")
    jobs = store.read("ops.jobs").filter(pl.col("asked_at") >= forge.recall("warehouse")["at"]).sort("asked_at")
    compared = pl.DataFrame(
        [{"model": name, "composite on the choice set": value} for name, value in student["compared"].items()]
    )
    return ReportInput(
        scores=scores,
        samples=samples,
        answers=answers,
        trials=trials,
        search=pictures(
            trials,
            store.read("search.answers"),
            found["importances"],
            forge.profile.hardware.memory_gb * 1e9,
            found["chosen"],
            dict(drawn_sets(forge).select("sample_id", "scenario_id").iter_rows()),
        ),
        search_choice=found["sentence"],
        search_chosen=found["chosen"],
        jobs=jobs.select("title", "kind", "seconds", "peak_memory_bytes", "tokens_per_second", "steps", "attempts"),
        provisions=store.read("catalog.provisions"),
        losses=_losses(forge, jobs),
        choice=StudentChoice("cut" if student["cut"] else "uncut", student["reason"], compared),
        parse=lambda text, home: parse(text, laws, home),
        lineage={
            "profile": forge.profile.name,
            "chain fingerprint": forge.recall("warehouse")["fingerprint"],
            "student": student["tuned"],
            "teacher": forge.recall("teacher_adapter"),
            "framework versions": {c.framework.jurisdiction: c.version for c in countries},
            "search": found["study"],
            "dataset": found["dataset"],
        },
        machine=f"{platform.machine()}, Python {platform.python_version()}",
        title="Model Forge: benchmark",
    )


def _losses(forge: Forge, jobs: pl.DataFrame) -> pl.DataFrame:
    """model, step, loss of teacher and student."""
    rows: list[dict[str, Any]] = []
    for title, model in (
        ("teacher", "teacher_tuned"),
        ("student", "student_tuned"),
        ("student uncut", "student_tuned"),
    ):
        for identity in jobs.filter(pl.col("title") == title)["identity"]:
            done = Finished(identity, forge.store.artefact(identity) / "result", {})
            rows = [r for r in rows if r["model"] != model] + [{"model": model, **loss} for loss in done.losses()]
    return pl.DataFrame(rows, schema={"model": pl.String, "step": pl.Int64, "loss": pl.Float64})
