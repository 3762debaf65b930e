"""Define the asset `benchmark_report`: answers of four models to the same questions, scored, compared and reported."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import dagster as dg
import polars as pl

from forge_assets.benchmark.record import Report
from forge_assets.benchmark.report import ReportInput, ShownStudent, render
from forge_assets.benchmark.text_table import markdown_table
from forge_assets.catalog.snapshot import live_countries
from forge_assets.citations.law_index import law_index
from forge_assets.code_version import code_version
from forge_assets.datasets.fingerprint import WarehouseRecord
from forge_assets.datasets.roles import prompt_rows
from forge_assets.distillation.records import Student, StudentBase, Teacher, TeacherResponses
from forge_assets.scoring.metrics import METRICS
from forge_assets.search.figures.figure_set import pictures
from forge_assets.search.result import SearchResult
from forge_assets.training.asset_support import drawn_sets, greedy, job_runner, scored
from forge_assets.training.base_models import guard_of
from forge_assets.training.jobs.model_ref import ModelRef
from forge_assets.training.jobs.runner import JobRunner
from forge_assets.training.jobs.spec import GenerateJob, Guard
from forge_assets.training.made_from import ChainRecord, made_with
from forge_resources.forge import Forge
from forge_resources.launchers.base import Launcher
from forge_resources.storage.atomic import atomic
from forge_resources.storage.job_folder import finished
from forge_resources.storage.table_metadata import row_counts, table_metadata


@dataclass(frozen=True)
class Chain:
    """The records of what comes before the report."""

    search: SearchResult
    teacher: Teacher
    responses: TeacherResponses
    base: StudentBase
    student: Student

    @classmethod
    def load(cls, forge: Forge) -> Self:
        """Read the records.

        Raises:
            NotMaterialised: one of them is not there.
        """
        return cls(
            search=forge.load(SearchResult),
            teacher=forge.load(Teacher),
            responses=forge.load(TeacherResponses),
            base=forge.load(StudentBase),
            student=forge.load(Student),
        )

    @property
    def records(self) -> tuple[ChainRecord, ...]:
        """All of them, in the order of the chain."""
        return self.search, self.teacher, self.responses, self.base, self.student

    @property
    def jobs(self) -> list[str]:
        """Identities of all that ran for it."""
        return [identity for record in self.records for identity in record.jobs]


@dg.asset(
    deps=["student_adapter", "teacher_adapter"],
    group_name="benchmark",
    kinds={"duckdb", "html"},
    owners=["team:review"],
    tags={"stage": "report"},
    code_version=code_version("scoring", "benchmark"),
    metadata=table_metadata("benchmark.scores"),
)
def benchmark_report(context: dg.AssetExecutionContext, forge: Forge, launcher: Launcher) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Untuned and tuned, student and teacher, side by side on the profile's benchmark."""
    chain = Chain.load(forge)
    made_from = made_with(forge, *chain.records)
    runner, sets = job_runner(context, forge, launcher), drawn_sets(forge)
    samples = sets.filter(pl.col("role") == "benchmark")
    models = {
        "student_untuned": chain.student.untuned,
        "teacher_untuned": chain.teacher.untuned,
        "teacher_tuned": chain.teacher.model,
        "student_tuned": chain.student.model,
    }
    rows, given = prompt_rows(sets, "benchmark"), dict[str, list[dict[str, Any]]]()
    if forge.profile.citation_tokens:
        guard = guard_of(*live_countries(forge))
        given["student_guarded"] = _answers(forge, runner, chain.student.model, "student_guarded", rows, guard)
    for name, model in models.items():
        # Where the guard changed no token, the student answers the same without it.
        known = given.get("student_guarded", []) if name == "student_tuned" else []
        found = {row["sample_id"]: row for row in known if not row.get("held")}
        if left := [row for row in rows if row["sample_id"] not in found]:
            found |= {row["sample_id"]: row for row in _answers(forge, runner, model, name, left)}
        given[name] = [found[row["sample_id"]] for row in rows]
    answers, scores = scored(forge, given, samples)
    forge.store.write("benchmark.answers", answers)
    forge.store.write("benchmark.scores", scores)
    forge.store.publish()
    report, page = _report(forge, chain, runner, samples, answers, scores), forge.store.root / "report" / "index.html"
    with atomic(page) as draft:
        draft.write_text(render(report), "utf-8")
    table = report.comparison.means
    forge.save(Report(made_from=made_from, jobs=runner.asked, page=str(page)))
    means = {
        f"{model} {metric}": round(value, 4)
        for model, metric, value in table.select("model", "metric", "mean").iter_rows()
        if METRICS[metric].headline
    }
    return dg.MaterializeResult(
        metadata=row_counts(
            "benchmark.scores", {"benchmark.answers": answers.height, "benchmark.scores": scores.height}
        )
        | {
            "table": dg.MetadataValue.md(markdown_table(table)),
            "page": dg.MetadataValue.url(page.as_uri()),
            "student": chain.student.reason,
            **means,
        }
    )


def _answers(
    forge: Forge,
    runner: JobRunner,
    model: ModelRef,
    name: str,
    rows: list[dict[str, object]],
    guard: Guard | None = None,
) -> list[dict[str, Any]]:
    """What a model answers, greedily."""
    job = GenerateJob(**model.spec, prompts=runner.dataset(rows), sampling=greedy(forge), guard=guard)
    return runner.run(job, f"{name} benchmark answers").answers()


def _machine(forge: Forge, training: str) -> str:
    """What it ran on, with what makes its times comparable: the matrix products that a training measured."""
    record = finished(forge.store.artefact(training)) or {}
    speed = f", {gflops:.0f} GFLOP/s of float32 matrix products" if (gflops := record.get("matrix_gflops")) else ""
    return f"{platform.machine()}, Python {platform.python_version()}{speed}"


def _report(
    forge: Forge, chain: Chain, runner: JobRunner, samples: pl.DataFrame, answers: pl.DataFrame, scores: pl.DataFrame
) -> ReportInput:
    domain, countries = live_countries(forge)
    found, student, store, warehouse = chain.search, chain.student, forge.store, forge.load(WarehouseRecord)
    law = {country.framework.jurisdiction: country.version for country in countries}
    newer = [code for code, version in warehouse.versions.items() if law.get(code) != version]
    trials = store.read("search.trials")
    jobs = store.read("ops.jobs").filter(pl.col("identity").is_in([*chain.jobs, *runner.asked])).sort("asked_at")
    compared = pl.DataFrame(
        [{"model": name, "composite on the choice set": value} for name, value in student.compared.items()]
    )
    return ReportInput(
        scores=scores,
        samples=samples,
        answers=answers,
        trials=trials,
        search=pictures(
            trials,
            store.read("search.answers"),
            found.importances,
            forge.profile.hardware.memory_gb * 1e9,
            found.chosen,
            dict(drawn_sets(forge).select("sample_id", "scenario_id").iter_rows()),
        ),
        search_choice=found.sentence,
        search_chosen=found.chosen,
        jobs=jobs.select("title", "kind", "seconds", "peak_memory_bytes", "tokens_per_second", "steps", "attempts"),
        provisions=store.read("catalog.provisions"),
        losses=_losses(runner, {"teacher_tuned": chain.teacher.training, "student_tuned": student.training}),
        choice=ShownStudent("cut" if student.cut else "uncut", student.reason, compared),
        laws=law_index(domain, countries),
        lineage={
            "profile": forge.profile.name,
            "chain fingerprint": student.made_from.fingerprint,
            "student": student.model.spec,
            "teacher": chain.teacher.model.spec,
            "framework versions": warehouse.versions,
            **({"citations judged by newer law of": newer} if newer else {}),
            "search": found.study,
            "dataset": found.dataset,
        },
        machine=_machine(forge, student.training),
        title="Model Forge: benchmark",
    )


def _losses(runner: JobRunner, trainings: Mapping[str, str]) -> pl.DataFrame:
    """model, step, loss of models that were trained.

    Args:
        trainings: model to the identity of its training.
    """
    rows = [
        {"model": model, "step": step["step"], "loss": step["loss"]}
        for model, identity in trainings.items()
        for step in runner.steps(identity)
    ]
    return pl.DataFrame(rows, schema={"model": pl.String, "step": pl.Int64, "loss": pl.Float64})
