"""Make a deployment of the tuned student: files, figures, checks, cards; jobs already in the store are not redone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from forge_assets.catalog.snapshot import live_countries
from forge_assets.datasets.fingerprint import WarehouseRecord
from forge_assets.datasets.roles import prompt_rows
from forge_assets.delivery.cards import card, datasheet
from forge_assets.delivery.deployment import Deployment, Deployments, FileSum, now
from forge_assets.delivery.gate import judge
from forge_assets.delivery.golden import golden_rows
from forge_assets.delivery.modelfile import modelfile
from forge_assets.delivery.ollama_template import begins_by_itself, ollama_template
from forge_assets.delivery.parity import PARITY_QUESTIONS, Parity, compare
from forge_assets.delivery.vllm import MERGED, launch_file
from forge_assets.distillation.records import Student, Teacher
from forge_assets.training.asset_support import drawn_sets, greedy, scored
from forge_assets.training.jobs.model_ref import ModelRef
from forge_assets.training.jobs.runner import Finished, JobRunner
from forge_assets.training.jobs.spec import GGUF_TYPES, GenerateJob, GgufAnswersJob, GgufJob, GgufType
from forge_resources.storage.file_sums import sha256
from forge_resources.storage.json_lines import read_json_lines

if TYPE_CHECKING:
    from forge_assets.law.country import Country
    from forge_assets.training.made_from import MadeFrom
    from forge_resources.config.profile import Profile
    from forge_resources.forge import Forge

SERVED: GgufType = "q8_0"
Rows = list[dict[str, Any]]


def deploy(forge: Forge, runner: JobRunner, student: Student, made_from: MadeFrom) -> Deployment:
    """Export, ask and judge the student, and keep it as a deployment; the pointer stays where it is."""
    profile, sets, deployments = forge.profile, drawn_sets(forge), Deployments.of(forge)
    domain, countries = live_countries(forge)
    samples, rows = sets.filter(pl.col("role") == "benchmark"), list[Any](prompt_rows(sets, "benchmark"))
    exported = _export(forge, runner, student, domain.domain, domain.system_prompt, rows)
    context = context_of(profile)
    parity = _parity(forge, runner, student, exported, rows, context)
    answered = {kind: _answers(forge, runner, exported, kind, rows, context) for kind in GGUF_TYPES if kind != "f16"}
    answers, scores = scored(forge, {kind: done.answers() for kind, done in answered.items()}, samples)
    known = forge.store.read("benchmark.scores").filter(pl.col("model").is_in(["student_tuned", "student_untuned"]))
    scores = pl.concat([known, scores])
    golden = (exported.record["golden"], exported.record["golden_same"])
    composite = scores.filter(pl.col("metric") == "composite")
    means = dict(composite.group_by("model").agg(pl.col("value").mean()).iter_rows())
    paths = {f"{domain.domain}.{kind}.gguf": exported.result / f"{kind}.gguf" for kind in GGUF_TYPES}
    files: dict[str, FileSum] = {
        kind: FileSum(name=name, sha256=sha256(path), bytes=path.stat().st_size)
        for kind, (name, path) in zip(GGUF_TYPES, paths.items(), strict=True)
    }
    example = _example(samples, answers, composite)
    warehouse, train = forge.load(WarehouseRecord), sets.filter(pl.col("role") == "train")
    taught = tuple(profile.jurisdictions or sorted(warehouse.versions))
    base = forge.models.ensure(profile.student.model)
    made = Deployment(
        digest=Deployment.identity(files, domain.system_prompt, context, profile.answers.max_new_tokens, taught),
        profile=profile.name,
        domain=domain.domain,
        base_model=base.name,
        licence=base.licence,
        student={"base": student.model.base, "adapter": student.model.adapter},
        files=files,
        served=SERVED,
        jurisdictions=taught,
        languages=tuple(sorted(train["language"].unique())),
        answer_languages=tuple(sorted(train["answer_language"].unique())),
        system=domain.system_prompt,
        context=context,
        max_new_tokens=profile.answers.max_new_tokens,
        scores={"transformers": means["student_tuned"], **{kind: means[kind] for kind in answered}},
        tokens_per_second={kind: done.record["generate_tokens_per_second"] for kind, done in answered.items()},
        composites=dict(composite.filter(pl.col("model") == SERVED).select("sample_id", "value").iter_rows()),
        checks=judge(golden, parity, scores, samples, SERVED, deployments.live()),
        question=example["prompt"],
        answer=example["answer"],
        laws={code: warehouse.versions[code] for code in taught if code in warehouse.versions},
        made_at=now(),
    )
    template = ollama_template(exported.result / MERGED, begins_by_itself(exported.result / "f16.gguf"))
    merged = {f"{MERGED}/{path.name}": path for path in sorted((exported.result / MERGED).iterdir())}
    texts = {
        "Modelfile": modelfile(made, tuple(exported.record["stops"]), template),
        "vllm.sh": launch_file(made, profile.hardware.count),
        "README.md": card(made, domain.title, scores, samples, answers),
        "datasheet.md": datasheet(
            made,
            {
                "teacher": _named(forge.load(Teacher).model),
                "student": _named(student.model),
                "fingerprint": made_from.fingerprint,
                "sets": made_from.sets,
            },
            _training(forge, student),
            _laws(countries, taught),
            sets,
            forge.store.read("distillation.teacher_responses").filter("accepted").height,
        ),
    }
    deployments.add(made, paths | merged, texts)
    return made


def context_of(profile: Profile) -> int:
    """Tokens that a question and its answer may have."""
    return -(-(profile.max_length + profile.answers.max_new_tokens) // 256) * 256


def gguf_job(model: ModelRef, published: str, golden: str, name: str) -> GgufJob:
    """Build the job that writes a model as GGUF files; an adapter is merged in float32, for 16 bits would lose it."""
    precision = "float32" if model.adapter else model.precision
    given = {"base": model.base, "adapter": model.adapter, "precision": precision}
    return GgufJob.model_validate({**given, "published": published, "golden": golden, "name": name})


def _export(forge: Forge, runner: JobRunner, student: Student, name: str, system: str, rows: Rows) -> Finished:
    golden = runner.dataset(golden_rows(system, [row["prompt"] for row in rows[:PARITY_QUESTIONS]]))
    published = forge.models.ensure(forge.profile.student.model).digest
    return runner.run(gguf_job(student.model, published, golden, name), "student as GGUF")


def _answers(forge: Forge, runner: JobRunner, exported: Finished, kind: GgufType, rows: Rows, context: int) -> Finished:
    job = GgufAnswersJob(
        gguf=exported.identity,
        file=kind,
        prompts=runner.dataset(rows),
        max_new_tokens=forge.profile.answers.max_new_tokens,
        context=context,
    )
    return runner.run(job, f"{kind} answers")


def _parity(forge: Forge, runner: JobRunner, student: Student, exported: Finished, rows: Rows, context: int) -> Parity:
    free = [row for row in rows if "schema" not in row][:PARITY_QUESTIONS]
    exact = ModelRef(base=student.model.base, adapter=student.model.adapter)
    job = GenerateJob(**exact.spec, prompts=runner.dataset(free), sampling=greedy(forge))
    wanted = runner.run(job, "student answers to compare")
    found = _answers(forge, runner, exported, "f16", free, context)
    tokens = {row["sample_id"]: row["tokens"] for row in read_json_lines(found.result / "ahead.jsonl")}
    said, shown = ({row["sample_id"]: row["answer"] for row in done.answers()} for done in (wanted, found))
    return compare(said, shown, tokens)


def _example(samples: pl.DataFrame, answers: pl.DataFrame, composite: pl.DataFrame) -> dict[str, str]:
    """A short question that the served type answers well."""
    good = (
        answers.filter(pl.col("model") == SERVED)
        .join(composite.filter(pl.col("model") == SERVED).select("sample_id", "value"), on="sample_id")
        .join(samples.unique("sample_id").select("sample_id", "prompt", "output_schema"), on="sample_id")
        .sort(pl.col("output_schema") != "", -pl.col("value"), pl.col("prompt").str.len_chars(), "sample_id")
    )
    return {name: str(good[name][0]) for name in ("prompt", "answer")}


def _named(model: ModelRef) -> str:
    adapter = f", adapter `{model.adapter}`" if model.adapter else ""
    held = "" if model.quantisation == "none" else f", held in {model.quantisation}"
    return f"weights `{model.base}`{adapter}, {model.precision}{held}"


def _training(forge: Forge, student: Student) -> dict[str, Any]:
    folder = forge.store.artefact(student.training)
    job, record = (json.loads((folder / name).read_text("utf-8")) for name in ("job.json", "record.json"))
    fields = ("steps", "learning_rate", "batch_size", "accumulation")
    return {name: job[name] for name in fields} | {"seconds": record["seconds"]}


def _laws(countries: Sequence[Country], taught: Sequence[str]) -> Rows:
    return [
        {
            "jurisdiction": country.framework.jurisdiction,
            "version": country.version,
            "name": f"{law.title} ({law.short})",
            "as_of": law.text_as_of,
            "status": law.text_status,
        }
        for country in countries
        if country.framework.jurisdiction in taught
        for law in country.framework.laws
    ]
