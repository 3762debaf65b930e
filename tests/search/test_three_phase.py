"""The strategy as an Optuna sampler: the same proposals whoever asks, whatever was cut off."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from forge_assets.search import SearchSpace, ThreePhaseSampler
from forge_assets.search.optimizer.registry import sampler
from forge_assets.search.optimizer.three_phase import observations, phase
from forge_assets.search.space.parameters import Config

optuna.logging.set_verbosity(optuna.logging.ERROR)

SPACE = SearchSpace(
    {
        "learning_rate": [1e-4, 2e-4, 4e-4, 8e-4],
        "rank": [8, 16, 32],
        "target_modules": [["q", "v"], ["k", "o", "q", "v"]],
    }
)
BUDGET = 12


def _quality(config: Config) -> float:
    rate, rank = float(config["learning_rate"]), float(config["rank"])  # type: ignore[arg-type]
    return 0.5 - 1e6 * (rate - 5e-4) ** 2 - 1e-4 * (rank - 20) ** 2 + 0.01 * len(config["target_modules"])  # type: ignore[arg-type]


def _study(url: str | None = None, name: str = "three-phase", direction: str = "maximize") -> optuna.Study:
    return optuna.create_study(
        storage=url, study_name="one", load_if_exists=True, direction=direction, sampler=sampler(name, SPACE, BUDGET, 3)
    )


def _run(study: optuna.Study, trials: int, sign: int = 1) -> None:
    study.optimize(lambda trial: sign * _quality(SPACE.suggest(trial)), trials)


def _params(study: optuna.Study) -> list[dict[str, Any]]:
    return [trial.params for trial in study.trials]


@pytest.fixture(scope="module")
def whole() -> optuna.Study:
    study = _study()
    _run(study, BUDGET)
    return study


def test_trials_carry_their_phase(whole: optuna.Study) -> None:
    phases = [phase(trial) for trial in whole.trials]
    assert phases == ["explore"] * 4 + ["exploit"] * 5 + ["refine"] * 3


def test_a_search_in_sqlite_that_is_restarted_makes_the_same_trials(tmp_path: Path, whole: optuna.Study) -> None:
    url = f"sqlite:///{tmp_path}/studies.db"
    for trials in (3, 4, 5):
        _run(_study(url), trials)
    assert _params(_study(url)) == _params(whole)


def test_a_trial_that_was_cut_off_gets_its_proposal_again(tmp_path: Path, whole: optuna.Study) -> None:
    url = f"sqlite:///{tmp_path}/studies.db"
    _run(_study(url), 6)
    _study(url).ask()  # killed before anything was proposed
    left = _study(url)
    trial = optuna.Trial(left, left.trials[-1]._trial_id)
    trial.suggest_float("learning_rate", 1e-4, 8e-4, log=True)  # killed after the first parameter
    again = _study(url)
    trial = optuna.Trial(again, again.trials[-1]._trial_id)
    assert SPACE.stored(SPACE.suggest(trial)) == whole.trials[6].params


def test_a_study_that_minimises_makes_the_same_trials(whole: optuna.Study) -> None:
    study = _study(direction="minimize")
    _run(study, BUDGET, sign=-1)
    assert _params(study) == _params(whole)


def test_what_ran_replaces_what_was_asked(whole: optuna.Study) -> None:
    study = _study()
    trial = study.ask(SPACE.distributions())
    ran = SPACE.suggest(trial) | {"rank": 4, "target_modules": ("q",)}
    trial.set_user_attr("ran", SPACE.stored(ran))
    trial.set_user_attr("standard_error", 0.03)
    study.tell(trial, 0.4)
    [one] = observations(study.trials, SPACE, study.direction)
    assert (one.config, one.score, one.error) == (ran, 0.4, 0.03)


def test_failed_and_pruned_trials_have_no_score_and_running_ones_are_pending() -> None:
    study = _study()
    for state in (TrialState.FAIL, TrialState.PRUNED):
        study.tell(study.ask(SPACE.distributions()), state=state)
    study.tell(study.ask(SPACE.distributions()), float("inf"))
    study.ask(SPACE.distributions())
    study.ask()  # no parameters yet
    told = observations(study.trials, SPACE, study.direction)
    assert [(one.score, one.pending) for one in told] == [(None, False)] * 3 + [(None, True)]


def test_trials_begun_at_once_are_all_different() -> None:
    study = _study()
    _run(study, 5)
    begun = [study.ask() for _ in range(4)]
    proposals = [SPACE.suggest(trial) for trial in reversed(begun)]
    assert len({str(config) for config in proposals}) == 4


def test_a_trial_that_someone_enqueued_runs_as_given_and_is_learned_from() -> None:
    study = _study()
    given = {"learning_rate": 3e-4, "rank": 20, "target_modules": "q+v"}
    study.enqueue_trial(given)
    _run(study, 6)
    assert study.trials[0].params == given and phase(study.trials[0]) == ""
    assert [phase(trial) for trial in study.trials[1:]] == ["explore"] * 3 + ["exploit"] * 2
    assert observations(study.trials, SPACE, study.direction)[0].config == SPACE.read(given)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_a_parameter_that_the_space_lacks_is_drawn_by_seed(direction: str) -> None:
    drawn = {_study(direction=direction).ask().suggest_float("weight_decay", 0, 1) for _ in range(2)}
    assert len(drawn) == 1


def test_two_processes_share_a_study(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/studies.db"
    _study(url)
    code = (
        f"import optuna; from forge_assets.search import SearchSpace, ThreePhaseSampler\n"
        f"space = SearchSpace({dict(SPACE.grid)!r})\n"
        f"study = optuna.load_study(study_name='one', storage={url!r}, sampler=ThreePhaseSampler(space, {BUDGET}, 3))\n"
        "study.optimize(lambda t: float(space.suggest(t)['rank']), 6, n_jobs=2)\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [one.wait(timeout=60) for one in both] == [0, 0]
    trials = _study(url).trials
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert len({str(trial.params) for trial in trials}) == len(trials) == BUDGET


@pytest.mark.parametrize("name", ["tpe", "cmaes", "random", "qmc"])
def test_optunas_samplers_go_on_with_the_same_proposals_too(name: str, tmp_path: Path) -> None:
    url, study = f"sqlite:///{tmp_path}/studies.db", _study(name=name)
    _run(study, 6)
    for trials in (2, 4):
        _run(_study(url, name), trials)
    assert _params(_study(url, name)) == _params(study)
    assert len({str(params) for params in _params(study)}) == 6


def test_an_unknown_sampler_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="search.sampler is 'genetic': choose from three-phase, tpe, gp, cmaes"):
        sampler("genetic", SPACE, BUDGET, 0)


def test_several_objectives_and_an_empty_budget_are_refused() -> None:
    with pytest.raises(ValueError, match="n_trials is 0"):
        ThreePhaseSampler(SPACE, 0)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=ThreePhaseSampler(SPACE, 5))
    with pytest.raises(ValueError, match="multi-objective"):
        study.ask(SPACE.distributions())


def test_definitions_load_without_optuna_and_scipy() -> None:
    code = "import sys, forge_assets.search as s; print({'optuna', 'scipy'} & set(sys.modules)); s.ThreePhaseSampler"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "set()\n"
