"""Compare two models by the composites of questions that both answered: whether one is shown to be worse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from forge_assets.scoring.bootstrap import difference_interval, sign_flip

LEVEL = 0.05


class Compared(NamedTuple):
    """How a model does beside another, paired; the interval is of 95%."""

    difference: float
    low: float
    high: float
    p: float
    n: int

    @property
    def worse(self) -> bool:
        """Whether it is worse beyond noise, by interval and by sign-flip test."""
        return self.high < 0 and self.p <= LEVEL

    def __str__(self) -> str:
        return f"{self.difference:+.3f} [{self.low:+.3f}, {self.high:+.3f}] on {self.n} questions"


def compared(mine: Mapping[str, float], other: Mapping[str, float]) -> Compared | None:
    """Compare composites by sample; None where no question is shared."""
    shared = sorted(mine.keys() & other.keys())
    if not shared:
        return None
    paired, cluster = np.array([[mine[name] - other[name]] for name in shared]), np.arange(len(shared))
    low, high = (float(end[0]) for end in difference_interval(paired, cluster))
    return Compared(float(paired.mean()), low, high, float(sign_flip(paired, cluster)[0]), len(shared))
