"""Compare countries: which asks for most, what each asks for first, and in what order all their bodies take part."""

from __future__ import annotations

from collections.abc import Sequence

from forge_assets.scenarios.answers.case import AnswerCase, Field, SectionText
from forge_assets.scenarios.answers.comparison import Reason, TimetableStep, rank_countries
from forge_assets.scenarios.answers.comparison import timetable as timetable_of
from forge_assets.scenarios.answers.judgement import Judgement
from forge_assets.scenarios.answers.law_text import LawText
from forge_assets.scenarios.answers.writer import capital


def stricter(case: AnswerCase) -> SectionText:
    """Write which of the countries asks for more on the obligation ladder."""
    say = case.writer.say
    ranking = rank_countries(case.domain, case.judged)
    first, change = ranking.strictest, capital(case.change)
    level = case.law.level(first[0].level) if first[0].lead else ""
    if not ranking.others and first[0].level not in case.domain.levels:
        text = say("none_asks", change=change, countries=_countries(case, first))
    elif not ranking.others:
        phrase = "equal" if len(first) == 2 else "equal_all"
        text = say(phrase, change=change, level=level, countries=_countries(case, first))
    else:
        less = ", ".join(say("level_in", level=_level(case, j), country=case.country(j)) for j in ranking.others)
        if len(first) == 1:
            text = say("stricter_than", change=change, level=level, country=case.country(first[0]), less=less)
        else:
            text = say("strictest", change=change, level=level, countries=_countries(case, first), less=less)
    return SectionText(text, tuple(Field("country", (case.names[j.framework.jurisdiction],)) for j in case.judged))


def compare(case: AnswerCase) -> SectionText:
    """Write one line a country: its strongest duty."""
    lines = []
    for judged, law in zip(case.judged, case.laws, strict=True):
        country = case.country(judged)
        if judged.lead is None:
            lines.append(f"- {case.writer.say('country_none', country=country)}")
        else:
            lines.append(f"- {case.writer.say('country_duty', country=country, duty=law.duty(judged.lead))}")
    return SectionText("\n".join(lines))


def timetable(case: AnswerCase) -> SectionText:
    """List the duties of all countries in order, those to a body of all of them first where the law held has them.

    Whether a text says that they come first stands beside them, and what a person must judge.
    """
    laws = {law.framework.jurisdiction: law for law in case.laws}
    countries = {judged.framework.jurisdiction: case.country(judged) for judged in case.judged}
    lines, fields = [], []
    for number, step in enumerate(timetable_of(case.domain, case.judged, case.across), start=1):
        code = step.framework.jurisdiction
        said = _step(case, step, laws[code], countries[code])
        lines.append(f"{number}. {said}")
        if step.reason is Reason.SEVERAL_COUNTRIES:
            fields.append(case.body_field(step.provision, laws[code]))
    return SectionText("\n".join(lines), tuple(dict.fromkeys(fields)))


def _step(case: AnswerCase, step: TimetableStep, law: LawText, country: str) -> str:
    say, provision = case.writer.say, step.provision
    duty = law.duty(provision)
    if deadline := law.deadline(provision):
        duty = say("step_timed", duty=duty, deadline=deadline)
    if step.reason is Reason.LADDER:
        return say("national", country=country, body=law.body(provision.body), duty=duty)
    said = [say("across", body=law.body(provision.body), duty=duty)]
    if step.condition:
        said.append(say("depends", place=law.place(provision.cite), gist=law.condition(provision)))
    ordered = step.ordered_by
    said.append(say("order_stated", duty=law.duty(ordered)) if ordered else say("order_open"))
    return " ".join(said)


def _countries(case: AnswerCase, some: Sequence[Judgement]) -> str:
    *names, last = [case.country(judged) for judged in some]
    return case.writer.say("both", first=", ".join(names), second=last) if names else last


def _level(case: AnswerCase, judged: Judgement) -> str:
    if judged.lead is None:
        return case.writer.say("no_duty")
    return case.writer.source(f"level:{judged.level}", case.writer.words.levels[judged.level].lower())
