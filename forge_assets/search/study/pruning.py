"""End a trial early by its training curve: what Optuna's pruner is told, and what it is asked.

The score of a trial is maximised, its loss is not: the pruner sees the negative of the loss, at each step the mean of
the last few. It keeps a trial while its best such mean is not below the given percentile of those that the completed
trials had at the same step (Optuna's PercentilePruner).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from forge_resources.config.profile import Pruning

if TYPE_CHECKING:
    import optuna

SMOOTHED_STEPS = 5
"""How many steps one reported loss is the mean of."""
LOOKS = 10
"""In how many parts a training is divided; at the end of each it may be ended."""


def pruner(pruning: Pruning | None, steps: int, startup: int) -> optuna.pruners.BasePruner:
    """Build the pruner for a study whose trials train for `steps` steps.

    Args:
        startup: number of trials that must be complete before one is ended early.
    """
    from optuna.pruners import NopPruner, PercentilePruner

    if pruning is None:
        return NopPruner()
    return PercentilePruner(
        pruning.keep,
        n_startup_trials=startup,
        n_warmup_steps=round(pruning.warmup * steps),
        interval_steps=max(1, steps // LOOKS),
        n_min_trials=max(1, startup),
    )


def loss_watcher(trial: optuna.Trial, pruning: Pruning | None, steps: int) -> Callable[[dict[str, Any]], str]:
    """Build a `watch` of the trial's job: reports its loss at every step and gives the reason when it should end.

    A loss that is no number ends a trial at once. A trial that is gone on with has reported, and was judged by, its
    first steps before: of these only the last is judged again, since the answer may not have been heard. At the last
    step there is nothing left to save.

    Args:
        pruning: None ends no trial whose loss is a number.
        steps: number of the training's last step.
    """
    told = _PrunerReports(trial)

    def watch(line: dict[str, Any]) -> str:
        step, loss = int(line["step"]), float(line["loss"])
        if not math.isfinite(loss):
            return f"diverged: its loss at step {step} is {loss}"
        smoothed = told.tell(step, loss)
        if pruning is not None and told.before <= step < steps and trial.should_prune():
            return _why(trial.study, step, smoothed, pruning)
        return ""

    return watch


def report_curve(trial: optuna.Trial, curve: Iterable[dict[str, Any]]) -> None:
    """Report what the pruner was not told of a finished trial, so that later ones are compared with all of it.

    That is all of it where the job was finished before, and the last steps where it finished between two looks.
    """
    told = _PrunerReports(trial)
    for line in curve:
        told.tell(int(line["step"]), float(line["loss"]))


class _PrunerReports:
    """Tells a trial its smoothed losses, each step once.

    Attributes:
        before: the last step that was told before this was made; -1: none.
    """

    def __init__(self, trial: optuna.Trial) -> None:
        [frozen] = [one for one in trial.study.get_trials(deepcopy=False) if one.number == trial.number]
        self._steps = set(frozen.intermediate_values)
        self.before = max(self._steps, default=-1)
        self._trial = trial
        self._last = deque[float](maxlen=SMOOTHED_STEPS)

    def tell(self, step: int, loss: float) -> float:
        """Report the smoothed loss at a step, unless it was reported, and return it."""
        self._last.append(loss)
        smoothed = fmean(self._last)
        if step not in self._steps:
            self._steps.add(step)
            self._trial.report(-smoothed, step)
        return smoothed


def _why(study: optuna.Study, step: int, loss: float, pruning: Pruning) -> str:
    from optuna.trial import TrialState

    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    losses = [-trial.intermediate_values[step] for trial in complete if step in trial.intermediate_values]
    return (
        f"its loss {loss:.2f} at step {step} is among the worst {100 - pruning.keep:g}% of {len(losses)} trials "
        f"(median {median(losses):.2f})"
    )
