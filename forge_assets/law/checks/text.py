"""Check that places, quotes and evidence stand in statute text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from forge_assets.law.checks.faults import Check, Found
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.model import Condition, Evidence, Framework, Provision
from forge_assets.law.statutes import Statutes, squeezed, subdivisions
from forge_assets.law.verification import Missing, cited_text, is_current, text_is_current
from forge_resources.config.strict_yaml import FieldPath


@dataclass(frozen=True)
class Stated:
    """An entry that rests on a place in statute text."""

    at: FieldPath
    field: str
    key: CitationKey
    quote: str | None
    is_evidence: bool = False
    """Whether it bears out a field of an entry, at `at`."""


def stated(framework: Framework) -> Iterator[Stated]:
    """List every entry of a framework that claims to stand in statute text."""
    for i, provision in enumerate(framework.provisions):
        yield Stated(("provisions", i), "cite", provision.cite, provision.quote)
        yield from _said(("provisions", i), provision.cite, provision.said_at)
    for i, body in enumerate(framework.bodies):
        yield from _said(("bodies", i), body.basis, body.said_at)
    for change, complete in framework.complete_for.items():
        for key in complete.at:
            yield Stated(("complete_for", change), "at", key, None)
    for section in ("bodies", "escalation", "data_protection", "collective_agreements"):
        for i, entry in enumerate(getattr(framework, section)):
            yield Stated((section, i), "basis", entry.basis, entry.quote)


def _said(at: FieldPath, own: CitationKey, said: Mapping[str, tuple[Evidence, ...]]) -> Iterator[Stated]:
    for field, evidence in said.items():
        for each in evidence:
            yield Stated((*at, "said_at", field), "at", each.at or own, each.words, True)


def text_faults(framework: Framework, statutes: Statutes) -> Iterator[Found]:
    """Find places that are not held, and words that do not stand in them."""
    for entry in stated(framework):
        found = cited_text(entry.key, statutes)
        check: Check = "evidence" if entry.is_evidence else "places"
        if isinstance(found, Missing):
            at = entry.at if entry.is_evidence else (*entry.at, entry.field)
            yield check, "error", at, found.problem, _nearest_place(entry.key, statutes)
        elif entry.quote is not None and squeezed(entry.quote) not in found:
            named = f"words of `{entry.at[-1]}` under `said_at` do" if entry.is_evidence else "quote does"
            what = f"the {named} not stand in {entry.key}"
            at = entry.at if entry.is_evidence else (*entry.at, "quote")
            yield (
                "evidence" if entry.is_evidence else "quotes",
                "error",
                at,
                what,
                _where_it_parts(entry, found, statutes),
            )


def evidence_faults(framework: Framework) -> Iterator[Found]:
    """Find fields of provisions that may be taught which no words of the text bear out."""
    laws = {law.id: law for law in framework.laws}
    standing = {name for body in framework.bodies for name in (body.id, *_facts(body.exists_when or ()))}
    for i, provision in enumerate(framework.provisions):
        if provision.incomplete or not is_current(framework, provision):
            continue
        tested = [name for name in dict.fromkeys(_facts(provision.applies_when)) if name not in standing]
        missing = [name for name in (*_stated_fields(provision), *tested) if name not in provision.said_at]
        if missing:
            what = f"{provision.id}: no words of the text bear out {', '.join(missing)}"
            mend = "give them under `said_at`, or leave out what no text says"
            yield "evidence", "warning", ("provisions", i), what, mend
    for i, body in enumerate(framework.bodies):
        current = text_is_current(body.basis, laws[body.basis.law])
        if body.min_employees is not None and "min_employees" not in body.said_at and current:
            what = f"body {body.id}: no words of the text bear out min_employees"
            yield "evidence", "warning", ("bodies", i, "min_employees"), what, "give them under `said_at`"


def _stated_fields(provision: Provision) -> Iterator[str]:
    """Fields of a provision that state law. What its quote says itself needs no further words."""
    yield from ("level", "body")
    for field in ("substitutes", "deadline", "consequence", "order"):
        if getattr(provision, field):
            yield field


def _facts(alternatives: Iterable[Condition]) -> list[str]:
    return [name for condition in alternatives for name in condition]


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


def _where_it_parts(entry: Stated, text: str, statutes: Statutes) -> str:
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
