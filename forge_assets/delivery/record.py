"""Define the record of the last deployment that was made."""

from __future__ import annotations

from forge_assets.training.made_from import ChainRecord


class Delivery(ChainRecord):
    """The last deployment: the end of a chain, live or not."""

    asset = "deployment"

    digest: str
    """Of the deployment; its folder's name."""
