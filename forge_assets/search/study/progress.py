"""Report the progress of a search: phase, best so far, time left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge_assets.search.optimizer.three_phase import phase
from forge_assets.search.study.record import facts

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class Progress:
    """How a search gets on.

    Attributes:
        trial: the one that has just begun or ended.
        status: of that trial, as in `search.trials`.
        ended: trials that have ended, of `trials`.
        best: the highest score so far and its trial; None: there is none.
        seconds_left: until the last trial has ended, at the pace of those so far; None: there is no pace yet.
    """

    trial: int
    phase: str
    status: str
    ended: int
    trials: int
    best: tuple[float, int] | None
    seconds_left: float | None


def progress(study: optuna.Study, number: int, trials: int, parallel: int) -> Progress:
    """Compute the progress of a search from its study.

    Args:
        parallel: how many trials this process runs at once; that others share the search is seen.
    """
    known = study.get_trials(deepcopy=False)
    ended = [one for one in known if one.state.is_finished()]
    scores = [(one.value, -one.number) for one in ended if one.value is not None and _finished(one)]
    best = max(scores, default=None)
    paces = [facts(one)["seconds"] for one in ended if "seconds" in facts(one)]
    left = trials - len(ended)
    # Whoever ended a trial takes the next one.
    at_once = max(parallel, len(known) - len(ended) + known[number].state.is_finished())
    return Progress(
        trial=number,
        phase=phase(known[number]),
        status=facts(known[number]).get("status", "running"),
        ended=len(ended),
        trials=trials,
        best=(best[0], -best[1]) if best else None,
        seconds_left=sum(paces) / len(paces) * left / at_once if paces else None,
    )


def _finished(trial: FrozenTrial) -> bool:
    return bool(facts(trial).get("status") == "finished")
