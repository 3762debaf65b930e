"""A study survives its processes: what one leaves behind another goes on with, and nobody takes what is held."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from forge_assets.search.optimizer.three_phase import ThreePhaseSampler
from forge_assets.search.space.parameters import Config, SearchSpace
from forge_assets.search.study.study import claim_trial, has_running_trial, open_study

SPACE = SearchSpace(
    {
        "learning_rate": [0.0005, 0.001, 0.002, 0.004],
        "rank": [8, 16, 32],
        "scheduler": ["linear", "cosine"],
        "target_modules": [["q_proj", "v_proj"], ["k_proj", "q_proj", "v_proj"]],
    }
)
TRIALS = 6


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'studies.db'}"


def _value(config: Config) -> float:
    return 1 - abs(float(config["learning_rate"]) - 0.002) * 100 + float(config["rank"]) / 100  # type: ignore[arg-type]


def _sampler(number: int) -> ThreePhaseSampler:
    return ThreePhaseSampler(SPACE, TRIALS, seed=7)


def _work(url: str, folder: Path, dies_at: str = "", trial_that_kills: int = -1, most: int = 1000) -> int:
    """Trials done by this process until the search is over."""
    study, done = open_study(url, "s"), 0
    while done < most:
        with claim_trial(study, folder, TRIALS, _sampler) as trial:
            if trial is None:
                if has_running_trial(study):
                    continue
                return done
            if dies_at == "begun" and trial.number == trial_that_kills:
                os.kill(os.getpid(), signal.SIGKILL)
            config = SPACE.suggest(trial)
            if dies_at == "proposed" and trial.number == trial_that_kills:
                os.kill(os.getpid(), signal.SIGKILL)
            study.tell(trial, _value(config))
            done += 1
    return done


def _in_process(work: Callable[..., Any], *given: Any) -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=work, args=given)
    process.start()
    return process


def _proposals(url: str) -> list[dict[str, Any]]:
    trials = open_study(url, "s").get_trials(deepcopy=False)
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert all(trial.state is TrialState.COMPLETE for trial in trials)
    return [trial.params for trial in trials]


@pytest.mark.parametrize("dies_at", ["begun", "proposed"])
def test_a_search_that_is_killed_goes_on_with_the_same_proposals(url: str, tmp_path: Path, dies_at: str) -> None:
    other = f"sqlite:///{tmp_path / 'undisturbed.db'}"
    _work(other, tmp_path / "undisturbed")
    for victim in (0, 3, 5):
        killed = _in_process(_work, url, tmp_path / "locks", dies_at, victim)
        killed.join()
        assert killed.exitcode == -signal.SIGKILL
    _work(url, tmp_path / "locks")
    assert _proposals(url) == _proposals(other)


def test_two_processes_share_the_trials_of_a_study(url: str, tmp_path: Path) -> None:
    open_study(url, "s")
    both = [_in_process(_work, url, tmp_path / "locks") for _ in range(2)]
    for process in both:
        process.join()
        assert process.exitcode == 0
    assert len(_proposals(url)) == TRIALS


def test_a_trial_that_is_held_is_not_taken_and_one_left_behind_is(url: str, tmp_path: Path) -> None:
    study, other = open_study(url, "s"), open_study(url, "s")
    with claim_trial(study, tmp_path, 2, _sampler) as first, claim_trial(other, tmp_path, 2, _sampler) as second:
        assert first is not None and second is not None
        assert (first.number, second.number) == (0, 1)
        with claim_trial(other, tmp_path, 2, _sampler) as third:
            assert third is None
    with claim_trial(other, tmp_path, 2, _sampler) as again:
        assert again is not None and again.number == 0
        assert SPACE.suggest(again) == SPACE.suggest(first)


def test_the_study_opens_with_optuna_alone(url: str, tmp_path: Path) -> None:
    _work(url, tmp_path / "locks", most=4)
    [summary] = optuna.get_all_study_summaries(url)
    assert summary.study_name == "s"
    plain = optuna.load_study(study_name="s", storage=url)
    assert plain.best_value == max(trial.value or 0.0 for trial in plain.trials)
    assert set(plain.best_params) == set(SPACE.grid)
