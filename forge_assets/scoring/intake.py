"""Score what a model read out of a question, as JSON, field by field against what the question says.

Each function takes the answer, the reference and the JSON Schema both must follow, as text, and gives a score from 0
to 1. An answer that is no JSON of the schema scores 0 in all of them.
"""

from __future__ import annotations

import json
from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator


@dataclass(frozen=True)
class IntakeRecord:
    """What was read.

    Attributes:
        facts: country, fact and value.
    """

    change: str
    countries: frozenset[str]
    facts: frozenset[tuple[str, str, int]]
    missing: frozenset[str]


def intake_change(answer: str, reference: str, schema: str) -> float:
    """Score 1 where the kind of change is the right one."""
    read, right = _record(answer, schema), _right(reference, schema)
    return float(read is not None and read.change == right.change)


def intake_country(answer: str, reference: str, schema: str) -> float:
    """Score 1 where exactly the countries asked about are named."""
    read, right = _record(answer, schema), _right(reference, schema)
    return float(read is not None and read.countries == right.countries)


def intake_facts(answer: str, reference: str, schema: str) -> float:
    """Compute F1 over country, fact and value."""
    read, right = _record(answer, schema), _right(reference, schema)
    return 0.0 if read is None else _f1(read.facts, right.facts)


def intake_missing(answer: str, reference: str, schema: str) -> float:
    """Compute F1 over the names of facts left open; 1 where none is, rightly."""
    read, right = _record(answer, schema), _right(reference, schema)
    return 0.0 if read is None else _f1(read.missing, right.missing)


def intake_exact(answer: str, reference: str, schema: str) -> float:
    """Score 1 where every field is right."""
    return float(_record(answer, schema) == _right(reference, schema))


def _f1(given: Set[Any], due: Set[Any]) -> float:
    """2 x hits / (given + due); 1 where both are empty."""
    return 2 * len(given & due) / (len(given) + len(due)) if given or due else 1.0


def _right(reference: str, schema: str) -> IntakeRecord:
    found = _record(reference, schema)
    if found is None:
        raise ValueError(f"the reference is no JSON of its schema: {reference[:200]}")
    return found


@lru_cache(maxsize=4096)
def _record(text: str, schema: str) -> IntakeRecord | None:
    """What the text says; None where it is no JSON of the schema, or says something twice."""
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):  # also numbers of more digits than Python reads
        return None
    if not _validator(schema).is_valid(value):
        return None
    facts = ((code, name, said) for code, stated in value["facts"].items() for name, said in stated.items())
    missing = frozenset(value["missing"])
    return IntakeRecord(value["change"], frozenset(value["facts"]), frozenset(facts), missing)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


@lru_cache(maxsize=8)
def _validator(schema: str) -> Any:
    return Draft202012Validator(json.loads(schema))
