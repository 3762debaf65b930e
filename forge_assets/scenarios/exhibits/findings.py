"""Hold an agreement against the duties that apply, by typed values alone, and put the findings into words.

A finding states law only as the provision does: its level, its body and its place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from forge_assets.scenarios.exhibits.agreement import Agreement, AgreementCase, Clause, Duty, clause_name, names_of
from forge_assets.scenarios.exhibits.values import AGREED, WORDED, Field, Line, Voice, date_field, fill
from forge_assets.scenarios.pack.exhibits import BODY, NOBODY, Depth

FindingKind = Literal["falls_short", "silent", "older", "conforms"]
SHOWN: Mapping[Depth, int] = {"note": 1, "advice": 3, "memo": 12}
"""Depth to the duties that an answer names at most of those on which the agreement is silent."""


PLACES: Mapping[Depth, int] = {"note": 2, "advice": 3, "memo": 8}
"""Depth to the places of such duties that one line cites at most."""


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
        said = bool(found) and found[0].kind == "falls_short" and _is_like(duty, case.duties[0])
        if duty is not case.lead and not said and _may_be_said(case, duty) and not _deals_with(agreement, duty):
            found.append(ClauseFinding(0, "silent", duty.id, "silent_on_duty"))
    if agreement.missing():
        found.append(ClauseFinding(0, "silent", "", "silent_on_topics"))
    found += _older(agreement)
    return tuple(found)


@dataclass(frozen=True)
class LawWords:
    """How the answer writes the law that a finding speaks of."""

    place: Callable[[Duty], str]
    """Cites the provision."""
    body: Callable[[Duty], str]
    """Names the body that it is owed to."""


def summarise_findings(agreement: Agreement, voice: Voice, law: LawWords) -> list[Line]:
    """Put the findings into words, one line each; duties of one level and body share a line.

    Args:
        voice: the language of the answer.
        law: asked only for what is said.
    """
    duties = {duty.id: duty for duty in agreement.case.duties}
    found = find(agreement)
    lines: list[Line] = []
    shown: set[tuple[str, str]] = set()
    for finding in found:
        together = [duties[finding.provision]] if finding.provision else []
        if finding.phrase == "silent_on_duty":
            of = (together[0].level, together[0].body.id)
            if of in shown or len(shown) == SHOWN[agreement.depth]:
                continue
            shown.add(of)
        if finding.kind in ("falls_short", "silent") and together:
            together = [duty for duty in agreement.case.duties if _is_like(duty, together[0])][
                : PLACES[agreement.depth]
            ]
        lines.append(_line(agreement, finding, together, voice, law))
    return lines


def _is_like(duty: Duty, other: Duty) -> bool:
    """Whether two duties are of one level and owed to one body: a clause meets both or neither."""
    return (duty.level, duty.body.id) == (other.level, other.body.id)


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


def _line(agreement: Agreement, finding: ClauseFinding, duties: list[Duty], voice: Voice, law: LawWords) -> Line:
    words, phrase = voice.words.agreement, finding.phrase
    texts = words.findings[phrase]
    clause = next((c for c in agreement.clauses if c.number == finding.clause), None)
    said = {"date": voice.source(AGREED, voice.day(agreement.signed))}
    fields = [Field("verdict", words.marks[finding.kind])]
    if duties:
        first = duties[0]
        said["place"] = voice.words.join.join(dict.fromkeys(law.place(duty) for duty in duties))
        said["needed"] = voice.levels[first.level]
        said[BODY] = law.body(first)
        if finding.kind in ("falls_short", "silent"):
            fields.append(Field("body", (said[BODY], *names_of(first.body, voice))))
        since = {
            "older_than_rule": ("valid_from", first.valid_from),
            "older_than_text": ("text_as_of", first.text_as_of),
        }
        name, day = since.get(phrase, ("", None))
        said["since"] = voice.source(f"law:{first.id}.{name}", voice.day(day)) if day else ""
    if clause is not None:
        said["clause"] = voice.source(AGREED, str(clause.number))
        fields.append(Field("clause", (clause_name(clause.number, voice),)))
        said["level"] = voice.levels.get(clause.kind.grants or "", "")
        said["named"] = voice.source(WORDED, words.others[clause.other]) if clause.other is not None else ""
    if finding.kind == "older":
        fields.append(date_field(agreement.signed, voice))
    topics = (voice.source(WORDED, words.topics[name]) for name in agreement.missing())
    said["topics"] = voice.words.join.join(topics)
    text = fill(texts[agreement.choice % len(texts)], said, voice)
    return Line(text, tuple(fields), tuple(duty.id for duty in duties))
