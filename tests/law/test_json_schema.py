"""The published JSON Schema is the one that the code enforces."""

from __future__ import annotations

import json
from pathlib import Path

from forge_assets.law.json_schema import framework_schema
from forge_assets.law.model import Domain

PUBLISHED = Path(__file__).parents[2] / "docs" / "schema" / "labour.json"


def test_the_published_schema_is_up_to_date(domain: Domain) -> None:
    assert json.loads(PUBLISHED.read_text("utf-8")) == framework_schema(domain)


def test_an_editor_is_offered_the_names_the_domain_declares(domain: Domain) -> None:
    parts = framework_schema(domain)["$defs"]
    provision = parts["Provision"]["properties"]
    assert provision["level"]["enum"] == list(domain.ranks)
    assert {each["const"] for each in provision["triggers"]["items"]["oneOf"]} == set(domain.triggers)
    assert parts["EscalationStep"]["properties"]["stage"]["enum"] == list(domain.stages)


def test_every_country_file_names_the_schema(pack: Path) -> None:
    for path in (pack / "jurisdictions").glob("*.yaml"):
        first = path.read_text("utf-8").splitlines()[0]
        assert first == "# yaml-language-server: $schema=../../../docs/schema/labour.json", path.name
