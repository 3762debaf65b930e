"""Put the steps that a change needs in order of time, each with whom it is owed to and by when."""

from __future__ import annotations

from forge_assets.scenarios.answers.case import AnswerCase, SectionText
from forge_assets.scenarios.answers.duties import deadline_fields


def timeline(case: AnswerCase) -> SectionText:
    """List the duties in order: what nobody takes part in last, the rest from the weakest to the strongest."""
    say, law, ladder = case.writer.say, case.law, case.domain.levels
    order = sorted(case.home.applying, key=lambda p: (p.level not in ladder, case.domain.ranks.index(p.level)))
    lines = []
    for number, provision in enumerate(order, start=1):
        duty = say("step_owner", body=law.body(provision.body), duty=law.duty(provision))
        if deadline := law.deadline(provision):
            duty = say("step_timed", duty=duty, deadline=deadline)
        lines.append(f"{number}. {duty}")
    return SectionText("\n".join(lines) or say("nothing"), deadline_fields(case, order))
