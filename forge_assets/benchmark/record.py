"""Define the record of the last report."""

from __future__ import annotations

from forge_assets.training.made_from import ChainRecord


class Report(ChainRecord):
    """The last report: the end of a chain."""

    asset = "benchmark_report"

    page: str
    """Path of the HTML page."""
