"""Probe a country's law: what an answer says first, over a grid of facts, and what changes between neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from forge_assets.law.citation_key import CitationKey
from forge_assets.law.engine import Facts, obligations
from forge_assets.law.explanation import facts_in_words
from forge_assets.law.grid import fact_grid, provisions_of
from forge_assets.law.headline import is_denied, is_settled, lead
from forge_assets.law.model import Domain, Framework, Provision

Cite = Callable[[CitationKey], str]


@dataclass(frozen=True)
class Point:
    """A point of the grid, and what an answer says first there."""

    facts: Facts
    lead: Provision | None
    denied: bool
    """Whether it is owed to representatives whom the facts deny."""
    settled: bool
    """Whether the texts held say all there is on the change."""


def probe(domain: Domain, framework: Framework, change: str) -> list[Point]:
    """Judge a change at every point of its grid.

    Args:
        framework: settled.
    """
    pulled = framework.model_copy(update={"provisions": provisions_of(domain, framework, change)})
    found = []
    for facts in fact_grid(domain, framework, change) if pulled.provisions else ():
        findings = obligations(domain, pulled, change, facts)
        first = lead(domain, (f.provision for f in findings if f.applies and not f.provision.incomplete))
        denied = first is not None and is_denied(domain, framework, first, facts)
        found.append(Point(facts, first, denied, is_settled(framework, change, findings)))
    return found


def probe_lines(domain: Domain, framework: Framework, changes: Sequence[str], cite: Cite) -> Iterator[str]:
    """Write the headlines of some changes: settings that say the same together, then where in numbers each begins.

    Headlines are lettered and listed at the end of each change; facts that never change one are named and left out.
    `!` marks a headline owed to representatives whom the facts deny.
    """
    yield f"{framework.name} (numbers at and beside every bound were tried; between them a share may decide)"
    for change in changes:
        yield ""
        yield f"  {domain.change_types[change].title}"
        points = probe(domain, framework, change)
        yield from _change(domain, points, domain.change_types[change].facts, cite) if points else _nothing()


def _nothing() -> Iterator[str]:
    yield "    no provision held"


def _change(domain: Domain, points: Sequence[Point], axes: Sequence[str], cite: Cite) -> Iterator[str]:
    letters: dict[str, str] = {}
    for point in points:
        letters.setdefault(_headline(domain, point, cite), _letter(len(letters)))
    said = {frozenset(p.facts.items()): letters[_headline(domain, p, cite)] for p in points}
    numbers = [n for n in axes if domain.facts[n].type == "integer" and any(n in p.facts for p in points)]
    idle = [n for n in domain.facts if n not in numbers and any(n in p.facts for p in points) and _is_idle(n, said)]
    if idle:
        yield f"    (never decides what is said first: {', '.join(idle)})"
    blocks: dict[tuple[tuple[str, int | bool], ...], list[tuple[tuple[int, ...], str]]] = {}
    for point in points:
        setting = tuple((n, v) for n, v in point.facts.items() if n not in numbers and n not in idle)
        place = tuple(int(point.facts[n]) for n in numbers if n in point.facts)
        line = place, said[frozenset(point.facts.items())]
        if line not in blocks.setdefault(setting, []):
            blocks[setting].append(line)
    alike: dict[tuple[str, ...], list[str]] = {}
    for setting, block in blocks.items():
        alike.setdefault(tuple(_runs(numbers, block)), []).append(facts_in_words(dict(setting)) or "in any case")
    for lines, settings in alike.items():
        yield from (f"    {setting}" for setting in settings)
        yield from (f"      {line}" for line in lines)
    yield from (f"    [{letter}] {headline}" for headline, letter in letters.items())


def _is_idle(name: str, said: Mapping[frozenset[tuple[str, int | bool]], str]) -> bool:
    """Whether a fact changes no headline, whatever the others are."""
    without: dict[frozenset[tuple[str, int | bool]], set[str]] = {}
    for facts, letter in said.items():
        without.setdefault(frozenset(f for f in facts if f[0] != name), set()).add(letter)
    return all(len(letters) == 1 for letters in without.values())


def _runs(numbers: Sequence[str], block: Sequence[tuple[tuple[int, ...], str]]) -> Iterator[str]:
    """One line for each run of the first number, with where in the second each headline begins."""
    if not block[0][0]:
        yield f"[{block[0][1]}]"
        return
    rows: list[tuple[int, str]] = []
    for first, some in groupby(sorted(block), key=lambda line: line[0][0]):
        rows.append((first, _second(numbers[1:], [(place[1:], letter) for place, letter in some])))
    for row, run in groupby(rows, key=lambda each: each[1]):
        values = [first for first, _ in run]
        until = "" if values[-1] == rows[-1][0] else f" to {values[-1]}"
        span = f"{values[0]}{until}" if until != f" to {values[0]}" else f"{values[0]}"
        yield f"{numbers[0]} {span}{'' if until else ' and more'}: {row}"


def _second(numbers: Sequence[str], lines: Sequence[tuple[tuple[int, ...], str]]) -> str:
    if not numbers or not lines[0][0]:
        return f"[{lines[0][1]}]"
    parts: list[str] = []
    for letter, run in groupby(lines, key=lambda line: line[1]):
        begins = next(run)[0][0]
        parts.append(f"{numbers[0]} from {begins} [{letter}]" if parts else f"[{letter}]")
    return ", ".join(parts)


def _letter(place: int) -> str:
    return chr(ord("a") + place % 26) * (place // 26 + 1)


def _headline(domain: Domain, point: Point, cite: Cite) -> str:
    if point.lead is None:
        return "nothing is owed" if point.settled else "the texts held do not settle it"
    kind = "" if point.lead.level in domain.levels else " (nobody takes part)"
    mark = "! " if point.denied else ""
    return f"{mark}{point.lead.level}{kind}, {point.lead.body}, {cite(point.lead.cite)}: {point.lead.summary}"
