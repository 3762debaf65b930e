"""Settle who is owed what: join each duty to the existence of its body, and give substitutes duties of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from forge_assets.law.model import Body, Bound, Condition, Domain, Framework, Provision

Alternatives = tuple[Condition, ...]
"""One must hold; none at all: always. `None` stands for never."""


def settle(domain: Domain, framework: Framework) -> Framework:
    """Return the framework in which each provision's `applies_when` says all that it depends on.

    A provision applies only where its body exists. Where it has substitutes, or its body has, one provision is added
    for each of them: it applies where no body before it exists, and its id ends in the body's.

    Raises:
        ValueError: a provision could never apply; the message names it.
    """
    bodies = {body.id: _known(domain, body) for body in framework.bodies}
    settled = [p for provision in framework.provisions for p in _settled(provision, bodies)]
    return framework.model_copy(update={"bodies": tuple(bodies.values()), "provisions": tuple(settled)})


def settled_id(provision: str, body: str) -> str:
    """Name the duty that a substitute body is owed."""
    return f"{provision}-{body.replace('_', '-')}"


def _known(domain: Domain, body: Body) -> Body:
    """The body with the fact that says whether it exists, where it has the name of one."""
    fact = domain.facts.get(body.id)
    if body.exists_when is None and fact is not None and fact.type == "boolean":
        return body.model_copy(update={"exists_when": ({body.id: Bound.model_validate({"is": True})},)})
    return body


def _settled(provision: Provision, bodies: Mapping[str, Body]) -> Iterator[Provision]:
    owed = list(dict.fromkeys([provision.body, *(provision.substitutes or bodies[provision.body].substitutes)]))
    absent: Alternatives | None = ()
    for name in owed:
        if absent is None:
            raise ValueError(f"{provision.id}: `{name}` is never reached: a body before it is always there")
        exists = bodies[name].exists_when or ()
        when = both(both(provision.applies_when, exists), absent)
        if when is None:
            raise ValueError(f"{provision.id}: what it tests and the existence of `{name}` exclude each other")
        update = {"body": name, "substitutes": (), "applies_when": when}
        if name != provision.body:
            update["id"] = settled_id(provision.id, name)
        yield provision.model_copy(update=update)
        missing = absence(exists)
        absent = None if missing is None else both(absent, missing)


def both(first: Alternatives | None, second: Alternatives | None) -> Alternatives | None:
    """Join two lists of alternatives: each of the first with each of the second. None: they exclude each other."""
    if first is None or second is None:
        return None
    if not first or not second:
        return first or second
    joined = [_joined(a, b) for a, b in product(first, second)]
    kept: list[Condition] = []
    for condition in joined:
        if condition is not None and condition not in kept:
            kept.append(condition)
    return tuple(kept) or None


def absence(exists: Alternatives) -> Alternatives | None:
    """Negate alternatives; None where they always hold."""
    if not exists:
        return None
    found: Alternatives | None = ()
    for condition in exists:
        fails = tuple({name: each} for name, bound in condition.items() for each in _opposites(name, bound))
        found = both(found, fails)
    return found


def _opposites(name: str, bound: Bound) -> Iterable[Bound]:
    if bound.shares:
        raise ValueError(f"the existence of a body cannot rest on a share of `{name}`: test a number or a yes/no fact")
    if bound.is_ is not None:
        yield Bound.model_validate({"is": not bound.is_})
    if bound.min is not None:
        yield Bound(max=bound.min - 1)
    if bound.max is not None:
        yield Bound(min=bound.max + 1)


def _joined(first: Condition, second: Condition) -> Condition | None:
    found = dict(first)
    for name, bound in second.items():
        if name in found:
            narrowed = _narrowed(name, found[name], bound)
            if narrowed is None:
                return None
            found[name] = narrowed
        else:
            found[name] = bound
    return found


def _narrowed(name: str, one: Bound, other: Bound) -> Bound | None:
    """The bound that holds where both do; None where they exclude each other."""
    if one == other:
        return one
    if one.shares and other.shares:
        raise ValueError(f"two tests of a share of `{name}` meet in one condition: test one of them")
    if one.is_ is not None:
        return None  # the other is its opposite, or they would be equal
    least = [b.min for b in (one, other) if b.min is not None]
    most = [b.max for b in (one, other) if b.max is not None]
    shared = one if one.shares else other
    found = shared.model_copy(update={"min": max(least, default=None), "max": min(most, default=None)})
    if found.min is not None and found.max is not None and found.min > found.max:
        return None
    return found
