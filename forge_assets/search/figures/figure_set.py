"""Draw every picture of a search, in reading order, for Dagster's metadata and for the report."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from forge_assets.search.figures.guard import interventions
from forge_assets.search.figures.parameters import importance, parallel_coordinates
from forge_assets.search.figures.scores import best_so_far, race
from forge_resources.presentation.figures import Picture, data_uri


def pictures(
    trials: pl.DataFrame,
    answers: pl.DataFrame,
    importances: Mapping[str, float],
    memory_budget_bytes: float,
    chosen: int | None,
    scenarios: Mapping[str, str] | None = None,
) -> dict[str, Picture]:
    """Draw the pictures by title; one that has nothing to show says so.

    Args:
        trials: as table `search.trials`.
        answers: as table `search.answers`.
        importances: parameter to its share of 1; empty: too few trials to tell.
        memory_budget_bytes: memory that the guard keeps to.
        chosen: trial that the search decided for; None: none yet.
        scenarios: sample id to scenario id, which intervals resample; None: samples stand by themselves.
    """
    return {
        "best so far": best_so_far(trials, chosen),
        "race": race(answers, chosen, scenarios),
        "importance of parameters": importance(importances),
        "configurations": parallel_coordinates(trials, chosen),
        "guard interventions": interventions(trials, memory_budget_bytes),
    }


def as_markdown(picture: Picture) -> str:
    """Embed a picture in Markdown as a data URI, for `MetadataValue.md`."""
    alt = picture.alt.replace("[", "(").replace("]", ")")
    return f"![{alt}]({data_uri(picture.figure, 'png', dpi=110)})"
