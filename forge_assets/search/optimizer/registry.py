"""Make samplers of a search by name: ours, and Optuna's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, QMCSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from forge_assets.search.optimizer.three_phase import ThreePhaseSampler
from forge_assets.search.space.parameters import Config, SearchSpace

if TYPE_CHECKING:
    from optuna.study import Study

OPTUNA: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed),
    "gp": lambda seed: GPSampler(seed=seed, warn_independent_sampling=False),
    "cmaes": lambda seed: CmaEsSampler(seed=seed, warn_independent_sampling=False),
    "random": lambda seed: RandomSampler(seed=seed),
}


def sampler(
    name: str,
    space: SearchSpace,
    n_trials: int,
    seed: int,
    applied_for: Callable[[Config], Config] | None = None,
) -> BaseSampler:
    """Make a seeded sampler, which after a restart proposes what it would have proposed.

    Args:
        name: three-phase, tpe, gp, cmaes, random or qmc.
        applied_for: as for `ThreePhaseSampler`; the others do not ask.

    Raises:
        ValueError: there is no sampler of that name.
    """
    if name == "three-phase":
        return ThreePhaseSampler(space, n_trials, seed, applied_for)
    if name == "qmc":  # counts in the study which point of its one sequence is next
        with warnings.catch_warnings():  # a profile that names it knows
            warnings.simplefilter("ignore", ExperimentalWarning)
            return QMCSampler(
                scramble=True, seed=seed, warn_independent_sampling=False, warn_asynchronous_seeding=False
            )
    if name in OPTUNA:
        return SeededByTrial(OPTUNA[name], seed)
    known = ", ".join(["three-phase", *OPTUNA, "qmc"])
    raise ValueError(f"search.sampler is {name!r}: choose from {known}")


class SeededByTrial(BaseSampler):
    """One of Optuna's samplers, drawing anew for each trial.

    Optuna's samplers draw from one stream as long as their process lives. A restarted search would draw the same
    numbers again, and random search repeat its first trials.

    Args:
        make: the sampler, by its seed.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int) -> None:
        self._make, self._seed = make, seed
        self._made: tuple[int, BaseSampler] | None = None

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """As the sampler does."""
        return self._of(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """As the sampler does."""
        return self._of(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """As the sampler does."""
        return self._of(trial).sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """As the sampler does."""
        self._of(trial).before_trial(study, trial)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """As the sampler does."""
        self._of(trial).after_trial(study, trial, state, values)

    def _of(self, trial: FrozenTrial) -> BaseSampler:
        if self._made is None or self._made[0] != trial.number:
            seed = np.random.SeedSequence([self._seed, trial.number]).generate_state(1)[0]
            self._made = trial.number, self._make(int(seed))
        return self._made[1]
