"""Choose the student and the responses it is trained on."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from forge_assets.training.base_models import citation_spec
from forge_assets.training.jobs.spec import Lora, SftJob
from forge_resources.config.profile import Profile
from forge_resources.storage.tables import TABLES

FAULTS = {
    "citation_f1": "citations are not those of the law engine",
    "structure": "a section is missing, empty or out of order",
    "level": "wrong level of duty",
    "fields": "a body, deadline, number or date is missing",
    "intake_exact": "what was read of the question is not what it says",
}
"""Metric that must be 1 where it is defined for a sample, to what is wrong where it is not, the gravest first."""


def filter_responses(answers: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Build `distillation.teacher_responses`: a response is accepted where it has none of the `FAULTS`.

    It must quote nothing that is not verbatim, either.

    Args:
        answers: model, sample_id, answer.
        scores: model, sample_id, metric, value.
    """
    wide = scores.pivot(on="metric", index="sample_id", values="value")
    wide = wide.with_columns(
        pl.lit(None, pl.Float64).alias(name) for name in (*FAULTS, "false_quotes") if name not in wide.columns
    )
    faults = pl.coalesce(
        *(pl.when(pl.col(name) < 1.0).then(pl.lit(why)) for name, why in FAULTS.items()),
        pl.when(pl.col("false_quotes") > 0.0).then(pl.lit("a quote is not verbatim")),
        pl.lit(""),
    )
    return (
        answers.rename({"answer": "response"})
        .join(wide, on="sample_id", maintain_order="left")
        .with_columns(faults.alias("why_not"))
        .with_columns((pl.col("why_not") == "").alias("accepted"))
        .select(pl.col(name).cast(dtype) for name, dtype in TABLES["distillation.teacher_responses"].schema.items())
    )


def student_job(profile: Profile, base: str, dataset: str, steps: int) -> SftJob:
    """Build the student's training job: full-parameter, or LoRA where the profile gives a rank."""
    student = profile.student
    lora = Lora(rank=student.lora_rank, alpha=2 * student.lora_rank) if student.lora_rank else None
    return SftJob(
        base=base,
        dataset=dataset,
        lora=lora,
        learning_rate=student.learning_rate,
        batch_size=student.batch_size,
        accumulation=student.accumulation,
        steps=steps,
        **citation_spec(profile),
        max_length=profile.max_length,
        **student.loading.spec,
        checkpoint_every=profile.checkpoint_every,
        seed=profile.seed,
    )


@dataclass(frozen=True)
class StudentChoice:
    """The student that was chosen and the sentence that says why."""

    cut: bool
    reason: str


def choose_student(keep_share: float, teacher: float, cut: float) -> StudentChoice:
    """Choose the cut student, unless it keeps less than `keep_share` of the teacher's composite.

    Args:
        teacher: the tuned teacher's mean composite on the choice set.
        cut: the tuned cut student's, on the same items.
    """
    share = cut / teacher if teacher else 1.0
    kept = f"the cut student keeps {share:.0%} of the tuned teacher's composite ({cut:.3f} of {teacher:.3f})"
    if share >= keep_share:
        return StudentChoice(True, f"Cut: {kept}, at least the {keep_share:.0%} asked for.")
    return StudentChoice(False, f"Uncut: {kept}, less than the {keep_share:.0%} asked for.")


def equal_time_steps(steps: int, cut_parameters: int, parameters: int) -> int:
    """Compute the steps of the uncut student that take about as long as the cut one's: time goes with parameters."""
    return max(1, round(steps * cut_parameters / parameters))
