"""Verify every provision against the statute text it cites: the place exists and the quote stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from forge_assets.law.citation_key import CitationKey
from forge_assets.law.model import Framework, Grounded, Law, Provision, Term
from forge_assets.law.statutes import NO_PARAGRAPH, Statutes, squeezed, subdivisions
from forge_assets.law.term_evidence import unsaid_terms
from forge_assets.law.terms import length
from forge_resources.config.strict_yaml import FieldPath

Status = Literal["verified", "incomplete", "text_outdated", "unverified"]
"""Best first. Only what is verified is taught."""


@dataclass(frozen=True)
class Verification:
    """Whether a provision stands in the statute text held, and what is wrong if not."""

    status: Status
    problems: tuple[str, ...] = ()


def verify(framework: Framework, statutes: Statutes) -> dict[str, Verification]:
    """Verify every provision and rule of a framework.

    Returns:
        Provision or rule id to verification: `verified`; `incomplete` where it says itself that text which decides is
        not held; `text_outdated` when it, or what bears it out, stands in a text marked outdated; `unverified` when a
        place, the quote or words that bear out a field are not found, or do not say the number of a term.
    """
    laws = {law.id: law for law in framework.laws}
    found = {
        p.id: _judge(p.cite, p.quote, laws, statutes, evidence_of(p), p.incomplete, unsaid_terms(framework, p))
        for p in framework.provisions
    }
    rules = (*framework.data_protection, *framework.collective_agreements)
    return found | {r.id: _judge(r.basis, r.quote, laws, statutes) for r in rules}


def evidence_of(provision: Provision) -> tuple[tuple[CitationKey, str], ...]:
    """List the places and words that bear out a provision's fields."""
    return tuple((e.at or provision.cite, e.words) for said in provision.said_at.values() for e in said)


def _judge(
    key: CitationKey,
    quote: str,
    laws: Mapping[str, Law],
    statutes: Statutes,
    evidence: Sequence[tuple[CitationKey, str]] = (),
    incomplete: str | None = None,
    unsaid: Sequence[Term] = (),
) -> Verification:
    stated = [(key, quote), *evidence]
    problems = [problem for place, words in stated if (problem := _not_said(place, words, statutes))]
    problems += [f"no words of the text say «{length(term)}»" for term in unsaid]
    if problems:
        return Verification("unverified", tuple(problems))
    if not all(text_is_current(place, laws[place.law]) for place, _ in stated):
        return Verification("text_outdated", ("the statute text held is not the current one",))
    if incomplete:
        return Verification("incomplete", (incomplete,))
    return Verification("verified")


def _not_said(key: CitationKey, words: str, statutes: Statutes) -> str | None:
    found = cited_text(key, statutes)
    if isinstance(found, Missing):
        return found.problem
    return None if squeezed(words) in found else f"the quote does not stand in {key}"


def text_is_current(key: CitationKey, law: Law) -> bool:
    """Test whether the text held of the unit that a key of this law names is the current one."""
    return law.text_status == "current" and key.unit not in law.outdated_units


def is_current(framework: Framework, provision: Provision) -> bool:
    """Test whether the text held of the place that a provision cites is the current one."""
    return text_is_current(provision.cite, next(law for law in framework.laws if law.id == provision.cite.law))


def missing_bases(framework: Framework, statutes: Statutes) -> dict[FieldPath, str]:
    """Find bases of bodies and escalation steps that are not in the text, or whose quote is not: field to problem."""
    problems: dict[FieldPath, str] = {}
    sections: dict[str, Sequence[Grounded]] = {"bodies": framework.bodies, "escalation": framework.escalation}
    for i, body in enumerate(framework.bodies):
        for field, said in body.said_at.items():
            for each in said:
                if problem := _not_said(each.at or body.basis, each.words, statutes):
                    problems["bodies", i, "said_at", field] = problem
    for section, i, stated in ((name, i, each) for name, entries in sections.items() for i, each in enumerate(entries)):
        found = cited_text(stated.basis, statutes)
        if isinstance(found, Missing):
            problems[section, i, "basis"] = found.problem
        elif stated.quote is not None and squeezed(stated.quote) not in found:
            problems[section, i, "basis"] = f"the quote does not stand in {stated.basis}"
    return problems


@dataclass(frozen=True)
class Missing:
    """Why a key leads nowhere."""

    problem: str


def cited_text(key: CitationKey, statutes: Statutes) -> str | Missing:
    """Look up the text of a key, white space squeezed: the point, the paragraph or the whole unit."""
    unit = statutes.get(key.law, {}).get(key.unit)
    if unit is None:
        return Missing(f"{key}: no unit {key.unit} in the text of {key.law}")
    if not key.paragraph:
        return unit.squeezed
    paragraphs = subdivisions(unit)
    if key.paragraph not in paragraphs:
        return Missing(f"{key}: no paragraph {key.paragraph} in {unit.unit}")
    paragraph = paragraphs[key.paragraph]
    if not key.point:
        return Missing(f"{key}: no point given") if key.paragraph == NO_PARAGRAPH else paragraph.text
    if key.point not in paragraph.points:
        return Missing(f"{key}: no point {key.point} in paragraph {key.paragraph} of {unit.unit}")
    return paragraph.points[key.point]
