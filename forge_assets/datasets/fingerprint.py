"""Compute the fingerprint of all that the training chain rests on."""

from __future__ import annotations

from forge_assets.catalog.snapshot import CatalogRecord, live_codes
from forge_assets.datasets.frozen_core import load_core
from forge_assets.scenarios.freshness import ScenariosRecord, is_composed
from forge_resources.forge import Forge
from forge_resources.storage.canonical_json import digest
from forge_resources.storage.record import Record


class WarehouseRecord(Record):
    """What the sets were drawn from."""

    asset = "warehouse"

    fingerprint: str
    """Of all that they were drawn from, see `fingerprint`."""
    sets: str
    """Version of the table `scenarios.sets`."""
    versions: dict[str, str]
    """Country to the version of its law in the catalog then."""


def fingerprint(forge: Forge) -> str:
    """Compute a digest of law and samples of the countries asked about, the unions' law, the frozen core and profile.

    The unions' law counts, for samples across borders are made from it; the law of other countries does not: it is
    there to judge what an answer should not have cited. Also of the workers' libraries.
    """
    live = {}
    for code in live_codes(forge):
        law, made = forge.load(CatalogRecord, code), forge.find(ScenariosRecord, code)
        if is_composed(forge, code):
            live[code] = [made.source, made.version] if made else []
        elif law.framework.get("members"):
            live[code] = [law.version]
    return digest([live, load_core(forge.pack_path), forge.profile.model_dump(mode="json"), forge.environment])
