"""Judge one change under one country's law: the engine's findings, ranked by the obligation ladder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from forge_assets.law.engine import Alternative, Facts, Finding, State, meets, obligations
from forge_assets.law.headline import is_settled, ranked
from forge_assets.law.model import Body, Domain, EscalationStep, Framework, Provision

NO_LEVEL = "none"
"""The expected level where the law held is complete and no provision applies."""
UNSETTLED = "unsettled"
"""The expected level where no provision held applies, and the texts held do not settle the case."""


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
    """The duty that an answer names first."""
    asks: tuple[str, ...]
    """Facts that are not stated and decide."""
    undecided: tuple[Provision, ...]
    """Provisions that hinge on them, strongest duty first."""
    later: tuple[Provision, ...]
    """Provisions that would apply, were they in force at the date of the change already."""
    failed: dict[str, tuple[Alternative, ...]]
    """Provision id to the tests it failed, by alternative, strongest duty first."""
    is_settled: bool
    """Whether silence means that nothing is owed: the texts held say all there is on such a change, or only what
    its conditional triggers pull is asked about and the facts pull none."""
    steps: tuple[tuple[int, EscalationStep], ...]
    """Steps of a dispute on such a change that exist in this case, with their place in the path, from 1."""
    is_decidable: bool
    """Whether the case can be asked about: the law held has provisions on such a change, no unstated fact decides, and
    no duty that was left out applies where none of the others does.

    Where it does not, silence of the text held must not be taught as "nothing applies".
    """

    @property
    def level(self) -> str:
        """The level of the leading duty; `none` or `unsettled` where nothing applies.

        Where a fact must be asked for first, silence is no answer yet, and nothing applies for certain: `none`.
        """
        if self.lead:
            return self.lead.level
        return NO_LEVEL if self.is_settled or self.asks else UNSETTLED

    @property
    def body(self) -> Body | None:
        """The body the strongest duty is owed to."""
        return body_of(self.framework, self.lead.body) if self.lead else None

    @property
    def outcome(self) -> tuple[str, ...]:
        """What tells two judgements apart: the provisions that apply, the steps, and what silence means."""
        return (*(p.id for p in self.applying), *(str(place) for place, _ in self.steps), self.level)


def level_rank(domain: Domain, judged: Judgement) -> int:
    """Compute the position of the leading duty on the obligation ladder; -1 where nobody takes part."""
    return domain.levels.index(judged.level) if judged.level in domain.levels else -1


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
    every = obligations(domain, framework, change, facts, on)
    unasked = False
    findings = [f for f in every if not f.provision.only_if]
    if conditional_only:
        conditions = domain.change_types[change].conditional_triggers
        possible = {c.trigger for c in conditions}
        pulled = {c.trigger for c in conditions if facts.get(c.fact)}
        unasked = not pulled
        findings = [
            f if pulled & set(f.provision.triggers) else Finding(f.provision, State.NOT_TRIGGERED)
            for f in findings
            if possible & set(f.provision.triggers)
        ]
    applying = tuple(f.provision for f in findings if f.applies)
    first = ranked(domain, applying)
    misses = {f.provision.id: f.tests for f in findings if f.state is State.MISSED}
    undated = {f.provision.id for f in obligations(domain, framework, change, facts) if f.applies} if on else set()
    return Judgement(
        framework=framework,
        applying=applying,
        considered=tuple(f.provision for f in [f for f in findings if f.triggered or f.hinges_on] or findings),
        met={f.provision.id: f.tests[0] for f in findings if f.applies and f.tests},
        missed=_missed(domain, misses.values(), facts),
        lead=first[0] if first else None,
        asks=tuple(dict.fromkeys(name for f in findings for name in f.hinges_on)),
        undecided=ranked(domain, (f.provision for f in findings if f.hinges_on)),
        later=tuple(f.provision for f in findings if f.state is State.NOT_YET and f.provision.id in undated),
        failed={p.id: misses[p.id] for p in ranked(domain, (f.provision for f in findings)) if p.id in misses},
        is_settled=unasked or is_settled(framework, change, every),
        steps=tuple((i, s) for i, s in enumerate(framework.escalation, 1) if _exists(s, change, facts)),
        is_decidable=(bool(applying) or not _minor_may_apply(domain, framework, change, facts, on))
        and any(f.triggered or conditional_only for f in findings)
        and not any(f.hinges_on for f in findings),
    )


def _minor_may_apply(domain: Domain, framework: Framework, change: str, facts: Facts, on: dt.date | None) -> bool:
    """Whether a duty that was left out applies or may apply: then it is not true that none does."""
    if not framework.minor:
        return False
    left_out = framework.model_copy(update={"provisions": framework.minor})
    return any(f.applies or f.hinges_on for f in obligations(domain, left_out, change, facts, on))


def _exists(step: EscalationStep, change: str, facts: Facts) -> bool:
    return (not step.changes or change in step.changes) and meets(step.applies_when, facts)


def _missed(domain: Domain, failed: Iterable[tuple[Alternative, ...]], facts: Facts) -> tuple[str, ...]:
    """Facts stated at which a threshold failed, in the order of the domain."""
    named = {name for alternatives in failed for tests in alternatives for test in tests for name in test.facts}
    return tuple(name for name in domain.facts if name in named and name in facts)
