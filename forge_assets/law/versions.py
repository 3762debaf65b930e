"""Compute versions of the law: digests that change where what a country's files say changes."""

from __future__ import annotations

from collections.abc import Mapping

from forge_assets.law.model import Domain, Framework, Rule
from forge_assets.law.statutes import Statutes
from forge_assets.law.verification import Verification, evidence_of
from forge_resources.storage.canonical_json import digest


def framework_version(domain: Domain, framework: Framework, statutes: Statutes) -> str:
    """Compute a SHA-256 of the validated models of a framework and the text of the units it cites.

    Comments, layout and the order of fields do not count; text of units that nothing cites does not either.
    """
    return digest(
        {
            "domain": domain.model_dump(mode="json", by_alias=True),
            "framework": framework.model_dump(mode="json", by_alias=True),
            "text": {
                f"{law}:{number}": statutes[law][number].text
                for law, number in _cited(framework)
                if number in statutes.get(law, {})
            },
        }
    )


def _cited(framework: Framework) -> set[tuple[str, str]]:
    keys = [place for p in framework.provisions for place in (p.cite, *(place for place, _ in evidence_of(p)))]
    keys += [e.at or body.basis for body in framework.bodies for said in body.said_at.values() for e in said]
    keys += [place for complete in framework.complete_for.values() for place in complete.at]
    stated = (*framework.bodies, *framework.escalation, *_rules(framework).values())
    keys += [entry.basis for entry in stated]
    return {(key.law, key.unit) for key in keys}


def step_id(jurisdiction: str, position: int) -> str:
    """Name a step of the escalation path in provenance, counted from 1."""
    return f"{jurisdiction.lower()}-escalation-{position}"


def entry_versions(framework: Framework, checked: Mapping[str, Verification]) -> dict[str, str]:
    """Compute a content digest of every provision, escalation step and rule, carried by samples as provenance.

    It covers the entry, the law it stands in, how that is cited, the body the duty is owed to and the status, but not
    who has read it or which warnings were accepted.
    """
    laws = {law.id: law.model_dump(mode="json") for law in framework.laws}
    bodies = {body.id: body.model_dump(mode="json", by_alias=True, exclude={"accepted"}) for body in framework.bodies}
    forms = [framework.citation.written, framework.citation.english]
    versions = {
        p.id: digest(
            [
                p.model_dump(mode="json", by_alias=True, exclude={"accepted", "reviewed"}),
                laws.get(p.cite.law),
                bodies.get(p.body),
                checked[p.id].status,
                forms,
            ]
        )
        for p in framework.provisions
    }
    steps = {
        step_id(framework.jurisdiction, i): digest(
            [s.model_dump(mode="json", by_alias=True), laws.get(s.basis.law), forms]
        )
        for i, s in enumerate(framework.escalation, start=1)
    }
    rules = {
        rule.id: digest([rule.model_dump(mode="json"), laws.get(rule.basis.law), checked[rule.id].status, forms])
        for rule in _rules(framework).values()
    }
    return versions | steps | rules


def _rules(framework: Framework) -> dict[tuple[str, str], Rule]:
    """Topic and id to rule."""
    topics = {"data_protection": framework.data_protection, "collective_agreements": framework.collective_agreements}
    return {(topic, rule.id): rule for topic, rules in topics.items() for rule in rules}
