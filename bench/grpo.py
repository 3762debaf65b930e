"""GRPO from a tuned SmolLM2: mean parts of the reward before and after on held-out questions, and the verdict.

Run: FORGE_DATA=<folder of a finished `cpu` chain> python bench/grpo.py --steps 30
Without such a folder the sets are composed and the adapter is tuned here first, with the profile's teacher steps
(--tuning-steps). Both models answer greedily; the verdict is the one that a chain would give, on its choice set unless
--role names another.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import polars as pl

from forge_assets.citations.law_index import law_index
from forge_assets.citations.serialization import law_rows
from forge_assets.datasets.roles import draw_sets, prompt_rows, training_rows
from forge_assets.distillation.adoption import REINFORCED, TUNED, adopt
from forge_assets.distillation.reinforcement import policy_job, question_rows
from forge_assets.law.country import Country, country_files, read_country
from forge_assets.law.loading import load_domain
from forge_assets.law.model import Domain
from forge_assets.scenarios.composition.cross_border import compose_cross_border
from forge_assets.scenarios.composition.judged_cells import Volume
from forge_assets.scenarios.composition.single_country import LawLineage, compose_country
from forge_assets.scenarios.pack.files import load_pack
from forge_assets.scoring.reward import Reward, reward
from forge_assets.scoring.score import score_frame
from forge_assets.search.result import SearchResult
from forge_assets.search.study.jobs import teacher_job
from forge_assets.training.asset_support import drawn_sets, greedy
from forge_assets.training.jobs.model_ref import ModelRef
from forge_assets.training.jobs.runner import Finished, JobRunner
from forge_assets.training.jobs.spec import GenerateJob, SftJob
from forge_assets.training.models.makers import MAKERS
from forge_resources.config.chosen import pack_folder
from forge_resources.config.data_folder import PROJECT, data_folder
from forge_resources.config.model_registry import ModelLibrary
from forge_resources.config.profile import Grpo, Profile
from forge_resources.forge import Forge
from forge_resources.launchers.base import run_directly
from forge_resources.presentation.markdown import markdown
from forge_resources.storage.tables import TABLES

TUNING = {"learning_rate": 1e-3, "rank": 16.0, "alpha_ratio": 2.0}
"""What the adapter is tuned with where no search has chosen."""


def main() -> None:
    """Print the table and the verdict."""
    given = _arguments()
    finished = (data_folder() / "state" / "search_results.json").exists()
    data = data_folder() if finished else Path(given.work or tempfile.mkdtemp(prefix="grpo-"))
    profile_name = os.environ.get("FORGE_PROFILE", "cpu")
    forge = Forge(data=str(data), pack=str(pack_folder()), profile_name=profile_name, makers=asdict(MAKERS))
    profile = forge.profile
    # Weights are unpacked once, wherever the results go.
    library = ModelLibrary(PROJECT / ".forge" / "models", sorted(forge.pack_path.glob("**/*.yaml")), makers=MAKERS)
    base = (forge.models if finished else library).ensure(profile.teacher.model)
    runner = JobRunner(forge.store, forge.environment, {base.digest: base.path}, run_directly)
    domain, countries = _law(forge, profile)
    sets = drawn_sets(forge) if finished else _composed(forge, profile, domain, countries)
    tuning = _tuning(forge, profile, runner, sets, base.digest, finished, given.tuning_steps)
    tuned = runner.run(tuning, "teacher")
    wanted = Grpo(
        steps=given.steps,
        group=given.group,
        batch_size=given.batch,
        accumulation=given.answers // given.batch,
        learning_rate=given.learning_rate,
        temperature=given.temperature,
        beta=given.beta,
        max_new_tokens=given.max_new_tokens,
        questions=given.questions,
    )
    job = policy_job(
        profile,
        wanted,
        tuning,
        tuned.identity,
        questions=runner.dataset(question_rows(sets, wanted.questions)),
        laws=runner.dataset(law_rows(domain, countries, profile.jurisdictions)),
    )
    reinforced = runner.run(job, "teacher policy")
    record = reinforced.record
    print(
        f"{record['steps']} steps of {given.answers} answers in {record['train_seconds']} s, "
        f"{record['tokens_per_second']} tokens/s; mean reward of what was drawn {record['reward_first']:.3f} at first, "
        f"{record['reward_last']:.3f} at last"
    )
    samples = sets.filter(pl.col("role") == given.role).head(given.held_out)
    _compare(forge, runner, tuning, {TUNED: tuned, REINFORCED: reinforced}, samples, domain, countries)


def _compare(
    forge: Forge,
    runner: JobRunner,
    tuning: SftJob,
    models: dict[str, Finished],
    samples: pl.DataFrame,
    domain: Domain,
    countries: list[Country],
) -> None:
    prompts = runner.dataset(prompt_rows(samples, samples["role"][0]))
    rows: list[dict[str, Any]] = []
    for name, done in models.items():
        job = GenerateJob(**ModelRef.of_training(tuning, done.identity).spec, prompts=prompts, sampling=greedy(forge))
        rows += [{"model": name, **answer} for answer in runner.run(job, f"{name} teacher answers").answers()]
    answers, laws = pl.DataFrame(rows, schema=TABLES["benchmark.answers"].schema), law_index(domain, countries)
    by_id = {row["sample_id"]: row for row in samples.iter_rows(named=True)}
    parts = [
        {"model": row["model"], "total": found.total, **asdict(found)}
        for row in rows
        for found in (reward(row["answer"], by_id[row["sample_id"]], laws),)
    ]
    scores = score_frame(answers, samples, laws)
    means = pl.DataFrame(parts).group_by("model", maintain_order=True).mean()
    table = means.unpivot(index="model", variable_name="part").pivot(on="model", index="part", values="value")
    metrics = scores.group_by("metric", "model", maintain_order=True).agg(pl.col("value").mean())
    wide = metrics.pivot(on="model", index="metric", values="value")
    print(f"\nReward on {samples.height} held-out questions, role {samples['role'][0]}")
    assert table.height == len(fields(Reward)) + 1
    print(markdown(table.with_columns(pl.selectors.float().round(3))))
    print("\nScores")
    print(markdown(wide.with_columns(pl.selectors.float().round(3))))
    verdict = adopt(scores, samples)
    print(f"\nadopted: {verdict.adopted}. {verdict.reason}")


def _law(forge: Forge, profile: Profile) -> tuple[Domain, list[Country]]:
    domain = load_domain(forge.pack_path)
    found = [read_country(forge.pack_path, domain, path) for path in country_files(forge.pack_path).values()]
    wanted = [c for c in found if c.framework.members or c.framework.jurisdiction in (profile.jurisdictions or ())]
    return domain, wanted if profile.jurisdictions else found


def _composed(forge: Forge, profile: Profile, domain: Domain, countries: list[Country]) -> pl.DataFrame:
    """The sets as the chain draws them, of the profile's countries alone."""
    pack, law = load_pack(forge.pack_path, domain), LawLineage.of(countries)
    volume = Volume(profile.data.draws, profile.data.kept)
    asked = [c.framework.core() if profile.provisions == "core" else c.framework for c in countries]
    tables = [compose_country(domain, pack, framework, law, volume)[1] for framework in asked if not framework.members]
    tables.append(compose_cross_border(domain, pack, asked, law, volume)[1])
    live = [framework.jurisdiction for framework in asked if not framework.members]
    return draw_sets(pl.concat(tables), profile, live).sort("position")


def _tuning(
    forge: Forge, profile: Profile, runner: JobRunner, sets: pl.DataFrame, base: str, finished: bool, steps: int | None
) -> SftJob:
    """The chain's own teacher job, so that its result is taken from the store; else one with `TUNING`."""
    steps = steps or profile.teacher.steps
    if finished:
        found = forge.load(SearchResult).job
        return found.model_copy(update={"steps": steps, "probe": None})
    return teacher_job(profile, TUNING, base, runner.dataset(training_rows(sets)), steps, None)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--tuning-steps", type=int, help="of the adapter; default: the profile's teacher steps")
    parser.add_argument("--answers", type=int, default=16, help="drawn a step")
    parser.add_argument("--group", type=int, default=8, help="answers to one question")
    parser.add_argument("--batch", type=int, default=4, help="answers a backward pass")
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--beta", type=float, default=0.02)
    parser.add_argument("--max-new-tokens", type=int, default=128)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--role", default="choice", help="set of held-out questions: choice, validation, benchmark")
    parser.add_argument("--held-out", type=int, default=132, help="the most questions of that set")
    parser.add_argument("--work", help="where results go if there is no finished chain; default: a new folder")
    return parser.parse_args()


if __name__ == "__main__":
    main()
