"""One country of a domain pack, read from its files and checked against statute text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from forge_assets.law.catalog import framework_version
from forge_assets.law.load import load_framework
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import Statutes, load_statutes
from forge_assets.law.verify import Verification, verify


@dataclass(frozen=True)
class Country:
    """A framework with the statute text it rests on."""

    framework: Framework
    statutes: Statutes
    checked: dict[str, Verification]
    version: str

    @property
    def statuses(self) -> dict[str, str]:
        """Provision id to status."""
        return {name: found.status for name, found in self.checked.items()}


def country_files(pack: Path) -> dict[str, Path]:
    """Jurisdiction code to YAML file; the code is the file's name."""
    return {path.stem.upper(): path for path in sorted((pack / "jurisdictions").glob("*.yaml"))}


def read_country(pack: Path, domain: Domain, path: Path) -> Country:
    """Read and check one framework.

    Raises:
        LawError: the file or its statute text cannot be read; names file, line and mend.
    """
    return checked_country(pack, domain, load_framework(path, domain))


def checked_country(pack: Path, domain: Domain, framework: Framework) -> Country:
    """Check a framework that was already validated."""
    statutes = load_statutes(pack, framework)
    version = framework_version(domain, framework, statutes)
    return Country(framework, statutes, verify(framework, statutes), version)
