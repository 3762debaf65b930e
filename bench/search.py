"""Our search against Optuna's samplers on seeded surrogate surfaces: same surfaces, same noise, same memory cliff.

    python -m bench.search --surfaces 200 --save FILE

Every result is kept in FILE as a line; the same command goes on where it was stopped. Prints tables in Markdown.

As shipped, a peer runs what it proposes: above the envelope a trial fails, and the choice is `study.best_trial` with
its own score. Ours guards, learns from peaks, races four candidates on 66 further items and reports the winner's score
on 44 more. To tell these apart, peers are also given our race, and our guard and our race (20 trials). In brackets:
false downgrades that change what is learned; the others split a batch or recompute activations.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import optuna
import polars as pl

from bench.cliff import SHAPE, Memory, job_of
from bench.surfaces import ITEMS, SPACE, Surface
from forge_assets.search.guard.calibration import Measured, calibrate
from forge_assets.search.guard.guard import guard
from forge_assets.search.optimizer.registry import sampler
from forge_assets.search.optimizer.strategy import posterior
from forge_assets.search.optimizer.three_phase import ThreePhaseSampler, observations
from forge_assets.search.selection.race import Race, select_candidates
from forge_assets.search.selection.verdict import race_verdict
from forge_assets.search.space.parameters import Config
from forge_assets.search.study.jobs import applied_config
from forge_assets.search.study.standard_error import paired_error
from forge_assets.training.jobs.spec import SftJob
from forge_assets.training.planning.memory import predict
from forge_assets.training.planning.memory_overhead import CPU
from forge_assets.training.planning.placement import DoesNotFit
from forge_resources.storage.tables import TABLES

PEERS = ("tpe", "gp", "cmaes", "random")
OURS = {"ours": "three-phase", "ours, no prior": "plain"}
"""Ours, and ours without knowing that learning rate, alpha and batch act together (`SearchSpace.step`)."""
PREFIXED = ("tpe", "cmaes", "random")
BUDGETS = (20, 50)
RACE_ITEMS, CONFIRM_ITEMS, CANDIDATES = 66, 44, 4
UNTRAINED = 0.08
"""Quality of a search without any trial that ran."""


@dataclass
class Run:
    """A search that is over, trial by trial; None is a trial that failed."""

    qualities: list[float | None] = field(default_factory=list)
    scores: list[float | None] = field(default_factory=list)
    configs: list[Config] = field(default_factory=list)
    over: int = 0
    false: int = 0
    harmful: int = 0
    seconds: float = 0.0


def search(surface: Surface, memory: Memory, name: str, trials: int, *, guarded: bool) -> tuple[Run, optuna.Study]:
    """Run a search."""
    run, peaks, answered = Run(), [], []  # type: ignore[var-annotated]

    def allowed(config: Config) -> tuple[SftJob, Config]:
        job = job_of(config)
        if not guarded:
            return job, config
        try:
            found = guard(job, SHAPE, CPU, memory.envelope, calibrate(peaks))
        except DoesNotFit:
            return job, config
        return found.job, applied_config(config, found.interventions)

    known: dict[int, Any] = {}

    def applied_for(config: Config) -> Config:
        if known.get(-1) != len(peaks):
            known.clear()
            known[-1] = len(peaks)
        key = hash(tuple(SPACE.stored(config).values()))
        if key not in known:
            known[key] = allowed(config)[1]
        return known[key]  # type: ignore[no-any-return]

    drawn_by = (
        ThreePhaseSampler(replace(SPACE, step={}), trials, surface.seed, applied_for)
        if name == "plain"
        else sampler(name, SPACE, trials, surface.seed, applied_for)
    )
    study = optuna.create_study(direction="maximize", sampler=drawn_by)
    for number in range(trials):
        began = time.perf_counter()
        trial = study.ask()
        config = SPACE.suggest(trial)
        run.seconds += time.perf_counter() - began
        job, ran = allowed(config)
        peak = memory.peak(job, number)
        needless = job != job_of(config) and memory.peak(job_of(config), number) <= memory.envelope
        run.false += needless
        run.harmful += needless and ran != config
        run.configs.append(ran)
        trial.set_user_attr("ran", SPACE.stored(ran))
        if peak > memory.envelope:
            run.over += 1
            if guarded:
                peaks.append(Measured(predict(job, SHAPE, CPU), memory.envelope))
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            run.qualities.append(None)
            run.scores.append(None)
            continue
        peaks.append(Measured(predict(job, SHAPE, CPU), peak))
        answers = surface.answers(ran, number)
        named = {str(i): float(value) for i, value in enumerate(answers)}
        if (error := paired_error(answered, named)) is not None:
            trial.set_user_attr("standard_error", error)
        answered.append(named)
        study.tell(trial, float(answers.mean()))
        run.qualities.append(surface.quality(ran))
        run.scores.append(float(answers.mean()))
    return run, study


@dataclass(frozen=True)
class Chosen:
    """Quality of the chosen configuration, and the score that is reported of it."""

    quality: float
    reported: float


def by_score(run: Run, trials: int) -> Chosen:
    """As `study.best_trial`."""
    scores = [(-score, i) for i, score in enumerate(run.scores[:trials]) if score is not None]
    if not scores:
        return Chosen(UNTRAINED, UNTRAINED)
    best = min(scores)[1]
    return Chosen(run.qualities[best] or 0.0, run.scores[best] or 0.0)


def raced(surface: Surface, run: Run, expected: dict[int, float]) -> Chosen:
    """As the project's search: race, and a score from items that chose nothing."""
    if not expected:
        return Chosen(UNTRAINED, UNTRAINED)
    items = [f"r{i:03}" for i in range(RACE_ITEMS)]
    race = Race(tuple(select_candidates(expected, CANDIDATES)), tuple(items), tuple(items))
    rows: list[dict[str, Any]] = []

    def ask(trial: int, stage: str, start: int, names: list[str]) -> None:
        values = surface.answers(run.configs[trial], trial, start, len(names))
        rows.extend(
            {"trial": trial, "stage": stage, "sample_id": name, "composite": float(value)}
            for name, value in zip(names, values, strict=True)
        )

    def table() -> pl.DataFrame:
        return pl.DataFrame(rows, schema=TABLES["search.answers"].schema)

    while (todo := race.next_round(table())) is not None:
        for trial in todo[0]:
            ask(trial, "race", ITEMS + items.index(todo[1][0]), todo[1])
    winner = race.winner(table())
    confirm = [f"c{i:03}" for i in range(CONFIRM_ITEMS)]
    ask(winner, "confirm", ITEMS + RACE_ITEMS, confirm)
    samples = pl.DataFrame({"sample_id": [*items, *confirm], "scenario_id": [*items, *confirm]})
    return Chosen(run.qualities[winner] or 0.0, race_verdict(table(), samples).score.value)


def work(unit: tuple[int, str, int]) -> list[dict[str, Any]]:
    """Results of one search on one surface, as lines."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    seed, name, budget = unit
    surface, memory = Surface(seed), Memory(seed)
    guarded = name in OURS or name.endswith("+guard")
    kind = OURS.get(name, name.removesuffix("+guard"))
    run, study = search(surface, memory, kind, budget, guarded=guarded)
    lines = []
    for trials in BUDGETS if name in PREFIXED else [budget]:
        scored = {i: score for i, score in enumerate(run.scores[:trials]) if score is not None}
        ways: dict[str, Chosen] = {"best score": by_score(run, trials)}
        if name in OURS:
            history = observations(study.get_trials(deepcopy=False), SPACE, study.direction)
            space = replace(SPACE, step={}) if kind == "plain" else SPACE
            means = dict(enumerate(float(mean) for mean in posterior(space, history)))
            means = {i: mean for i, mean in means.items() if i in scored}
            best = max(means, key=lambda i: means[i])
            ways["expected best"] = Chosen(run.qualities[best] or 0.0, means[best])
            ways["race"] = raced(surface, run, means)
        else:
            ways["race"] = raced(surface, run, scored)
        tried = max((quality for quality in run.qualities[:trials] if quality is not None), default=UNTRAINED)
        for way, chosen in ways.items():
            lines.append(
                {
                    "unit": list(unit),
                    "surface": seed,
                    "name": name,
                    "trials": trials,
                    "choice": way,
                    "regret": surface.best - chosen.quality,
                    "overstated": chosen.reported - chosen.quality,
                    "tried": surface.best - tried,
                    "over": sum(quality is None for quality in run.qualities[:trials]),
                    "false": run.false,
                    "harmful": run.harmful,
                    "seconds": run.seconds / budget,
                }
            )
    return lines


def units(surfaces: range, names: list[str], budgets: list[int]) -> Iterator[tuple[int, str, int]]:
    """What is to be run: surface, name, trials. Where the budget changes nothing, 20 trials are the first of 50."""
    for seed in surfaces:
        for name in names:
            if name in PREFIXED:
                yield seed, name, BUDGETS[-1]
            elif name in ("ours", "gp"):
                yield from ((seed, name, budget) for budget in budgets)
            elif BUDGETS[0] in budgets:
                yield seed, name, BUDGETS[0]


def report(lines: pl.DataFrame) -> None:
    """Print a table for each budget."""
    for trials in BUDGETS:
        mine = lines.filter(pl.col("trials") == trials)
        ours = mine.filter((pl.col("name") == "ours") & (pl.col("choice") == "race")).select("surface", ours="regret")
        groups = mine.join(ours, on="surface", how="left").group_by("name", "choice", maintain_order=True)
        rows = groups.agg(
            pl.len().alias("surfaces"),
            pl.col("regret").mean(),
            (pl.col("regret").std() / pl.len().sqrt()).fill_null(math.inf).alias("error"),
            (pl.col("ours").mean() / pl.col("regret").filter(pl.col("ours").is_not_null()).mean()).alias("ratio"),
            (pl.col("regret") - pl.col("ours")).mean().alias("behind"),
            ((pl.col("regret") - pl.col("ours")).std() / pl.len().sqrt()).alias("behind_error"),
            pl.col("overstated").mean(),
            (pl.col("overstated").std() / pl.len().sqrt()).fill_null(math.inf).alias("over_error"),
            pl.col("tried").mean(),
            pl.col("over").sum(),
            (pl.col("false").sum() / (pl.len() * trials)).alias("false"),
            (pl.col("harmful").sum() / (pl.len() * trials)).alias("harmful"),
            pl.col("seconds").mean(),
        )
        print(f"\n### {trials} trials, {ours.height} surfaces\n")
        print("| search | choice | surfaces | regret, points | ours / it | behind ours | overstated, points ", end="")
        print("| best tried | out of memory | false downgrades | s a proposal |")
        print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
        for row in rows.sort("name", "choice").iter_rows(named=True):
            ratio = f"{row['ratio']:.2f}" if row["ratio"] is not None else "-"
            behind = f"{100 * row['behind']:+.2f} ± {100 * (row['behind_error'] or 0):.2f}" if row["behind"] else "-"
            guarded = row["name"] in OURS or row["name"].endswith("+guard")
            false = f"{row['false']:.1%} ({row['harmful']:.1%})" if guarded else "-"
            print(
                f"| {row['name']} | {row['choice']} | {row['surfaces']} "
                f"| {100 * row['regret']:.2f} ± {100 * row['error']:.2f} | {ratio} | {behind} "
                f"| {100 * row['overstated']:+.2f} ± {100 * row['over_error']:.2f} | {100 * row['tried']:.2f} "
                f"| {row['over']} of {row['surfaces'] * trials} | {false} "
                f"| {row['seconds']:.3f} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--surfaces", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="seed of the first surface; 1000 and up are for tuning")
    parser.add_argument("--names", nargs="+", default=[*OURS, *PEERS, *(f"{peer}+guard" for peer in PEERS)])
    parser.add_argument("--trials", type=int, nargs="+", default=list(BUDGETS), choices=BUDGETS)
    parser.add_argument("--save", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    kept = [json.loads(line) for line in given.save.read_text("utf-8").splitlines()] if given.save.exists() else []
    done = {tuple(line["unit"]) for line in kept}
    surfaces = range(given.first, given.first + given.surfaces)
    todo = [unit for unit in units(surfaces, given.names, given.trials) if unit not in done]
    with given.save.open("a", encoding="utf-8") as file, multiprocessing.Pool(given.processes) as pool:
        for found in pool.imap_unordered(work, todo):
            kept += found
            file.write("".join(json.dumps(line) + "\n" for line in found))
            file.flush()
    lines = [{name: value for name, value in line.items() if name != "unit"} for line in kept]
    report(pl.DataFrame(lines, infer_schema_length=None).with_columns(pl.col("harmful").cast(pl.Int64)))


if __name__ == "__main__":
    main()
