"""Define what an intake answer is: the kind of change, what a question states by country, and what it leaves open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pydantic import Field, StrictBool, StrictInt

from forge_assets.law.model import Domain, JurisdictionCode, Name
from forge_resources.storage.strict import Strict

LARGEST = 9_999_999
"""Largest number that a fact may have: so a number that is decoded under the schema ends."""


class Intake(Strict):
    """What a question says."""

    change: Name
    facts: Mapping[
        JurisdictionCode, Mapping[Name, Annotated[StrictBool | StrictInt, Field(union_mode="left_to_right")]]
    ]
    """Country to what is stated of it."""
    missing: tuple[Name, ...]
    """Facts that every question on such a change should state, and this one does not."""


class IntakeError(ValueError):
    """A text that is no intake answer."""


def intake_schema(domain: Domain, codes: Iterable[str]) -> dict[str, Any]:
    """Build the JSON Schema (draft 2020-12) of an intake answer; names stand in the order in which they are written.

    Args:
        codes: of the countries that can be asked about.
    """
    kinds = {
        "boolean": {"type": "boolean"},
        "integer": {"type": "integer", "minimum": 0, "maximum": LARGEST},
    }
    named = asked_facts(domain)
    return {
        "type": "object",
        "properties": {
            "change": {"enum": list(domain.change_types)},
            "facts": {
                "type": "object",
                "properties": {code: {"$ref": "#/$defs/stated"} for code in sorted(codes)},
                "additionalProperties": False,
            },
            "missing": {"type": "array", "items": {"enum": named}, "maxItems": len(named)},
        },
        "required": ["change", "facts", "missing"],
        "additionalProperties": False,
        "$defs": {
            "stated": {
                "type": "object",
                "properties": {name: kinds[domain.facts[name].type] for name in domain.drawn_facts},
                "additionalProperties": False,
            }
        },
    }


def intake_schema_text(domain: Domain, codes: Iterable[str]) -> str:
    """Write the schema as compact JSON."""
    return compact(intake_schema(domain, codes))


def asked_facts(domain: Domain) -> list[str]:
    """List the facts that a question on one of the changes should state, in the domain's order."""
    own = {name for change in domain.change_types.values() for name in change.facts}
    return [name for name in domain.drawn_facts if name in own]


def read_intake(text: str, domain: Domain, codes: Iterable[str]) -> Intake:
    """Read an intake answer.

    Args:
        codes: of the countries that can be asked about.

    Raises:
        IntakeError: it is no JSON, or none of the schema; says where and why.
    """
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise IntakeError(f"an intake answer must be JSON and is {text[:80]!r}: {error}") from error
    fault = best_match(Draft202012Validator(intake_schema(domain, codes)).iter_errors(value))
    if fault is not None:
        raise IntakeError(f"an intake answer is wrong at {fault.json_path}: {fault.message}")
    own = domain.change_types[value["change"]].facts
    for place, name in enumerate(value["missing"]):
        if name not in own or name in value["missing"][:place]:
            why = "stands twice" if name in own else f"is nothing that a question on {value['change']} must state"
            raise IntakeError(f"an intake answer is wrong at $.missing[{place}]: {name} {why}")
    return Intake.model_validate_json(json.dumps(value))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for place, (name, _) in enumerate(pairs):
        if name in dict(pairs[:place]):
            raise ValueError(f"{name} stands twice")
    return dict(pairs)


def compact(value: Any) -> str:
    """Write JSON without spaces, names in the order given."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
