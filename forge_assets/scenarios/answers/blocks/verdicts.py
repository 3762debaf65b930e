"""Write what an answer says first: the strongest duty and whom it is owed to, or why nothing applies."""

from __future__ import annotations

from forge_assets.law.model import Provision
from forge_assets.scenarios.answers.case import AnswerCase, Field, SectionText
from forge_assets.scenarios.answers.judgement import Judgement
from forge_assets.scenarios.answers.threshold_text import arithmetic, limits_of, needs, needs_briefly

NAMED = 2
"""Provisions named that do not apply, or not yet, or that hinge on what is not stated."""
SHORT = 110
"""Characters of a threshold in words; longer ones are left to the longer answers."""


def verdict(case: AnswerCase) -> SectionText:
    """Write country and kind of change, then the strongest duty and its body, or why nothing applies.

    What must be asked first, and what is not in force yet, is said here too.
    """
    return _verdict(case, "")


def thresholds(case: AnswerCase) -> SectionText:
    """Write the verdict and the threshold that the strongest provision needed, with the numbers of the case."""
    lead = case.home.lead
    tests = case.home.met.get(lead.id, ()) if lead else ()
    said = arithmetic(case, tests)
    found = _verdict(case, case.writer.say("met", tests=said) if said else "")
    return SectionText(found.text, (*found.fields, *(limits_of(tests) if said else ())))


def lead(case: AnswerCase) -> SectionText:
    """Write the strongest duty with its citation."""
    judged = case.home
    if judged.lead is None or judged.asks or judged.later:
        return verdict(case)
    level = case.law.level(judged.level)
    text = f"{subject(case)} {case.writer.say('lead', level=level, duty=case.law.duty(judged.lead))}"
    return SectionText(text, (Field("body", case.body_field(judged.lead).said),) if not case.law.english else ())


def subject(case: AnswerCase) -> str:
    """Write country and kind of change, as a lawyer begins: `Germany, transfer of an undertaking.`"""
    return case.writer.say("subject", country=case.country(), change=case.change)


def owed(case: AnswerCase, judged: Judgement) -> str:
    """Write the level of the strongest duty and whom it is owed to; there must be one."""
    assert judged.lead is not None
    phrase = "owed" if judged.level in case.domain.levels else "concerns"
    return case.writer.say(phrase, level=case.law.level(judged.level), body=case.law.body(judged.lead.body))


def silence(case: AnswerCase, settled: str, unsettled: str) -> str:
    """Write that nothing applies, or that the texts held do not settle it, by the phrases of these names."""
    reason = case.said_facts(case.deciding)
    return case.writer.say(settled if case.home.is_settled else unsettled, reason=reason)


def _verdict(case: AnswerCase, met: str) -> SectionText:
    judged, law, say = case.home, case.law, case.writer.say
    said, fields = [subject(case)], []
    if judged.asks:
        open_ = list({p.cite: p for p in judged.undecided}.values())[:NAMED]
        asked = ", ".join(case.writer.source(f"asked:{name}", case.writer.words.asked[name]) for name in judged.asks)
        said.append(say("not_stated", facts=asked, places=law.places(p.cite for p in open_)))
    if judged.lead is not None:
        told = owed(case, judged) if judged.asks or case.form.depth == "note" else _lead_in_full(case, judged.lead)
        sure = f"{told}{f' {met}' if met else ''}"
        said.append(say("in_any_case", rest=sure) if judged.asks else sure)
        fields.append(case.body_field(judged.lead))
    elif judged.asks:
        said.append(say("in_any_case_none"))
    else:
        said.append(silence(case, "none", "unsettled"))
        missed, limits = _missed(case)
        said += missed
        fields += limits
    for provision in judged.later[:NAMED]:
        assert provision.valid_from is not None  # or it would not be later
        day = case.writer.source(f"law:{provision.id}.valid_from", case.day(provision.valid_from))
        date = case.number("{@date}", "fact:date")
        said.append(say("not_yet", date=date, place=law.place(provision.cite), day=day))
    return SectionText(" ".join(said), tuple(fields))


def _lead_in_full(case: AnswerCase, lead: Provision) -> str:
    """The strongest duty with its deadline, and whom it is owed to."""
    law, say = case.law, case.writer.say
    duty = law.duty_in_short(lead)
    if deadline := law.deadline(lead):
        duty = say("step_timed", duty=duty, deadline=deadline)
    said = say("lead", level=law.level(lead.level), duty=duty)
    return f"{said} {say('owed_to', body=law.body(lead.body))}" if law.english else said


def _missed(case: AnswerCase) -> tuple[list[str], list[Field]]:
    """The strongest provisions whose thresholds failed by numbers alone, and their limits."""
    said: list[str] = []
    fields: list[Field] = []
    considered = {p.id: p for p in case.home.considered}
    for name, failed in case.home.failed.items():
        if name not in considered or len(said) == NAMED:
            continue
        brief = needs_briefly(case, failed)
        if 0 < len(brief) <= SHORT:
            place = case.law.place(considered[name].cite)
            said.append(case.writer.say("not_reached", place=place, needs=needs(case, failed) or brief))
            fields += limits_of(test for tests in failed for test in tests)
    return said, list(dict.fromkeys(fields))
