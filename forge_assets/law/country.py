"""One country of a domain pack, read from its files and checked against statute text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from forge_assets.law.catalog import framework_version
from forge_assets.law.load import LawError, load_framework
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import Statutes, load_statutes
from forge_assets.law.verify import Verification, missing_bases, verify


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
    framework = load_framework(path, domain)
    if framework.jurisdiction != path.stem.upper():
        problem = f"the file says {framework.jurisdiction}, its name says {path.stem.upper()}"
        raise LawError(path, _line(path, "jurisdiction:"), problem, "make them agree")
    statutes = load_statutes(pack, framework)
    for key, problem in missing_bases(framework, statutes).items():
        raise LawError(path, _line(path, key), f"basis {problem}", "cite a place that is in the statute text")
    return checked_country(domain, framework, statutes)


def checked_country(domain: Domain, framework: Framework, statutes: Statutes) -> Country:
    """Check a framework that was already validated against its statute text."""
    version = framework_version(domain, framework, statutes)
    return Country(framework, statutes, verify(framework, statutes), version)


def _line(path: Path, words: str) -> int:
    """The first line that holds the words."""
    lines = path.read_text("utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if words in line), 1)
