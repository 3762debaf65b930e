"""Compute the version of every country file, and of the samples that are composed from it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from forge_assets.law.country import Country, country_files, read_country
from forge_assets.law.loading import load_domain
from forge_assets.scenarios.pack.files import Pack, load_pack
from forge_resources.config.strict_yaml import SourceError
from forge_resources.forge import Forge
from forge_resources.storage.canonical_json import digest
from forge_resources.storage.record import Record


class ScenariosRecord(Record):
    """What a country's samples are, and what they were composed from."""

    asset = "scenarios"

    version: str
    """Of the samples."""
    source: str
    """Digest of the pack, the country and the volume, see `source_version`."""


@dataclass(frozen=True)
class Sources:
    """Versions of every readable country file, and why the others cannot be read.

    Attributes:
        laws: country to the version of its law.
        versions: country to the version of what its samples are composed from: its law, the pack and the profile.
    """

    laws: dict[str, str]
    versions: dict[str, str]
    broken: dict[str, str]


def sources(forge: Forge) -> Sources:
    """Compute the version of every country file; comments and layout do not change it.

    Raises:
        SourceError: the profile, or the vocabulary shared by all countries (domain, companies, tasks), cannot be read.
    """
    pack = load_pack(forge.pack_path, load_domain(forge.pack_path))
    _ = forge.profile  # a fault of it is no country's
    words = _version_of(pack)
    shared = _stamps(forge.pack_path / "domain.yaml", *_statute_files(forge.pack_path))
    laws, versions, broken = {}, {}, {}
    for code, path in country_files(forge.pack_path).items():
        try:
            laws[code] = _country_version(forge.pack_path, path, (*_stamps(path), *shared))
            versions[code] = _source_version(forge, words, laws[code])
        except SourceError as error:
            broken[code] = str(error)
    return Sources(laws, versions, broken)


def is_composed(forge: Forge, code: str) -> bool:
    """Whether a chain of this profile asks about a country's own law, so that samples of it are composed."""
    return forge.profile.jurisdictions is None or code in forge.profile.jurisdictions


def source_version(forge: Forge, pack: Pack, country: Country) -> str:
    """Compute a digest of all that a country's samples are composed from."""
    return _source_version(forge, _version_of(pack), country.version)


def _version_of(pack: Pack) -> str:
    return digest(pack.model_dump(mode="json", by_alias=True))


def _source_version(forge: Forge, words: str, country_version: str) -> str:
    volume = [forge.profile.data.draws, forge.profile.data.kept]
    return digest([words, country_version, forge.profile.provisions, forge.profile.taught, volume])


Stamps = tuple[tuple[str, int, int], ...]
"""Path, time of change in ns and size of files."""


def _stamps(*files: Path) -> Stamps:
    """Of what a country's version depends on: while they are the same, nothing has to be read again."""
    return tuple(_stamp(file) for file in files)


def _stamp(file: Path) -> tuple[str, int, int]:
    """Of a file that cannot be looked at as well: what reads it says why."""
    try:
        stat = file.stat()
    except OSError as error:
        return str(file), -(error.errno or 1), -1
    return str(file), stat.st_mtime_ns, stat.st_size


def _statute_files(pack: Path) -> list[Path]:
    """Every statute text of a pack; a folder that goes, is closed or leads back to itself has none."""
    found = os.walk(pack / "statutes")
    return sorted(Path(folder, name) for folder, _, names in found for name in names if name.endswith(".jsonl"))


@lru_cache(maxsize=256)
def _country_version(pack: Path, path: Path, stamps: Stamps) -> str:  # noqa: ARG001 - part of the cache's key
    """A sensor asks every few seconds: reading all countries each time would take a core from a training."""
    return read_country(pack, load_domain(pack), path).version
