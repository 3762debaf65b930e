"""Compose reference answers from the law engine's findings: one for every cell of facts, task and way of asking."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from forge_assets.law.citation_key import CitationKey
from forge_assets.law.engine import Facts, Finding
from forge_assets.law.model import Domain, Framework
from forge_assets.law.verification import text_is_current
from forge_assets.law.versions import step_id
from forge_assets.scenarios.answers.blocks import BLOCKS, AnswerCase
from forge_assets.scenarios.answers.judgement import Judgement, judge_change, level_rank
from forge_assets.scenarios.pack.files import Block, Pack, TaskType

PREMISE = "{premise}"
"""Stands where an answer corrects what the question takes for granted."""


@dataclass(frozen=True)
class StatedFacts:
    """One cell: what is stated in each country (home first), and the date where the case has one."""

    change: str
    facts: tuple[Facts, ...]
    on: dt.date | None = None


@dataclass(frozen=True)
class Answer:
    """A reference answer with slots, and what it is scored by."""

    kind: str
    """nothing_applies, below_threshold, not_settled, missing_fact, not_in_force, same_level, different_levels or
    plain."""
    response: str
    sections: tuple[str, ...]
    citations: tuple[CitationKey, ...]
    level: str
    body: str
    provenance: tuple[str, ...]
    """Provisions that were weighed, whether they apply or not, and the escalation steps named."""
    applies: tuple[str, ...]
    """Ids of the provisions that apply in any of the countries."""
    current: bool
    """Whether all it rests on is verified, in current text."""


class AnswerComposer:
    """Composes answers for some countries, home first, and remembers judgements.

    Args:
        statuses: provision id to its verification status.
    """

    def __init__(self, domain: Domain, pack: Pack, statuses: Mapping[str, str]) -> None:
        self._domain = domain
        self._pack = pack
        self._statuses = statuses
        self._tasks = {task.id: task for task in pack.tasks}
        self._known: dict[tuple[object, ...], tuple[Framework, Judgement]] = {}

    def judged(self, frameworks: tuple[Framework, ...], setting: StatedFacts) -> tuple[Judgement, ...]:
        """Judge the change in every country, in the order given."""
        return tuple(
            self._judge(framework, setting.change, facts, False, setting.on)
            for framework, facts in zip(frameworks, setting.facts, strict=True)
        )

    def _judge(
        self, framework: Framework, change: str, facts: Facts, conditional_only: bool, on: dt.date | None
    ) -> Judgement:
        """Judge a change once: tasks, answers and twins ask again."""
        key = (id(framework), change, tuple(facts.items()), conditional_only, on)
        if key not in self._known:
            judged = judge_change(self._domain, framework, change, facts, conditional_only, on)
            self._known[key] = framework, judged  # the framework too, or its id might become another one's
        return self._known[key][1]

    def tasks(self, judged: tuple[Judgement, ...], setting: StatedFacts) -> list[str]:
        """List the ids of the tasks that the case can be asked with."""
        countries = "one" if len(judged) == 1 else "several"
        return [
            t.id
            for t in self._pack.tasks
            if t.countries == countries and self._fits(t, judged, self._scoped(t, judged, setting), setting)
        ]

    def compose(
        self,
        task_id: str,
        judged: tuple[Judgement, ...],
        setting: StatedFacts,
        across: tuple[Finding, ...] = (),
    ) -> Answer:
        """Compose the answer to a task, which must be one of `tasks`.

        Args:
            across: how the home country's provisions on a change in several countries stand to this one.
        """
        task = self._tasks[task_id]
        scoped = self._scoped(task, judged, setting)
        first = scoped[0]
        deciding = self._deciding(setting, scoped)
        case = AnswerCase(
            self._domain, self._pack.vocabulary, setting.change, setting.facts[0], scoped, deciding, across
        )
        parts = [(s.heading, BLOCKS[s.block](case)) for s in task.sections]
        strongest = max(scoped, key=lambda j: level_rank(self._domain, j))
        response = "\n".join(f"## {heading}\n{part.text}" for heading, part in parts)
        considered = list(dict.fromkeys(p.id for j in (*judged, *scoped) for p in j.considered))
        rests_on = [p for j in scoped for p in j.considered]
        if any(s.block == "timetable" for s in task.sections):
            rests_on += [f.provision for f in across]
        current = all(self._statuses.get(p.id) == "verified" for p in rests_on) and all(
            _text_is_current(j.framework, key) for j in scoped for _, part in parts for key in part.citations
        )
        return Answer(
            kind=_kind(self._domain, scoped),
            response=response.replace("\n", f"\n{PREMISE}", 1) if len(judged) == 1 else response,
            sections=tuple(heading for heading, _ in parts),
            citations=tuple(dict.fromkeys(key for _, part in parts for key in part.citations)),
            level=strongest.level,
            body=strongest.body.id if strongest.body else "",
            provenance=tuple(
                dict.fromkeys(
                    [
                        *considered,
                        *(f.provision.id for f in across),
                        *(step for s in task.sections if s.block == "escalation" for step in _steps(first)),
                    ]
                )
            ),
            applies=tuple(p.id for j in judged for p in j.applying),
            current=current,
        )

    def _fits(
        self, task: TaskType, judged: tuple[Judgement, ...], scoped: tuple[Judgement, ...], setting: StatedFacts
    ) -> bool:
        if setting.change not in task.changes:
            return False
        asks = any(j.asks or j.later for j in judged)
        if asks and (len(judged) > 1 or task.scope != "all" or task.sections[0].block not in SAYS_WHAT_IS_OPEN):
            return False
        if not asks and not all(j.is_decidable for j in scoped):
            return False
        leads = [j.lead for j in scoped if j.lead]
        if len(judged) > 1 and any(j.lead is None and not j.is_settled for j in scoped):
            return False  # of what is not settled nobody can say that it is less
        if not leads:
            return task.when_nothing_applies
        if any(s.block == "escalation" for s in task.sections) and not all(j.steps for j in judged):
            return False
        if task.body is not None and all(p.body != task.body for p in leads):
            return False
        if task.lowest_level is not None:
            ranks = self._domain.ranks
            return any(ranks.index(p.level) >= ranks.index(task.lowest_level) for p in leads)
        return True

    def _scoped(self, task: TaskType, judged: tuple[Judgement, ...], setting: StatedFacts) -> tuple[Judgement, ...]:
        if task.scope == "all":
            return judged
        return tuple(
            self._judge(j.framework, setting.change, facts, True, setting.on)
            for j, facts in zip(judged, setting.facts, strict=True)
        )

    def _deciding(self, setting: StatedFacts, scoped: tuple[Judgement, ...]) -> tuple[str, ...]:
        """Facts that leave nothing to apply: where a threshold failed, else the conditions that do not hold."""
        facts = setting.facts[0]
        missed = tuple(name for j in scoped for name in j.missed)
        conditions = [c.fact for c in self._domain.change_types[setting.change].conditional_triggers]
        unmet = tuple(name for name in conditions if not facts.get(name))
        return tuple(dict.fromkeys(missed or unmet or facts))


SAYS_WHAT_IS_OPEN: tuple[Block, ...] = ("verdict", "thresholds")
"""Blocks that say which fact is missing and what is not in force yet."""


def without_fact(setting: StatedFacts, name: str) -> StatedFacts:
    """Remove one fact from the stated facts of every country."""
    return replace(setting, facts=tuple({n: v for n, v in facts.items() if n != name} for facts in setting.facts))


def _steps(judged: Judgement) -> list[str]:
    return [step_id(judged.framework.jurisdiction, place) for place, _ in judged.steps]


def _kind(domain: Domain, scoped: tuple[Judgement, ...]) -> str:
    if any(j.asks for j in scoped):
        return "missing_fact"
    if any(j.later for j in scoped):
        return "not_in_force"
    if len(scoped) > 1:
        return "same_level" if len({level_rank(domain, j) for j in scoped}) == 1 else "different_levels"
    if scoped[0].lead is None and not scoped[0].is_settled:
        return "not_settled"
    if scoped[0].lead is None:
        return "below_threshold" if scoped[0].missed else "nothing_applies"
    return "plain"


def _text_is_current(framework: Framework, key: CitationKey) -> bool:
    """False where the key is of this framework and the statute text held of it is outdated."""
    laws = {law.id: law for law in framework.laws}
    return key.jurisdiction != framework.jurisdiction or text_is_current(key, laws[key.law])
