"""Check that bands of headcounts leave no gap and do not overlap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from forge_assets.law.checks.faults import Found
from forge_assets.law.model import Condition, Framework
from forge_resources.config.strict_yaml import FieldPath


def threshold_faults(framework: Framework) -> Iterator[Found]:
    for i, provision in enumerate(framework.provisions):
        if "thresholds" in provision.accepted:
            continue
        at: FieldPath = ("provisions", i, "applies_when")
        for fact in sorted({name for condition in provision.applies_when for name in condition}):
            for problem, mend in _band_problems(provision.applies_when, fact):
                yield "thresholds", "warning", at, problem, mend


def _band_problems(conditions: Iterable[Condition], fact: str) -> Iterator[tuple[str, str]]:
    """Gaps and overlaps between bands of one fact that are closed on one side at least."""
    bands = []
    for condition in conditions:
        bound = condition.get(fact)
        if bound is None or (bound.min is None and bound.max is None):
            return
        bands.append((bound.min or 0, bound.max))
    bands.sort(key=lambda band: band[0])
    for (low, high), (following, end) in pairwise(bands):
        if high is None or (low, high) == (following, end):
            continue
        if following > high + 1:
            yield f"`{fact}` from {high + 1} to {following - 1} falls in no band", "close the gap if the law has none"
        elif following <= high:
            yield f"`{fact}` from {following} to {high} falls in two bands", "end one band where the next begins"
