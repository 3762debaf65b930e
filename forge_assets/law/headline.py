"""Rank duties: which of them an answer names first."""

from __future__ import annotations

from collections.abc import Iterable

from forge_assets.law.engine import Facts, Finding, State
from forge_assets.law.model import Domain, Framework, Provision


def ranked(domain: Domain, provisions: Iterable[Provision]) -> tuple[Provision, ...]:
    """Sort duties, the one that is named first in front.

    Duties in which somebody takes part come before the others, principal ones before the rest, then the stronger before
    the weaker, then what fewer kinds of change pull before what more of them do. Equals stay in the order given.
    """

    def rank(provision: Provision) -> tuple[bool, bool, int, int]:
        level = provision.level
        return level not in domain.levels, not provision.core, -domain.ranks.index(level), _breadth(domain, provision)

    return tuple(sorted(provisions, key=rank))


def lead(domain: Domain, provisions: Iterable[Provision]) -> Provision | None:
    """Find the duty that is named first; None where there is none."""
    found = ranked(domain, provisions)
    return found[0] if found else None


def is_settled(framework: Framework, change: str, findings: Iterable[Finding]) -> bool:
    """Test whether it means that nothing is owed where no provision is found to apply.

    The texts held must be complete on the change, and neither a person's judgement nor text not held leave a duty open.
    """
    return change in framework.complete_for and not any(
        f.state is State.JUDGED or (f.applies and f.provision.incomplete) for f in findings
    )


def is_denied(domain: Domain, framework: Framework, provision: Provision, facts: Facts) -> bool:
    """Test whether a duty is owed to representatives while the facts deny every body that they name.

    A body that says itself under `accepted` why it is there whenever it is needed is not denied.
    """
    body = next(b for b in framework.bodies if b.id == provision.body)
    kind = domain.body_kinds.get(body.kind or "")
    if kind is None or not kind.standing or body.exists_when or {"headline", "bodies"} & set(body.accepted):
        return False
    named = [b.id for b in framework.bodies if b.id in facts]
    return bool(named) and not any(facts[name] for name in named)


def _breadth(domain: Domain, provision: Provision) -> int:
    """How many kinds of change may pull it."""
    return len(frozenset().union(*(domain.pulled_by.get(trigger, ()) for trigger in provision.triggers)))
