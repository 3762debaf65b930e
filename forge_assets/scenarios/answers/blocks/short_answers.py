"""Answer short questions in a sentence or two: who, when, whether, what if; and what one provision says."""

from __future__ import annotations

from forge_assets.scenarios.answers.blocks.duties import deadline_fields, repeats_quote
from forge_assets.scenarios.answers.blocks.reasons import effect
from forge_assets.scenarios.answers.blocks.verdicts import NAMED, silence
from forge_assets.scenarios.answers.case import AnswerCase, SectionText
from forge_assets.scenarios.answers.writer import capital


def who(case: AnswerCase) -> SectionText:
    """Write which bodies are owed a duty in which somebody takes part, and by which provision."""
    taking_part = [p for p in case.home.applying if p.level in case.domain.levels] or list(case.home.applying)
    said, fields, bodies = [], [], list[str]()
    for provision in taking_part:
        if provision.body not in bodies and len(bodies) <= NAMED:
            bodies.append(provision.body)
            body, duty = case.law.body(provision.body), case.law.duty_alone(provision)
            said.append(capital(case.writer.say("who", body=body, duty=duty)))
            fields.append(case.body_field(provision))
    return SectionText(" ".join(said) or silence(case, "who_none", "unsettled"), tuple(fields))


def when(case: AnswerCase) -> SectionText:
    """Write the deadlines of the duties that have one."""
    timed = [p for p in case.home.applying if case.law.deadline(p)]
    if not case.home.applying:
        return SectionText(silence(case, "none", "unsettled"))
    if not timed:
        return SectionText(case.writer.say("when_none", places=case.law.places(p.cite for p in case.home.applying)))
    duties: dict[str, list[str]] = {}
    for provision in timed:
        deadline, duty = case.law.deadline(provision), case.law.duty(provision)
        if repeats_quote(deadline, duty):
            duty = case.law.duty_in_short(provision)
        duties.setdefault(deadline, []).append(duty)
    said = [capital(case.writer.say("when", deadline=each, duty="; ".join(some))) for each, some in duties.items()]
    return SectionText(" ".join(said), deadline_fields(case, timed))


def whether(case: AnswerCase) -> SectionText:
    """Answer yes with the strongest duty, no, or that the texts held do not settle it."""
    lead = case.home.lead
    if lead is None:
        return SectionText(silence(case, "whether_no", "whether_unsettled"))
    level = case.law.level(lead.level)
    named = () if case.law.english else (case.body_field(lead),)  # English duties name no body
    return SectionText(case.writer.say("whether_yes", level=level, duty=case.law.duty(lead)), named)


def suppose(case: AnswerCase) -> SectionText:
    """Write what the supposed other fact would change."""
    flip = case.supposed
    assert flip is not None
    if not flip.changes and case.home.applying:
        places = case.law.places(p.cite for p in case.home.applying)
        return SectionText(case.writer.say("suppose_same", places=places))
    if not flip.changes:
        return SectionText(case.writer.say("suppose_same_none"))
    return SectionText(case.writer.say("suppose_changes", effect=effect(case, flip)))
