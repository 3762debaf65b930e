"""A whole search over a trainer that answers by a formula: everything else is real, from the study to the choice."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import polars as pl
import pytest

from forge_assets.scoring.metrics import METRICS
from forge_assets.search.selection.choice import NoTrialFinished, choose_trial
from forge_assets.search.study.context import StudyContext
from forge_assets.search.study.jobs import space_of
from forge_assets.search.study.loop import run_trials, study_of
from forge_assets.search.study.progress import Progress, progress
from forge_assets.search.study.record import answers_table, trials_table
from forge_assets.training.jobs.runner import Finished, JobRunner
from forge_assets.training.jobs.spec import Probe, Sampling
from forge_assets.training.planning.memory import predict
from forge_assets.training.planning.memory_overhead import CPU
from forge_resources.config.profile import Profile, load_profile
from forge_resources.forge import Forge
from forge_resources.launchers.base import JobFailed
from forge_resources.processes.cause import Cause
from forge_resources.storage.job_folder import write_record
from forge_resources.storage.tables import TABLES
from tests.helpers import shape_of, tiered

BASE = "b" * 64
SHAPE = shape_of("smollm2-135m-instruct")
ROLES = {"validation": 20, "race": 24, "confirm": 40}
SPACE: dict[str, Any] = {"learning_rate": (0.0005, 0.001, 0.002, 0.004), "rank": (8.0, 16.0, 32.0)}
TRIALS = 8


def _quality(spec: dict[str, Any]) -> float:
    away = math.log10(spec["learning_rate"] / 0.0015)
    return float(0.8 - away**2 + 0.02 * math.log2(spec["lora"]["rank"] / 16))


class Trainer:
    """Does jobs in no time: a loss curve, and answers that say how good their model is.

    Args:
        fails: told a training's spec, what it dies of; None: it does not.
        peak: what a training takes, as a multiple of its prediction.
    """

    def __init__(self, fails: Callable[[dict[str, Any]], Cause | None] = lambda spec: None, peak: float = 1.0) -> None:
        self.fails, self.peak = fails, peak
        self.trained: list[dict[str, Any]] = []
        self.stopped: set[Path] = set()

    def __call__(self, folder: Path) -> dict[str, Any]:
        spec = json.loads((folder / "job.json").read_text("utf-8"))
        paths = json.loads((folder / "launch.json").read_text("utf-8"))["paths"]
        if spec["kind"] == "sft":
            if cause := self.fails(spec):
                raise JobFailed(f"job a died: {cause}", cause)
            self.trained.append(spec)
            quality, prompts, steps = _quality(spec), spec["probe"]["prompts"], spec["steps"]
            lines = [
                {"step": step, "loss": 3 - 2 * quality + 1 / step, "step_seconds": 1.0, "data_seconds": 0.0}
                for step in range(1, steps + 1)
            ]
            (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        else:
            tuned = json.loads((Path(paths[spec["adapter"]]).parent / "job.json").read_text("utf-8"))
            quality, prompts = _quality(tuned), spec["prompts"]
        asked = [json.loads(line)["sample_id"] for line in Path(paths[prompts]).read_text("utf-8").splitlines()]
        (folder / "result").mkdir()
        answers = [{"sample_id": name, "answer": f"{quality}"} for name in asked]
        (folder / "result" / "answers.jsonl").write_text(
            "".join(json.dumps(one) + "\n" for one in answers), encoding="utf-8"
        )
        record = {"kind": spec["kind"], "identity": folder.name, "seconds": 1.0, "attempts": 1}
        record["peak_rss_bytes"] = self._bytes(folder) if spec["kind"] == "sft" else 1
        return write_record(folder, record)

    def _bytes(self, folder: Path) -> int:
        from forge_assets.training.jobs.spec import SftJob, parse_job

        job = parse_job((folder / "job.json").read_text("utf-8"))
        assert isinstance(job, SftJob)
        return round(predict(job, SHAPE, CPU).peak * self.peak)


class Scored(StudyContext):
    """Scores answers by what they say, with luck that each sample has of its own."""

    def scores(self, done: Finished, samples: pl.DataFrame) -> pl.DataFrame:
        rows = []
        for answer in done.answers():
            luck = np.random.default_rng(int.from_bytes(answer["sample_id"].encode(), "big")).normal(0, 0.1)
            value = float(np.clip(float(answer["answer"]) + luck, 0, 1))
            rows += [{"sample_id": answer["sample_id"], "metric": metric, "value": value} for metric in METRICS]
        return pl.DataFrame(rows)


def _profile(**search: Any) -> Profile:
    profile = load_profile("cpu")
    given = {"trials": TRIALS, "steps": 6, "space": SPACE, "pruning": None} | search
    settings = profile.search.model_copy(update=given)
    adapted = profile.teacher.model_copy(update={"lora": True})
    return profile.model_copy(update={"search": settings, "teacher": adapted})


def _study_context(folder: Path, trainer: Trainer, profile: Profile) -> StudyContext:
    sets = pl.DataFrame(
        [
            {"role": role, "sample_id": f"{role}{i}", "scenario_id": f"{role}{i}", "system": "s", "prompt": "p"}
            for role, size in ROLES.items()
            for i in range(size)
        ]
    ).with_row_index("position")
    forge = Forge(data=str(folder), pack=str(folder), profile_name="cpu")
    base = folder / "base"
    base.mkdir(parents=True, exist_ok=True)
    runner = JobRunner(forge.store, "e" * 64, {BASE: base}, trainer, trainer.stopped.add)
    probe = Probe(prompts=runner.dataset(sets.filter(pl.col("role") == "validation").select("sample_id").to_dicts()),
                  sampling=Sampling(max_new_tokens=8, batch_size=20))  # fmt: skip
    dataset = runner.dataset([{"sample_id": "taught"}])
    return Scored(forge, runner, profile, space_of(profile), sets, BASE, dataset, probe, SHAPE, CPU)


def _run(context: StudyContext) -> list[optuna.trial.FrozenTrial]:
    run_trials(context, lambda study, number: None, lambda: None)
    return study_of(context).get_trials(deepcopy=False)


def _table(context: StudyContext, trials: list[optuna.trial.FrozenTrial]) -> pl.DataFrame:
    return trials_table(context.name, trials, context.space)


@dataclass(frozen=True)
class Searched:
    """A search that is over."""

    trainer: Trainer
    context: StudyContext
    trials: list[optuna.trial.FrozenTrial]
    progress: list[Progress]
    table: pl.DataFrame


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    trainer, seen = Trainer(), []
    context = _study_context(tmp_path_factory.mktemp("searched"), trainer, _profile())
    run_trials(context, lambda study, number: seen.append(progress(study, number, TRIALS, 1)), lambda: None)
    trials = study_of(context).get_trials()
    return Searched(trainer, context, trials, seen, _table(context, trials))


def test_every_trial_is_recorded_with_what_it_asked_ran_scored_and_took(searched: Searched) -> None:
    context, trials, table = searched.context, searched.trials, searched.table
    assert table.schema == TABLES["search.trials"].schema
    assert table["status"].to_list() == ["finished"] * TRIALS
    assert table["phase"].to_list() == ["explore"] * 3 + ["exploit"] * 3 + ["refine"] * 2
    assert all(len(losses) == 6 for losses in table["losses"])
    for row in table.iter_rows(named=True):
        assert json.loads(row["ran"]).keys() == SPACE.keys()
        assert row["job"] == context.runner.identity(context.job(json.loads(row["ran"])))
        assert 0 < row["measured_bytes"] <= row["predicted_bytes"]
    answers = answers_table(trials)
    assert answers.group_by("trial").len()["len"].to_list() == [20] * TRIALS
    means = answers.group_by("trial").agg(pl.col("composite").mean()).sort("trial")["composite"]
    assert means.to_list() == pytest.approx(table["score"].to_list())


def test_a_search_that_is_over_trains_nothing_again(searched: Searched) -> None:
    count = len(searched.trainer.trained)
    again = _study_context(Path(searched.context.forge.data), searched.trainer, _profile())
    assert _table(again, _run(again)).equals(searched.table)
    assert len(searched.trainer.trained) == count


@pytest.mark.parametrize(("cause", "status"), [(Cause.DIVERGED, "diverged"), (Cause.OUT_OF_MEMORY, "failed")])
def test_what_a_configuration_dies_of_is_a_result_and_the_search_goes_on(
    tmp_path: Path, cause: Cause, status: str
) -> None:
    trainer = Trainer(fails=lambda spec: cause if spec["learning_rate"] > 0.003 else None)
    context = _study_context(tmp_path, trainer, _profile())
    trials = _run(context)
    table = _table(context, trials)
    dead = table.filter(pl.col("status") != "finished")
    assert 0 < dead.height < TRIALS
    assert set(dead["status"]) == {status}
    assert all(said.startswith("job a") for said in dead["why"])
    assert dead["score"].null_count() == dead.height
    winner = choose_trial(context, trials).verdict.winner
    assert table.row(winner, named=True)["status"] == "finished"


@pytest.mark.parametrize("cause", tiered(sorted(set(Cause) - {Cause.DIVERGED, Cause.OUT_OF_MEMORY})))
def test_what_no_configuration_can_help_ends_the_search_and_spends_no_trial(tmp_path: Path, cause: Cause) -> None:
    """Mended, it goes on with the same trial and chooses what an undisturbed search chooses."""
    broken = [cause]
    trainer = Trainer(fails=lambda spec: broken[0] if broken and len(trainer.trained) == 2 else None)
    context = _study_context(tmp_path / "disturbed", trainer, _profile(trials=4))
    for _ in range(2):  # a second try in the same broken environment changes nothing
        with pytest.raises(JobFailed, match=f"job a died: {cause}"):
            _run(context)
    [left] = [trial for trial in study_of(context).get_trials() if not trial.state.is_finished()]
    broken.clear()
    trials = _run(context)
    assert trials[left.number].params == left.params
    assert _table(context, trials)["status"].to_list() == ["finished"] * 4
    whole = _study_context(tmp_path / "undisturbed", Trainer(), _profile(trials=4))
    undisturbed = _run(whole)
    assert [trial.params for trial in trials] == [trial.params for trial in undisturbed]
    assert choose_trial(context, trials).verdict.winner == choose_trial(whole, undisturbed).verdict.winner


def test_when_nothing_finished_the_error_says_where_to_look_and_what_to_do(tmp_path: Path) -> None:
    context = _study_context(tmp_path, Trainer(fails=lambda spec: Cause.OUT_OF_MEMORY), _profile(trials=3))
    trials = _run(context)
    with pytest.raises(NoTrialFinished, match="none of 3 trials finished: search.trials says in `why`") as caught:
        choose_trial(context, trials)
    assert context.name in str(caught.value)


def test_the_choice_is_raced_and_reported_on_samples_that_chose_nothing(searched: Searched) -> None:
    context, trials, table = searched.context, searched.trials, searched.table
    choice = choose_trial(context, trials)
    qualities = [_quality(context.job(json.loads(ran)).model_dump(mode="json")) for ran in table["ran"]]
    assert qualities[choice.verdict.winner] >= max(qualities) - 0.005
    assert choice.verdict.score.items == ROLES["confirm"]
    confirmed = choice.answers.filter(pl.col("stage") == "confirm")
    assert set(confirmed["trial"]) == {choice.verdict.winner}
    assert choice.verdict.score.value == pytest.approx(confirmed["composite"].mean())
    raced = choice.answers.filter(pl.col("stage") == "race")
    assert 1 < raced["trial"].n_unique() <= context.profile.search.race.candidates
    assert set(choice.importances) == set(SPACE)
    assert choice.importances["learning_rate"] > choice.importances["rank"]
    assert choose_trial(context, trials).answers.equals(choice.answers)


def test_what_does_not_fit_runs_smaller_and_the_strategy_learns_that(tmp_path: Path) -> None:
    profile = _profile(space={"learning_rate": (0.0005, 0.001, 0.002, 0.004), "rank": (16.0, 256.0, 1024.0)})
    loading = profile.teacher.loading.model_copy(update={"gradient_checkpointing": True})
    teacher = profile.teacher.model_copy(update={"batch_size": 1, "loading": loading})
    profile = profile.model_copy(update={"teacher": teacher})
    context = _study_context(tmp_path, Trainer(), profile)
    small = context.job({"learning_rate": 0.001, "rank": 256})
    allowed = predict(small, SHAPE, CPU).safe / 1e9
    hardware = profile.hardware.model_copy(update={"memory_gb": allowed})
    context = _study_context(tmp_path, Trainer(), profile.model_copy(update={"hardware": hardware}))
    table = _table(context, _run(context))
    touched = table.filter(pl.col("guard") != "[]")
    assert touched.height > 0
    for row in touched.iter_rows(named=True):
        [spoke] = [one for one in json.loads(row["guard"]) if one["parameter"] == "rank"]
        assert spoke["rule"] in ("rank x sequence length", "rank x matrices") and "GB allowed" in spoke["reason"]
        assert json.loads(row["asked"])["rank"] == spoke["before"]
        assert json.loads(row["ran"])["rank"] == spoke["after"]
    assert all(need <= allowed * 1e9 for need in table["predicted_bytes"])
    ran = [json.loads(one)["rank"] for one in table["ran"]]
    assert max(ran) < 1024


def test_peaks_above_the_prediction_make_the_guard_ask_for_more(tmp_path: Path) -> None:
    needs = []
    for peak in (0.95, 1.12):
        context = _study_context(tmp_path / str(peak), Trainer(peak=peak), _profile(trials=3))
        table = _table(context, _run(context))
        job = context.job(json.loads(table["ran"][2]))
        needs.append(table["predicted_bytes"][2] / predict(job, SHAPE, CPU).safe)
    assert needs[0] <= 1 < needs[1]


def test_a_sampler_of_optuna_can_be_chosen_and_resumes_too(tmp_path: Path) -> None:
    profile = _profile(sampler="tpe", trials=4)
    whole = _study_context(tmp_path / "whole", Trainer(), profile)
    proposals = [trial.params for trial in _run(whole)]
    broken = [Cause.INTERRUPTED]
    trainer = Trainer(fails=lambda spec: broken[0] if broken and len(trainer.trained) == 2 else None)
    context = _study_context(tmp_path / "broken", trainer, profile)
    with pytest.raises(JobFailed):
        _run(context)
    broken.clear()
    assert [trial.params for trial in _run(context)] == proposals


def test_several_trials_at_once_make_the_whole_budget(tmp_path: Path) -> None:
    context = _study_context(tmp_path, Trainer(), _profile(parallel=3, trials=4))
    trials = _run(context)
    assert len(trials) == 4
    assert len({str(trial.params) for trial in trials}) == 4


def test_progress_says_phase_best_and_time_left(searched: Searched) -> None:
    seen, scores = searched.progress, searched.table["score"]
    assert [(one.trial, one.status) for one in seen[:3]] == [(0, "running"), (0, "finished"), (1, "running")]
    assert [one.ended for one in seen] == [ended for trial in range(TRIALS) for ended in (trial, trial + 1)]
    assert seen[0].best is None and seen[0].seconds_left is None
    assert seen[-1].seconds_left == 0
    assert seen[-1].best == (scores.max(), scores.arg_max())


def test_another_study_begins_where_the_law_or_the_space_is_another(tmp_path: Path) -> None:
    context = _study_context(tmp_path, Trainer(), _profile())
    assert context.name == _study_context(tmp_path, Trainer(), _profile()).name
    others = [_profile(steps=7), _profile(space=SPACE | {"rank": (8.0, 16.0)}), _profile(sampler="tpe")]
    assert len({context.name, *(_study_context(tmp_path, Trainer(), other).name for other in others)}) == 4
    assert _study_context(tmp_path, Trainer(), _profile(parallel=4)).name == context.name
