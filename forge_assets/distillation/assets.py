"""Define the assets of tuning and distillation: teacher_adapter, teacher_responses, student_base, student_adapter."""

from collections.abc import Mapping
from dataclasses import asdict

import dagster as dg
import polars as pl

from forge_assets.datasets.roles import prompt_rows, training_rows
from forge_assets.distillation.records import Student, StudentBase, Teacher, TeacherResponses
from forge_assets.distillation.reinforcement import reinforce
from forge_assets.distillation.student import choose_student, equal_time_steps, filter_responses, student_job
from forge_assets.search.result import SearchResult
from forge_assets.training.asset_support import (
    choice_loss,
    drawn_sets,
    greedy,
    job_runner,
    mean_score,
    plan_placement,
    scored,
)
from forge_assets.training.base_models import BaseModels
from forge_assets.training.jobs.model_ref import ModelRef
from forge_assets.training.jobs.runner import Finished, JobRunner
from forge_assets.training.jobs.spec import CODE_VERSION, CutJob, ExportJob, GenerateJob, Sampling
from forge_assets.training.made_from import made_with
from forge_assets.training.planning.model_shape import Shape
from forge_resources.forge import Forge
from forge_resources.launchers.base import Launcher
from forge_resources.storage.table_metadata import row_counts, table_metadata

RESPONSES = "distillation.teacher_responses"

GROUP = "distillation"
OWNERS = ["team:ml-engineering"]
TAGS = {"stage": "training"}


@dg.asset(
    deps=["search_results"],
    group_name=GROUP,
    kinds={"pytorch"},
    owners=OWNERS,
    tags=TAGS,
    code_version=str(CODE_VERSION),
)
def teacher_adapter(context: dg.AssetExecutionContext, forge: Forge, launcher: Launcher) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The teacher, tuned with the best configuration of the search, and reinforced where the profile asks for it.

    What is reinforced is adopted only where it is better than what is tuned, beyond noise.
    """
    runner, profile, found = job_runner(context, forge, launcher), forge.profile, forge.load(SearchResult)
    made_from = made_with(forge, found)
    base = forge.models.ensure(profile.teacher.model)
    # What the winning trial ran with, guard's changes included, for longer.
    trial = found.job
    done = runner.run(trial.model_copy(update={"steps": profile.teacher.steps, "probe": None}), "teacher")
    chosen, adoption = reinforce(forge, runner, trial, done)
    model = ModelRef.of_training(trial, chosen.identity)
    figures = {f"policy {name}": value for name, value in asdict(adoption).items() if value is not None}
    loss = choice_loss(forge, runner, model, trial.batch_size, "teacher loss")
    untuned = model.untrained(base.digest)
    forge.save(Teacher(made_from=made_from, jobs=runner.asked, model=model, untuned=untuned, training=done.identity))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(chosen.identity),
        metadata=_measured(done) | figures | {"licence": base.licence, "loss on the choice set": loss},
    )


@dg.asset(
    deps=["teacher_adapter"],
    metadata=table_metadata(RESPONSES),
    group_name=GROUP,
    kinds={"pytorch"},
    owners=OWNERS,
    tags=TAGS,
    code_version=str(CODE_VERSION),
)
def teacher_responses(context: dg.AssetExecutionContext, forge: Forge, launcher: Launcher) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The teacher's own answers to training prompts, sampled, scored, and accepted or not."""
    runner, profile, teacher = job_runner(context, forge, launcher), forge.profile, forge.load(Teacher)
    made_from, sets = made_with(forge, teacher), drawn_sets(forge)
    asked = sets.filter(pl.col("role") == "train").head(profile.data.responses)
    drawn = profile.answers
    job = GenerateJob(
        **teacher.model.spec,
        prompts=runner.dataset(prompt_rows(asked, "train")),
        sampling=Sampling(
            max_new_tokens=drawn.max_new_tokens,
            batch_size=drawn.batch_size,
            temperature=drawn.temperature,
            top_p=drawn.top_p,
            seed=profile.seed,
        ),
    )
    done = runner.run(job, "teacher responses")
    responses = filter_responses(*scored(forge, {"teacher": done.answers()}, asked))
    forge.store.write(RESPONSES, responses)
    forge.save(TeacherResponses(made_from=made_from, jobs=runner.asked))
    accepted = int(responses["accepted"].sum())
    return dg.MaterializeResult(
        data_version=dg.DataVersion(done.identity),
        metadata=_measured(done) | row_counts(RESPONSES, {RESPONSES: responses.height}) | {"accepted": accepted},
    )


@dg.asset(
    deps=["base_models", "teacher_adapter"],
    group_name=GROUP,
    kinds={"pytorch"},
    owners=OWNERS,
    tags=TAGS,
    code_version=str(CODE_VERSION),
)
def student_base(context: dg.AssetExecutionContext, forge: Forge, launcher: Launcher) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The model the student starts from: the profile's or the tuned teacher, without the layers that change least."""
    runner, student, bases = job_runner(context, forge, launcher), forge.profile.student, forge.load(BaseModels)
    if student.cut_from == "teacher":
        teacher = forge.load(Teacher)
        made_from, uncut = made_with(forge, teacher), _merged(runner, teacher.model)
    else:
        made_from, uncut = made_with(forge, bases), bases.models[student.model]
    licence = forge.models.ensure(student.model).licence
    if not student.cut_layers:
        forge.save(StudentBase(made_from=made_from, uncut=uncut, cut=None))
        return dg.MaterializeResult(data_version=dg.DataVersion(uncut), metadata={"licence": licence})
    done = runner.run(_cut_job(forge, runner, uncut), "student cut")
    forge.save(StudentBase(made_from=made_from, jobs=runner.asked, uncut=uncut, cut=done.identity))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(done.identity),
        metadata={
            "layers removed": dg.MetadataValue.json(done.record["removed"]),
            "parameters": done.record["parameters"],
            "licence": licence,
        },
    )


@dg.asset(
    deps=["teacher_responses", "student_base"],
    group_name=GROUP,
    kinds={"pytorch"},
    owners=OWNERS,
    tags=TAGS,
    code_version=str(CODE_VERSION),
)
def student_adapter(context: dg.AssetExecutionContext, forge: Forge, launcher: Launcher) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The student, taught the teacher's accepted answers, and verified references where it has none."""
    runner, profile, bases = job_runner(context, forge, launcher), plan_placement(forge), forge.load(StudentBase)
    teacher = forge.load(Teacher)
    made_from = made_with(forge, teacher, forge.load(TeacherResponses), bases)
    responses = forge.store.read(RESPONSES).filter("accepted")
    taught = dict(responses.select("sample_id", "response").iter_rows())
    dataset = runner.dataset(training_rows(drawn_sets(forge), taught))
    steps = profile.student.steps
    job = student_job(profile, bases.cut or bases.uncut, dataset, steps)
    done = runner.run(job, "student")
    reason, compared = "The profile's student is not cut.", {}
    if bases.cut:
        models = {"teacher": teacher.model, "student": ModelRef.of_training(job, done.identity)}
        compared = _composites(forge, runner, models)
        chosen = choose_student(profile.student.keep_share, compared["teacher"], compared["student"])
        reason = chosen.reason
        if not chosen.cut:
            small = runner.run(_cut_job(forge, runner, bases.uncut), "student cut").record["parameters"]
            whole = Shape.of(forge.models.ensure(profile.student.model).path).parameters
            job = student_job(profile, bases.uncut, dataset, equal_time_steps(steps, small, whole))
            done = runner.run(job, "student uncut")
    model = ModelRef.of_training(job, done.identity)
    loss = choice_loss(forge, runner, model, profile.student.batch_size, "student loss")
    forge.save(
        Student(
            made_from=made_from,
            jobs=runner.asked,
            model=model,
            untuned=model.untrained(_untuned(forge, job.base)),
            training=done.identity,
            cut=job.base == bases.cut,
            reason=reason,
            compared=compared,
        )
    )
    return dg.MaterializeResult(
        data_version=dg.DataVersion(done.identity),
        metadata=_measured(done)
        | {"choice": reason, "teacher answers taught": len(taught), "loss on the choice set": loss},
    )


def _cut_job(forge: Forge, runner: JobRunner, base: str) -> CutJob:
    texts = runner.dataset(training_rows(drawn_sets(forge)))
    return CutJob(base=base, texts=texts, remove=forge.profile.student.cut_layers)


def _untuned(forge: Forge, base: str) -> str:
    """What the student was before anybody taught it: the published model, where it starts from the tuned teacher."""
    student = forge.profile.student
    return base if student.cut_from == "model" else forge.models.ensure(student.model).digest


def _merged(runner: JobRunner, model: ModelRef) -> str:
    """Weights of a tuned model as one whole, as a digest."""
    if model.adapter is None:
        return model.base
    return runner.run(ExportJob(base=model.base, adapter=model.adapter), "teacher merged").identity


def _composites(forge: Forge, runner: JobRunner, models: Mapping[str, ModelRef]) -> dict[str, float]:
    """Mean composite of each model on the choice set."""
    sets = drawn_sets(forge)
    prompts = runner.dataset(prompt_rows(sets, "choice"))
    done = {
        name: runner.run(
            GenerateJob(**model.spec, prompts=prompts, sampling=greedy(forge)), f"{name} choice answers"
        ).answers()
        for name, model in models.items()
    }
    _, scores = scored(forge, done, sets.filter(pl.col("role") == "choice"))
    return {name: mean_score(scores, name) for name in models}


def _measured(done: Finished) -> dict[str, float | int | str]:
    """Figures of a job's record that a person looks for."""
    names = (
        "seconds",
        "attempts",
        "peak_rss_bytes",
        "tokens_per_second",
        "matrix_gflops",
        "loss_first",
        "loss_last",
        "steps",
        "tokens",
        "new_tokens",
        "rows_left_out",
    )
    return {name: done.record[name] for name in names if done.record.get(name) is not None}
