"""Judge one change under one country's law: the engine's findings, ranked by the obligation ladder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from forge_assets.law.engine import Alternative, Facts, Finding, State, obligations
from forge_assets.law.model import Body, Domain, Framework, Provision

NO_LEVEL = "none"
"""The expected level where no provision applies."""


@dataclass(frozen=True)
class Judgement:
    """A framework's answer to a change."""

    framework: Framework
    applying: tuple[Provision, ...]
    considered: tuple[Provision, ...]
    """What the answer rests on: provisions that apply or fail a threshold, else all that were judged."""
    met: dict[str, Alternative]
    """Provision id to the tests that it met, of those that apply above a threshold."""
    missed: tuple[str, ...]
    """Facts at which a triggered provision's threshold failed."""
    lead: Provision | None
    """The first provision of the strongest level."""
    asks: tuple[str, ...]
    """Facts that are not stated and decide."""
    undecided: tuple[Provision, ...]
    """Provisions that hinge on them, strongest duty first."""
    later: tuple[Provision, ...]
    """Provisions that would apply, were they in force at the date of the change already."""
    failed: dict[str, tuple[Alternative, ...]]
    """Provision id to the tests it failed, by alternative, strongest duty first."""
    is_decidable: bool
    """Whether the law held settles the case: it has provisions on such a change, and no unstated fact decides.

    Where it does not, silence of the text held must not be taught as "nothing applies".
    """

    @property
    def level(self) -> str:
        """The strongest level owed, `none` where nothing applies."""
        return self.lead.level if self.lead else NO_LEVEL

    @property
    def body(self) -> Body | None:
        """The body the strongest duty is owed to."""
        return body_of(self.framework, self.lead.body) if self.lead else None

    @property
    def outcome(self) -> tuple[str, ...]:
        """Ids of the provisions that apply: what tells two judgements apart."""
        return tuple(p.id for p in self.applying)


def level_rank(domain: Domain, judged: Judgement) -> int:
    """Compute the position of the strongest duty on the obligation ladder, -1 where nothing applies."""
    return domain.levels.index(judged.level) if judged.lead else -1


def body_of(framework: Framework, body_id: str) -> Body:
    """Look up a body of a framework by id."""
    return next(b for b in framework.bodies if b.id == body_id)


def judge_change(
    domain: Domain,
    framework: Framework,
    change: str,
    facts: Facts,
    conditional_only: bool = False,
    on: dt.date | None = None,
) -> Judgement:
    """Judge a change; `conditional_only` leaves what the change pulls whatever its facts out of account.

    Args:
        on: the date of the change; None tests no dates.
    """
    findings = obligations(domain, framework, change, facts, on)
    if conditional_only:
        conditions = domain.change_types[change].conditional_triggers
        possible = {c.trigger for c in conditions}
        pulled = {c.trigger for c in conditions if facts.get(c.fact)}
        findings = [
            f if pulled & set(f.provision.triggers) else Finding(f.provision, State.NOT_TRIGGERED)
            for f in findings
            if possible & set(f.provision.triggers)
        ]
    applying = tuple(f.provision for f in findings if f.applies)
    ranked = _ranked(domain, applying)
    misses = {f.provision.id: f.tests for f in findings if f.state is State.MISSED}
    undated = {f.provision.id for f in obligations(domain, framework, change, facts) if f.applies} if on else set()
    return Judgement(
        framework=framework,
        applying=applying,
        considered=tuple(f.provision for f in [f for f in findings if f.triggered or f.hinges_on] or findings),
        met={f.provision.id: f.tests[0] for f in findings if f.applies and f.tests},
        missed=_missed(domain, misses.values(), facts),
        lead=ranked[0] if ranked else None,
        asks=tuple(dict.fromkeys(name for f in findings for name in f.hinges_on)),
        undecided=_ranked(domain, (f.provision for f in findings if f.hinges_on)),
        later=tuple(f.provision for f in findings if f.state is State.NOT_YET and f.provision.id in undated),
        failed={p.id: misses[p.id] for p in _ranked(domain, (f.provision for f in findings)) if p.id in misses},
        is_decidable=any(f.triggered or conditional_only for f in findings) and not any(f.hinges_on for f in findings),
    )


def _ranked(domain: Domain, provisions: Iterable[Provision]) -> tuple[Provision, ...]:
    """Strongest duty first; equals stay in the order of the framework."""
    return tuple(sorted(provisions, key=lambda p: domain.levels.index(p.level), reverse=True))


def _missed(domain: Domain, failed: Iterable[tuple[Alternative, ...]], facts: Facts) -> tuple[str, ...]:
    """Facts stated at which a threshold failed, in the order of the domain."""
    named = {name for alternatives in failed for tests in alternatives for test in tests for name in test.facts}
    return tuple(name for name in domain.facts if name in named and name in facts)
