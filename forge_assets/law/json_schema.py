"""Generate the JSON Schema of a jurisdiction file, with the names a domain declares, for editors."""

from __future__ import annotations

from typing import Any

from forge_assets.law.model import Domain, Framework


def framework_schema(domain: Domain) -> dict[str, Any]:
    """Generate the JSON Schema (draft 2020-12) of `jurisdictions/<code>.yaml` in one domain."""
    schema = Framework.model_json_schema(by_alias=True)
    parts: dict[str, Any] = schema["$defs"]
    provision = parts["Provision"]["properties"]
    provision["level"] |= {"enum": list(domain.ranks)}
    provision["triggers"]["items"] = {
        "oneOf": [{"const": name, "description": text} for name, text in domain.triggers.items()]
    }
    provision["applies_when"]["items"]["propertyNames"] = {"enum": list(domain.facts)}
    term = parts["Term"]["properties"]
    for event in ("before", "after", "holds"):
        term[event] |= {"enum": [*domain.anchors, None]}
    term["when"] |= {"propertyNames": {"enum": list(domain.facts)}}
    step = parts["EscalationStep"]["properties"]
    step["stage"] |= {"enum": list(domain.stages)}
    step["changes"]["items"] = {"enum": list(domain.change_types)}
    step["applies_when"]["items"]["propertyNames"] = {"enum": list(domain.facts)}
    body = parts["Body"]["properties"]
    if domain.body_kinds:
        body["kind"] |= {"enum": [*domain.body_kinds, None]}
    schema["properties"]["complete_for"] |= {"propertyNames": {"enum": list(domain.change_types)}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{domain.title}: a jurisdiction",
        **{name: value for name, value in schema.items() if name != "title"},
    }
