"""List the steps that a dispute takes."""

from __future__ import annotations

from forge_assets.scenarios.answers.case import AnswerCase, Field, SectionText
from forge_assets.scenarios.answers.writer import capital, numbered


def escalation(case: AnswerCase) -> SectionText:
    """List the country's escalation steps in order, each with its basis."""
    return _steps(case, staged=False)


def escalation_stages(case: AnswerCase) -> SectionText:
    """List the steps with their stages, and the words they rest on."""
    return _steps(case, staged=True)


def _steps(case: AnswerCase, staged: bool) -> SectionText:
    law, say, lines, fields = case.law, case.writer.say, [], []
    for _, step in case.home.steps:
        place, quote = law.place(step.basis), law.step_quote(step)
        if law.english:
            gist = law.step(step)
            line = (
                say("step_staged", stage=law.stage(step), gist=gist, place=place)
                if staged
                else say("step", gist=capital(gist), place=place)
            )
            if staged and quote:
                line = f"{line} – {say('words', quote=quote)}"
        elif quote:
            line = say("step_quoted", stage=law.stage(step), quote=quote, place=place)
        else:
            line = say("step_placed", stage=law.stage(step), place=place)
        lines.append(line)
        if staged or not law.english:
            fields.append(Field("stage", (case.writer.words.stages[step.stage],)))
    return SectionText(numbered(lines), tuple(dict.fromkeys(fields)))
