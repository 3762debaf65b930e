"""What a score's error is: between trials, samples that are hard for all of them do not count."""

from __future__ import annotations

import numpy as np
import pytest

from forge_assets.search.study.standard_error import paired_error, standard_error


def _trials(trials: int, items: int, hard: float, luck: float) -> list[dict[str, float]]:
    rng = np.random.default_rng(0)
    difficulty = rng.normal(0, hard, items)
    return [{str(i): float(x) for i, x in enumerate(difficulty + rng.normal(0, luck, items))} for _ in range(trials)]


def test_hard_samples_count_for_one_score_and_not_between_trials() -> None:
    *before, own = _trials(30, 20, hard=0.3, luck=0.05)
    assert paired_error(before, own) == pytest.approx(0.05 / np.sqrt(20), rel=0.1)
    assert standard_error(list(own.values())) > 4 * (paired_error(before, own) or 1.0)


def test_without_another_trial_on_the_same_samples_there_is_nothing_to_compare() -> None:
    [own] = _trials(1, 20, 0.3, 0.05)
    assert paired_error([], own) is None
    assert paired_error([{"other": 0.5}], own) is None
    assert standard_error([0.5]) == 0.0
