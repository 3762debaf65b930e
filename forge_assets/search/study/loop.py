"""Run a search from its first trial, or from where it stopped, to its last; any number of processes may share it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from forge_assets.search.optimizer.registry import sampler
from forge_assets.search.optimizer.strategy import explorations
from forge_assets.search.study.context import StudyContext
from forge_assets.search.study.pruning import pruner
from forge_assets.search.study.study import claim_trial, has_running_trial, open_study
from forge_assets.search.study.trial import calibrate_memory_model, predict_applied, run_trial

if TYPE_CHECKING:
    import optuna

WAIT_SECONDS = 1.0
"""Between two looks whether another process has ended its trial, or died."""


def study_of(context: StudyContext) -> optuna.Study:
    """Open the search's study; create it where it does not exist."""
    search = context.profile.search
    explore = max(3, explorations(search.trials))
    return open_study(context.url, context.name, pruner=pruner(search.pruning, search.steps, explore))


def run_trials(context: StudyContext, changed: Callable[[optuna.Study, int], None], cancel: Callable[[], None]) -> None:
    """Run what is left of the search's trials, `parallel` of them at once, and wait for those of other processes.

    Args:
        changed: called when a trial begins and when it ends.
        cancel: stops what runs, for when one of several threads has failed.

    Raises:
        JobFailed: a trial failed for a reason that no configuration can help; calling again goes on from there.
    """
    threads = context.profile.search.parallel
    over = threading.Event()
    if threads == 1:
        _work(context, changed, over)
        return
    with ThreadPoolExecutor(threads) as pool:
        works = [pool.submit(_work, context, changed, over) for _ in range(threads)]
        try:
            for work in works:
                work.result()
        except BaseException:
            over.set()
            cancel()
            raise


def _work(context: StudyContext, changed: Callable[[optuna.Study, int], None], over: threading.Event) -> None:
    study, search = study_of(context), context.profile.search

    def drawn_by(number: int) -> optuna.samplers.BaseSampler:
        before = [one for one in study.get_trials(deepcopy=False) if one.number < number]
        applied_for = partial(predict_applied, context, calibrate_memory_model(context, before))
        return sampler(search.sampler, context.space, search.trials, context.profile.seed, applied_for)

    while not over.is_set():
        with claim_trial(study, context.folder, search.trials, drawn_by) as trial:
            if trial is not None:
                tell = partial(changed, study, trial.number)
                run_trial(context, trial, tell)
                tell()
                continue
        if not has_running_trial(study):
            return
        over.wait(WAIT_SECONDS)
