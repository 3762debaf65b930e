"""Judge which provisions apply to a change and why, as typed findings; `law.explanation` words them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from forge_assets.law.model import Bound, Condition, Domain, Framework, Provision

Facts = Mapping[str, int | bool]


class State(Enum):
    """How a provision stands to a change."""

    APPLIES = "applies"
    NOT_TRIGGERED = "not triggered"
    NOT_YET = "not yet in force"
    NO_LONGER = "no longer in force"
    MISSED = "threshold not met"
    OPEN = "hinges on facts that nobody stated"
    JUDGED = "hinges on a condition that a person must judge"


class Test(NamedTuple):
    """A bound of a provision, tried on one fact."""

    fact: str
    bound: Bound
    """What the fact is compared with."""
    value: int | bool | None
    """What is stated of it; None: nothing."""

    @property
    def facts(self) -> tuple[str, ...]:
        """The fact, and the one that it must be a share of."""
        return (self.fact, self.bound.share_of) if self.bound.share_of else (self.fact,)


Alternative = tuple[Test, ...]
"""Tests of one alternative of `applies_when`, in its order."""


@dataclass(frozen=True)
class Finding:
    """How a provision stands to a change, and what decided that."""

    provision: Provision
    state: State
    pulled: tuple[str, ...] = ()
    """Triggers of the provision that the change pulls; empty also where an unstated fact may pull one, and the state is
    what it would be then."""
    tests: tuple[Alternative, ...] = ()
    """Where it applies: the tests of the alternative that is met, if it has any. Where its threshold is missed: what
    failed of each alternative. Else none."""
    hinges_on: tuple[str, ...] = ()
    """Facts nobody stated on which it alone depends whether the provision applies: of the state `OPEN`."""

    @property
    def applies(self) -> bool:
        """Whether it applies for certain."""
        return self.state is State.APPLIES

    @property
    def triggered(self) -> bool:
        """Whether the change pulls one of the provision's triggers."""
        return bool(self.pulled)


def pulled_triggers(domain: Domain, change: str, facts: Facts) -> frozenset[str]:
    """List the triggers that a change type pulls under the given facts.

    Raises:
        KeyError: the domain declares no such change type.
    """
    kind = domain.change_types[change]
    conditional = {c.trigger for c in kind.conditional_triggers if facts.get(c.fact)}
    return frozenset(kind.triggers) | conditional


def obligations(
    domain: Domain, framework: Framework, change: str, facts: Facts, on: dt.date | None = None
) -> list[Finding]:
    """Judge every provision of a framework against one change.

    Args:
        facts: fact name to value; where one that is not stated would decide, the finding names it.
        on: the date of the change; None tests no validity dates.
    """
    facts = with_impossible(domain, facts)
    triggers = pulled_triggers(domain, change, facts)
    possible = {c.trigger: c.fact for c in domain.change_types[change].conditional_triggers if c.fact not in facts}
    return [_left_to_judge(_judge(p, triggers, possible, facts, on)) for p in framework.provisions]


def judge_pulled(provision: Provision, facts: Facts) -> Finding:
    """Judge a provision as if a trigger of it were pulled, whatever a person must still judge of it (`only_if`)."""
    return _judge(provision, frozenset(provision.triggers), {}, facts, None)


def with_impossible(domain: Domain, facts: Facts) -> Facts:
    """Add the facts that cannot hold because one that they require is stated not to."""
    denied = {name: False for name, kind in domain.facts.items() if kind.requires and facts.get(kind.requires) is False}
    return {**facts, **denied} if denied else facts


def _left_to_judge(finding: Finding) -> Finding:
    """What applies, or may, only under a condition that no fact states."""
    if finding.provision.only_if and (finding.applies or finding.state is State.OPEN):
        return replace(finding, state=State.JUDGED, hinges_on=())
    return finding


def _judge(
    provision: Provision,
    triggers: frozenset[str],
    possible: Mapping[str, str],
    facts: Facts,
    on: dt.date | None,
) -> Finding:
    pulled = tuple(sorted(triggers & set(provision.triggers)))
    if not pulled:
        return _not_pulled(provision, possible, facts, on)
    if on is not None:
        if provision.valid_from and on < provision.valid_from:
            return Finding(provision, State.NOT_YET, pulled)
        if provision.valid_to and on > provision.valid_to:
            return Finding(provision, State.NO_LONGER, pulled)
    if not provision.applies_when:
        return Finding(provision, State.APPLIES, pulled)
    for condition in provision.applies_when:
        if all(_holds(name, bound, facts) for name, bound in condition.items()):
            return Finding(provision, State.APPLIES, pulled, (_tests(condition.items(), facts),))
    hinges = () if provision.tested <= facts.keys() else _unstated(provision.applies_when, facts)
    if hinges:
        return Finding(provision, State.OPEN, pulled, hinges_on=hinges)
    missed = tuple(
        _tests([(name, bound) for name, bound in condition.items() if not _holds(name, bound, facts)], facts)
        for condition in provision.applies_when
    )
    return Finding(provision, State.MISSED, pulled, missed)


def _not_pulled(provision: Provision, possible: Mapping[str, str], facts: Facts, on: dt.date | None) -> Finding:
    """A provision that nothing stated pulls: it is open where an unstated fact may pull it, and nothing else fails."""
    deciding = tuple(possible[trigger] for trigger in provision.triggers if trigger in possible)
    if not deciding:
        return Finding(provision, State.NOT_TRIGGERED)
    supposed = {**facts, **dict.fromkeys(deciding, True)}
    finding = _judge(provision, frozenset(provision.triggers), {}, supposed, on)
    if finding.applies or finding.hinges_on:
        return Finding(provision, State.OPEN, hinges_on=(*deciding, *finding.hinges_on))
    return replace(finding, pulled=())


def _tests(bounds: Iterable[tuple[str, Bound]], facts: Facts) -> Alternative:
    return tuple(Test(name, bound, facts.get(name)) for name, bound in bounds)


def _unstated(conditions: Iterable[Condition], facts: Facts) -> tuple[str, ...]:
    """Facts that would decide, if stated: those of alternatives in which nothing that is stated fails."""
    names: dict[str, None] = {}
    for condition in conditions:
        needed = {name: {name, *([bound.share_of] if bound.share_of else [])} for name, bound in condition.items()}
        if all(_holds(name, bound, facts) or needed[name] - facts.keys() for name, bound in condition.items()):
            names |= dict.fromkeys(fact for parts in needed.values() for fact in sorted(parts - facts.keys()))
    return tuple(names)


def meets(alternatives: Sequence[Condition], facts: Facts) -> bool:
    """Test whether one of some alternatives holds, or there is none; what is not stated does not hold."""
    return not alternatives or any(all(_holds(n, b, facts) for n, b in c.items()) for c in alternatives)


def _holds(name: str, bound: Bound, facts: Facts) -> bool:
    value = facts.get(name)
    if value is None:
        return False
    if bound.is_ is not None:
        return bool(value) is bound.is_
    if bound.min is not None and value < bound.min:
        return False
    if bound.max is not None and value > bound.max:
        return False
    if bound.shares:
        whole = facts.get(bound.share_of or "")
        return whole is not None and all(
            _compares(value, word, Decimal(str(share)) * int(whole)) for word, share in bound.shares.items()
        )
    return True


def _compares(value: int | bool, word: str, number: Decimal) -> bool:
    if word == "at least":
        return value >= number
    if word == "more than":
        return value > number
    return value <= number if word == "at most" else value < number
