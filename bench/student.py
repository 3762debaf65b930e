"""Cut and uncut student at equal training time, side by side on the benchmark, after a chain of the current profile.

Run: FORGE_PROFILE=cpu python bench/student.py
The cut student's results come from the store; the uncut one is trained here, with fewer steps for its larger size.

Run: FORGE_PROFILE=cpu python bench/student.py --references
The cut student alone, taught the reference answers alone: needs the sets (asset `warehouse`), no teacher.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from forge_assets.benchmark.statistics import summary
from forge_assets.benchmark.text_table import markdown_table
from forge_assets.datasets.roles import prompt_rows, training_rows
from forge_assets.distillation.student import equal_time_steps, student_job
from forge_assets.training.asset_support import drawn_sets, greedy, scored
from forge_assets.training.jobs.runner import JobRunner
from forge_assets.training.jobs.spec import CutJob, GenerateJob
from forge_assets.training.models.makers import MAKERS
from forge_assets.training.planning.model_shape import Shape
from forge_resources.forge import Forge
from forge_resources.launchers.base import run_directly
from forge_resources.presentation.markdown import markdown


def main() -> None:
    """Print the table and each student's training seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--references", action="store_true", help="the cut student on the reference answers alone")
    alone = parser.parse_args().references
    forge = Forge.from_environment(MAKERS)
    profile, sets = forge.profile, drawn_sets(forge)
    uncut = forge.models.ensure(profile.student.model)
    runner = JobRunner(forge.store, forge.environment, {uncut.digest: uncut.path}, run_directly)
    taught = {}
    if not alone:
        accepted = forge.store.read("distillation.teacher_responses").filter("accepted")
        taught = dict(accepted.select("sample_id", "response").iter_rows())
    dataset = runner.dataset(training_rows(sets, taught))
    prompts = runner.dataset(prompt_rows(sets, "benchmark"))
    texts = runner.dataset(training_rows(sets))
    cut = runner.run(CutJob(base=uncut.digest, texts=texts, remove=profile.student.cut_layers), "student cut")
    fewer = equal_time_steps(profile.student.steps, cut.record["parameters"], Shape.of(uncut.path).parameters)
    answers = {}
    students = [("cut", cut.identity, profile.student.steps), ("uncut", uncut.digest, fewer)]
    for name, base, steps in students[:1] if alone else students:
        done = runner.run(student_job(profile, base, dataset, steps), f"{name} student")
        print(f"{name}: {steps} steps in {done.record['train_seconds']} s")
        job = GenerateJob(base=done.identity, prompts=prompts, sampling=greedy(forge))
        answers[name] = runner.run(job, f"{name} student answers").answers()
    samples = sets.filter(pl.col("role") == "benchmark")
    _, scores = scored(forge, answers, samples)
    table = markdown_table(summary(scores, samples))
    Path("bench/results/student.md").write_text(table + "\n", "utf-8")
    print(table)
    asked = scores.join(samples.select("sample_id", "task_type", "variant"), on="sample_id")
    for kind in ("variant", "task_type"):
        shown = asked.filter(pl.col("metric").is_in(["composite", "citation_f1"])).pivot(
            on="metric", index=["model", kind], values="value", aggregate_function="mean"
        )
        counts = samples.group_by(kind).len("questions")
        print(markdown(shown.with_columns(pl.selectors.float().round(2)).join(counts, on=kind).sort("model", kind)))


if __name__ == "__main__":
    main()
