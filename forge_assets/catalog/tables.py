"""Build the tables of the catalog from a checked country."""

from __future__ import annotations

from typing import Any, get_args

import polars as pl

from forge_assets.citations.rendering import render
from forge_assets.law.country import Country
from forge_assets.law.explanation import condition_words, term_words
from forge_assets.law.model import Body, Framework, Provision, Rule
from forge_assets.law.statutes import Statutes, StatuteUnit
from forge_assets.law.verification import Status, Verification
from forge_assets.law.versions import _cited, _rules, entry_versions, step_id
from forge_resources.storage.tables import TABLES

_STATUSES: tuple[Status, ...] = get_args(Status)


def catalog_tables(country: Country) -> dict[str, pl.DataFrame]:
    """Build the `catalog` tables of one country's framework.

    By name: frameworks (one row), provisions, rules, bodies, escalation and statute_units.

    A framework's status is that of its worst provision; its `text_as_of` that of its oldest cited text.
    """
    framework, statutes, checked, version = country.framework, country.statutes, country.checked, country.version
    entries = entry_versions(framework, checked)
    provisions = [
        _provision(p, framework, statutes, checked[p.id], version) | {"version": entries[p.id]}
        for p in framework.provisions
    ]
    overview = {
        "jurisdiction": framework.jurisdiction,
        "name": framework.name,
        "language": framework.language,
        "version": version,
        "bodies": [body.name for body in framework.bodies],
        "legislation": [law.title for law in framework.laws],
        "status": max((checked[p.id].status for p in framework.provisions), key=_STATUSES.index),
        "provisions": len(provisions),
        "verified": sum(row["verified"] for row in provisions),
        "text_as_of": min(row["text_as_of"] for row in provisions),
    }
    rows: dict[str, list[dict[str, Any]]] = {
        "catalog.frameworks": [overview],
        "catalog.provisions": provisions,
        "catalog.rules": [
            _rule(topic, r, framework, checked[r.id], version) for (topic, _), r in _rules(framework).items()
        ],
        "catalog.bodies": [_body(body, framework, version) for body in framework.bodies],
        "catalog.escalation": [
            {
                "jurisdiction": framework.jurisdiction,
                "position": i,
                **s.model_dump(include={"step", "stage", "basis", "quote", "core"}),
                "changes": list(s.changes),
                "threshold": condition_words(s.applies_when),
                "framework_version": version,
                "step_id": step_id(framework.jurisdiction, i),
                "version": entries[step_id(framework.jurisdiction, i)],
            }
            for i, s in enumerate(framework.escalation, start=1)
        ],
        "catalog.statute_units": _units(framework, statutes),
    }
    return {name: pl.DataFrame(found, schema=TABLES[name].schema) for name, found in rows.items()}


def _provision(
    provision: Provision, framework: Framework, statutes: Statutes, found: Verification, version: str
) -> dict[str, Any]:
    place = provision.cite
    unit = statutes.get(place.law, {}).get(place.unit)
    return {
        "provision_id": provision.id,
        "jurisdiction": framework.jurisdiction,
        "citation_key": str(place),
        "citation": render(place, framework),
        "law_id": place.law,
        "unit": unit.unit if unit else place.unit,
        **provision.model_dump(include={"quote", "summary", "level", "body", "deadline", "consequence"}),
        "term": term_words(provision.term, {}) or None,
        "triggers": list(provision.triggers),
        "core": provision.core,
        "implements": [str(key) for key in provision.implements],
        "threshold": condition_words(provision.applies_when),
        "only_if": provision.only_if,
        "reviewed_on": provision.reviewed.on if provision.reviewed else None,
        "reviewed_by": provision.reviewed.by if provision.reviewed else None,
        "valid_from": provision.valid_from,
        "valid_to": provision.valid_to,
        "text_as_of": next(law.text_as_of for law in framework.laws if law.id == place.law),
        "status": found.status,
        "verified": found.status == "verified",
        "problems": list(found.problems),
        "framework_version": version,
    }


def _rule(topic: str, rule: Rule, framework: Framework, found: Verification, version: str) -> dict[str, Any]:
    return {
        "rule_id": rule.id,
        "jurisdiction": framework.jurisdiction,
        "topic": topic,
        "rule": rule.rule,
        "citation_key": str(rule.basis),
        "citation": render(rule.basis, framework),
        "quote": rule.quote,
        "status": found.status,
        "problems": list(found.problems),
        "framework_version": version,
    }


def _body(body: Body, framework: Framework, version: str) -> dict[str, Any]:
    named = {"jurisdiction": framework.jurisdiction, "body": body.id, "framework_version": version}
    plain = body.model_dump(include={"name", "english", "kind", "min_employees", "basis", "quote"})
    return {**named, **plain, "exists_when": condition_words(body.exists_when or ())}


def _units(framework: Framework, statutes: Statutes) -> list[dict[str, Any]]:
    cited = _cited(framework)
    return [
        {
            "jurisdiction": framework.jurisdiction,
            "law_id": law.id,
            "law_short": law.short,
            "unit": unit.unit,
            "number": unit.number,
            "heading": unit.heading,
            "text": unit.text,
            "text_as_of": law.text_as_of,
            "text_status": "outdated" if unit.number in law.outdated_units else law.text_status,
            "cited": (law.id, unit.number) in cited,
        }
        for law in framework.laws
        for unit in statutes.get(law.id, {}).values()
    ]


def statutes_of_table(framework: Framework, units: pl.DataFrame) -> Statutes:
    """Rebuild a country's statute text from `catalog.statute_units`."""
    layouts = {law.id: law.layout or framework.layout for law in framework.laws}
    statutes: dict[str, dict[str, StatuteUnit]] = {law.id: {} for law in framework.laws}
    for row in units.iter_rows(named=True):
        fields = {name: row[name] for name in ("law_id", "unit", "number", "heading", "text")}
        statutes[row["law_id"]][row["number"]] = StatuteUnit(**fields, layout=layouts[row["law_id"]])
    return statutes
