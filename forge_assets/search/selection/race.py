"""Race the best trials over further samples in rounds; who is significantly worse than the leader drops out.

A trial is among the best partly because its few samples suited it, so its own samples decide nothing here: rounds and
winner rest on samples that no trial was scored on. `bench/race.py` compares this with other ways to choose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from forge_assets.scoring.bootstrap import Floats, codes, sign_flip

ROUNDS, LEAST_ROUND = 3, 12
"""Each round is a job for every candidate, and each job loads the model: few rounds, and none of a handful of items."""

LEVEL = 0.2
"""Highest probability that the best candidate drops out in any round. 0.05 asks more answers and chooses no better:
who is that far behind is not chosen in the end either."""


class RaceError(ValueError):
    """Answers or candidates from which no race can be decided; the message names which."""


def select_candidates(scores: Mapping[int, float], candidates: int) -> list[int]:
    """Select the trials that race: the `candidates` highest scores, best first; of equal ones the earlier trial.

    Args:
        scores: trial to score, or to the posterior mean of a model of the scores, which is shrunk towards the mean of
            similar trials and so less taken in by luck.

    Raises:
        RaceError: no score is given, or one is not a number.
    """
    if not scores:
        raise RaceError("no trial has a score: search.trials says in `why` what each one died of")
    for trial, score in sorted(scores.items()):
        if not np.isfinite(score):
            raise RaceError(f"trial {trial} has score {score}: leave it out of the scores")
    return sorted(scores, key=lambda trial: (-scores[trial], trial))[:candidates]


@dataclass(frozen=True)
class Race:
    """Who answers what next, and who wins: pure functions of the answers so far, so a race may be killed at any point.

    Args:
        candidates: trials that race. One that cannot answer (its job fails) is left out, and the race asked again.
        items: sample ids in the order in which they are asked.
        scenarios: scenario of each item. Samples of one scenario resemble each other and count as one observation.
        rounds: parts of about equal size in which the items are asked.
        level: bound of the probability that the best candidate drops out.
    """

    candidates: tuple[int, ...]
    items: tuple[str, ...]
    scenarios: tuple[str, ...]
    rounds: int = ROUNDS
    level: float = LEVEL

    def __post_init__(self) -> None:
        if not self.candidates or len(set(self.candidates)) < len(self.candidates):
            raise RaceError(f"candidates are {list(self.candidates)}: name at least one trial, none twice")
        if len(self.items) != len(self.scenarios) or len(set(self.items)) < len(self.items):
            raise RaceError(f"{len(self.items)} items, {len(self.scenarios)} scenarios: one a different item")
        if self.rounds < 1 or not 0 < self.level < 1:
            raise RaceError(f"rounds is {self.rounds}, level {self.level:g}: at least 1, and between 0 and 1")

    @staticmethod
    def of(candidates: Sequence[int], sets: pl.DataFrame) -> Race:
        """Build the race over the samples of role `race` of `scenarios.sets`, in their order there.

        Of fewer than `ROUNDS` x `LEAST_ROUND` samples it has fewer rounds.
        """
        rows = sets.filter(pl.col("role") == "race").sort("position")
        rounds = min(ROUNDS, max(1, rows.height // LEAST_ROUND))
        items, scenarios = tuple(rows["sample_id"]), tuple(rows["scenario_id"])
        return Race(tuple(candidates), items, scenarios, rounds)

    def next_round(self, answers: pl.DataFrame) -> tuple[list[int], list[str]] | None:
        """Return trials that lack answers of the current round, and all samples of that round; None: the race is over.

        It is over when every round was answered by all that were left in it, or when one is left.

        Args:
            answers: table `search.answers`; rows of other stages and of other samples are not looked at.

        Raises:
            RaceError: a sample was answered twice, or a composite is no number.
        """
        return self._state(answers)[1]

    def standing(self, answers: pl.DataFrame) -> list[int]:
        """List trials that have not dropped out, best first by their mean over all samples of the rounds done.

        Of equal means the earlier trial is first: what a run measures of the machine, time above all, decides nothing.
        Before the first round is done they are in the order of `candidates`.

        Raises:
            RaceError: as `next_round`.
        """
        return self._state(answers)[0]

    def winner(self, answers: pl.DataFrame) -> int:
        """Return the first of those standing when the race is over.

        Raises:
            RaceError: it is not over, or as `next_round`.
        """
        left, more = self._state(answers)
        if more:
            raise RaceError(f"the race is not over: trials {', '.join(map(str, more[0]))} have a round to answer")
        return left[0]

    def _state(self, answers: pl.DataFrame) -> tuple[list[int], tuple[list[int], list[str]] | None]:
        """Who is left, and what they are asked next: the rounds are gone through anew from the first."""
        left = list(self.candidates)
        scores = composites(answers, "race")
        parts = min(self.rounds, len(self.items))
        ends = [len(self.items) * (i + 1) // parts for i in range(parts)]
        for start, end in zip([0, *ends], ends, strict=False):
            if len(left) == 1:
                break
            asked = self.items[start:end]
            waiting = [trial for trial in left if any((trial, item) not in scores for item in asked)]
            if waiting:
                return left, (waiting, list(asked))
            left = self._left(left, scores, end)
        return left, None

    def _left(self, racing: Sequence[int], scores: Mapping[tuple[int, str], float], end: int) -> list[int]:
        """Who of `racing` stays after the first `end` items, best first.

        A trial drops out where the sign-flip test of its paired differences to the leader (Fisher 1935, The Design of
        Experiments, section 21; scenarios flipped whole) has a one-sided p of at most level / (rounds x rivals). The
        best candidate has that many chances to be beaten by luck, so by Bonferroni's inequality it drops out with a
        probability of at most `level`, whoever leads. Racing by paired tests: Maron and Moore 1994 (NIPS 6); Birattari
        et al. 2002 (GECCO).
        """
        values = np.array([[scores[trial, item] for item in self.items[:end]] for trial in racing])
        means = dict(zip(racing, values.mean(axis=1).round(12), strict=True))
        order = sorted(racing, key=lambda trial: (-means[trial], trial))
        lead = values[racing.index(order[0])]
        behind = np.column_stack([lead - values[racing.index(trial)] for trial in order[1:]])
        one_sided = sign_flip(behind, codes(self.scenarios[:end])) / 2
        bound = self.level / (self.rounds * (len(self.candidates) - 1))
        return [order[0], *(trial for trial, p in zip(order[1:], one_sided, strict=True) if p > bound)]


def composites(answers: pl.DataFrame, stage: str) -> dict[tuple[int, str], float]:
    """Collect the composite of each trial and sample of a stage, by trial and sample, whatever the order of the rows.

    Raises:
        RaceError: a sample was answered twice, or a composite is no number.
    """
    found: dict[tuple[int, str], float] = {}
    rows = answers.filter(pl.col("stage") == stage).select("trial", "sample_id", "composite").sort("trial", "sample_id")
    for trial, sample, composite in rows.iter_rows():
        if (trial, sample) in found:
            raise RaceError(f"search.answers: trial {trial} answered sample {sample} twice at stage {stage}")
        if composite is None or not np.isfinite(composite):
            raise RaceError(f"search.answers: trial {trial} has composite {composite} on sample {sample}")
        found[trial, sample] = composite
    return found


def paired_differences(
    scores: Mapping[tuple[int, str], float], trial: int, others: Sequence[int], items: Sequence[str]
) -> tuple[Floats, Floats]:
    """Compute the differences `trial` - other on every item, 0 where the other did not answer, and 1 where it did.

    Returns:
        Two arrays of shape (items, others).
    """
    shared = np.array([[float((other, item) in scores) for other in others] for item in items])
    ahead = np.array([[scores[trial, i] - scores.get((other, i), scores[trial, i]) for other in others] for i in items])
    return ahead, shared
