"""Write what stands around the duties: facts that decide, what does not apply, what would change, what is open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from forge_assets.law.engine import State, obligations
from forge_assets.law.model import Provision
from forge_assets.scenarios.answers.case import AnswerCase, Field, SectionText
from forge_assets.scenarios.answers.threshold_text import arithmetic, limits_of, nearest, needs
from forge_assets.scenarios.answers.what_if import Flip

MOST = 6
"""Lines of a list that says what does not apply or what would change."""


def facts(case: AnswerCase) -> SectionText:
    """Write the facts stated, and for each threshold that decides its arithmetic."""
    say = case.writer.say
    lines = [say("stated", facts=case.said_facts(case.facts))]
    fields: list[Field] = []
    places: dict[str, list[str]] = {}
    for provision in case.home.applying:
        tests = case.home.met.get(provision.id, ())
        if said := arithmetic(case, tests):
            places.setdefault(said, []).append(case.law.place_of(provision))
            fields += limits_of(tests)
    lines += [f"- {say('decides', place=_listed(some), tests=said)}" for said, some in places.items()]
    return SectionText("\n".join(lines), tuple(dict.fromkeys(fields)))


def not_applying(case: AnswerCase) -> SectionText:
    """Write which provisions the case misses, and by how much."""
    fields: list[Field] = []
    missed: dict[str, list[str]] = {}
    applying = {p.cite for p in case.home.applying}  # another provision of such a place does apply
    considered = {p.id: p for p in case.home.considered if p.cite not in applying}
    for name, failed in case.home.failed.items():
        if name in considered and (said := needs(case, failed)) and (said in missed or len(missed) < MOST):
            missed.setdefault(said, []).append(case.law.place_of(considered[name]))
            fields += limits_of(test for tests in nearest(failed) for test in tests)
    lines = [f"- {case.writer.say('misses', place=_listed(some), tests=said)}" for said, some in missed.items()]
    return SectionText("\n".join(lines), tuple(dict.fromkeys(fields)))


def what_if(case: AnswerCase) -> SectionText:
    """Write which single other facts would change what applies."""
    lines = []
    for flip in [flip for flip in case.flips() if flip.changes][:MOST]:
        said = effect(case, flip)
        if isinstance(flip.value, bool):
            line = case.writer.say("if_fact", fact=case.fact(flip.fact, flip.value), effect=said)
        else:
            value = case.number(str(flip.value), "limit")
            line = case.writer.say("if_number", value=value, measure=case.measure(flip.fact), effect=said)
        lines.append(f"- {line}")
    return SectionText("\n".join(lines))


def effect(case: AnswerCase, flip: Flip) -> str:
    """Write which places would come and go with another fact."""
    say = case.writer.say

    def named(some: Sequence[Provision]) -> str:
        return _listed(map(case.law.place_of, some))

    comes = say("comes", places=named(flip.comes)) if flip.comes else ""
    goes = say("goes", places=named(flip.goes)) if flip.goes else ""
    return say("comes_and_goes", first=comes, second=goes) if comes and goes else comes or goes


def _listed(places: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(places))


def open_questions(case: AnswerCase) -> SectionText:
    """Write which duties hinge on what a person must judge; nothing is open only where the texts held settle it."""
    say, law, lines = case.writer.say, case.law, list[str]()
    for provision in _left_to_judge(case)[:MOST]:
        place = law.place(provision.cite)
        if law.english and (condition := law.condition(provision)):
            for more in (law.gist(provision), law.deadline(provision)):
                condition = say("also", duty=condition, more=more) if more else condition
            line = say("depends", place=place, gist=condition)
        elif quote := law.quote(provision):
            line = say("depends_quoted", place=place, quote=quote)
        else:
            line = say("depends_placed", place=place)
        lines.append(f"- {line}")
    return SectionText("\n".join(lines) or (say("nothing_open") if case.home.is_settled else ""))


def limits(case: AnswerCase) -> SectionText:
    """Write which texts the answer rests on, and what their silence means."""
    say, framework = case.writer.say, case.law.framework
    laws = {law.id: law for law in framework.laws}
    used = dict.fromkeys((p.cite.jurisdiction, p.cite.law) for p in (*case.home.applying, *_missed(case)))
    said = [
        say(
            "text_of",
            law=case.writer.source(f"law:{owner}.{name}.short", laws[name].short),
            day=case.writer.source(f"law:{owner}.{name}.text_as_of", case.day(laws[name].text_as_of)),
        )
        for owner, name in used
    ]
    complete = case.change_type in framework.complete_for
    return SectionText(" ".join([*said, say("complete" if complete else "silent"), say("not_covered")]))


def data_rules(case: AnswerCase) -> SectionText:
    """List the country's rules on employees' data."""
    say, law, lines = case.writer.say, case.law, []
    for rule in law.framework.data_protection:
        gist, quote = law.rule(rule) if law.english else "", law.rule_quote(rule)
        if gist:
            lines.append(f"- {say('rule', gist=gist, place=law.place(rule.basis))}")
        elif quote:
            lines.append(f"- {say('rule_quoted', place=law.place(rule.basis), quote=quote)}")
    return SectionText("\n".join(lines))


def _missed(case: AnswerCase) -> list[Provision]:
    return [p for p in case.home.considered if p.id in case.home.failed]


def _left_to_judge(case: AnswerCase) -> list[Provision]:
    found = obligations(case.domain, case.law.framework, case.change_type, case.facts)
    return unique_places(f.provision for f in found if f.state is State.JUDGED)


def unique_places(provisions: Iterable[Provision]) -> list[Provision]:
    """Keep the first provision of each place."""
    return list({p.cite: p for p in provisions}.values())
