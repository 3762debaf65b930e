"""Checks every provision against the statute text it cites: the place exists and the quote stands there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from forge_assets.law.model import Framework, Provision
from forge_assets.law.statutes import NO_PARAGRAPH, Statutes, squeezed, subdivisions

Status = Literal["verified", "text_outdated", "unverified"]


@dataclass(frozen=True)
class Verification:
    """Whether a provision stands in the statute text held, and what is wrong if not."""

    status: Status
    problems: tuple[str, ...] = ()


def verify(framework: Framework, statutes: Statutes) -> dict[str, Verification]:
    """Judge every provision of a framework.

    Returns:
        Provision id to verification: `verified`; `text_outdated` when it stands in a text marked outdated;
        `unverified` when the place or the quote is not found.
    """
    outdated = {law.id for law in framework.laws if law.text_status == "outdated"}
    return {p.id: _judge(p, statutes, outdated) for p in framework.provisions}


def _judge(provision: Provision, statutes: Statutes, outdated: set[str]) -> Verification:
    found = cited_text(provision.cite, statutes)
    if isinstance(found, Missing):
        return Verification("unverified", (found.problem,))
    if squeezed(provision.quote) not in found:
        return Verification("unverified", (f"the quote does not stand in {provision.cite}",))
    if provision.cite.split(":")[1] in outdated:
        return Verification("text_outdated", ("the statute text held is not the current one",))
    return Verification("verified")


def missing_bases(framework: Framework, statutes: Statutes) -> dict[str, str]:
    """Bases of bodies and escalation steps that do not stand in the text: key to what is wrong."""
    keys = [body.basis for body in framework.bodies] + [step.basis for step in framework.escalation]
    found = {key: cited_text(key, statutes) for key in keys}
    return {key: place.problem for key, place in found.items() if isinstance(place, Missing)}


@dataclass(frozen=True)
class Missing:
    """Why a key leads nowhere."""

    problem: str


def cited_text(key: str, statutes: Statutes) -> str | Missing:
    """The text a key leads to, white space squeezed: the point, the paragraph or the whole unit."""
    _, law, number, *rest = key.split(":")
    unit = statutes.get(law, {}).get(number)
    if unit is None:
        return Missing(f"{key}: no unit {number} in the text of {law}")
    if not rest:
        return squeezed(unit.text)
    paragraphs = subdivisions(unit)
    if rest[0] not in paragraphs:
        return Missing(f"{key}: no paragraph {rest[0]} in {unit.unit}")
    paragraph = paragraphs[rest[0]]
    if len(rest) == 1:
        return Missing(f"{key}: no point given") if rest[0] == NO_PARAGRAPH else paragraph.text
    if rest[1] not in paragraph.points:
        return Missing(f"{key}: no point {rest[1]} in paragraph {rest[0]} of {unit.unit}")
    return paragraph.points[rest[1]]
