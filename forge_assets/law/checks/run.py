"""Check a country's law and report faults: `file:line: what is wrong: what mends it`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from forge_assets.law.checks.conditions import comment_faults, field_faults
from forge_assets.law.checks.faults import Fault, Found
from forge_assets.law.checks.headlines import headline_faults
from forge_assets.law.checks.terms import term_faults
from forge_assets.law.checks.text import evidence_faults, text_faults
from forge_assets.law.checks.thresholds import threshold_faults
from forge_assets.law.country import CountryFile, country_files
from forge_assets.law.loading import load_framework
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import Statutes, load_statutes
from forge_assets.law.verification import Missing, cited_text
from forge_resources.config.strict_yaml import FieldPath, SourceError, line_of, read_text

SOURCES = Path("statutes", "SOURCES.md")
"""Of a pack: where each statute text comes from."""

Held = dict[str, Statutes | SourceError | None]
"""Statute text of unions, None for a country that is no union, or why a file cannot be read."""


def check_country(pack: Path, domain: Domain, file: CountryFile, held: Held | None = None) -> list[Fault]:
    """Find every fault of one country's file and of the statute text it cites.

    Args:
        held: what was read for other countries of the pack already; gains what this one refers to.

    Returns:
        Faults in file order, then those of other files that it refers to.
    """
    held = {} if held is None else held
    framework = file.framework
    union, elsewhere = _union_text(pack, domain, framework, held)
    try:
        sources = read_text(pack / SOURCES)
    except SourceError as error:
        sources = None
        elsewhere.append(Fault("sources", "error", str(error.path), error.line, error.problem, error.mend))
    faults = [
        *text_faults(framework, file.statutes),
        *evidence_faults(framework),
        *term_faults(framework),
        *threshold_faults(framework),
        *comment_faults(framework, read_text(file.path), file.lines),
        *field_faults(domain, framework, file.statutes),
        *(() if framework.members else headline_faults(domain, framework)),
        *_reference_faults(framework, union),
        *_source_faults(sources, framework),
        *_teaching_faults(domain, framework),
    ]
    placed = [(line_of(file.lines, at), check, severity, what, mend) for check, severity, at, what, mend in faults]
    own = [
        Fault(check, severity, str(file.path), line, what, mend) for line, check, severity, what, mend in sorted(placed)
    ]
    return own + elsewhere


def _union_text(
    pack: Path, domain: Domain, framework: Framework, held: Held
) -> tuple[dict[str, Statutes | None], list[Fault]]:
    """Statute text of the jurisdictions whose law the framework says it transposes: None for one that is no union.

    One whose file is broken or missing is left out, and is a fault of that file.
    """
    files = country_files(pack)
    found: dict[str, Statutes | None] = {}
    faults = []
    for code in sorted({key.jurisdiction for provision in framework.provisions for key in provision.implements}):
        if code not in held:
            held[code] = _union_statutes(pack, domain, code, files.get(code))
        text = held[code]
        if isinstance(text, SourceError):
            faults.append(Fault.of(text))
        else:
            found[code] = text
    return found, faults


def _union_statutes(pack: Path, domain: Domain, code: str, path: Path | None) -> Statutes | SourceError | None:
    if path is None:
        where = pack / "jurisdictions" / f"{code.lower()}.yaml"
        problem = "the file is missing, though `implements` of other countries names its law"
        return SourceError(where, 1, problem, "restore it, or correct what names it")
    try:
        union = load_framework(path, domain)
        return load_statutes(pack, union) if union.members else None
    except SourceError as error:
        return error


def _reference_faults(framework: Framework, union: Mapping[str, Statutes | None]) -> Iterator[Found]:
    for i, provision in enumerate(framework.provisions):
        for j, key in enumerate(provision.implements):
            code = key.jurisdiction
            if code not in union:
                continue  # its file has the fault
            text = union[code]
            at: FieldPath = ("provisions", i, "implements", j)
            if text is None:
                what = f"`{key}` is of {code}, which is no union"
                yield "references", "error", at, what, "name a provision of a union's law"
                continue
            found = cited_text(key, text)
            if isinstance(found, Missing):
                yield "references", "error", at, found.problem, "name a place of a union's law whose text is held"


def _source_faults(rows: str | None, framework: Framework) -> Iterator[Found]:
    for i, law in enumerate(framework.laws):
        name = law.statute.removeprefix("statutes/")
        if rows is not None and f"| {name} |" not in rows:
            what = f"{name} has no row in {SOURCES.name}"
            yield "sources", "warning", ("laws", i, "statute"), what, "say where the text comes from and its licence"
        if (law.text_status == "outdated" or law.outdated_units) and not law.text_note:
            what = f"{law.short} has text that is not current and no reason"
            yield "sources", "warning", ("laws", i, "id"), what, "give `text_note`"


def _teaching_faults(domain: Domain, framework: Framework) -> Iterator[Found]:
    if framework.members:
        return
    for change in domain.change_types.values():
        covering = [p for p in framework.provisions if change.all_triggers & set(p.triggers)]
        if covering and not any(p.core for p in covering):
            what = f"no provision on {change.title} is `core`"
            yield "teaching", "warning", ("provisions",), what, f"mark one, e.g. {covering[0].id}"


def check_together(files: Iterable[CountryFile]) -> list[Fault]:
    """Find faults between countries: provision ids are unique over the whole pack."""
    faults: list[Fault] = []
    owner: dict[str, Path] = {}
    for file in files:
        for section in ("provisions", "data_protection", "collective_agreements"):
            for i, entry in enumerate(getattr(file.framework, section)):
                if owner.setdefault(entry.id, file.path) != file.path:
                    line = line_of(file.lines, (section, i, "id"))
                    what = f"id `{entry.id}` is used in {owner[entry.id].name} too"
                    faults.append(Fault("readable", "error", str(file.path), line, what, "give each its own id"))
    return faults
