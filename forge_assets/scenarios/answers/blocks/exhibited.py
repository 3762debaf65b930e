"""Draw what a question brings with it, and write the sections that sum it up and hold an agreement against the law."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forge_assets.law.engine import Facts
from forge_assets.law.model import Domain, Provision
from forge_assets.scenarios.answers.case import AnswerCase, Field, Form, SectionText
from forge_assets.scenarios.answers.judgement import Judgement, body_of
from forge_assets.scenarios.answers.writer import Writer
from forge_assets.scenarios.exhibits.agreement import Agreement, AgreementCase, Duty, draw_agreement, summarise
from forge_assets.scenarios.exhibits.findings import LawWords, summarise_findings
from forge_assets.scenarios.exhibits.system import System, draw_system, summarise_system
from forge_assets.scenarios.exhibits.values import Line, Voice
from forge_assets.scenarios.pack.files import Pack
from forge_assets.scenarios.pack.language import ENGLISH


@dataclass(frozen=True)
class Exhibit:
    """What a question brings with it, and the words in which the answer speaks of it."""

    drawn: Agreement | System
    voice: Voice

    @property
    def text(self) -> str:
        """As it stands under the question."""
        return self.drawn.text


def draw_exhibit(
    kind: str, domain: Domain, pack: Pack, judged: Judgement, change: str, facts: Facts, form: Form, writer: Writer
) -> Exhibit:
    """Draw an agreement or the description of a system. Its draws hang on country, change and form alone.

    Args:
        kind: `agreement` or `system`.
        judged: what the law asks for: which body signs an agreement, and what it is held against.
        facts: what is stated, with which a description agrees.
        writer: of the answer.
    """
    asked = _voice(pack, form.question_language, {})
    levels = {level: writer.source(f"level:{level}", word) for level, word in writer.words.levels.items()}
    voice = _voice(pack, form.answer_language, levels, writer)
    country, number = judged.framework.jurisdiction, str(form.exhibit)
    if kind == "system":
        system = draw_system(asked, pack.exhibit_kinds, facts, form.depth, form.choice, (country, number))
        return Exhibit(system, voice)
    case = AgreementCase(domain, pack.exhibit_kinds, country, change, tuple(_duties(judged)))
    return Exhibit(draw_agreement(asked, case, form.depth, form.choice, (number,)), voice)


def agreement(case: AnswerCase) -> SectionText:
    """Sum up the agreement: its parties, then one line a clause."""
    drawn, voice = _agreement(case)
    return _section(summarise(drawn, voice))


def agreement_gaps(case: AnswerCase) -> SectionText:
    """Write where the agreement falls short of the law, is silent or older, and where it conforms."""
    drawn, voice = _agreement(case)
    provisions = {provision.id: provision for provision in case.home.applying}
    law = LawWords(
        place=lambda duty: case.law.place(provisions[duty.id].cite), body=lambda duty: case.law.body(duty.body.id)
    )
    lines = summarise_findings(drawn, voice, law)
    return _section([line._replace(text=f"- {line.text}") for line in lines])


def system(case: AnswerCase) -> SectionText:
    """Sum up the description of the system, line by line."""
    assert case.exhibit is not None and isinstance(case.exhibit.drawn, System)
    return _section(summarise_system(case.exhibit.drawn, case.exhibit.voice))


def _agreement(case: AnswerCase) -> tuple[Agreement, Voice]:
    assert case.exhibit is not None and isinstance(case.exhibit.drawn, Agreement)
    return case.exhibit.drawn, case.exhibit.voice


def _section(lines: Iterable[Line]) -> SectionText:
    said = list(lines)
    fields = [Field(field.name, field.said) for line in said for field in line.fields]
    return SectionText("\n".join(line.text for line in said), tuple(dict.fromkeys(fields)))


def _voice(pack: Pack, language: str, levels: Mapping[str, str], writer: Writer | None = None) -> Voice:
    words = pack.exhibits.get(language, pack.exhibits[ENGLISH])
    mark = writer.source if writer is not None and writer.marked else None
    return Voice(words, pack.languages[words.language].date, levels, mark)


def _duties(judged: Judgement) -> Iterable[Duty]:
    """The provisions that apply, the leading one first."""
    laws = {law.id: law for law in judged.framework.laws}
    others = (provision for provision in judged.applying if provision is not judged.lead)
    first: tuple[Provision, ...] = (judged.lead,) if judged.lead else ()
    for p in (*first, *others):
        as_of = laws[p.cite.law].text_as_of
        yield Duty(p.id, p.level, body_of(judged.framework, p.body), p.valid_from, as_of)
