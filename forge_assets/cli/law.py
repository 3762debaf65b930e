"""`forge check`, `forge explain`, `forge cite` and `forge schema`: the law room at the command line."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forge_assets.citations.law_index import law_index
from forge_assets.citations.loading import LoadedLaws, load_laws
from forge_assets.citations.parser import parse
from forge_assets.citations.rendering import Style, render
from forge_assets.citations.verdict import judge
from forge_assets.law.checks.faults import Fault
from forge_assets.law.checks.run import Held, check_country, check_together
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.country import (
    Country,
    CountryFile,
    country_files,
    country_of,
    read_country,
    read_country_file,
    stray_files,
)
from forge_assets.law.cross_border import combine
from forge_assets.law.engine import Facts
from forge_assets.law.explanation import explain_findings
from forge_assets.law.json_schema import framework_schema
from forge_assets.law.loading import load_domain
from forge_assets.law.model import Domain
from forge_assets.law.probe import probe_lines
from forge_assets.law.stated_facts import check_facts, count
from forge_resources.config.strict_yaml import SourceError


def check(
    pack: Path, only: Sequence[Path] | None, further: Callable[[Domain], list[Fault]]
) -> tuple[list[str], list[Fault]]:
    """Check a pack, or some country files of it.

    Args:
        only: country files; None checks them all.
        further: what else the whole pack is checked for (scenario vocabulary, profiles).

    Returns:
        One line a readable country, with counts by status, and every fault.
    """
    try:
        domain = load_domain(pack)
        faults = [*further(domain), *_strays(pack)] if only is None else []
    except SourceError as error:
        return [], [Fault.of(error)]
    files = country_files(pack) if only is None else {path.stem.upper(): path for path in only}
    sources: dict[str, CountryFile] = {}
    read: dict[str, Country] = {}
    held: Held = {}
    refused: list[Fault] = []
    for code, path in files.items():
        try:
            source = sources[code] = read_country_file(pack, domain, path)
            held[code] = source.statutes if source.framework.members else None
            read[code] = country_of(domain, source)
        except SourceError as error:
            if code not in sources:
                held[code] = error
            refused.append(Fault.of(error))
    for code in files:
        if code in sources:
            faults += check_country(pack, domain, sources[code], held)
    faults = list(dict.fromkeys(faults))  # what several countries refer to is broken once
    # What keeps a country out of the catalog is mostly a fault that a check has named already, with a better mend.
    named = {fault.file for fault in faults if fault.severity == "error"}
    faults += [fault for fault in refused if fault.file not in named]
    faults += check_together(sources[code] for code in files if code in read)
    return [_counts(code, read[code]) for code in files if code in read], faults


def changed_countries(pack: Path) -> list[Path]:
    """List the country files that differ from the last commit, in themselves or in their statute text.

    A change of what all countries share, such as `domain.yaml`, is one of every country; so is a country that is gone.

    Raises:
        ValueError: git does not know the pack.
    """
    asked = ["git", "-C", str(pack), "status", "--porcelain", "--untracked-files=all", "--no-renames", "-z", "--", "."]
    top = ["git", "-C", str(pack), "rev-parse", "--show-toplevel"]
    try:
        found = subprocess.run(asked, capture_output=True, check=True, text=True, encoding="utf-8").stdout
        root = Path(subprocess.run(top, capture_output=True, check=True, text=True, encoding="utf-8").stdout.strip())
    except (OSError, subprocess.CalledProcessError) as error:
        raise ValueError(f"{pack}: --changed compares with the last commit, and git has none: name the file") from error
    changed = [(root / entry[3:]).resolve() for entry in found.split("\0") if entry]
    files = {code: path.resolve() for code, path in country_files(pack).items()}
    whole = {pack.resolve(), (pack / "jurisdictions").resolve()}
    if any(path.parent in whole and path not in files.values() for path in changed):
        return list(files.values())
    texts = {path.parent.name.upper() for path in changed if path.parent.parent == (pack / "statutes").resolve()}
    return [path for code, path in files.items() if path in changed or code in texts]


def _strays(pack: Path) -> list[Fault]:
    mend = "name a country's file by its code, e.g. de.yaml, and move what is none elsewhere"
    return [
        Fault("readable", "error", str(path), 1, "among the countries, and not named as one's file", mend)
        for path in stray_files(pack)
    ]


def _counts(code: str, country: Country) -> str:
    counted = Counter(country.checked[p.id].status for p in country.framework.provisions)
    rules = len(country.checked) - len(country.framework.provisions)
    said = ", ".join(f"{count} {status}" for status, count in sorted(counted.items(), reverse=True))
    return f"{code}: {said} provisions" + (f", {rules} rules" if rules else "")


def report_faults(lines: list[str], faults: list[Fault], as_json: bool, good: str) -> int:
    """Print the outcome of a check; 1 if there is an error, 0 if there are warnings only."""
    here = f"{Path.cwd()}/"
    faults = [replace(fault, file=fault.file.removeprefix(here)) for fault in faults]
    failed = any(fault.severity == "error" for fault in faults)
    if as_json:
        print(json.dumps({"ok": not failed, "faults": [f.as_dict() for f in faults]}, ensure_ascii=False, indent=1))
        return int(failed)
    for line in lines:
        print(line)
    for fault in faults:
        print(fault if fault.severity == "error" else f"{fault} (warning)")
    if not faults:
        print(good)
    return int(failed)


@dataclass(frozen=True)
class Question:
    """A situation that somebody asks about.

    Attributes:
        facts: of every country asked about.
        local: facts of one country, each `CODE:FACT=VALUE`; they go before those of all.
        on: date of the change.
        style: how citations are written.
    """

    countries: tuple[str, ...]
    change: str
    facts: Facts
    local: tuple[str, ...]
    on: dt.date
    style: Style


def explain(pack: Path, domain: Domain, asked: Question, parts: Sequence[tuple[str, str]]) -> str:
    """What the law asks of the situation.

    Args:
        parts: facts that are a part of another, each with that other one.

    Raises:
        ValueError: an unknown country or fact, or one that cannot be; the message says which can.
        SourceError: the file of a country that is asked about cannot be read.
    """
    files = country_files(pack)
    codes = [code.upper() for code in asked.countries]
    unknown = [code for code in codes if code not in files]
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no such jurisdiction; choose from {', '.join(files)}")
    if twice := [code for code in codes if codes.count(code) > 1]:
        raise ValueError(f"{twice[0]} is named twice: name each country once")
    facts: dict[str, Facts] = {code: {**asked.facts, **_local(domain, asked.local, code, codes)} for code in codes}
    found, broken = _readable(pack, domain)
    for code in codes:
        if code in broken:
            raise broken[code]
    unions = [country.framework for country in found.values() if country.framework.members]
    check_facts(domain, unions, parts, facts)
    read = {code: country for code, country in found.items() if code in codes or country.framework.members}
    frameworks = {code: country.framework for code, country in read.items()}
    combined = combine(domain, list(frameworks.values()), asked.change, facts, asked.on)
    statuses = {name: status for country in read.values() for name, status in country.statuses.items()}
    told = explain_findings(
        domain,
        frameworks,
        statuses,
        asked.change,
        combined,
        lambda key: render(key, frameworks[key.jurisdiction], asked.style),
    )
    return "\n".join([told, *_left_out(broken)])


def probe(pack: Path, country: str, change: str | None) -> list[str]:
    """What answers on one country's law say first, over a grid of facts; lines.

    Args:
        change: one kind of change; None: all.

    Raises:
        ValueError: there is no such country or kind of change.
        SourceError: the file of the country cannot be read.
    """
    domain, files, code = load_domain(pack), country_files(pack), country.upper()
    if code not in files:
        raise ValueError(f"{country}: no such jurisdiction; choose from {', '.join(files)}")
    if change is not None and change not in domain.change_types:
        raise ValueError(f"--change {change}: no such kind of change; choose from {', '.join(domain.change_types)}")
    framework = read_country(pack, domain, files[code]).framework
    changes = [change] if change else list(domain.change_types)
    return list(probe_lines(domain, framework, changes, lambda key: render(key, framework)))


def _readable(pack: Path, domain: Domain) -> tuple[dict[str, Country], dict[str, SourceError]]:
    """Every country of a pack that can be read, and why the others cannot."""
    read, broken = {}, {}
    for code, path in country_files(pack).items():
        try:
            read[code] = read_country(pack, domain, path)
        except SourceError as error:
            broken[code] = error
    return read, broken


def _left_out(broken: Mapping[str, SourceError]) -> list[str]:
    return [f"left out, as it cannot be read: {code}: {error}" for code, error in broken.items()]


def cite(pack: Path, text: str, country: str | None) -> tuple[list[str], list[str]]:
    """The citations of a text, one line each: as written, key, verdict, canonical form; and the countries left out.

    Args:
        country: whose law a citation without a law's name means.

    Raises:
        ValueError: there is no such country.
        SourceError: the shared vocabulary, or the file of `country`, cannot be read.
    """
    country = country.upper() if country else None
    broken: dict[str, SourceError] = {}
    try:
        loaded = load_laws(pack)
    except SourceError:
        loaded, broken = _readable_laws(pack)
    if country in broken:
        raise broken[country]
    if country and country not in loaded.frameworks:
        raise ValueError(f"{country}: no such jurisdiction; choose from {', '.join(loaded.frameworks)}")
    judged = [judge(found, None) for found in parse(text, loaded.index, country)]
    lines = [
        " | ".join([one.citation.text, str(one.citation.key), one.verdict, _canonical(one.citation.key, loaded)])
        for one in judged
    ]
    return lines, _left_out(broken)


def _readable_laws(pack: Path) -> tuple[LoadedLaws, dict[str, SourceError]]:
    """The laws of the countries that can be read, and why the others cannot."""
    domain = load_domain(pack)
    read, broken = _readable(pack, domain)
    frameworks = {code: each.framework for code, each in read.items()}
    return LoadedLaws(law_index(domain, list(read.values())), frameworks), broken


def _canonical(key: CitationKey, laws: LoadedLaws) -> str:
    framework = laws.frameworks.get(key.jurisdiction)
    return render(key, framework) if framework else "law not known"


def _local(domain: Domain, given: Sequence[str], code: str, codes: list[str]) -> dict[str, int | bool]:
    """`--in FR:employees=900`: facts of one country, over those given for all."""
    facts: dict[str, int | bool] = {}
    for text in given:
        country, _, fact = text.partition(":")
        name, _, value = fact.partition("=")
        if country.upper() not in codes:
            raise ValueError(f"--in {text}: {country} is not asked about; write e.g. {codes[0]}:employees=120")
        if name not in domain.facts:
            raise ValueError(f"--in {text}: no fact `{name}`; choose from {', '.join(domain.facts)}")
        if country.upper() != code:
            continue
        if name in facts:
            raise ValueError(f"--in {text}: {name} of {code} is given twice: keep one of them")
        if domain.facts[name].type == "integer":
            try:
                facts[name] = count(value)
            except ValueError as error:
                raise ValueError(f"--in {text[:60]}: {name} is a number: {error}") from error
        elif value in ("true", "false", ""):
            facts[name] = value != "false"
        else:
            raise ValueError(f"--in {text}: {name} is true or false")
    return facts


def schema(pack: Path) -> str:
    """The JSON Schema of the pack's jurisdiction files, as text."""
    return json.dumps(framework_schema(load_domain(pack)), indent=1, ensure_ascii=False) + "\n"
