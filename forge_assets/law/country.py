"""Read one country of a domain pack and check it against statute text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from forge_assets.law.loading import read_framework
from forge_assets.law.model import Domain, Framework
from forge_assets.law.settling import settle
from forge_assets.law.statutes import Statutes, load_statutes
from forge_assets.law.verification import Verification, missing_bases, verify
from forge_assets.law.versions import framework_version
from forge_resources.config.strict_yaml import Lines, refuse, yaml_files


@dataclass(frozen=True)
class CountryFile:
    """A country's file as it is written: what it says, on which lines, and the statute text it rests on."""

    path: Path
    framework: Framework
    lines: Lines
    statutes: Statutes


@dataclass(frozen=True)
class Country:
    """A settled framework with the statute text it rests on."""

    framework: Framework
    statutes: Statutes
    checked: dict[str, Verification]
    version: str

    @property
    def statuses(self) -> dict[str, str]:
        """Provision id to status."""
        return {name: found.status for name, found in self.checked.items()}


def country_files(pack: Path) -> dict[str, Path]:
    """Map jurisdiction codes to YAML files; the code is the file's name, e.g. `de.yaml`. Other names are left out.

    A file that cannot be read, be it a link to nothing, is a country's all the same: that country waits until it is
    mended, and is not taken for one that was deleted.
    """
    return {path.stem.upper(): path for path in yaml_files(pack / "jurisdictions") if _is_country(path)}


def stray_files(pack: Path) -> list[Path]:
    """List files `*.yaml` among the countries whose name is no jurisdiction code."""
    return [path for path in yaml_files(pack / "jurisdictions") if not _is_country(path)]


def _is_country(path: Path) -> bool:
    return re.fullmatch(r"[a-z]{2}\.yaml", path.name) is not None and not path.is_dir()


def read_country(pack: Path, domain: Domain, path: Path) -> Country:
    """Read and check one framework.

    Raises:
        SourceError: the file or its statute text cannot be read; names file, line and mend.
    """
    return country_of(domain, read_country_file(pack, domain, path))


def read_country_file(pack: Path, domain: Domain, path: Path) -> CountryFile:
    """Read one framework and its statute text, which need not bear it out.

    Raises:
        SourceError: the file or its statute text cannot be read; names file, line and mend.
    """
    framework, lines = read_framework(path, domain)
    return CountryFile(path, framework, lines, load_statutes(pack, framework))


def country_of(domain: Domain, file: CountryFile) -> Country:
    """Check what a country's file says against its name and its statute text.

    Raises:
        SourceError: the file is named for another country, or a basis does not stand in the text.
    """
    path, said = file.path, file.framework.jurisdiction
    if said != path.stem.upper():
        problem = f"the file says {said}, its name says {path.stem.upper()}"
        refuse(path, file.lines, [(("jurisdiction",), problem, "make them agree")])
    mend = "cite a place that is in the statute text"
    missing = missing_bases(file.framework, file.statutes)
    refuse(path, file.lines, [(at, f"basis {problem}", mend) for at, problem in missing.items()])
    return checked_country(domain, settle(domain, file.framework), file.statutes)


def checked_country(domain: Domain, framework: Framework, statutes: Statutes) -> Country:
    """Check a framework that was already validated and settled against its statute text."""
    version = framework_version(domain, framework, statutes)
    return Country(framework, statutes, verify(framework, statutes), version)
