"""Classify citations in a situation: required, relevant, irrelevant, of a wrong country, or no law in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from forge_assets.citations.citation import Citation
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.cross_border import combine
from forge_assets.law.engine import Facts
from forge_assets.law.model import Domain, Framework

CitationClass = Literal[
    "required", "relevant", "irrelevant", "wrong_country", "not_in_force", "fabricated", "unverifiable"
]


@dataclass(frozen=True)
class Situation:
    """What a change asks for, as places of law."""

    jurisdictions: frozenset[str]
    """The countries asked about, and the unions whose law binds them."""
    required: frozenset[CitationKey]
    """Provisions that apply."""
    relevant: frozenset[CitationKey]
    """Provisions the change touches without their threshold being met, and bases of bodies, escalation and rules."""
    out_of_force: frozenset[CitationKey]
    """Provisions that the change would pull at another date."""


def situation_of(
    domain: Domain,
    frameworks: Sequence[Framework],
    change: str,
    facts: Mapping[str, Facts],
    on: dt.date | None = None,
) -> Situation:
    """Collect the places that one change requires or touches in its countries.

    Args:
        frameworks: those of the countries in `facts`, and of any union.
        facts: country to what is known there.

    Raises:
        KeyError: `facts` names a country without a framework, or the domain has no such change.
    """
    combined = combine(domain, frameworks, change, facts, on)
    findings = [f for found in combined.national.values() for f in found]
    findings += [u.finding for found in combined.union.values() for u in found]
    inside = {*combined.national, *combined.union}
    held = [f for f in frameworks if f.jurisdiction in inside]
    stated = [
        entry.basis for f in held for entry in (*f.bodies, *f.escalation, *f.data_protection, *f.collective_agreements)
    ]
    out = [p for f in held for p in f.provisions if _out_of_force(p.valid_from, p.valid_to, on)]
    return Situation(
        jurisdictions=frozenset(inside),
        required=frozenset(f.provision.cite for f in findings if f.applies),
        relevant=frozenset([*stated, *(f.provision.cite for f in findings if f.triggered or f.hinges_on)]),
        out_of_force=frozenset(p.cite for p in out),
    )


def _out_of_force(begins: dt.date | None, ends: dt.date | None, on: dt.date | None) -> bool:
    return on is not None and bool((begins and on < begins) or (ends and on > ends))


def classify_citation(citation: Citation, facts: Situation) -> CitationClass:
    """Classify a citation in a situation.

    `relevant` also counts a place around or within one that is required: `§ 87` where `§ 87 Abs. 1 Nr. 6` is due.
    """
    if citation.status in ("fabricated", "unverifiable"):
        return "fabricated" if citation.status == "fabricated" else "unverifiable"
    if citation.jurisdiction not in facts.jurisdictions:
        return "wrong_country"
    if citation.status == "repealed" or any(place.contains(citation.key) for place in facts.out_of_force):
        return "not_in_force"
    if citation.key in facts.required:
        return "required"
    near = any(place.touches(citation.key) for place in facts.required | facts.relevant)
    return "relevant" if near else "irrelevant"
