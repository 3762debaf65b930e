"""Which levers make a student learn more in the same time: one line each, kept or dropped with its interval.

    FORGE_PROFILE=cpu python bench/speedrun.py LEVER...

After the sets of the profile are drawn (`forge run` up to the warehouse). Each lever trains the cut student of the
profile on reference answers, for each seed, and answers the role `extended` and the questions written without a look at
the grammar (`benchmark/questions.yaml` of the pack). Jobs lie in the store: what was done before is taken from it.
Prints a line of JSON for each lever and seed, and a table with differences to the first lever, paired by sample.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl
import torch

from bench.plain_questions import Judge
from forge_assets.catalog.snapshot import live_countries
from forge_assets.datasets.questions import Question, load_questions
from forge_assets.datasets.roles import messages, prompt_rows, training_rows
from forge_assets.law.country import Country
from forge_assets.scoring.bootstrap import codes, difference_interval
from forge_assets.training.asset_support import drawn_sets, greedy, mean_score, scored
from forge_assets.training.base_models import citation_rows, guard_of, vocabulary_rows
from forge_assets.training.jobs.runner import Finished, JobRunner
from forge_assets.training.jobs.spec import CutJob, GenerateJob, Guard, Precision, SftJob, TokensJob, VocabularyJob
from forge_assets.training.models.makers import MAKERS
from forge_resources.config.chosen import pack_folder
from forge_resources.config.hardware import multiplies_bfloat16
from forge_resources.forge import Forge
from forge_resources.launchers.base import run_directly

METRICS = ("composite", "citation_f1", "fabricated_rate", "wrong_country_rate", "level", "repeats")


@dataclass(frozen=True)
class Lever:
    """What a run does otherwise than the profile.

    Attributes:
        tokens: noise of the citation tokens; None: none.
        guard: whether answers are held to them.
        weight: what the loss of a citation token counts.
        cut: layers removed.
        rows: training samples, the first of the set, taken as often as the steps need.
        trimmed: whether the vocabulary is the profile's smaller one.
    """

    tokens: float | None = 1.0
    guard: bool = True
    weight: float = 1.0
    rate: float = 1.0
    cut: int | None = None
    steps: int | None = None
    rows: int | None = None
    learning_rate: float | None = None
    batch_size: int | None = None
    scheduler: Literal["constant", "linear", "cosine"] = "cosine"
    trimmed: bool = True
    compute: Precision = "bfloat16" if multiplies_bfloat16() else "float32"


NOW = Lever(tokens=None, guard=False)
LEVERS = {
    "as before": NOW,
    "float32": replace(NOW, compute="float32"),
    "published vocabulary": replace(NOW, trimmed=False),
    "uncut": replace(NOW, cut=0),
    "tokens": Lever(guard=False),
    "tokens and guard": Lever(),
    "tokens at the mean": Lever(tokens=0.0),
    "half the noise": Lever(tokens=0.5),
    "rate 10": Lever(rate=10.0),
    "rate 30": Lever(rate=30.0),
    "rate 10, at the mean": Lever(rate=10.0, tokens=0.0),
    "rate 10, half the noise": Lever(rate=10.0, tokens=0.5),
    "weight 3": Lever(weight=3.0),
    "weight 5": Lever(weight=5.0),
    "15 layers": replace(NOW, cut=15),
    "12 layers": replace(NOW, cut=18),
    "24 layers": replace(NOW, cut=6),
    "rate 1e-3": replace(NOW, learning_rate=1e-3),
    "rate 3e-4": replace(NOW, learning_rate=3e-4),
    "batch 2": replace(NOW, batch_size=2),
    "batch 2, rate 1e-3": replace(NOW, batch_size=2, learning_rate=1e-3),
    "batch 8": replace(NOW, batch_size=8),
    "half the rows twice": replace(NOW, rows=450),
    "constant rate": replace(NOW, scheduler="constant"),
}


def matrix_speed() -> float:
    """Measure this machine's matrix products, float32: GFLOP/s."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    a @ b
    started = time.perf_counter()
    for _ in range(20):
        a @ b
    return 20 * 2 * 1024**3 / (time.perf_counter() - started) / 1e9


@dataclass(frozen=True)
class Track:
    """What every lever runs on: the drawn sets, the questions that are asked, and the jobs that do it."""

    forge: Forge
    runner: JobRunner
    base: str
    sets: pl.DataFrame
    asked: pl.DataFrame
    written: Sequence[Question]
    judge: Judge
    countries: Sequence[Country]
    guard: Guard
    system: str

    @classmethod
    def open(cls, questions: int) -> Track:
        """Read the sets of the profile; the first `questions` of the role `extended` are asked."""
        forge = Forge.from_environment(MAKERS)
        base, sets = forge.models.ensure(forge.profile.student.model), drawn_sets(forge)
        runner = JobRunner(forge.store, forge.environment, {base.digest: base.path}, run_directly)
        domain, countries = live_countries(forge)
        file = load_questions(pack_folder(), domain)
        return cls(
            forge=forge,
            runner=runner,
            base=base.digest,
            sets=sets,
            asked=sets.filter(pl.col("role") == "extended").sort("position").head(questions),
            written=[q for q in file.questions if set(q.jurisdictions) <= set(forge.profile.jurisdictions or ())],
            judge=Judge(domain, countries, file.asked_on),
            countries=countries,
            guard=guard_of(domain, countries),
            system=domain.system_prompt,
        )

    def start(self, lever: Lever) -> str:
        """Make the model that training starts from: fewer tokens, citation tokens, fewer layers."""
        taught, start = self.sets.filter(pl.col("role") == "train"), self.base
        if lever.trimmed and self.forge.profile.vocabulary:
            words = self.runner.dataset(vocabulary_rows(taught))
            merges = self.forge.profile.vocabulary.merges
            start = self.runner.run(VocabularyJob(base=start, words=words, merges=merges), "vocabulary").identity
        if lever.tokens is not None:
            rows = self.runner.dataset(citation_rows(taught, self.countries))
            job = TokensJob(base=start, citations=rows, noise=lever.tokens, seed=self.forge.profile.seed)
            start = self.runner.run(job, "tokens").identity
        remove = self.forge.profile.student.cut_layers if lever.cut is None else lever.cut
        if remove:
            texts = self.runner.dataset(training_rows(self.sets))
            start = self.runner.run(CutJob(base=start, texts=texts, remove=remove), "cut").identity
        return start

    def train(self, name: str, lever: Lever, steps: int | None, seed: int) -> Finished:
        """Train on reference answers alone."""
        student = self.forge.profile.student
        job = SftJob(
            base=self.start(lever),
            dataset=self.runner.dataset(training_rows(self.sets)[: lever.rows]),
            lora=None,
            learning_rate=lever.learning_rate or student.learning_rate,
            batch_size=lever.batch_size or student.batch_size,
            steps=steps or lever.steps or student.steps,
            scheduler=lever.scheduler,
            citation_weight=lever.weight,
            citation_rate=lever.rate,
            compute=lever.compute,
            max_length=self.forge.profile.max_length,
            checkpoint_every=1000,
            seed=seed,
        )
        return self.runner.run(job, f"{name}, seed {seed}")

    def ask(self, name: str, lever: Lever, trained: Finished) -> tuple[pl.DataFrame, dict[str, float]]:
        """Ask both sets of questions.

        Returns:
            Scores of `extended` as `scored` gives them, and what is printed of both.
        """
        prompts = prompt_rows(self.asked.with_columns(pl.lit("extended").alias("role")), "extended")
        job = GenerateJob(
            base=trained.identity,
            compute=lever.compute,
            prompts=self.runner.dataset(prompts),
            sampling=greedy(self.forge),
            guard=self.guard if lever.guard and lever.tokens is not None else None,
        )
        answered = self.runner.run(job, f"{name}, answers")
        _, scores = scored(self.forge, {"student": answered.answers()}, self.asked)
        plain = [
            {
                "sample_id": q.id,
                "prompt": messages({"system": self.system, "prompt": q.text}),
                "countries": list(q.jurisdictions),
            }
            for q in self.written
        ]
        said = self.runner.run(
            job.model_copy(update={"prompts": self.runner.dataset(plain)}), f"{name}, plain"
        ).answers()
        verdicts = [self.judge.verdict(q, text["answer"]) for q, text in zip(self.written, said, strict=True)]
        return scores, {
            "answers_s": answered.record["generate_seconds"],
            "answer_tokens": answered.record["new_tokens"],
            **{metric: round(mean_score(scores, "student", metric), 3) for metric in METRICS},
            "plain country": _of(v.country for v in verdicts),
            "plain f1": _of(v.f1 for v in verdicts),
            "plain level": _of(v.level for v in verdicts),
            "plain endless": _of(v.endless for v in verdicts),
            "plain invented": _of(v.invented for v in verdicts),
        }


def main() -> None:
    """Run levers and print what they give."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("levers", nargs="*", default=["as before", "tokens and guard"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, help="instead of the profile's")
    parser.add_argument("--questions", type=int, default=1000, help="of the role extended, the first so many")
    given = parser.parse_args()
    track = Track.open(given.questions)
    found: dict[tuple[str, int], pl.DataFrame] = {}
    for name in given.levers:
        for seed in range(given.seeds):
            speed = matrix_speed()
            done = track.train(name, LEVERS[name], given.steps, seed)
            found[name, seed], figures = track.ask(f"{name}, seed {seed}", LEVERS[name], done)
            trained = {
                "lever": name,
                "seed": seed,
                "gflops": round(speed),
                "train_s": done.record["train_seconds"],
                "tokens": done.record["tokens"],
                "loss": round(done.record["loss_last"], 4),
            }
            print(json.dumps(trained | figures), flush=True)
    _print_differences(
        found, given.levers, given.seeds, dict(track.asked.select("sample_id", "scenario_id").iter_rows())
    )


def _of(values: Any) -> float:
    given = [value for value in values if value is not None]
    return round(sum(given) / len(given), 3)


def _print_differences(
    found: dict[tuple[str, int], pl.DataFrame], levers: list[str], seeds: int, scenarios: dict[str, str]
) -> None:
    """Print each lever's citation F1 less the first one's, mean of the seeds, with its paired 95% interval."""
    means = {name: _by_sample([found[name, seed] for seed in range(seeds)]) for name in levers}
    first = means[levers[0]]
    for name in levers[1:]:
        both = first.join(means[name], on="sample_id", suffix="_other").sort("sample_id")
        paired = (both["value_other"] - both["value"]).to_numpy()[:, None]
        cluster = codes([scenarios[sample] for sample in both["sample_id"]])
        low, high = (float(end[0]) for end in difference_interval(paired, cluster))
        print(
            f"{name}: citation F1 {paired.mean():+.3f} [{low:+.3f}, {high:+.3f}] of {both.height} against {levers[0]}"
        )


def _by_sample(parts: list[pl.DataFrame]) -> pl.DataFrame:
    rows = pl.concat(parts).filter(pl.col("metric") == "citation_f1")
    return rows.group_by("sample_id").agg(pl.col("value").mean())


if __name__ == "__main__":
    main()
