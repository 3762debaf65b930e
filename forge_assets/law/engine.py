"""Which provisions a change pulls, and why or why not. Pure and fast."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from forge_assets.law.model import Bound, Condition, Domain, Framework, Provision

Facts = Mapping[str, int | bool]


@dataclass(frozen=True)
class Finding:
    """A provision, whether it applies, and one reason per test made."""

    provision: Provision
    applies: bool
    reasons: tuple[str, ...]
    hinges_on: tuple[str, ...] = ()
    """Facts nobody stated on which it alone depends whether the provision applies."""

    @property
    def triggered(self) -> bool:
        """Whether the change pulls one of the provision's triggers."""
        return self.reasons[0].startswith("triggered by")


def pulled_triggers(domain: Domain, change: str, facts: Facts) -> frozenset[str]:
    """Triggers that a change type pulls under the given facts.

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
    triggers = pulled_triggers(domain, change, facts)
    possible = {c.trigger: c.fact for c in domain.change_types[change].conditional_triggers if c.fact not in facts}
    return [_judge(provision, triggers, possible, facts, on) for provision in framework.provisions]


def _judge(
    provision: Provision,
    triggers: frozenset[str],
    possible: Mapping[str, str],
    facts: Facts,
    on: dt.date | None,
) -> Finding:
    hit = sorted(triggers & set(provision.triggers))
    if not hit:
        needs = f"not triggered: needs {' or '.join(provision.triggers)}"
        deciding = tuple(possible[trigger] for trigger in provision.triggers if trigger in possible)
        if not deciding:
            return Finding(provision, False, (needs,))
        supposed = {**facts, **dict.fromkeys(deciding, True)}
        finding = _judge(provision, frozenset(provision.triggers), {}, supposed, on)
        if not finding.applies and not finding.hinges_on:
            return Finding(provision, False, (needs, *finding.reasons[1:]))
        hinges = (*deciding, *finding.hinges_on)
        return Finding(provision, False, (needs, f"not stated: {', '.join(hinges)}"), hinges)
    reasons = [f"triggered by {' and '.join(hit)}"]
    if on is not None:
        if provision.valid_from and on < provision.valid_from:
            return Finding(provision, False, (*reasons, f"not in force before {provision.valid_from}"))
        if provision.valid_to and on > provision.valid_to:
            return Finding(provision, False, (*reasons, f"no longer in force after {provision.valid_to}"))
    if provision.applies_when:
        tried = [_failures(condition, facts) for condition in provision.applies_when]
        if all(tried):
            hinges = _unstated(provision.applies_when, facts)
            if hinges:
                return Finding(provision, False, (*reasons, f"not stated: {', '.join(hinges)}"), hinges)
            missed = "; or ".join(" and ".join(failures) for failures in tried)
            return Finding(provision, False, (*reasons, f"threshold not met: {missed}"))
        met = provision.applies_when[tried.index([])]
        reasons.append("threshold met: " + " and ".join(_words(n, b) for n, b in met.items()))
    return Finding(provision, True, tuple(reasons))


def threshold_words(provision: Provision) -> str:
    """When the provision applies, in words; empty when it always does."""
    return "; or ".join(
        " and ".join(_words(name, bound) for name, bound in condition.items()) for condition in provision.applies_when
    )


def _failures(condition: Condition, facts: Facts) -> list[str]:
    return [_words(name, bound) for name, bound in condition.items() if not _holds(name, bound, facts)]


def _unstated(conditions: Iterable[Condition], facts: Facts) -> tuple[str, ...]:
    """Facts that would decide, if stated: those of alternatives in which nothing that is stated fails."""
    names: dict[str, None] = {}
    for condition in conditions:
        needed = {name: {name, *([bound.share_of] if bound.share_of else [])} for name, bound in condition.items()}
        if all(_holds(name, bound, facts) or needed[name] - facts.keys() for name, bound in condition.items()):
            names |= dict.fromkeys(fact for parts in needed.values() for fact in sorted(parts - facts.keys()))
    return tuple(names)


def _holds(name: str, bound: Bound, facts: Facts) -> bool:
    value = facts.get(name)
    if value is None:
        return False
    if bound.is_ is not None and bool(value) is not bound.is_:
        return False
    if bound.min is not None and value < bound.min:
        return False
    if bound.max is not None and value > bound.max:
        return False
    if bound.min_share is not None:
        whole = facts.get(bound.share_of or "")
        return whole is not None and value >= Decimal(str(bound.min_share)) * int(whole)
    return True


def _words(name: str, bound: Bound) -> str:
    parts = []
    if bound.is_ is not None:
        parts.append(name if bound.is_ else f"no {name}")
    if bound.min is not None:
        parts.append(f"{name} at least {bound.min}")
    if bound.max is not None:
        parts.append(f"{name} at most {bound.max}")
    if bound.min_share is not None:
        parts.append(f"{name} at least {bound.min_share:.0%} of {bound.share_of}")
    return " and ".join(parts)
