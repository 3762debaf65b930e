"""Trials that end early by their training curve, in real Optuna studies."""

from __future__ import annotations

import math

import optuna
import pytest

from forge_assets.search.study.pruning import loss_watcher, pruner, report_curve
from forge_resources.config.profile import Pruning

STEPS = 40
PRUNING = Pruning(keep=75, warmup=0.5)


def _curve(end: float, steps: int = STEPS) -> list[dict[str, float]]:
    """A falling loss that comes near to `end`."""
    return [{"step": step, "loss": end + 2 / step} for step in range(1, steps + 1)]


def _study(*ends: float, pruning: Pruning | None = PRUNING) -> optuna.Study:
    """A study with one complete trial for each final loss."""
    study = optuna.create_study(direction="maximize", pruner=pruner(pruning, STEPS, startup=4))
    for end in ends:
        trial = study.ask()
        report_curve(trial, _curve(end))
        study.tell(trial, 1 - end / 10)
    return study


def _verdict(trial: optuna.Trial, curve: list[dict[str, float]], pruning: Pruning | None = PRUNING) -> tuple[int, str]:
    """The step that a watch ended the trial at, and why; 0 and "" if it went on to its end."""
    watch = loss_watcher(trial, pruning, STEPS)
    return next(((int(line["step"]), reason) for line in curve if (reason := watch(line))), (0, ""))


@pytest.fixture
def study() -> optuna.Study:
    return _study(1.0, 1.2, 1.4, 1.6)


def test_a_trial_among_the_worst_quarter_ends_when_the_warmup_is_over(study: optuna.Study) -> None:
    step, reason = _verdict(study.ask(), _curve(2.0))
    assert step == STEPS / 2
    assert reason == "its loss 2.11 at step 20 is among the worst 25% of 4 trials (median 1.41)"


def test_a_trial_that_is_as_good_as_most_trains_to_its_end(study: optuna.Study) -> None:
    assert _verdict(study.ask(), _curve(1.4)) == (0, "")


def test_one_bad_step_ends_no_trial(study: optuna.Study) -> None:
    curve = _curve(1.1)
    curve[19]["loss"] += 1.0
    assert _verdict(study.ask(), curve) == (0, "")


def test_a_trial_that_falls_behind_late_ends_at_the_next_look(study: optuna.Study) -> None:
    """The others go on falling, this one stays where it is."""
    curve = [{"step": step, "loss": 1.55} for step in range(1, STEPS + 1)]
    step, reason = _verdict(study.ask(), curve)
    assert step == 24
    assert "loss 1.55 at step 24" in reason


def test_none_ends_before_enough_trials_are_complete() -> None:
    assert _verdict(_study(1.0, 1.2, 1.4).ask(), _curve(9.0)) == (0, "")


def test_without_pruning_only_a_loss_that_is_no_number_ends_a_trial() -> None:
    study = _study(1.0, 1.2, 1.4, 1.6, pruning=None)
    assert _verdict(study.ask(), _curve(9.0), pruning=None) == (0, "")
    curve = _curve(1.0)
    curve[2]["loss"] = math.nan
    assert _verdict(study.ask(), curve, pruning=None) == (3, "diverged: its loss at step 3 is nan")


def test_nothing_ends_at_the_last_step_where_nothing_is_left_to_save(study: optuna.Study) -> None:
    late = [{"step": STEPS, "loss": 9.0}]
    assert _verdict(study.ask(), late) == (0, "")
    assert _verdict(study.ask(), [{"step": STEPS - 1, "loss": 9.0}])[0] == STEPS - 1


@pytest.mark.parametrize("killed_after", [3, 19, 20])
def test_a_trial_that_is_gone_on_with_ends_where_it_would_have_ended(study: optuna.Study, killed_after: int) -> None:
    whole = _verdict(study.ask(), _curve(2.0))
    trial = study.ask()
    _verdict(trial, _curve(2.0, steps=killed_after))
    again = optuna.Trial(study, trial._trial_id)
    assert _verdict(again, _curve(2.0)) == whole


def test_a_trial_that_was_let_go_on_is_not_judged_again_by_those_that_came_later(study: optuna.Study) -> None:
    trial = study.ask()
    assert _verdict(trial, _curve(1.4, steps=22)) == (0, "")
    for _ in range(20):
        better = study.ask()
        report_curve(better, _curve(1.0))
        study.tell(better, 1.0)
    step, _ = _verdict(optuna.Trial(study, trial._trial_id), _curve(1.4))
    assert step == 24, "the first look after it was gone on with"


def test_later_trials_are_compared_with_the_whole_curve_of_one_that_nobody_watched() -> None:
    watched = _study()
    for end in (1.0, 1.2, 1.4, 1.6):
        trial = watched.ask()
        _verdict(trial, _curve(end, steps=7))
        report_curve(trial, _curve(end))
        report_curve(trial, _curve(end))
        watched.tell(trial, 1 - end / 10)
    values = [trial.intermediate_values for trial in watched.trials]
    assert values == [trial.intermediate_values for trial in _study(1.0, 1.2, 1.4, 1.6).trials]
