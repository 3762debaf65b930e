"""`forge check`, `forge explain`, `forge cite` and `forge schema`: the law room at the command line."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from forge_assets.law.checks import Fault, check_country, check_together
from forge_assets.law.citation_style import Style
from forge_assets.law.citations import parse, render
from forge_assets.law.combine import combine
from forge_assets.law.country import Country, country_files, read_country
from forge_assets.law.explain import explained
from forge_assets.law.live import law_index
from forge_assets.law.load import LawError, load_domain
from forge_assets.law.model import Domain, Framework
from forge_assets.law.obligations import Facts
from forge_assets.law.schema import framework_schema
from forge_assets.law.statutes import Statutes


def check(pack: Path, only: Path | None, further: Callable[[Domain], list[Fault]]) -> tuple[list[str], list[Fault]]:
    """Check a pack, or one country file of it.

    Args:
        only: a country file; None checks them all.
        further: what else the whole pack is checked for (scenario vocabulary, profiles).

    Returns:
        One line a readable country, with counts by status, and every fault.
    """
    try:
        domain = load_domain(pack)
        faults = further(domain) if only is None else []
    except LawError as error:
        return [], [Fault("readable", "error", str(error.path), error.line, error.problem, error.mend)]
    files = country_files(pack) if only is None else {only.stem.upper(): only}
    read: dict[str, Country] = {}
    refused: list[Fault] = []
    for code, path in {**country_files(pack), **files}.items():
        try:
            read[code] = read_country(pack, domain, path)
        except LawError as error:
            if code in files:
                refused.append(Fault("readable", "error", str(error.path), error.line, error.problem, error.mend))
    unions: dict[str, Statutes] = {code: c.statutes for code, c in read.items() if c.framework.members}
    for path in files.values():
        faults += check_country(pack, domain, path, unions)
    # What keeps a country out of the catalog is mostly a fault that a check has named already, with a better mend.
    named = {fault.file for fault in faults if fault.severity == "error"}
    faults += [fault for fault in refused if fault.file not in named]
    faults += check_together({files[code]: c.framework for code, c in read.items() if code in files})
    return [_counts(code, read[code]) for code in files if code in read], faults


def _counts(code: str, country: Country) -> str:
    counted = Counter(country.checked[p.id].status for p in country.framework.provisions)
    rules = len(country.checked) - len(country.framework.provisions)
    said = ", ".join(f"{count} {status}" for status, count in sorted(counted.items(), reverse=True))
    return f"{code}: {said} provisions" + (f", {rules} rules" if rules else "")


def shown(lines: list[str], faults: list[Fault], as_json: bool, good: str) -> int:
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


def add_explain(parser: argparse.ArgumentParser, domain: Domain) -> None:
    """The options of `forge explain`: one for each fact that the domain declares."""
    parser.add_argument("jurisdictions", nargs="+", metavar="COUNTRY", help="codes, e.g. DE, or DE FR for a group")
    parser.add_argument("--change", required=True, choices=sorted(domain.change_types), help="what is planned")
    parser.add_argument("--on", type=dt.date.fromisoformat, help="date of the change, YYYY-MM-DD; default today")
    parser.add_argument(
        "--in", dest="local", action="append", default=[], metavar="CODE:FACT=VALUE", help="a fact of one country"
    )
    parser.add_argument("--english", action="store_true", help="citations in English instead of the country's form")
    for name, kind in domain.facts.items():
        option = f"--{name.replace('_', '-')}"
        if kind.type == "boolean":
            parser.add_argument(option, dest=name, action=argparse.BooleanOptionalAction, help=kind.label)
        else:
            parser.add_argument(option, dest=name, type=int, metavar="N", help=kind.label)


def explain(pack: Path, domain: Domain, given: argparse.Namespace) -> str:
    """What the law asks of the situation the options describe.

    Raises:
        ValueError: an unknown country or fact; the message says which are known.
        LawError: a country file cannot be read.
    """
    files = country_files(pack)
    codes = [code.upper() for code in given.jurisdictions]
    unknown = [code for code in codes if code not in files]
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no such jurisdiction; choose from {', '.join(files)}")
    everywhere = {name: getattr(given, name) for name in domain.facts if getattr(given, name) is not None}
    facts: dict[str, Facts] = {code: {**everywhere, **_local(domain, given.local, code, codes)} for code in codes}
    read = {code: read_country(pack, domain, files[code]) for code in codes}
    for code, path in files.items():
        if code not in read:
            country = read_country(pack, domain, path)
            if country.framework.members:
                read[code] = country
    frameworks = {code: country.framework for code, country in read.items()}
    combined = combine(domain, list(frameworks.values()), given.change, facts, given.on or dt.date.today())
    statuses = {name: status for country in read.values() for name, status in country.statuses.items()}
    style: Style = "english" if given.english else "national"
    return explained(
        domain, frameworks, statuses, given.change, combined, lambda key: render(key, frameworks[key[:2]], style)
    )


def cite(pack: Path, text: str, country: str | None) -> list[str]:
    """The citations of a text, one line each: as written, key, status, canonical form.

    Args:
        country: whose law a citation without a law's name means.

    Raises:
        LawError: a file of the pack cannot be read.
    """
    domain = load_domain(pack)
    read = {code: read_country(pack, domain, path) for code, path in country_files(pack).items()}
    frameworks = {code: each.framework for code, each in read.items()}
    laws = law_index(domain, list(read.values()))
    return [
        " | ".join([found.text, found.key, found.status, _canonical(found.key, frameworks)])
        for found in parse(text, laws, country)
    ]


def _canonical(key: str, frameworks: dict[str, Framework]) -> str:
    framework = frameworks.get(key[:2])
    return render(key, framework) if framework else "law not known"


def _local(domain: Domain, given: list[str], code: str, codes: list[str]) -> dict[str, int | bool]:
    """`--in FR:employees=900`: facts of one country, over those given for all."""
    facts: dict[str, int | bool] = {}
    for text in given:
        country, _, fact = text.partition(":")
        name, _, value = fact.partition("=")
        if country.upper() not in codes:
            raise ValueError(f"--in {text}: {country} is not asked about; write e.g. {codes[0]}:employees=120")
        if name not in domain.facts:
            raise ValueError(f"--in {text}: no fact `{name}`; choose from {', '.join(domain.facts)}")
        whole = domain.facts[name].type == "integer"
        if not (value.isdigit() if whole else value in ("true", "false", "")):
            raise ValueError(f"--in {text}: {name} is {'a number' if whole else 'true or false'}")
        if country.upper() == code:
            facts[name] = int(value) if whole else value != "false"
    return facts


def schema(pack: Path) -> str:
    """The JSON Schema of the pack's jurisdiction files, as text."""
    return json.dumps(framework_schema(load_domain(pack)), indent=1, ensure_ascii=False) + "\n"
