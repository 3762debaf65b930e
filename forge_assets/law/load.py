"""Reads the YAML of a domain pack strictly: every mistake is refused with its file, line and mend."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from forge_assets.law.model import Bound, Domain, Framework

FieldPath = tuple[str | int, ...]
Lines = dict[FieldPath, int]
Problem = tuple[FieldPath, str, str]

M = TypeVar("M", bound=BaseModel)

MAX_BYTES = 1_000_000
MAX_DEPTH = 20


class LawError(Exception):
    """A file of the pack is wrong. `str()` is `file:line: problem: mend`."""

    def __init__(self, path: Path, line: int, problem: str, mend: str) -> None:
        self.path, self.line, self.problem, self.mend = path, line, problem, mend
        super().__init__(f"{path}:{line}: {problem}: {mend}")


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast where PyYAML was built with libyaml."""


class _StrictLoader(_Loader):  # type: ignore[misc]
    """YAML 1.2 core scalars only. `NO`, `on`, `12:30` and dates stay text."""


def _refuse_aliases_and_depth(text: str) -> None:
    """Look at the events first: composing aliases may take all memory, and composing depth all stack."""
    depth = 0
    events: Any = yaml.parse(text, Loader=_Loader)
    for event in events:
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=mark)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=mark)


_StrictLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:null|~|)$", "n~"),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", "-0123456789"),
):
    _StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), [*_first])
_StrictLoader.yaml_implicit_resolvers[""] = [("tag:yaml.org,2002:null", re.compile("^$"))]


_SCALARS: dict[str, Callable[[str], Any]] = {
    "bool": {"true": True, "false": False}.__getitem__,
    "null": lambda _: None,
    "int": int,
    "float": float,
}


def read_yaml(path: Path) -> tuple[dict[str, Any], Lines]:
    """Read one YAML mapping and the line of every field.

    Args:
        path: a file of at most 1 MB.

    Returns:
        The data, and line number (from 1) by field path, e.g. `("provisions", 0, "cite")`.

    Raises:
        LawError: not UTF-8, not YAML, not a mapping, a duplicate key, an alias, a tag, too big or too deep.
    """
    raw = path.read_bytes()
    if len(raw) > MAX_BYTES:
        raise LawError(path, 1, f"the file has {len(raw)} bytes", f"keep it under {MAX_BYTES}")
    try:
        text = as_meant(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise LawError(path, line, "not UTF-8", "save the file as UTF-8") from error
    try:
        _refuse_aliases_and_depth(text)
        node = _StrictLoader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part) or "not valid YAML"
        raise LawError(path, mark.line + 1 if mark else 1, problem, "write plain YAML") from error
    except yaml.YAMLError as error:
        raise LawError(path, 1, "not valid YAML", str(error).replace("\n", " ")) from error
    if not isinstance(node, yaml.MappingNode):
        raise LawError(path, 1, "the file is not a mapping", "start with `field: value` lines")
    lines: Lines = {(): 1}
    return _build(path, node, (), lines), lines


def as_meant(text: str) -> str:
    """A text without what editors change unasked: accents apart from their letters (macOS), spaces at line ends."""
    return re.sub(r"[ \t]+$", "", unicodedata.normalize("NFC", text), flags=re.MULTILINE)


def _build(path: Path, node: yaml.Node, at: FieldPath, lines: Lines) -> Any:
    line = node.start_mark.line + 1
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    if not isinstance(node, yaml.ScalarNode) and kind not in ("map", "seq"):
        raise LawError(path, line, f"unknown tag {node.tag}", "remove it")
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise LawError(path, line, "a field name must be one word", "write `field: value`")
            if key.value in result:
                raise LawError(path, line, f"`{key.value}` is given twice", "keep one of them")
            lines[*at, key.value] = line
            result[key.value] = _build(path, value, (*at, key.value), lines)
        return result
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            lines[*at, place] = item.start_mark.line + 1
        return [_build(path, item, (*at, i), lines) for i, item in enumerate(node.value)]
    if kind == "str":
        return node.value
    if kind not in _SCALARS:
        raise LawError(path, line, f"unknown tag {node.tag}", "remove it")
    try:
        return _SCALARS[kind](node.value)
    except (KeyError, ValueError) as error:
        raise LawError(path, line, f"`{node.value}` is no {kind}", "remove the tag") from error


def line_of(lines: Lines, at: FieldPath) -> int:
    """The line of a field, or of the nearest field around it."""
    while at not in lines:
        at = at[:-1]
    return lines[at]


def validate(model: type[M], path: Path, data: dict[str, Any], lines: Lines) -> M:
    """Turn read YAML into a model, strictly: the text `yes` is no boolean and `"5"` no number.

    Raises:
        LawError: the first offending field of the file.
    """
    try:
        return model.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        found = [(_shown(e["loc"], lines), _problem(e["type"], e["loc"], e["msg"])) for e in error.errors()]
        at, (problem, mend) = min(found, key=lambda item: (line_of(lines, item[0]), "is missing" in item[1][0]))
        raise LawError(path, line_of(lines, at), problem, mend) from error


def _shown(loc: tuple[int | str, ...], lines: Lines) -> FieldPath:
    while loc and loc not in lines:
        loc = loc[:-1]
    return loc


def _problem(kind: str, loc: tuple[int | str, ...], message: str) -> tuple[str, str]:
    field = ".".join(str(part) for part in loc)
    if kind == "extra_forbidden":
        return f"`{field}` is not a known field", "remove it or correct its name"
    if kind == "missing":
        return f"`{field}` is missing", "add it"
    return f"`{field}` is not accepted", message[0].lower() + message[1:]


def load_domain(pack: Path) -> Domain:
    """Read `domain.yaml` of a pack.

    Raises:
        LawError: the file does not say a consistent domain.
    """
    path = pack / "domain.yaml"
    data, lines = read_yaml(path)
    domain = validate(Domain, path, data, lines)
    _refuse(path, lines, _domain_problems(domain))
    return domain


def load_framework(path: Path, domain: Domain) -> Framework:
    """Read one jurisdiction of a pack and check every reference it makes.

    Raises:
        LawError: the file does not say a consistent framework of this domain.
    """
    data, lines = read_yaml(path)
    framework = validate(Framework, path, data, lines)
    _refuse(path, lines, _framework_problems(framework, domain))
    return framework


def _refuse(path: Path, lines: Lines, problems: Iterable[Problem]) -> None:
    found = sorted(problems, key=lambda item: line_of(lines, item[0]))
    if found:
        at, problem, mend = found[0]
        raise LawError(path, line_of(lines, at), problem, mend)


def _unknown(at: FieldPath, kind: str, name: str, known: Iterable[str]) -> Iterable[Problem]:
    names = sorted(known)
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        mend = f"did you mean `{close[0]}`?" if close else f"use one of {', '.join(names) or 'none declared'}"
        yield at, f"unknown {kind} `{name}`", mend


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
            if key.split(":")[0] == framework.jurisdiction:
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


def _key_problems(at: FieldPath, key: str, framework: Framework, laws: set[str]) -> Iterable[Problem]:
    jurisdiction, law, *_ = key.split(":")
    if jurisdiction != framework.jurisdiction:
        yield at, f"`{key}` is of {jurisdiction}", f"cite a law of {framework.jurisdiction}"
    elif len(key.split(":")) > 5:
        yield at, f"`{key}` has too many parts", "write JURISDICTION:law:unit[:paragraph[:number]]"
    else:
        yield from _unknown(at, "law", law, laws)


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
