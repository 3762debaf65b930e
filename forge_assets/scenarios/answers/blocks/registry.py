"""Name the blocks that sections of answers are made of."""

from __future__ import annotations

from collections.abc import Mapping

from forge_assets.scenarios.answers.blocks import (
    compared,
    disputes,
    duties,
    exhibited,
    reasons,
    short_answers,
    timeline,
    verdicts,
)
from forge_assets.scenarios.answers.case import Block

BLOCKS: Mapping[str, Block] = {
    "verdict": verdicts.verdict,
    "thresholds": verdicts.thresholds,
    "lead": verdicts.lead,
    "basis": duties.basis,
    "steps": timeline.steps,
    "timing": duties.timing,
    "duties": duties.duties,
    "duties_in_full": duties.duties_in_full,
    "facts": reasons.facts,
    "not_applying": reasons.not_applying,
    "what_if": reasons.what_if,
    "open": reasons.open_questions,
    "limits": reasons.limits,
    "data_rules": reasons.data_rules,
    "timeline": timeline.timeline,
    "escalation": disputes.escalation,
    "escalation_stages": disputes.escalation_stages,
    "stricter": compared.stricter,
    "compare": compared.compare,
    "timetable": compared.timetable,
    "who": short_answers.who,
    "when": short_answers.when,
    "whether": short_answers.whether,
    "suppose": short_answers.suppose,
    "agreement": exhibited.agreement,
    "agreement_gaps": exhibited.agreement_gaps,
    "system": exhibited.system,
}
"""Name in tasks.yaml to what writes the section; the names are those of `pack/block_names.py`."""

SAYS_WHAT_IS_OPEN = ("verdict", "thresholds")
"""Blocks that say which fact is missing and what is not in force yet."""
