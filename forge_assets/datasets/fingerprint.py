"""Compute the fingerprint of all that the training chain rests on."""

from __future__ import annotations

from forge_assets.catalog.snapshot import live_codes
from forge_assets.datasets.frozen_core import load_core
from forge_assets.scenarios.freshness import ScenariosRecord
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
    """Compute a digest of every live country's law and samples, the frozen core, profile and the workers' libraries.

    The law counts beside the samples: of a union there are none, but samples across borders are made from its law, and
    citations are judged by it.
    """
    made = {code: forge.find(ScenariosRecord, code) for code in live_codes(forge)}
    live = {code: [record.source, record.version] for code, record in made.items() if record}
    return digest([live, load_core(forge.pack_path), forge.profile.model_dump(mode="json"), forge.environment])
