"""Versions of what lies on disk, and the fingerprint of all that the training chain rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge_assets.law.country import Country, country_files, read_country
from forge_assets.law.live import live_codes
from forge_assets.law.load import LawError, load_domain
from forge_assets.scenarios.pack import Pack, load_pack
from forge_resources.store import digest

if TYPE_CHECKING:
    from forge_resources.forge import Forge


@dataclass(frozen=True)
class Sources:
    """Version of every readable country file, and why the others cannot be read."""

    versions: dict[str, str]
    broken: dict[str, str]


def sources(forge: Forge) -> Sources:
    """Read the pack. A comment or layout change leaves a version as it is.

    Raises:
        LawError: the vocabulary shared by all countries (domain, companies, tasks) cannot be read.
    """
    domain = load_domain(forge.pack_path)
    pack = load_pack(forge.pack_path, domain)
    versions, broken = {}, {}
    for code, path in country_files(forge.pack_path).items():
        try:
            versions[code] = source_version(forge, pack, read_country(forge.pack_path, domain, path))
        except LawError as error:
            broken[code] = str(error)
    return Sources(versions, broken)


def source_version(forge: Forge, pack: Pack, country: Country) -> str:
    """Digest of all that a country's samples are composed from."""
    return digest([pack.model_dump(mode="json", by_alias=True), country.version, forge.profile.provisions])


def fingerprint(forge: Forge) -> str:
    """Digest of every live country's samples, the profile and the pinned dependencies."""
    names = [f"scenarios/{code}" for code in live_codes(forge) if forge.knows(f"scenarios/{code}")]
    live = {name: forge.recall(name)["version"] for name in names}
    return digest([live, forge.profile.model_dump(mode="json"), forge.environment])
