"""Reads YAML strictly: every mistake of a file is refused with its file, line, field, value and mend."""

from __future__ import annotations

import difflib
import json
import math
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

FieldPath = tuple[str | int, ...]
Lines = dict[FieldPath, int]
Problem = tuple[FieldPath, str, str]
"""A field, what is wrong with it, and what mends it."""

M = TypeVar("M", bound=BaseModel)

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
SHOWN = 60
"""Characters of a wrong value that a message repeats."""


class SourceError(Exception):
    """A file that somebody wrote is wrong. `str()` is `file:line: problem: mend`."""

    def __init__(self, path: Path, line: int, problem: str, mend: str) -> None:
        self.path, self.line, self.problem, self.mend = path, line, problem, mend
        super().__init__(f"{path}:{line}: {problem}: {mend}")


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast where PyYAML was built with libyaml."""


class _StrictLoader(_Loader):  # type: ignore[misc]
    """YAML 1.2 core scalars only. `NO`, `on`, `12:30`, `0512` and dates stay text."""


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


_WHOLE = r"-?(?:0|[1-9][0-9]*)"
_StrictLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:null|~|)$", "n~"),
    ("int", rf"^{_WHOLE}$", "-0123456789"),
    ("float", rf"^{_WHOLE}(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$", "-0123456789"),
):
    _StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), [*_first])
_StrictLoader.yaml_implicit_resolvers[""] = [("tag:yaml.org,2002:null", re.compile("^$"))]


_SCALARS: dict[str, Callable[[str], Any]] = {
    "bool": {"true": True, "false": False}.__getitem__,
    "null": lambda _: None,
    "int": int,
    "float": float,
}


def yaml_files(folder: Path) -> list[Path]:
    """What is called `*.yaml` in a folder, in name order. Hidden names are editors' and systems' own, and none."""
    return sorted(path for path in folder.glob("*.yaml") if not path.name.startswith("."))


def read_text(path: Path, most: int = MAX_BYTES) -> str:
    """Read a regular file of UTF-8 text; it may be gone, or something else, since it was listed.

    Args:
        most: bytes that it may have.

    Raises:
        SourceError: it cannot be opened, is no regular file, is empty, too large, or not UTF-8.
    """
    try:
        # Opening a FIFO would wait for a writer.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SourceError(path, 1, "not a regular file", "remove it, or put the file in its place")
            raw = file.read(most + 1)
    except FileNotFoundError as error:
        missing = "a link to nothing" if path.is_symlink() else "the file is missing"
        raise SourceError(path, 1, missing, "restore it, or remove what names it") from error
    except IsADirectoryError as error:
        raise SourceError(path, 1, "a folder, not a file", "rename or remove it") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SourceError(path, 1, f"cannot be read ({reason})", "make it a readable file, or remove it") from error
    if len(raw) > most:
        raise SourceError(path, 1, f"the file has more than {most} bytes", f"keep it under {most}")
    if not raw.strip():
        raise SourceError(path, 1, "the file is empty", "restore its content, or remove it")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SourceError(path, line, "not UTF-8", "save the file as UTF-8") from error


def _same_text(text: str) -> str:
    """The text without what an editor changes by itself: ends of lines, spaces before them, and the normal form of
    letters (macOS writes accents apart)."""
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return re.sub(r"[ \t]+$", "", plain, flags=re.MULTILINE)


def read_yaml(path: Path) -> tuple[dict[str, Any], Lines]:
    """Read one YAML mapping and the line of every field.

    Args:
        path: a file of at most 1 MB.

    Returns:
        The data, and line number (from 1) by field path, e.g. `("provisions", 0, "cite")`.

    Raises:
        SourceError: not readable, not UTF-8, not YAML, not a mapping, a duplicate key, an alias, a tag, too big or
            too deep.
    """
    return parse_yaml(path, read_text(path))


def parse_yaml(path: Path, text: str) -> tuple[dict[str, Any], Lines]:
    """Parse the text of a file as `read_yaml` does; `path` is what a fault names."""
    text = _same_text(text)
    try:
        _refuse_aliases_and_depth(text)
        node = _StrictLoader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part) or "not valid YAML"
        raise SourceError(path, mark.line + 1 if mark else 1, problem, "write plain YAML") from error
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise SourceError(path, 1, "not valid YAML", str(error).replace("\n", " ")) from error
    if not isinstance(node, yaml.MappingNode):
        raise SourceError(path, 1, "the file is not a mapping", "start with `field: value` lines")
    lines: Lines = {(): 1}
    return _build(path, node, (), lines), lines


def _build(path: Path, node: yaml.Node, at: FieldPath, lines: Lines) -> Any:
    line = node.start_mark.line + 1
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    if not isinstance(node, yaml.ScalarNode) and kind not in ("map", "seq"):
        raise SourceError(path, line, f"unknown tag {node.tag}", "remove it")
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise SourceError(path, line, "a field name must be one word", "write `field: value`")
            if key.value in result:
                raise SourceError(path, line, f"`{key.value}` is given twice", "keep one of them")
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
        raise SourceError(path, line, f"unknown tag {node.tag}", "remove it")
    try:
        value = _SCALARS[kind](node.value)
    except (KeyError, ValueError) as error:
        mend = "remove the tag" if len(node.value) < SHOWN else "write a shorter number"
        raise SourceError(path, line, f"`{format_value(node.value)}` is no {kind}", mend) from error
    if isinstance(value, float) and not math.isfinite(value):
        raise SourceError(
            path, line, f"`{format_value(node.value)}` is too large", "write a number that a computer can hold"
        )
    return value


def line_of(lines: Lines, at: FieldPath) -> int:
    """The line of a field, or of the nearest field around it."""
    while at not in lines:
        at = at[:-1]
    return lines[at]


def validate(model: type[M], path: Path, data: dict[str, Any], lines: Lines) -> M:
    """Turn read YAML into a model, strictly: the text `yes` is no boolean and `"5"` no number.

    Raises:
        SourceError: the first offending field of the file.
    """
    try:
        return model.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        raise first_fault(error, path, data, lines) from error


def first_fault(error: ValidationError, path: Path, data: dict[str, Any], lines: Lines) -> SourceError:
    """What a model says first of a file, with the field's line and value."""
    found = [(_present(each["loc"], data), each) for each in error.errors()]
    # A field that is missing beside one that is not known is mostly that one, misspelt.
    misspelt = {at[:-1] for at, each in found if each["type"] == "extra_forbidden"}
    left = [(at, each) for at, each in found if each["type"] != "missing" or at not in misspelt]
    at, first = min(left, key=lambda item: (line_of(lines, item[0]), item[1]["type"] == "missing"))
    problem, mend = _problem(at, first["type"], first["loc"], first["msg"], data)
    return SourceError(path, line_of(lines, at), problem, mend)


def refuse(path: Path, lines: Lines, problems: Iterable[Problem]) -> None:
    """Refuse a file for the first of its problems, in the order of lines.

    Raises:
        SourceError: there is one.
    """
    found = sorted(problems, key=lambda item: line_of(lines, item[0]))
    if found:
        at, problem, mend = found[0]
        raise SourceError(path, line_of(lines, at), problem, mend)


def nearest(name: str, known: Iterable[str]) -> str:
    """The mend for an unknown name: the known one nearest to it, or all of them."""
    names = sorted(known)
    by_case = {each.casefold(): each for each in names}
    close = difflib.get_close_matches(name.casefold(), by_case, n=1)
    return f"did you mean `{by_case[close[0]]}`?" if close else f"use one of {', '.join(names) or 'none declared'}"


def format_value(value: Any) -> str:
    """A value as a message shows it: as in the file, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{text[:SHOWN]}…" if len(text) > SHOWN else text


def _present(loc: Sequence[int | str], data: Any) -> FieldPath:
    """The part of a model's location that the file has: kinds of a union are no fields."""
    at: list[str | int] = []
    for part in loc:
        inside = data.keys() if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
        if part in inside:
            at, data = [*at, part], data[part]
    return tuple(at)


def _problem(
    at: FieldPath, kind: str, loc: tuple[int | str, ...], message: str, data: dict[str, Any]
) -> tuple[str, str]:
    field = ".".join(map(str, at))
    if kind == "extra_forbidden":
        return f"`{field}` is not a known field", "remove it or correct its name"
    if kind == "missing":
        return f"`{'.'.join(map(str, (*at, loc[-1])))}` is missing", "add it"
    message = message.removeprefix("Value error, ")
    value: Any = data
    for part in at:
        value = value[part]
    if isinstance(value, dict | list):
        return f"`{field}` is not accepted", message[0].lower() + message[1:]
    return f"`{field}: {format_value(value)}` is not accepted", message[0].lower() + message[1:]
