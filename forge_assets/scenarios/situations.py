"""Situations: a company, a change and its facts, drawn by content hash, clear of every threshold's edge."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from forge_assets.law.model import Domain, Framework
from forge_assets.scenarios.judge import Judgement, judge
from forge_assets.scenarios.pack import Choice, Company, NumberRange, Pack, Share
from forge_resources.store import digest

Value = int | bool
DRAWS = 48
"""Fact sets tried for each company and change."""
KEPT = 5
"""Situations kept for each company and change in one country."""
NUDGES = (0.75, 1.3)
"""A number moved by these factors must change no outcome, else the case is borderline and left out."""


@dataclass(frozen=True)
class Situation:
    """Who means to do what, under which facts; the same in every country."""

    company: Company
    change: str
    facts: dict[str, Value]

    @property
    def identity(self) -> str:
        """Content hash of company, change and facts: what the split is drawn from."""
        return digest({"company": self.company.id, "change": self.change, "facts": self.facts})


def situations(
    domain: Domain, pack: Pack, frameworks: Sequence[Framework], kept: int = KEPT, draws: int = DRAWS
) -> list[Situation]:
    """The situations asked in one country, or in several together, in a fixed order.

    Of the fact sets drawn for a company and a change, those are kept that differ most in outcome. One in ten
    or so leaves nothing to do in any of the countries.
    """
    chosen: list[Situation] = []
    codes = {f.jurisdiction for f in frameworks}
    for company in pack.companies:
        if company.countries and not codes <= set(company.countries):
            continue
        for change in domain.change_types:
            chosen += _pick(domain, frameworks, company, change, kept, draws)
    return chosen


def _pick(
    domain: Domain, frameworks: Sequence[Framework], company: Company, change: str, limit: int, draws: int
) -> list[Situation]:
    groups: dict[object, list[Situation]] = defaultdict(list)
    idle: list[Situation] = []
    seen: set[str] = set()
    for draw in range(draws):
        situation = Situation(company, change, _draw(domain, frameworks, company, change, draw))
        if situation.identity in seen or not all(_plausible(f, situation) for f in frameworks):
            continue
        seen.add(situation.identity)
        judged = [judge(domain, f, change, situation.facts) for f in frameworks]
        if not all(j.grounded for j in judged):
            continue
        yes_no = tuple(v for v in situation.facts.values() if isinstance(v, bool))
        group = groups[tuple(j.outcome for j in judged), yes_no] if any(j.applying for j in judged) else idle
        if len(group) < limit and all(_steady(domain, j, situation) for j in judged):
            group.append(situation)
    kept: list[Situation] = []
    while len(kept) < limit and any(groups.values()):
        kept += [group.pop(0) for group in groups.values() if group][: limit - len(kept)]
    if idle and (not kept or int(idle[0].identity, 16) % 2 == 0):
        kept = [*kept[: limit - 1], idle[0]]
    return kept


def _draw(
    domain: Domain, frameworks: Sequence[Framework], company: Company, change: str, draw: int
) -> dict[str, Value]:
    """Draw all facts, keep those that matter: the same draw is the same situation in every country."""
    chance = random.Random(int(digest([company.id, change, draw]), 16))
    drawn: dict[str, Value] = {}
    for name in (name for name, fact in domain.facts.items() if fact.drawn):
        drawn[name] = _value(company.facts[name], drawn, chance.random())
    wanted = set().union(*(_needed(domain, f, change) for f in frameworks))
    return {name: value for name, value in drawn.items() if name in wanted}


def _value(choice: Choice, drawn: dict[str, Value], chance: float) -> Value:
    if isinstance(choice, NumberRange):
        number = choice.min * (choice.max / choice.min) ** chance
        return int(round(number, 1 - math.floor(math.log10(number)))) if number >= 100 else round(number)
    if isinstance(choice, Share):
        percent = choice.percent[int(chance * len(choice.percent))]
        return max(1, round(drawn[choice.share_of] * percent / 100))
    return choice[int(chance * len(choice))]


def _needed(domain: Domain, framework: Framework, change: str) -> set[str]:
    """Facts that the change or a provision it may trigger asks for."""
    kind = domain.change_types[change]
    triggers = {*kind.triggers, *(c.trigger for c in kind.conditional_triggers)}
    needed = {*kind.facts, *(c.fact for c in kind.conditional_triggers)}
    for provision in framework.provisions:
        if triggers & set(provision.triggers):
            for condition in provision.applies_when:
                needed |= {*condition, *(b.share_of for b in condition.values() if b.share_of)}
    return needed


def _plausible(framework: Framework, situation: Situation) -> bool:
    """A fact named like a body says that the body exists: not below the headcount the body needs."""
    return all(
        not situation.facts.get(body.id) or situation.facts.get("employees", math.inf) >= body.min_employees
        for body in framework.bodies
        if body.min_employees is not None
    )


def _steady(domain: Domain, judged: Judgement, situation: Situation) -> bool:
    for name, value in situation.facts.items():
        if isinstance(value, bool):
            continue
        for moved in (math.floor(value * NUDGES[0]), math.ceil(value * NUDGES[1])):
            near = judge(domain, judged.framework, situation.change, {**situation.facts, name: moved})
            if near.outcome != judged.outcome:
                return False
    return True
