"""Judge citations, in one way for scoring, reward, report and command line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from forge_assets.citations.citation import Citation
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.cross_border import combine
from forge_assets.law.engine import Facts
from forge_assets.law.model import Domain, Framework

Verdict = Literal[
    "required",
    "relevant",
    "not_applicable",
    "real",
    "wrong_country",
    "not_in_force",
    "repealed",
    "fabricated",
    "unheld",
    "ambiguous",
    "unverifiable",
]
"""What a citation is worth; `real` where nobody says what was asked, so that no more can be told of a place."""


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


def asked(jurisdictions: Iterable[str], required: Iterable[CitationKey]) -> Situation:
    """Describe a question of which the places that are due are known, and no more.

    Args:
        jurisdictions: whose law may be cited, see `LawIndex.at_home`.
    """
    return Situation(frozenset(jurisdictions), frozenset(required), frozenset(), frozenset())


@dataclass(frozen=True)
class JudgedCitation:
    """A citation and its verdict."""

    citation: Citation
    verdict: Verdict
    abroad: bool
    """Whether it cites a country that is not asked about, whatever else is true of it."""


def judge(citation: Citation, situation: Situation | None) -> JudgedCitation:
    """Judge a citation; the first verdict that fits counts.

    `relevant` also counts a place around or within one that is required: `§ 87` where `§ 87 Abs. 1 Nr. 6` is due.

    Args:
        situation: None: nobody says what was asked, and no place is required, of another country or not in force.
    """
    abroad = situation is not None and citation.jurisdiction not in situation.jurisdictions
    return JudgedCitation(citation, _verdict(citation, situation, abroad), abroad)


def _verdict(citation: Citation, situation: Situation | None, abroad: bool) -> Verdict:
    status = citation.status
    if situation is None:
        return status
    out = any(place.contains(citation.key) for place in situation.out_of_force)
    if citation.key in situation.required and not out:
        return "required"
    if status in ("fabricated", "unheld", "ambiguous", "unverifiable"):
        return status
    if abroad:
        return "wrong_country"
    if status == "repealed":
        return "repealed"
    if out:
        return "not_in_force"
    near = any(place.touches(citation.key) for place in situation.required | situation.relevant)
    return "relevant" if near else "not_applicable"
