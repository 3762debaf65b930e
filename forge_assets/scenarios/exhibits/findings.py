"""Hold an agreement against the duties that apply, by typed values alone, and put the findings into words.

A finding states law only as the provision does: its level, its body and its place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from forge_assets.scenarios.exhibits.agreement import Agreement, AgreementCase, Clause, Duty, body_name
from forge_assets.scenarios.exhibits.values import Field, Line, Voice, date_field, fill
from forge_assets.scenarios.pack.exhibits import BODY, NOBODY

FindingKind = Literal["falls_short", "silent", "older", "conforms"]
SHOWN: Mapping[str, int] = {"note": 1, "advice": 3, "memo": 12}
"""Depth to the duties that an answer names at most of those on which the agreement is silent."""


@dataclass(frozen=True)
class ClauseFinding:
    """How an agreement stands to a provision, or to what agreements mostly settle."""

    clause: int
    """Its number; 0: the agreement as a whole."""
    kind: FindingKind
    provision: str
    """Empty: no provision is at stake."""
    phrase: str
    """Which phrase says it."""


def find(agreement: Agreement) -> tuple[ClauseFinding, ...]:
    """Hold an agreement against the leading duty, the other duties it might deal with, and their dates."""
    case = agreement.case
    found = []
    if case.lead is not None:
        found.append(_on_lead(agreement, case.lead))
    for duty in case.duties:
        if duty is not case.lead and _may_be_said(case, duty) and not _deals_with(agreement, duty):
            found.append(ClauseFinding(0, "silent", duty.id, "silent_on_duty"))
    if agreement.missing():
        found.append(ClauseFinding(0, "silent", "", "silent_on_topics"))
    found += _older(agreement)
    return tuple(found)


def summarise_findings(agreement: Agreement, voice: Voice) -> list[Line]:
    """Put the findings into words, one line each; duties of one level and body share a line.

    Args:
        voice: the language of the answer.
    """
    duties = {duty.id: duty for duty in agreement.case.duties}
    lines: list[Line] = []
    shown: set[tuple[str, str]] = set()
    for finding in find(agreement):
        together = [duties[finding.provision]] if finding.provision else []
        if finding.phrase == "silent_on_duty":
            duty = together[0]
            if (duty.level, duty.body.id) in shown or len(shown) >= SHOWN.get(agreement.depth, 1):
                continue
            shown.add((duty.level, duty.body.id))
            silent = [f.provision for f in find(agreement) if f.phrase == finding.phrase]
            together = [
                d for d in map(duties.__getitem__, silent) if (d.level, d.body.id) == (duty.level, duty.body.id)
            ]
        lines.append(_line(agreement, finding, together, voice))
    return lines


def _on_lead(agreement: Agreement, lead: Duty) -> ClauseFinding:
    levels = agreement.case.domain.levels
    needed = levels.index(lead.level)
    giving = [c for c in agreement.clauses if c.kind.grants not in (None, NOBODY)]
    rightly = [c for c in giving if c.body is not None and c.body.id == lead.body.id]
    wrongly = [c for c in giving if c not in rightly]
    alone = [c for c in agreement.clauses if c.kind.grants == NOBODY]
    best = max(rightly, key=lambda c: _rank(levels, c), default=None)
    if best is not None:
        enough = _rank(levels, best) >= needed
        kind: FindingKind = "conforms" if enough else "falls_short"
        return ClauseFinding(best.number, kind, lead.id, "conforms" if enough else "level_short")
    if alone:
        return ClauseFinding(alone[0].number, "falls_short", lead.id, "decides_alone")
    if wrongly:
        return ClauseFinding(wrongly[0].number, "falls_short", lead.id, "other_body")
    return ClauseFinding(0, "silent", lead.id, "silent_on_duty")


def _rank(levels: tuple[str, ...], clause: Clause) -> int:
    return levels.index(clause.kind.grants or "")


def _may_be_said(case: AgreementCase, duty: Duty) -> bool:
    """Whether some clause could deal with such a duty: only then does silence say anything."""
    if duty.level in case.domain.levels:
        return True
    return any(duty.level in kind.mentions for kind in case.kinds.agreement.clauses.values())


def _deals_with(agreement: Agreement, duty: Duty) -> bool:
    case = agreement.case
    if duty.level not in case.domain.levels:
        return any(duty.level in clause.kind.mentions for clause in agreement.clauses)
    needed = case.domain.levels.index(duty.level)
    for clause in agreement.clauses:
        if clause.kind.grants in (None, NOBODY) or _rank(case.domain.levels, clause) < needed:
            continue
        named = clause.body is not None and clause.body.id == duty.body.id
        if named or (clause.other is not None and case.kinds.agreement.others[clause.other] == duty.body.kind):
            return True
    return False


def _older(agreement: Agreement) -> list[ClauseFinding]:
    """Find a provision that came into force after the agreement, else whether the text held is much younger."""
    case = agreement.case
    for duty in case.duties:
        if duty.valid_from is not None and agreement.signed < duty.valid_from:
            return [ClauseFinding(0, "older", duty.id, "older_than_rule")]
    first = case.duties[0] if case.duties else None
    if first is not None and first.text_as_of is not None:
        years = case.kinds.agreement.counts_as_older
        if agreement.signed < dt.date(first.text_as_of.year - years, 1, 1):
            return [ClauseFinding(0, "older", first.id, "older_than_text")]
    return []


def _line(agreement: Agreement, finding: ClauseFinding, duties: list[Duty], voice: Voice) -> Line:
    words = voice.words.agreement
    texts = words.findings[finding.phrase]
    clause = next((c for c in agreement.clauses if c.number == finding.clause), None)
    said: dict[str, str] = {"date": voice.day(agreement.signed)}
    fields = [Field("verdict", words.marks[finding.kind])]
    if duties:
        duty = duties[0]
        since = duty.valid_from if finding.phrase == "older_than_rule" else duty.text_as_of
        said |= {
            "place": voice.words.join.join(dict.fromkeys(d.place for d in duties)),
            BODY: body_name(duty.body, voice),
        }
        said |= {"needed": voice.levels[duty.level], "since": voice.day(since) if since else ""}
        if finding.kind != "conforms" and finding.kind != "older":
            fields.append(Field("body", (said[BODY],)))
    if clause is not None:
        said["clause"] = str(clause.number)
        fields.append(Field("clause", (fill(words.clause, {}, {"n": str(clause.number)}),)))
        if clause.kind.grants not in (None, NOBODY):
            said["level"] = voice.levels[clause.kind.grants or ""]
        if clause.other is not None:
            said["named"] = words.others[clause.other]
    if finding.kind == "older":
        fields.append(date_field(agreement.signed, voice))
    if finding.phrase == "silent_on_topics":
        said["topics"] = voice.words.join.join(words.topics[name] for name in agreement.missing())
    text = fill(texts[agreement.choice % len(texts)], {}, said)
    return Line(text, tuple(fields), tuple(duty.id for duty in duties))
