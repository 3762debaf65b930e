"""Tell which tasks a case can be asked with, and what kind of case it is."""

from __future__ import annotations

from forge_assets.law.model import Domain
from forge_assets.scenarios.answers.blocks.registry import SAYS_WHAT_IS_OPEN
from forge_assets.scenarios.answers.judgement import Judgement, level_rank
from forge_assets.scenarios.pack.files import TaskType


def fits(
    domain: Domain, task: TaskType, change: str, judged: tuple[Judgement, ...], scoped: tuple[Judgement, ...]
) -> bool:
    """Test whether a task can be asked about a case.

    Args:
        judged: the case in every country.
        scoped: the same, with what the task counts.
    """
    if change not in task.changes:
        return False
    asks = any(j.asks or j.later for j in judged)
    first_block = task.sections("note")[0].block
    if asks and (len(judged) > 1 or task.scope != "all" or first_block not in SAYS_WHAT_IS_OPEN):
        return False
    if not asks and not all(j.is_decidable for j in scoped):
        return False
    leads = [j.lead for j in scoped if j.lead]
    if len(judged) > 1 and any(j.lead is None and not j.is_settled for j in scoped):
        return False  # of what is not settled nobody can say that it is less
    if not leads:
        return task.when_nothing_applies
    if any(s.block == "escalation" for s in task.sections("note")) and not all(j.steps for j in judged):
        return False
    if task.body is not None and all(p.body != task.body for p in leads):
        return False
    if task.lowest_level is not None:
        return any(domain.ranks.index(p.level) >= domain.ranks.index(task.lowest_level) for p in leads)
    return True


def kind_of(domain: Domain, scoped: tuple[Judgement, ...]) -> str:
    """Name what makes the case what it is, as the variants of samples do."""
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
