"""Report the race's winner with a score and a lead that selection has not inflated.

The best of many noisy scores is too high on average (the winner's curse), and so is its lead. The winner's score is
therefore taken from samples on which nothing was chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from forge_assets.scoring.bootstrap import TAILS, Floats, Interval, clustered_mean, codes, resampled_means
from forge_assets.search.selection.race import RaceError, composites, paired_differences


@dataclass(frozen=True)
class Lead:
    """How far the winner is ahead of the runner-up: paired differences on the samples of the race.

    They are the samples that the winner was chosen on, so the lead is somewhat too large; the score is not.
    """

    trial: int
    """The runner-up: of those that stayed in longest, the nearest."""
    ahead: Interval


@dataclass(frozen=True)
class RaceVerdict:
    """The trial that was chosen.

    Args:
        score: its mean composite on the samples of stage `confirm`, which only it answered.
        before: its mean composite on the samples of its trial; None: not given. On average too high, because it was
            chosen for it.
        lead: None where it raced alone.
        raced: number of trials that raced.
        resamples_won: share of resamples of the race in which it has the highest mean of all that raced, equal means
            shared out; 1 where it raced alone. It tells a close race from a clear one, and is above the probability
            of being the best: `bench/race.py` measures by how much.
    """

    winner: int
    score: Interval
    before: Interval | None
    lead: Lead | None
    raced: int
    resamples_won: float

    @property
    def sentence(self) -> str:
        """The verdict in words, for logs and the report."""
        fresh = f"on {self.score.items} samples that nothing was chosen on"
        text = f"Trial {self.winner} scores {_words(self.score)} {fresh}"
        if self.before:
            text += f"; on the {self.before.items} of its trial it had {self.before.value:.3f}"
        if not self.lead:
            return text + ". It raced alone."
        ahead = self.lead.ahead
        return (
            f"{text}. On {ahead.items} samples of the race it is {_words(ahead)} ahead of trial {self.lead.trial}, "
            f"and in {self.resamples_won:.0%} of resamples the best of the {self.raced} that raced."
        )


def race_verdict(answers: pl.DataFrame, samples: pl.DataFrame) -> RaceVerdict:
    """Compute score and lead of the winner: the trial whose answers are at stage `confirm`.

    A resample of the race compares the winner with each other trial on the samples that both answered, so a trial that
    dropped out is judged on the rounds it was in.

    Args:
        answers: table `search.answers` of a race that is over.
        samples: columns sample_id and scenario_id of every sample answered.

    Raises:
        RaceError: no trial, or more than one, was confirmed; the winner did not answer what others did in the race; a
            sample is unknown, was answered twice, or its composite is no number.
    """
    confirmed = composites(answers, "confirm")
    winners = sorted({trial for trial, _ in confirmed})
    if len(winners) != 1:
        raise RaceError(f"search.answers: trials {winners} have answers at stage confirm: the winner alone has them")
    winner = winners[0]
    scenario: dict[str, str] = dict(samples.select("sample_id", "scenario_id").iter_rows())
    before = {key: value for key, value in composites(answers, "trial").items() if key[0] == winner}
    race = composites(answers, "race")
    others = sorted({trial for trial, _ in race} - {winner})
    lead, won = _raced(race, winner, others, scenario) if others else (None, 1.0)
    return RaceVerdict(
        winner,
        _interval(confirmed, scenario),
        _interval(before, scenario) if before else None,
        lead,
        len(others) + 1,
        won,
    )


def _raced(
    race: dict[tuple[int, str], float], winner: int, others: Sequence[int], scenario: dict[str, str]
) -> tuple[Lead, float]:
    """The lead over the runner-up, and how often the winner is the best in resamples."""
    items = [sample for trial, sample in race if trial == winner]
    alone = sorted({sample for _, sample in race} - set(items))
    if alone:
        raise RaceError(f"search.answers: trial {winner}, confirmed, did not answer sample {alone[0]} of the race")
    ahead, shared = paired_differences(race, winner, others, items)
    asked = shared.sum(axis=0)
    mean = ahead.sum(axis=0) / asked
    nearest = min(range(len(others)), key=lambda i: (-asked[i], mean[i], others[i]))
    means = resampled_means(np.hstack([ahead, shared]), codes(_scenarios(items, scenario)))
    total, weight = means[:, : len(others)], means[:, len(others) :]
    # A resample without any sample that both answered says nothing for either: a difference of 0.
    drawn: Floats = np.divide(total, weight, out=np.zeros(total.shape), where=weight > 0).round(12)
    shares = (drawn >= 0).all(axis=1) / (1 + (drawn == 0).sum(axis=1))
    low, high = np.percentile(drawn[:, nearest], TAILS)
    lead = Interval(float(mean[nearest]), float(low), float(high), int(asked[nearest]))
    return Lead(others[nearest], lead), float(shares.mean())


def _scenarios(items: Iterable[str], scenario: dict[str, str]) -> list[str]:
    """The scenario of each item: samples of one resemble each other, so whole scenarios are drawn again."""
    asked = list(items)
    missing = [item for item in asked if item not in scenario]
    if missing:
        raise RaceError(f"sample {missing[0]} was answered but is not in the samples given")
    return [scenario[item] for item in asked]


def _interval(composites: dict[tuple[int, str], float], scenario: dict[str, str]) -> Interval:
    return clustered_mean(list(composites.values()), _scenarios((sample for _, sample in composites), scenario))


def _words(interval: Interval) -> str:
    return f"{interval.value:.3f} (95% {interval.low:.3f} to {interval.high:.3f})"
