"""Compare countries: which asks for most, and what each asks for first."""

from __future__ import annotations

from forge_assets.scenarios.answers.case import AnswerCase, Field, SectionText
from forge_assets.scenarios.answers.judgement import Judgement, level_rank
from forge_assets.scenarios.answers.writer import capital


def stricter(case: AnswerCase) -> SectionText:
    """Write which of the countries asks for more on the obligation ladder."""
    say = case.writer.say
    ranks = [level_rank(case.domain, judged) for judged in case.judged]
    top, change = max(ranks), capital(case.change)
    first = [j for j, rank in zip(case.judged, ranks, strict=True) if rank == top]
    rest = [j for j, rank in zip(case.judged, ranks, strict=True) if rank < top]
    level = case.law.level(first[0].level) if first[0].lead else ""
    if not rest and top < 0:
        text = say("none_asks", change=change, countries=_countries(case, first))
    elif not rest:
        text = say("equal", change=change, level=level, countries=_countries(case, first))
    else:
        less = ", ".join(say("level_in", level=_level(case, j), country=case.country(j)) for j in rest)
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


def _countries(case: AnswerCase, some: list[Judgement]) -> str:
    return ", ".join(case.country(judged) for judged in some)


def _level(case: AnswerCase, judged: Judgement) -> str:
    if judged.lead is None:
        return case.writer.say("no_duty")
    return case.writer.source(f"level:{judged.level}", case.writer.words.levels[judged.level].lower())
