"""Judge one change in several countries: each country's own law, and the law of unions that bind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forge_assets.law.citation_key import CitationKey
from forge_assets.law.engine import Facts, Finding, obligations
from forge_assets.law.model import Domain, Framework, Provision


@dataclass(frozen=True)
class UnionFinding:
    """A finding of union law, and the national provisions that carry it."""

    finding: Finding
    direct: bool
    """Whether it binds employers as it stands, as a regulation does."""
    carried_by: tuple[CitationKey, ...]
    """Places of applying national provisions that transpose it; empty where none is held."""


@dataclass(frozen=True)
class Combined:
    """What a change asks of a company in all its countries."""

    national: dict[str, list[Finding]]
    """Jurisdiction to findings on its own law."""
    union: dict[str, list[UnionFinding]]
    """Union to findings on its law."""
    facts: dict[str, Facts]
    """Jurisdiction to the facts it was judged on, combined ones included."""


def combine(
    domain: Domain,
    frameworks: Sequence[Framework],
    change: str,
    facts: Mapping[str, Facts],
    on: dt.date | None = None,
) -> Combined:
    """Judge a change in each country asked about and under the unions they are members of.

    A union's law is judged on each member's facts, combined ones included, and applies as soon as one meets it.

    Args:
        frameworks: those of the countries in `facts`, and of any union.
        facts: country to what is known there.

    Raises:
        KeyError: `facts` names a country without a framework.
    """
    by_code = {f.jurisdiction: f for f in frameworks}
    unions = [f for f in frameworks if f.members and set(f.members) & set(facts)]
    judged_on: dict[str, Facts] = {}
    for code, known in facts.items():
        inside = [u for u in unions if code in u.members]
        group = [facts[c] for u in inside for c in u.members if c in facts]
        judged_on[code] = {**known, **{n: v for n, v in _combined(domain, group).items() if n not in known}}
    national = {code: obligations(domain, by_code[code], change, judged_on[code], on) for code in facts}
    union = {u.jurisdiction: _union_findings(domain, u, change, judged_on, national, on) for u in unions}
    return Combined(national, union, judged_on)


def transnational_rules(domain: Domain, framework: Framework, change: str) -> tuple[Provision, ...]:
    """List a country's provisions on a change that concerns several members of a union: duties, then links.

    A duty has a body of several countries told of it, a link says how that stands to the national procedures; none are
    given where the country holds no duty. Those that `core` left out count too.
    """
    named = domain.transnational
    if named is None or change not in named.changes:
        return ()
    every = (*framework.provisions, *framework.minor)
    duties = tuple(p for p in every if _carries(p, named.duty))
    links = tuple(p for p in every if p.order and _carries(p, named.link))
    return (*duties, *links) if duties else ()


def _combined(domain: Domain, group: Sequence[Facts]) -> dict[str, int | bool]:
    """Sums and counts over the countries of a group; what none of them states is not known.

    Nor is it where one country alone is asked about: the group may work in others too.
    """
    found: dict[str, int | bool] = {}
    if len(group) < 2:
        return found
    for name, rule in domain.combined_facts.items():
        stated = [int(known[part]) for known in group if (part := rule.sum or rule.count or "") in known]
        if stated:
            found[name] = sum(stated) if rule.sum else sum(number >= rule.min for number in stated)
    return found


def _union_findings(
    domain: Domain,
    union: Framework,
    change: str,
    facts: Mapping[str, Facts],
    national: Mapping[str, list[Finding]],
    on: dt.date | None,
) -> list[UnionFinding]:
    members = [code for code in facts if code in union.members]
    per_member = [obligations(domain, union, change, facts[code], on) for code in members]
    direct = {law.id for law in union.laws if law.binds == "directly"}
    applying = [f.provision for code in members for f in national[code] if f.applies]
    return [
        UnionFinding(
            finding=max(found, key=lambda f: f.applies),
            direct=found[0].provision.cite.law in direct,
            carried_by=tuple(p.cite for p in applying if _carries(p, found[0].provision.cite)),
        )
        for found in zip(*per_member, strict=True)
    ]


def _carries(provision: Provision, place: CitationKey) -> bool:
    """Whether a provision transposes a place of union law, or a place within or around it."""
    return any(place.touches(named) for named in provision.implements)
