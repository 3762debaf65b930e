"""What a reader of the benchmark may take intake scores to mean."""

from __future__ import annotations

import json

import pytest

from forge_assets.scoring.intake import intake_change, intake_country, intake_exact, intake_facts, intake_missing

SITE = {
    "type": "object",
    "properties": {"employees": {"type": "integer"}, "affected": {"type": "integer"}, "council": {"type": "boolean"}},
    "additionalProperties": False,
}
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "change": {"enum": ["site_closure", "working_time"]},
            "facts": {"type": "object", "properties": {"AT": SITE, "DE": SITE}, "additionalProperties": False},
            "missing": {"type": "array", "items": {"enum": ["employees", "affected", "council"]}},
        },
        "required": ["change", "facts", "missing"],
        "additionalProperties": False,
    }
)
RIGHT = '{"change":"working_time","facts":{"AT":{"employees":50,"council":true}},"missing":["affected"]}'
ALL = (intake_change, intake_country, intake_facts, intake_missing, intake_exact)


def scores(answer: str, reference: str = RIGHT) -> tuple[float, ...]:
    """Change, country, facts, missing, exact."""
    return tuple(score(answer, reference, SCHEMA) for score in ALL)


def test_the_reference_scores_one_in_every_field_however_it_is_written() -> None:
    assert scores(RIGHT) == (1, 1, 1, 1, 1)
    spaced = f"\n {RIGHT} ".replace(":", ": ").replace(",", ",\n")
    assert scores(spaced) == (1, 1, 1, 1, 1)
    turned = {name: json.loads(RIGHT)[name] for name in ("missing", "facts", "change")}
    assert scores(json.dumps(turned)) == (1, 1, 1, 1, 1)


def test_a_wrong_field_costs_that_field_and_exactness_alone() -> None:
    assert scores(RIGHT.replace("working_time", "site_closure")) == (0, 1, 1, 1, 0)
    assert scores(RIGHT.replace("50", "500")) == (1, 1, 0.5, 1, 0)
    assert scores(RIGHT.replace("true", "false")) == (1, 1, 0.5, 1, 0)
    assert scores(RIGHT.replace('["affected"]', "[]")) == (1, 1, 1, 0, 0)


def test_facts_of_another_country_are_wrong_facts() -> None:
    assert scores(RIGHT.replace('"AT"', '"DE"')) == (1, 0, 0, 1, 0)


def test_a_fact_invented_beside_the_right_ones_lowers_facts() -> None:
    more = RIGHT.replace('"employees":50', '"employees":50,"affected":3')
    assert scores(more) == (1, 1, pytest.approx(0.8), 1, 0)


def test_nothing_stated_and_nothing_missing_read_as_such_is_right() -> None:
    bare = '{"change":"working_time","facts":{"AT":{}},"missing":[]}'
    assert scores(bare, bare) == (1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        RIGHT[:-1],
        "Here you are: " + RIGHT,
        RIGHT.replace("AT", "XX"),
        RIGHT.replace("50", '"fifty"'),
        RIGHT.replace("true", "1"),
        RIGHT.replace(',"missing":["affected"]', ""),
        RIGHT.replace('"change"', '"note":1,"change"'),
        RIGHT.replace('"employees":50', '"employees":50,"employees":60'),
        RIGHT.replace("50", "9" * 5000),
        "[" * 100_000,
    ],
)
def test_what_is_no_json_of_the_schema_scores_nothing(answer: str) -> None:
    assert scores(answer) == (0, 0, 0, 0, 0)


def test_a_reference_that_breaks_its_schema_is_refused_not_scored() -> None:
    with pytest.raises(ValueError, match="the reference is no JSON of its schema"):
        intake_exact(RIGHT, "no JSON", SCHEMA)
