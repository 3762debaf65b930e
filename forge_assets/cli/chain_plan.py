"""The jobs of a profile's chain, as `forge plan` shows them; nothing is downloaded or loaded."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from forge_assets.delivery.making import context_of, gguf_job
from forge_assets.delivery.parity import PARITY_QUESTIONS
from forge_assets.distillation.reinforcement import policy_job
from forge_assets.distillation.student import student_job
from forge_assets.search.study.jobs import largest, teacher_job
from forge_assets.training.jobs.model_ref import ModelRef
from forge_assets.training.jobs.spec import (
    CUT_TEXTS,
    GGUF_TYPES,
    EvaluateJob,
    GenerateJob,
    GgufAnswersJob,
    GgufType,
    Sampling,
)
from forge_assets.training.planning.memory import PROMPT
from forge_assets.training.planning.model_shape import Shape
from forge_assets.training.planning.placement import ANY, DoesNotFit, resolve_loading
from forge_assets.training.planning.plan_table import JobPlan, plan, table
from forge_resources.config.model_registry import ModelLibrary
from forge_resources.config.profile import Loading, Profile
from forge_resources.presentation.text_table import TextTable


def planned(profile: Profile, models: ModelLibrary) -> tuple[TextTable, bool]:
    """The plan of a profile, and whether everything fits.

    Raises:
        UnknownShape: a model of a family that cannot be planned.
        ModelError: a model that is neither here nor described in the registry.
    """
    lines = plan(chain(profile, models), profile.hardware)
    return table(profile.name, profile.hardware, lines), not any(line.refused for line in lines)


def chain(profile: Profile, models: ModelLibrary) -> list[JobPlan]:
    """Every job that `forge run` starts, in order; trials with the largest values of their space."""
    teacher = Shape.parse(models.config(profile.teacher.model))
    student = Shape.parse(models.config(profile.student.model))
    uncut, student = student, replace(student, layers=student.layers - profile.student.cut_layers)
    with suppress(DoesNotFit):  # the plan says so, job by job
        profile = resolve_loading(profile, teacher, student)
    data, cut, race = profile.data, profile.student.cut_layers, profile.search.race
    trial = teacher_job(profile, largest(profile), ANY, ANY, profile.search.steps)
    taught = (teacher, profile.teacher.loading)
    learnt = (student, profile.student.loading)
    policy = []
    if wanted := profile.teacher.grpo:
        job = policy_job(profile, wanted, trial, ANY, questions=ANY, laws=ANY)
        policy = [
            JobPlan("teacher policy", job, *taught, adapter=trial.lora),
            _answers("both teachers' choice answers", profile, *taught, data.choice, times=2),
        ]
    plans = [
        JobPlan("search trial", trial, *taught, times=profile.search.trials),
        _answers("trial answers", profile, *taught, data.validation, times=profile.search.trials),
        _answers("race answers", profile, *taught, race.items, times=min(race.candidates, profile.search.trials)),
        _answers("confirming answers", profile, *taught, race.confirm),
        JobPlan("teacher", trial.model_copy(update={"steps": profile.teacher.steps}), *taught),
        *policy,
        _loss("teacher loss", profile, *taught, trial.batch_size),
        _answers("teacher responses", profile, *taught, data.responses),
    ]
    learning = JobPlan("student", student_job(profile, ANY, ANY, profile.student.steps), *learnt)
    if not cut:
        plans += [learning]
    else:
        # Which layers go is measured as a loss is, in fp32, one row at a time.
        measured = EvaluateJob(base=ANY, dataset=ANY, batch_size=1, max_length=profile.max_length)
        plans += [
            JobPlan("student cut", measured, uncut, Loading(), prompts=CUT_TEXTS),
            learning,
            _answers("teacher choice answers", profile, *taught, data.choice),
            _answers("student choice answers", profile, *learnt, data.choice),
        ]
    tuned = ModelRef.of_training(student_job(profile, ANY, ANY, profile.student.steps), ANY)
    exported = gguf_job(tuned, ANY, ANY, profile.name)
    return [
        *plans,
        _loss("student loss", profile, *learnt, profile.student.batch_size),
        _answers("teacher benchmark answers", profile, *taught, data.benchmark, times=2),
        _answers("student benchmark answers", profile, *learnt, data.benchmark, times=2),
        JobPlan("student as GGUF", exported, *learnt),
        _answers("student answers to compare", profile, student, Loading(), PARITY_QUESTIONS),
        _gguf_answers("f16", profile, student, PARITY_QUESTIONS),
        *(_gguf_answers(kind, profile, student, data.benchmark) for kind in GGUF_TYPES if kind != "f16"),
    ]


def _gguf_answers(kind: GgufType, profile: Profile, shape: Shape, prompts: int) -> JobPlan:
    new = profile.answers.max_new_tokens
    job = GgufAnswersJob(gguf=ANY, file=kind, prompts=ANY, max_new_tokens=new, context=context_of(profile))
    prompt = min(PROMPT, profile.max_length // 2)
    return JobPlan(f"{kind} answers", job, shape, Loading(), prompts=prompts, prompt=prompt)


def _loss(title: str, profile: Profile, shape: Shape, loading: Loading, batch_size: int) -> JobPlan:
    spec = loading.spec
    job = EvaluateJob(
        base=ANY,
        dataset=ANY,
        batch_size=batch_size,
        max_length=profile.max_length,
        precision=spec["precision"],
        quantisation=spec["quantisation"],
    )
    return JobPlan(title, job, shape, loading, prompts=profile.data.choice)


def _answers(title: str, profile: Profile, shape: Shape, loading: Loading, prompts: int, times: int = 1) -> JobPlan:
    sampling = Sampling(max_new_tokens=profile.answers.max_new_tokens, batch_size=profile.answers.batch_size)
    spec = loading.spec
    job = GenerateJob(
        base=ANY, prompts=ANY, sampling=sampling, precision=spec["precision"], quantisation=spec["quantisation"]
    )
    # A row is a prompt and its answer.
    prompt = min(PROMPT, profile.max_length // 2)
    return JobPlan(title, job, shape, loading, times=times, prompts=prompts, prompt=prompt)
