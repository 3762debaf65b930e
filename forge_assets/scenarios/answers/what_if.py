"""Find what a single other fact would change: each stated yes/no fact turned, each number just beyond a threshold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from forge_assets.law.engine import Facts
from forge_assets.law.model import Domain, Framework, Provision
from forge_assets.scenarios.answers.judgement import Judgement

Judge = Callable[[Facts], Judgement]


@dataclass(frozen=True)
class Flip:
    """A fact that is other than stated, and the duties that come and go with it."""

    fact: str
    value: int | bool
    comes: tuple[Provision, ...]
    goes: tuple[Provision, ...]
    judged: Judgement
    """The case with that fact."""

    @property
    def changes(self) -> bool:
        """Whether anything does."""
        return bool(self.comes or self.goes)


def find_flips(domain: Domain, judged: Judgement, facts: Facts, judge: Judge) -> tuple[Flip, ...]:
    """Find what each single other fact would change, if anything, in the order of the domain.

    A number moves just beyond the nearest bound on either side, so that it holds for every case of the cell; one that
    is compared with a share, or is the whole of one, does not move. What cannot be is left out: a body below the size
    that it needs, a fact without the one that it requires, a case that is not decided then.
    """
    found = []
    applying = {p.id for p in judged.applying}
    for name, value in _others(domain, judged.framework, facts):
        other = {**facts, name: value}
        if not _possible(domain, judged.framework, other):
            continue
        then = judge(other)
        if then.asks or not then.is_decidable:
            continue
        now = {p.id for p in then.applying}
        comes = tuple(p for p in then.applying if p.id not in applying)
        goes = tuple(p for p in judged.applying if p.id not in now)
        found.append(Flip(name, value, comes, goes, then))
    return tuple(found)


def _others(domain: Domain, framework: Framework, facts: Facts) -> Iterator[tuple[str, int | bool]]:
    conditions = [c for p in framework.provisions for c in p.applies_when]
    shared = {n for c in conditions for name, bound in c.items() if bound.shares for n in (name, bound.share_of)}
    for name, value in facts.items():
        if domain.facts[name].type == "boolean":
            yield name, not value
            continue
        if name in shared:
            continue
        bounds = [bound for condition in conditions for at, bound in condition.items() if at == name]
        edges = sorted({b.min for b in bounds if b.min} | {b.max + 1 for b in bounds if b.max is not None})
        # An edge is the first number of the range above it.
        below = [edge for edge in edges if edge <= value]
        above = [edge for edge in edges if edge > value]
        if below and below[-1] > 1:
            yield name, below[-1] - 1
        if above:
            yield name, above[0]


def _possible(domain: Domain, framework: Framework, facts: Facts) -> bool:
    for name, kind in domain.facts.items():
        if kind.requires and facts.get(name) and facts.get(kind.requires) is False:
            return False
    size = facts.get("employees")
    return all(
        not (facts.get(body.id) and body.min_employees is not None and size is not None and size < body.min_employees)
        for body in framework.bodies
    )
