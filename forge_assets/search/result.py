"""Define the record of a search: the winning trial's job, and why it won."""

from __future__ import annotations

from forge_assets.training.jobs.spec import SftJob
from forge_assets.training.made_from import ChainRecord


class SearchResult(ChainRecord):
    """The last search."""

    asset = "search_results"

    job: SftJob
    """What the winning trial ran, changes of the guard included."""
    dataset: str
    """Digest of the training rows."""
    study: str
    chosen: int
    """Number of the winning trial."""
    sentence: str
    """Who won, by how much, and how sure that is."""
    importances: dict[str, float]
    """Parameter to its share of 1."""
