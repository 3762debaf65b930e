"""Check a country's law and report faults: `file:line: what is wrong: what mends it`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

from forge_assets.law.citation_key import CitationKey
from forge_assets.law.country import CountryFile, country_files
from forge_assets.law.loading import load_framework
from forge_assets.law.model import Condition, Domain, Framework
from forge_assets.law.statutes import Statutes, load_statutes, squeezed, subdivisions
from forge_assets.law.verification import Missing, cited_text
from forge_resources.config.strict_yaml import FieldPath, SourceError, line_of, read_text

Check = Literal["readable", "places", "quotes", "thresholds", "references", "sources", "teaching"]
SOURCES = Path("statutes", "SOURCES.md")
"""Of a pack: where each statute text comes from."""

CHECKS: dict[Check, str] = {
    "readable": "The YAML and the statute text can be read; ids are unique, triggers known, escalation in order.",
    "places": "Every unit, paragraph and point that is cited stands in the statute text.",
    "quotes": "Every quote stands word for word in the place it is cited from.",
    "thresholds": "Bands of headcounts leave no gap and do not overlap.",
    "references": "Every provision named as transposed stands in the union's law.",
    "sources": "Every statute text has a row in SOURCES.md; one that is not current says why.",
    "teaching": "Every kind of change that provisions cover has a principal duty.",
}


@dataclass(frozen=True)
class Fault:
    """What is wrong, where, and what mends it. An `error` is never taught; a `warning` is for a person to judge."""

    check: Check
    severity: Literal["error", "warning"]
    file: str
    line: int
    problem: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.problem}: {self.mend}"

    @classmethod
    def of(cls, error: SourceError) -> Fault:
        """Report a file that cannot be read."""
        return cls("readable", "error", str(error.path), error.line, error.problem, error.mend)

    def as_dict(self) -> dict[str, str | int]:
        """Return the fields for `forge check --json`."""
        return asdict(self)


@dataclass(frozen=True)
class _Stated:
    """An entry that rests on a place in statute text."""

    at: FieldPath
    field: str
    key: CitationKey
    quote: str | None


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
        *_text_faults(framework, file.statutes),
        *_threshold_faults(framework),
        *_reference_faults(framework, union),
        *_source_faults(sources, framework),
        *_teaching_faults(domain, framework),
    ]
    placed = [(line_of(file.lines, at), check, severity, what, mend) for check, severity, at, what, mend in faults]
    own = [
        Fault(check, severity, str(file.path), line, what, mend) for line, check, severity, what, mend in sorted(placed)
    ]
    return own + elsewhere


_Found = tuple[Check, Literal["error", "warning"], FieldPath, str, str]


def stated(framework: Framework) -> Iterator[_Stated]:
    """List every entry of a framework that claims to stand in statute text."""
    for i, provision in enumerate(framework.provisions):
        yield _Stated(("provisions", i), "cite", provision.cite, provision.quote)
    for section in ("bodies", "escalation", "data_protection", "collective_agreements"):
        for i, entry in enumerate(getattr(framework, section)):
            yield _Stated((section, i), "basis", entry.basis, entry.quote)


def _text_faults(framework: Framework, statutes: Statutes) -> Iterator[_Found]:
    for entry in stated(framework):
        found = cited_text(entry.key, statutes)
        if isinstance(found, Missing):
            yield "places", "error", (*entry.at, entry.field), found.problem, _nearest_place(entry.key, statutes)
        elif entry.quote is not None and squeezed(entry.quote) not in found:
            what = f"the quote does not stand in {entry.key}"
            yield "quotes", "error", (*entry.at, "quote"), what, _where_it_parts(entry, found, statutes)


def _nearest_place(key: CitationKey, statutes: Statutes) -> str:
    units = statutes.get(key.law, {})
    if key.unit not in units:
        close = difflib.get_close_matches(key.unit, units, n=5) or list(units)[:5]
        return f"cite a unit that is held, such as {', '.join(close)}"
    paragraphs = subdivisions(units[key.unit])
    if key.paragraph not in paragraphs or not key.point:
        return f"paragraphs of {units[key.unit].unit}: {', '.join(paragraphs)}"
    points = paragraphs[key.paragraph].points
    return f"points of paragraph {key.paragraph}: {', '.join(points) or 'none'}"


def _where_it_parts(entry: _Stated, text: str, statutes: Statutes) -> str:
    """Where else the quote stands, or the word at which it leaves the text."""
    quote = squeezed(entry.quote or "")
    units = statutes[entry.key.law]
    unit = replace(entry.key, paragraph="", point="")
    for label, paragraph in subdivisions(units[unit.unit]).items():
        for point, words in paragraph.points.items():
            if quote in words:
                return f"it stands in {replace(unit, paragraph=label, point=point)}"
        if quote in paragraph.text:
            return f"it stands in {replace(unit, paragraph=label)}"
    elsewhere = next((u.number for u in units.values() if quote in squeezed(u.text)), None)
    if elsewhere:
        return f"it stands in {replace(unit, unit=elsewhere)}"
    said = quote.split(" ")
    kept = 0
    while kept < len(said) and " ".join(said[: kept + 1]) in text:
        kept += 1
    if kept < 2:
        return "copy the words from the statute text"
    same = " ".join(said[:kept])
    goes_on = text[text.index(same) + len(same) :].split()
    return f"after «{' '.join(said[max(0, kept - 3) : kept])}» the text goes on «{' '.join(goes_on[:6])}»"


def _threshold_faults(framework: Framework) -> Iterator[_Found]:
    for i, provision in enumerate(framework.provisions):
        at: FieldPath = ("provisions", i, "applies_when")
        for fact in sorted({name for condition in provision.applies_when for name in condition}):
            for problem, mend in _band_problems(provision.applies_when, fact):
                yield "thresholds", "warning", at, problem, mend


def _band_problems(conditions: Iterable[Condition], fact: str) -> Iterator[tuple[str, str]]:
    """Gaps and overlaps between bands of one fact that are closed on one side at least."""
    bands = []
    for condition in conditions:
        bound = condition.get(fact)
        if bound is None or (bound.min is None and bound.max is None):
            return
        bands.append((bound.min or 0, bound.max))
    bands.sort(key=lambda band: band[0])
    for (low, high), (following, end) in pairwise(bands):
        if high is None or (low, high) == (following, end):
            continue
        if following > high + 1:
            yield f"`{fact}` from {high + 1} to {following - 1} falls in no band", "close the gap if the law has none"
        elif following <= high:
            yield f"`{fact}` from {following} to {high} falls in two bands", "end one band where the next begins"


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


def _reference_faults(framework: Framework, union: Mapping[str, Statutes | None]) -> Iterator[_Found]:
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


def _source_faults(rows: str | None, framework: Framework) -> Iterator[_Found]:
    for i, law in enumerate(framework.laws):
        name = law.statute.removeprefix("statutes/")
        if rows is not None and f"| {name} |" not in rows:
            what = f"{name} has no row in {SOURCES.name}"
            yield "sources", "warning", ("laws", i, "statute"), what, "say where the text comes from and its licence"
        if (law.text_status == "outdated" or law.outdated_units) and not law.text_note:
            what = f"{law.short} has text that is not current and no reason"
            yield "sources", "warning", ("laws", i, "id"), what, "give `text_note`"


def _teaching_faults(domain: Domain, framework: Framework) -> Iterator[_Found]:
    if framework.members:
        return
    for change in domain.change_types.values():
        triggers = {*change.triggers, *(c.trigger for c in change.conditional_triggers)}
        covering = [p for p in framework.provisions if triggers & set(p.triggers)]
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
