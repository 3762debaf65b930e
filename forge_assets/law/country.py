"""One country of a domain pack, read from its files and checked against statute text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from forge_assets.law.loading import load_framework
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import Statutes, load_statutes
from forge_assets.law.verification import Verification, missing_bases, verify
from forge_assets.law.versions import framework_version
from forge_resources.config.strict_yaml import SourceError, read_text, yaml_files


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
    """Jurisdiction code to YAML file; the code is the file's name, e.g. `de.yaml`. Folders and other names are none.

    A file that cannot be read, be it a link to nothing, is a country's all the same: that country waits until it is
    mended, and is not taken for one that was deleted.
    """
    return {path.stem.upper(): path for path in yaml_files(pack / "jurisdictions") if _is_country(path)}


def stray_files(pack: Path) -> list[Path]:
    """What is called `*.yaml` among the countries, and is none."""
    return [path for path in yaml_files(pack / "jurisdictions") if not _is_country(path)]


def _is_country(path: Path) -> bool:
    return re.fullmatch(r"[a-z]{2}\.yaml", path.name) is not None and not path.is_dir()


def read_country(pack: Path, domain: Domain, path: Path) -> Country:
    """Read and check one framework.

    Raises:
        SourceError: the file or its statute text cannot be read; names file, line and mend.
    """
    framework = load_framework(path, domain)
    if framework.jurisdiction != path.stem.upper():
        problem = f"the file says {framework.jurisdiction}, its name says {path.stem.upper()}"
        raise SourceError(path, _line(path, "jurisdiction:"), problem, "make them agree")
    statutes = load_statutes(pack, framework)
    for key, problem in missing_bases(framework, statutes).items():
        raise SourceError(path, _line(path, key), f"basis {problem}", "cite a place that is in the statute text")
    return checked_country(domain, framework, statutes)


def checked_country(domain: Domain, framework: Framework, statutes: Statutes) -> Country:
    """Check a framework that was already validated against its statute text."""
    version = framework_version(domain, framework, statutes)
    return Country(framework, statutes, verify(framework, statutes), version)


def _line(path: Path, words: str) -> int:
    """The first line that holds the words."""
    lines = read_text(path).splitlines()
    return next((number for number, line in enumerate(lines, 1) if words in line), 1)
