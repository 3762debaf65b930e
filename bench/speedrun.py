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
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import torch

from bench.plain_questions import Judge
from forge_assets.catalog.snapshot import live_countries
from forge_assets.datasets.questions import load_questions
from forge_assets.datasets.roles import messages, prompt_rows, training_rows
from forge_assets.scoring.bootstrap import codes, difference_interval
from forge_assets.training.asset_support import drawn_sets, greedy, mean_score, scored
from forge_assets.training.base_models import citation_rows, guard_of
from forge_assets.training.jobs.runner import JobRunner
from forge_assets.training.jobs.spec import CutJob, GenerateJob, Precision, SftJob, TokensJob
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
    scheduler: str = "cosine"
    compute: Precision = "bfloat16" if multiplies_bfloat16() else "float32"


NOW = Lever(tokens=None, guard=False)
LEVERS = {
    "as before": NOW,
    "float32": replace(NOW, compute="float32"),
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


def main() -> None:
    """Run levers and print what they give."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("levers", nargs="*", default=["as before", "tokens and guard"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, help="instead of the profile's")
    parser.add_argument("--questions", type=int, default=1000, help="of the role extended, the first so many")
    given = parser.parse_args()
    forge = Forge.from_environment(MAKERS)
    profile, sets = forge.profile, drawn_sets(forge)
    base = forge.models.ensure(profile.student.model)
    runner = JobRunner(forge.store, forge.environment, {base.digest: base.path}, run_directly)
    domain, countries = live_countries(forge)
    asked = sets.filter(pl.col("role") == "extended").sort("position").head(given.questions)
    file = load_questions(pack_folder(), domain)
    written = [q for q in file.questions if set(q.jurisdictions) <= set(profile.jurisdictions or ())]
    judge = Judge(domain, countries, file.asked_on)
    guard = guard_of(domain, countries)
    found: dict[tuple[str, int], pl.DataFrame] = {}
    for name in given.levers:
        for seed in range(given.seeds):
            lever = LEVERS[name] if given.steps is None else replace(LEVERS[name], steps=given.steps)
            speed = matrix_speed()
            start = base.digest
            if lever.tokens is not None:
                rows = runner.dataset(citation_rows(sets.filter(pl.col("role") == "train"), countries))
                start = runner.run(
                    TokensJob(base=start, citations=rows, noise=lever.tokens, seed=profile.seed), "tokens"
                ).identity
            train = training_rows(sets)
            remove = profile.student.cut_layers if lever.cut is None else lever.cut
            if remove:
                texts = runner.dataset(train)
                start = runner.run(CutJob(base=start, texts=texts, remove=remove), "cut").identity
            job = SftJob(
                base=start,
                dataset=runner.dataset(train[: lever.rows]),
                lora=None,
                learning_rate=lever.learning_rate or profile.student.learning_rate,
                batch_size=lever.batch_size or profile.student.batch_size,
                steps=lever.steps or profile.student.steps,
                scheduler=lever.scheduler,  # type: ignore[arg-type]
                citation_weight=lever.weight,
                citation_rate=lever.rate,
                compute=lever.compute,
                max_length=profile.max_length,
                checkpoint_every=1000,
                seed=seed,
            )
            done = runner.run(job, f"{name}, seed {seed}")
            held: dict[str, Any] = {"guard": guard} if lever.guard and lever.tokens is not None else {}
            prompts = prompt_rows(asked.with_columns(pl.lit("extended").alias("role")), "extended")
            answer = GenerateJob(
                base=done.identity,
                compute=lever.compute,
                prompts=runner.dataset(prompts),
                sampling=greedy(forge),
                **held,
            )
            answered = runner.run(answer, f"{name}, seed {seed}, answers")
            _, scores = scored(forge, {"student": answered.answers()}, asked)
            found[name, seed] = scores
            plain_rows = [
                {
                    "sample_id": q.id,
                    "prompt": messages({"system": domain.system_prompt, "prompt": q.text}),
                    "countries": list(q.jurisdictions),
                }
                for q in written
            ]
            said = runner.run(answer.model_copy(update={"prompts": runner.dataset(plain_rows)}), "plain").answers()
            verdicts = [judge.verdict(q, text["answer"]) for q, text in zip(written, said, strict=True)]
            print(
                json.dumps(
                    {
                        "lever": name,
                        "seed": seed,
                        "gflops": round(speed),
                        "train_s": done.record["train_seconds"],
                        "tokens": done.record["tokens"],
                        "answers_s": answered.record["generate_seconds"],
                        "answer_tokens": answered.record["new_tokens"],
                        "loss": round(done.record["loss_last"], 4),
                        **{metric: round(mean_score(scores, "student", metric), 3) for metric in METRICS},
                        "plain country": _of(v.country for v in verdicts),
                        "plain f1": _of(v.f1 for v in verdicts),
                        "plain level": _of(v.level for v in verdicts),
                        "plain endless": _of(v.endless for v in verdicts),
                        "plain invented": _of(v.invented for v in verdicts),
                    }
                ),
                flush=True,
            )
    _print_differences(found, given.levers, given.seeds, dict(asked.select("sample_id", "scenario_id").iter_rows()))


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
