"""The fingerprint of all that the training chain rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge_assets.catalog.snapshot import live_codes
from forge_assets.datasets.frozen_core import load_core
from forge_resources.storage.store import digest

if TYPE_CHECKING:
    from forge_resources.forge import Forge


def fingerprint(forge: Forge) -> str:
    """Digest of every live country's samples, the frozen core, the profile and the pinned dependencies."""
    names = [f"scenarios/{code}" for code in live_codes(forge) if forge.knows(f"scenarios/{code}")]
    live = {name: forge.recall(name)["version"] for name in names}
    return digest([live, load_core(forge.pack_path), forge.profile.model_dump(mode="json"), forge.environment])
