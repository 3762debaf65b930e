"""Sample configurations by the three-phase strategy, as an Optuna sampler.

What it proposes for a trial follows from the space, the budget, the seed and the trials with a smaller number: a
search that was stopped, on this machine or another, goes on as it would have gone on.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from forge_assets.search.optimizer.strategy import Seen, phase_of, propose, unchanged
from forge_assets.search.space.parameters import Config, SearchSpace

if TYPE_CHECKING:
    from optuna.study import Study

PHASE, PROPOSED = "three_phase:phase", "three_phase:proposed"
"""System attributes of a trial: its phase, and the configuration as stored."""
TRIES = 3
"""How often a proposal is made anew that another trial has too; a space smaller than the budget repeats itself."""
APPLIED, ERROR = "ran", "standard_error"
"""User attributes, set by whoever runs a trial: the configuration that ran, as stored, and the score's error."""


class ThreePhaseSampler(BaseSampler):
    """Explores, exploits, refines: see `strategy`.

    A trial's user attribute `ran` (`space.stored` of what a guard made of the proposal) replaces its parameters in
    what is learned, `standard_error` says how sure its score is. Failed and pruned trials count as bad as the worst.

    Args:
        space: what is searched.
        n_trials: the budget, which the phases are shares of. Trials beyond it refine.
        seed: of all that is drawn.
        applied_for: what a guard would make of a configuration; None: nothing is changed.

    Raises:
        ValueError: `n_trials` is below 1, or the study has several objectives.
    """

    def __init__(
        self,
        space: SearchSpace,
        n_trials: int,
        seed: int = 0,
        applied_for: Callable[[Config], Config] | None = None,
    ) -> None:
        if n_trials < 1:
            raise ValueError(f"n_trials is {n_trials}: give at least 1")
        self.space, self.n_trials, self.seed = space, n_trials, seed
        self.applied_for = applied_for or unchanged

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return all parameters of the space; they are proposed together."""
        self._raise_error_if_multi_objective(study)
        return self.space.distributions()

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Propose a configuration, noted in the trial: one that was cut off while it began gets the same again."""
        noted: dict[str, Any] | None = trial.system_attrs.get(PROPOSED)
        if noted is not None:
            return noted
        storage = study._storage
        storage.set_trial_system_attr(trial._trial_id, PHASE, phase_of(trial.number, self.n_trials))
        alike: list[FrozenTrial] = []
        passed: list[Seen] = []
        for _ in range(TRIES):
            before = [one for one in study.get_trials(deepcopy=False) if one.number < trial.number]
            seen = [*self._before([*before, *alike], study.direction), *passed]
            proposal = self.space.stored(self._propose(seen, trial.number))
            storage.set_trial_system_attr(trial._trial_id, PROPOSED, proposal)
            # Another process may have come to the same meanwhile; at least one of the two sees it here.
            others = (one for one in study.get_trials(deepcopy=False) if one.number != trial.number)
            same = [one for one in others if one.system_attrs.get(PROPOSED) == proposal]
            if not same:
                break
            alike += same
            if any(one.number < trial.number for one in same):
                # Both may have seen it: the later one leaves the next best to the earlier, or they would go on in step.
                seen = [*self._before([*before, *alike], study.direction), *passed]
                passed.append(Seen(self._propose(seen, trial.number), pending=True))
        return dict(proposal)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw parameters that the space does not have at random."""
        entropy = np.random.SeedSequence([self.seed, trial.number, zlib.crc32(param_name.encode())])
        drawn = RandomSampler(seed=int(entropy.generate_state(1)[0]))
        return drawn.sample_independent(study, trial, param_name, param_distribution)

    def _propose(self, seen: Sequence[Seen], trial: int) -> Config:
        return propose(self.space, seen, trial, self.n_trials, self.seed, self.applied_for)

    def _before(self, trials: Iterable[FrozenTrial], direction: StudyDirection) -> list[Seen]:
        """What was seen before; a trial that another process is about to propose is proposed here too."""
        found: list[Seen] = []
        for trial in sorted(trials, key=lambda one: one.number):
            one = _seen(trial, self.space, direction)
            if one is None and trial.state is TrialState.RUNNING:
                one = Seen(self._propose(found, trial.number), pending=True)
            found += [one] if one else []
        return found


def phase(trial: FrozenTrial) -> str:
    """Return the phase, explore, exploit or refine; empty where another sampler, or a person, chose all parameters."""
    return str(trial.system_attrs.get(PHASE, ""))


def observations(trials: Sequence[FrozenTrial], space: SearchSpace, direction: StudyDirection) -> list[Seen]:
    """Convert a study's trials to observations, higher scores always better, in the order of their numbers.

    Trials that lack a parameter of the space are left out.
    """
    ordered = sorted(trials, key=lambda one: one.number)
    return [one for trial in ordered if (one := _seen(trial, space, direction))]


def _seen(trial: FrozenTrial, space: SearchSpace, direction: StudyDirection) -> Seen | None:
    attrs = trial.system_attrs
    stored = trial.user_attrs.get(APPLIED) or attrs.get(PROPOSED, {}) | attrs.get("fixed_params", {}) | trial.params
    if any(parameter.name not in stored for parameter in space.parameters):
        return None
    config = space.read(stored)
    if not trial.state.is_finished():
        return Seen(config, pending=True)
    value = trial.value if trial.state is TrialState.COMPLETE else None
    if value is None or not math.isfinite(value):
        return Seen(config)
    error = trial.user_attrs.get(ERROR)
    score = value if direction is StudyDirection.MAXIMIZE else -value
    return Seen(config, score, float(error) if error is not None else None)
