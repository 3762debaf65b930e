"""Read the files of a domain pack, and check every name that one of them uses."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from forge_assets.law.citation_key import CitationKey
from forge_assets.law.model import Bound, Domain, Framework
from forge_resources.config.strict_yaml import FieldPath, Lines, Problem, nearest, read_yaml, refuse, validate


def load_domain(pack: Path) -> Domain:
    """Read `domain.yaml` of a pack.

    Raises:
        SourceError: the file does not say a consistent domain.
    """
    path = pack / "domain.yaml"
    data, lines = read_yaml(path)
    domain = validate(Domain, path, data, lines)
    refuse(path, lines, _domain_problems(domain))
    return domain


def load_framework(path: Path, domain: Domain) -> Framework:
    """Read one jurisdiction of a pack and check every reference it makes.

    Raises:
        SourceError: the file does not say a consistent framework of this domain.
    """
    return read_framework(path, domain)[0]


def read_framework(path: Path, domain: Domain) -> tuple[Framework, Lines]:
    """Read one jurisdiction as `load_framework` does, with the line of each of its fields.

    Raises:
        SourceError: the file does not say a consistent framework of this domain.
    """
    data, lines = read_yaml(path)
    framework = validate(Framework, path, data, lines)
    refuse(path, lines, _framework_problems(framework, domain))
    return framework, lines


def _unknown(at: FieldPath, kind: str, name: str, known: Iterable[str]) -> Iterable[Problem]:
    names = list(known)
    if name not in names:
        yield at, f"unknown {kind} `{name}`", nearest(name, names)


def _domain_problems(domain: Domain) -> Iterable[Problem]:
    for name, change in domain.change_types.items():
        at: FieldPath = ("change_types", name)
        for i, trigger in enumerate(change.triggers):
            yield from _unknown((*at, "triggers", i), "trigger", trigger, domain.triggers)
        for i, fact in enumerate(change.facts):
            yield from _unknown((*at, "facts", i), "fact", fact, domain.facts)
        booleans = [fact for fact, kind in domain.facts.items() if kind.type == "boolean"]
        for i, conditional in enumerate(change.conditional_triggers):
            here = (*at, "conditional_triggers", i)
            yield from _unknown((*here, "fact"), "boolean fact", conditional.fact, booleans)
            yield from _unknown((*here, "trigger"), "trigger", conditional.trigger, domain.triggers)
    yield from _combined_problems(domain)


def _combined_problems(domain: Domain) -> Iterable[Problem]:
    numbers = [fact for fact, kind in domain.facts.items() if kind.type == "integer"]
    for name, combined in domain.combined_facts.items():
        at: FieldPath = ("combined_facts", name)
        yield from _unknown(at, "integer fact", name, numbers)
        if (combined.sum is None) == (combined.count is None):
            yield at, "a combined fact is a sum or a count", "give `sum` or `count`, not both"
        for part in ("sum", "count"):
            if getattr(combined, part) is not None:
                yield from _unknown((*at, part), "integer fact", getattr(combined, part), numbers)


def _framework_problems(framework: Framework, domain: Domain) -> Iterable[Problem]:
    laws = {law.id for law in framework.laws}
    bodies = {body.id for body in framework.bodies}
    yield from _twice("laws", [law.id for law in framework.laws])
    yield from _twice("bodies", [body.id for body in framework.bodies])
    for i, law in enumerate(framework.laws):
        if Path(law.statute).is_absolute() or ".." in Path(law.statute).parts:
            yield ("laws", i, "statute"), f"`{law.statute}` leaves the pack", "give a path inside the pack"
    for i, body in enumerate(framework.bodies):
        yield from _key_problems(("bodies", i, "basis"), body.basis, framework, laws)
    yield from _escalation_problems(framework, domain, laws)
    yield from _rule_problems(framework, laws)
    for i, provision in enumerate(framework.provisions):
        at: FieldPath = ("provisions", i)
        yield from _key_problems((*at, "cite"), provision.cite, framework, laws)
        yield from _unknown((*at, "level"), "level", provision.level, domain.levels)
        yield from _unknown((*at, "body"), "body", provision.body, bodies)
        for j, trigger in enumerate(provision.triggers):
            yield from _unknown((*at, "triggers", j), "trigger", trigger, domain.triggers)
        for j, condition in enumerate(provision.applies_when):
            for fact, bound in condition.items():
                yield from _bound_problems((*at, "applies_when", j, fact), fact, bound, domain)
        for j, key in enumerate(provision.implements):
            if key.jurisdiction == framework.jurisdiction:
                yield (*at, "implements", j), f"`{key}` is of this framework", "name a provision of a union's law"
        if provision.valid_from and provision.valid_to and provision.valid_to < provision.valid_from:
            yield (*at, "valid_to"), "`valid_to` is before `valid_from`", "swap the dates"


def _escalation_problems(framework: Framework, domain: Domain, laws: set[str]) -> Iterable[Problem]:
    reached = 0
    for i, step in enumerate(framework.escalation):
        at: FieldPath = ("escalation", i)
        yield from _key_problems((*at, "basis"), step.basis, framework, laws)
        yield from _unknown((*at, "stage"), "stage", step.stage, domain.stages)
        if step.stage in domain.stages:
            place = domain.stages.index(step.stage)
            if place < reached:
                before = f"`{step.stage}` comes after `{domain.stages[reached]}`"
                yield (*at, "stage"), before, f"order the steps by stage: {', '.join(domain.stages)}"
            reached = max(reached, place)


def _rule_problems(framework: Framework, laws: set[str]) -> Iterable[Problem]:
    sections = ("provisions", "data_protection", "collective_agreements")
    seen: set[str] = set()
    for section in sections:
        for i, entry in enumerate(getattr(framework, section)):
            if entry.id in seen:
                yield (section, i, "id"), f"id `{entry.id}` is used twice", "give each its own id"
            seen.add(entry.id)
            if section != "provisions":
                yield from _key_problems((section, i, "basis"), entry.basis, framework, laws)


def _twice(section: str, ids: list[str]) -> Iterable[Problem]:
    for i, name in enumerate(ids):
        if name in ids[:i]:
            yield (section, i, "id"), f"id `{name}` is used twice in {section}", "give each its own id"


def _key_problems(at: FieldPath, key: CitationKey, framework: Framework, laws: set[str]) -> Iterable[Problem]:
    if key.jurisdiction != framework.jurisdiction:
        yield at, f"`{key}` is of {key.jurisdiction}", f"cite a law of {framework.jurisdiction}"
    else:
        yield from _unknown(at, "law", key.law, laws)


def _bound_problems(at: FieldPath, fact: str, bound: Bound, domain: Domain) -> Iterable[Problem]:
    yield from _unknown(at, "fact", fact, domain.facts)
    if fact not in domain.facts:
        return
    numeric = bound.min is not None or bound.max is not None or bound.min_share is not None
    if domain.facts[fact].type == "boolean" and (numeric or bound.is_ is None):
        yield at, f"`{fact}` is true or false", f"write `{fact}: {{is: true}}`"
    if domain.facts[fact].type == "integer" and (not numeric or bound.is_ is not None):
        yield at, f"`{fact}` is a number", f"write `{fact}: {{min: 5}}`"
    if bound.min is not None and bound.max is not None and bound.min > bound.max:
        yield at, f"`{fact}` is at least {bound.min} and at most {bound.max}: never true", "swap the two numbers"
    if any(number is not None and number < 0 for number in (bound.min, bound.max)):
        yield at, f"`{fact}` is compared with a number below 0", "give a number from 0"
    if (bound.min_share is None) != (bound.share_of is None):
        yield at, "a share needs `min_share` and `share_of`", "give both"
    if bound.share_of is not None:
        yield from _unknown((*at, "share_of"), "fact", bound.share_of, domain.facts)
