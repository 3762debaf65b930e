"""Choosing the best of 20 trials from few noisy answers: the race as built beside other ways, simulated.

    python bench/race.py [--searches 100]

A configuration c scores mean(c) + difficulty(item) + interaction(c, item), cut to 0..1 (graded) or as right or wrong
(0/1); true means differ by a standard deviation `spread`. *Adaptive* searches draw later trials around the best so far,
means and interactions shared in part, as the exploit phase does: luck on the trials' 20 samples is then inherited.
Prints a Markdown table a case. *Regret* is how far the choice's true mean is below the best of the 20, *overstatement*
how far the score that would be reported is above the choice's true mean, *error* the root mean square of that; answers
count trials, race and confirmation; +- is one standard error. Then, for the race as built: how often the best candidate
dropped out, and how far what is said of lead and doubt holds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forge_assets.search.selection.race import ROUNDS, Race, select_candidates
from forge_assets.search.selection.verdict import race_verdict
from forge_resources.presentation.markdown import markdown
from forge_resources.storage.tables import TABLES

TRIALS, ITEMS = 20, 20
RACE, CONFIRM = 66, 44
AVERAGE, DIFFICULTY, INTERACTION = 0.6, 0.25, 0.2
NORMAL = np.array([NormalDist().inv_cdf((i + 0.5) / 2000) for i in range(2000)])
IDS = tuple(f"item {i:03}" for i in range(ITEMS + RACE + CONFIRM))
RACED, CONFIRMED = IDS[ITEMS : ITEMS + RACE], IDS[ITEMS + RACE :]
PLACE = {item: place for place, item in enumerate(IDS)}
SAMPLES = pl.DataFrame({"sample_id": IDS, "scenario_id": IDS})

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """What is searched: the deviation of true means, graded or 0/1 scores, independent or adaptive trials."""

    spread: float
    graded: bool
    adaptive: bool

    @property
    def title(self) -> str:
        kinds = f"{'graded' if self.graded else '0/1'}, {'adaptive' if self.adaptive else 'independent'}"
        return f"spread {self.spread:g}, {kinds}"


@dataclass(frozen=True)
class Searched:
    """One search: scores of shape (trials, samples), and the true mean of each trial."""

    scores: Floats
    truth: Floats

    def best(self, among: Iterable[int], samples: slice) -> int:
        """The trial of the highest mean; of equal ones the first."""
        return max(among, key=lambda trial: (self.scores[trial, samples].mean(), -trial))

    def top(self, count: int) -> list[int]:
        """The best on the samples of the trials."""
        return select_candidates(dict(enumerate(self.scores[:, :ITEMS].mean(axis=1))), count)


@dataclass(frozen=True)
class Choice:
    """A trial, the score that would be reported, and the answers it took."""

    trial: int
    reported: float
    answers: int


@dataclass(frozen=True)
class Raced:
    """Answers of a race, the candidate with the highest true mean, and whether it stayed in to the end."""

    answers: pl.DataFrame
    best: int
    stayed: bool


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=100, help="simulated searches a case")
    count = parser.parse_args().searches
    cases = [Case(spread, graded, False) for spread in (0.02, 0.05) for graded in (True, False)]
    cases += [Case(0.04, graded, True) for graded in (True, False)]
    promises = []
    for number, case in enumerate(cases):
        draws = np.random.default_rng(number)
        searches = [search(case, draws) for _ in range(count)]
        rows = [summed(name, searches, [way(s) for s in searches]) for name, way in WAYS.items()]
        print(f"\n{case.title}, {count} searches\n\n{markdown(pl.DataFrame(rows))}", flush=True)
        promises.append(kept(case, searches))
    print(f"\nrace as built (4)\n\n{markdown(pl.DataFrame(promises))}")


def search(case: Case, draws: np.random.Generator) -> Searched:
    """Draw a search and all answers that could be asked for."""
    means = AVERAGE + case.spread * draws.normal(size=TRIALS)
    difficulty = DIFFICULTY * draws.normal(size=len(IDS))
    own = INTERACTION * draws.normal(size=(TRIALS, len(IDS)))
    if case.adaptive:
        for trial in range(TRIALS * 35 // 100, TRIALS):
            scores = scored(means[:trial, None] + difficulty + own[:trial], case.graded)
            near = int(scores[:, :ITEMS].mean(axis=1).argmax())
            means[trial] = AVERAGE + 0.8 * (means[near] - AVERAGE) + 0.6 * (means[trial] - AVERAGE)
            own[trial] = 0.8 * own[near] + 0.6 * own[trial]
    noise = np.hypot(DIFFICULTY, INTERACTION) * NORMAL
    truth = scored(means[:, None] + noise, case.graded).mean(axis=1)
    return Searched(scored(means[:, None] + difficulty + own, case.graded), truth)


def scored(values: Floats, graded: bool) -> Floats:
    """Scores 0 to 1 from values on the whole line."""
    return np.clip(values, 0, 1) if graded else (values > 0.5).astype(np.float64)


def race(searched: Searched, candidates: int) -> tuple[Choice, Raced]:
    """The race as the search runs it."""
    top = searched.top(candidates)
    racing = Race(tuple(top), RACED, RACED)
    given = answered(searched, range(TRIALS), IDS[:ITEMS], "trial")
    while more := racing.next_round(given):
        given = pl.concat([given, answered(searched, more[0], more[1], "race")])
    winner = racing.winner(given)
    given = pl.concat([given, answered(searched, [winner], CONFIRMED, "confirm")])
    best = max(top, key=lambda trial: searched.truth[trial])
    return Choice(winner, confirmed(searched, winner), given.height), Raced(given, best, best in racing.standing(given))


def answered(searched: Searched, trials: Iterable[int], items: Sequence[str], stage: str) -> pl.DataFrame:
    """Rows of `search.answers`."""
    rows = [(trial, stage, item, float(searched.scores[trial, PLACE[item]])) for trial in trials for item in items]
    return pl.DataFrame(rows, schema=TABLES["search.answers"].schema, orient="row")


def confirmed(searched: Searched, trial: int) -> float:
    return float(searched.scores[trial, ITEMS + RACE :].mean())


def by_trials(searched: Searched) -> Choice:
    """The best score on the samples of the trials."""
    trial = searched.best(range(TRIALS), slice(ITEMS))
    return Choice(trial, float(searched.scores[trial, :ITEMS].mean()), TRIALS * ITEMS)


def shrunk(searched: Searched) -> Choice:
    """The same choice, its score moved to the mean of all trials by the share of their variance that is noise.

    The variance of a mean's noise is that of the residuals of a two-way layout, trials by samples, over the samples
    (empirical Bayes: Efron and Morris 1975, JASA 70:311).
    """
    scores = searched.scores[:, :ITEMS]
    means = scores.mean(axis=1)
    left = scores - means[:, None] - scores.mean(axis=0) + scores.mean()
    noise = (left**2).sum() / ((TRIALS - 1) * (ITEMS - 1)) / ITEMS
    kept = max(0.0, 1 - noise / means.var(ddof=1))
    trial = searched.best(range(TRIALS), slice(ITEMS))
    return Choice(trial, float(means.mean() + kept * (means[trial] - means.mean())), TRIALS * ITEMS)


def more_for_all(searched: Searched) -> Choice:
    """Every trial answers more samples, in all about as many answers as a race of the best four."""
    more = ITEMS + (4 * RACE + CONFIRM) // TRIALS
    trial = searched.best(range(TRIALS), slice(more))
    return Choice(trial, float(searched.scores[trial, :more].mean()), TRIALS * more)


def top_on_all(searched: Searched) -> Choice:
    """The best four answer all samples of the race, and the best mean over trial and race is reported."""
    trial = searched.best(searched.top(4), slice(ITEMS + RACE))
    return Choice(trial, float(searched.scores[trial, : ITEMS + RACE].mean()), TRIALS * ITEMS + 4 * RACE)


def halving(candidates: int) -> Callable[[Searched], Choice]:
    """Successive halving over the same rounds (Jamieson and Talwalkar 2016, AISTATS), the winner confirmed."""

    def way(searched: Searched) -> Choice:
        left, answers = searched.top(candidates), TRIALS * ITEMS
        for number in range(ROUNDS):
            if len(left) == 1:
                break
            start, end = RACE * number // ROUNDS, RACE * (number + 1) // ROUNDS
            answers += len(left) * (end - start)
            seen = searched.scores[:, ITEMS : ITEMS + end].mean(axis=1)
            left = sorted(left, key=lambda trial: -seen[trial])[: len(left) // 2]
        return Choice(left[0], confirmed(searched, left[0]), answers + CONFIRM)

    return way


WAYS: Mapping[str, Callable[[Searched], Choice]] = {
    "best of the trials": by_trials,
    "the same, shrunk": shrunk,
    "more samples for every trial": more_for_all,
    "best 4 on all samples": top_on_all,
    "successive halving of 4": halving(4),
    "successive halving of 8": halving(8),
    "race as built (4)": lambda searched: race(searched, 4)[0],
    "race as built (6)": lambda searched: race(searched, 6)[0],
}


def summed(name: str, searches: Sequence[Searched], choices: Sequence[Choice]) -> dict[str, object]:
    """A row of a case's table."""
    pairs = list(zip(searches, choices, strict=True))
    regret = np.array([s.truth.max() - s.truth[c.trial] for s, c in pairs])
    over = np.array([c.reported - s.truth[c.trial] for s, c in pairs])
    return {
        "way to choose": name,
        "regret": with_error(regret),
        "overstatement": with_error(over),
        "error": f"{np.sqrt((over**2).mean()):.3f}",
        "answers": round(float(np.mean([c.answers for c in choices]))),
    }


def with_error(values: Floats) -> str:
    return f"{values.mean():.4f} +- {values.std(ddof=1) / len(values) ** 0.5:.4f}"


def kept(case: Case, searches: Sequence[Searched]) -> dict[str, object]:
    """Whether what the race promises holds, a row a case."""
    raced = [race(s, 4)[1] for s in searches]
    said = [race_verdict(r.answers, SAMPLES) for r in raced]
    truth = [float(s.truth[v.winner]) for s, v in zip(searches, said, strict=True)]
    leads = [
        (v.lead.ahead, float(s.truth[v.winner] - s.truth[v.lead.trial]))
        for s, v in zip(searches, said, strict=True)
        if v.lead
    ]
    held = {
        "best candidate dropped out": [not r.stayed for r in raced],
        "winner is the best candidate": [v.winner == r.best for v, r in zip(said, raced, strict=True)],
        "resamples won": [v.resamples_won for v in said],
        "score's interval covers": [v.score.low <= t <= v.score.high for v, t in zip(said, truth, strict=True)],
        "lead's interval covers": [lead.low <= t <= lead.high for lead, t in leads],
    }
    over = with_error(np.array([lead.value - t for lead, t in leads]))
    return {
        "case": case.title,
        **{name: f"{np.mean(values):.0%}" for name, values in held.items()},
        "lead over by": over,
    }


if __name__ == "__main__":
    main()
