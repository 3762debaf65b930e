"""Lay out a grid of facts that shows every answer a country's law can give on a change."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from forge_assets.law.engine import Facts, pulled_triggers
from forge_assets.law.model import Bound, Domain, Framework, Provision

MOST_SWITCHES = 7
"""Yes/no facts that are tried in every combination; of more, the first so many, the rest one at a time."""
FAR = 1000
"""A number above every threshold that stands alone."""


def provisions_of(domain: Domain, framework: Framework, change: str) -> tuple[Provision, ...]:
    """List the provisions that a change may pull."""
    triggers = domain.change_types[change].all_triggers
    return tuple(p for p in framework.provisions if triggers & set(p.triggers))


def tested_facts(domain: Domain, provisions: Iterable[Provision], change: str) -> tuple[str, ...]:
    """List the facts that decide on a change, in the domain's order; those for a person to judge excepted."""
    wanted = {c.fact for c in domain.change_types[change].conditional_triggers}
    for provision in provisions:
        if not provision.only_if:
            wanted |= provision.tested
    return tuple(name for name in domain.facts if name in wanted)


def fact_grid(domain: Domain, framework: Framework, change: str) -> Iterator[Facts]:
    """Generate facts on both sides of every test that the change's provisions make.

    Numbers take the values at and beside every bound, shares those at and beside the share of each whole.
    """
    provisions = provisions_of(domain, framework, change)
    names = tested_facts(domain, provisions, change)
    switches = [n for n in names if domain.facts[n].type == "boolean"]
    numbers = [n for n in names if domain.facts[n].type == "integer"]
    bounds = [(n, b) for p in provisions if not p.only_if for c in p.applies_when for n, b in c.items()]
    for stated in _switched(switches):
        if any(
            stated[name] and domain.facts[name].requires in stated and not stated[domain.facts[name].requires or ""]
            for name in switches
        ):
            continue
        pulled = pulled_triggers(domain, change, stated)
        if not any(pulled & set(p.triggers) for p in provisions):
            yield stated
            continue
        for counted in _counted(numbers, bounds):
            yield {**counted, **stated}


def _switched(names: Sequence[str]) -> Iterator[dict[str, int | bool]]:
    tried, rest = names[:MOST_SWITCHES], names[MOST_SWITCHES:]
    for values in product((False, True), repeat=len(tried)):
        stated: dict[str, int | bool] = dict(zip(tried, values, strict=True))
        for turned in (None, *rest):
            yield stated | {name: name == turned for name in rest}


def _counted(names: Sequence[str], bounds: Sequence[tuple[str, Bound]]) -> Iterator[dict[str, int | bool]]:
    """Numbers at and beside the bounds; a part never exceeds its whole."""
    wholes = [n for n in names if not any(name == n and b.share_of for name, b in bounds)]
    parts = [n for n in names if n not in wholes]
    for values in product(*(_edges(n, bounds) for n in wholes)):
        known: dict[str, int | bool] = dict(zip(wholes, values, strict=True))
        yield from _with_parts(known, parts, bounds)


def _with_parts(
    known: dict[str, int | bool], parts: Sequence[str], bounds: Sequence[tuple[str, Bound]]
) -> Iterator[dict[str, int | bool]]:
    if not parts:
        yield known
        return
    name, *rest = parts
    values = set(_edges(name, bounds))
    most = None
    for part, bound in bounds:
        if part == name and bound.share_of in known:
            whole = int(known[bound.share_of or ""])
            most = whole if most is None else min(most, whole)
            for share in bound.shares.values():
                edge = math.ceil(share * whole - 1e-9)
                values |= {edge - 1, edge, edge + 1}
    for value in sorted(v for v in values if v >= 1 and (most is None or v <= most)):
        yield from _with_parts({**known, name: value}, rest, bounds)


def _edges(name: str, bounds: Sequence[tuple[str, Bound]]) -> list[int]:
    values = {FAR} if not any(n == name and b.min and b.min > FAR for n, b in bounds) else {FAR, 10 * FAR}
    for tested, bound in bounds:
        if tested == name:
            if bound.min is not None:
                values |= {bound.min - 1, bound.min}
            if bound.max is not None:
                values |= {bound.max, bound.max + 1}
    return sorted(v for v in values if v >= 1)
