"""Compose reference answers from the law engine's findings: one for every cell of facts, task and way of asking."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from forge_assets.law.citation_key import CitationKey
from forge_assets.law.engine import Facts, Finding
from forge_assets.law.model import Domain, Framework, Law, Provision
from forge_assets.law.statutes import Statutes
from forge_assets.law.verification import text_is_current
from forge_assets.law.versions import step_id
from forge_assets.scenarios.answers.blocks.exhibited import draw_exhibit
from forge_assets.scenarios.answers.blocks.place_answers import place_found, place_says
from forge_assets.scenarios.answers.blocks.registry import BLOCKS
from forge_assets.scenarios.answers.case import AnswerCase, Field, Form, SectionText
from forge_assets.scenarios.answers.judgement import Judgement, judge_change, level_rank
from forge_assets.scenarios.answers.law_text import LawText
from forge_assets.scenarios.answers.quotable import QuotableWords
from forge_assets.scenarios.answers.task_fit import fits, kind_of
from forge_assets.scenarios.answers.what_if import Flip, find_flips
from forge_assets.scenarios.answers.writer import Writer, tidy, unmarked
from forge_assets.scenarios.pack.files import Pack, TaskType
from forge_assets.scenarios.pack.language import ENGLISH, written_date

PREMISE = "{premise}"
"""Stands where an answer corrects what the question takes for granted."""
NO_STATUTES: Mapping[str, Statutes] = {}
NOTE = Form()
"""An English note."""
LOOKS_FURTHER = {"what_if", "suppose", "open"}
"""Blocks that speak of provisions beside those that the case weighs."""


@dataclass(frozen=True)
class StatedFacts:
    """One cell: what is stated in each country (home first), and the date where the case has one."""

    change: str
    facts: tuple[Facts, ...]
    on: dt.date | None = None


@dataclass(frozen=True)
class Answer:
    """A reference answer with slots, and what it is scored by."""

    kind: str
    """nothing_applies, below_threshold, not_settled, missing_fact, not_in_force, same_level, different_levels or
    plain."""
    response: str
    sections: tuple[str, ...]
    """Its headings, in words."""
    citations: tuple[CitationKey, ...]
    level: str
    """Empty where the answer is not scored by the level that it names first."""
    body: str
    provenance: tuple[str, ...]
    """Provisions that were weighed, whether they apply or not, and the escalation steps named."""
    applies: tuple[str, ...]
    """Ids of the provisions that apply in any of the countries."""
    current: bool
    """Whether all it rests on is verified, in current text."""
    language: str = ENGLISH
    fields: tuple[Field, ...] = ()
    """What must be said exactly."""
    exhibit: str = ""
    """What is put under the question, such as an agreement."""
    supposed: tuple[str, int] | None = None
    """The other fact that a what-if question supposes; yes and no as 1 and 0."""
    marked: str = ""
    """The response with the source of every piece, where the composer was asked to mark them."""


class AnswerComposer:
    """Composes answers for some countries, home first, and remembers judgements.

    Args:
        statuses: provision id to its verification status.
        frameworks: those whose law may be cited.
        statutes: jurisdiction to the text held, by which citations within quotes are known.
        marked: whether answers carry the source of every piece of their text.
    """

    def __init__(
        self,
        domain: Domain,
        pack: Pack,
        statuses: Mapping[str, str],
        frameworks: tuple[Framework, ...] = (),
        statutes: Mapping[str, Statutes] = NO_STATUTES,
        marked: bool = False,
    ) -> None:
        self._domain = domain
        self._pack = pack
        self._statuses = statuses
        self._marked = marked
        self._tasks = {task.id: task for task in pack.tasks}
        self._known: dict[tuple[object, ...], tuple[Framework, Judgement]] = {}
        self._flips: dict[int, tuple[Judgement, tuple[Flip, ...]]] = {}
        self.quotable = QuotableWords(domain, frameworks, statutes)
        self._written: dict[CitationKey, str] = {}
        self._places: dict[int, tuple[Framework, dict[str, Law], dict[CitationKey, bool]]] = {}
        english = pack.languages[ENGLISH].names
        self._names = {code: english | pack.languages[code].names for code in pack.answers}

    def judged(self, frameworks: tuple[Framework, ...], setting: StatedFacts) -> tuple[Judgement, ...]:
        """Judge the change in every country, in the order given."""
        return tuple(
            self._judge(framework, setting.change, facts, False, setting.on)
            for framework, facts in zip(frameworks, setting.facts, strict=True)
        )

    def _judge(
        self, framework: Framework, change: str, facts: Facts, conditional_only: bool, on: dt.date | None
    ) -> Judgement:
        """Judge a change once: tasks, answers and twins ask again."""
        key = (id(framework), change, tuple(facts.items()), conditional_only, on)
        if key not in self._known:
            judged = judge_change(self._domain, framework, change, facts, conditional_only, on)
            self._known[key] = framework, judged  # the framework too, or its id might become another one's
        return self._known[key][1]

    def tasks(self, judged: tuple[Judgement, ...], setting: StatedFacts) -> list[str]:
        """List the ids of the tasks that the case can be asked with."""
        countries = len(judged)
        return [
            t.id
            for t in self._pack.tasks
            if t.kind == "case"
            and (self._pack.plain or not t.plain_only)
            and t.asks_about(countries)
            and self._fits(t, judged, self._scoped(t, judged, setting), setting)
        ]

    def one_in(self, task_id: str) -> int:
        """Of the cases that a task fits, one in so many is asked about."""
        return self._tasks[task_id].one_in

    def compose(
        self,
        task_id: str,
        judged: tuple[Judgement, ...],
        setting: StatedFacts,
        form: Form = NOTE,
        across: tuple[Finding, ...] = (),
    ) -> Answer:
        """Compose the answer to a task, which must be one of `tasks`.

        Args:
            across: how the home country's provisions on a change in several countries stand to this one.
        """
        task = self._tasks[task_id]
        scoped = self._scoped(task, judged, setting)
        case = self._case(task, scoped, setting, form, across)
        sections = task.sections(form.depth)
        parts = [(s.heading, BLOCKS[s.block](case)) for s in sections]
        if form.depth == "note":
            parts = [(name, part if part.text else SectionText(case.writer.say("nothing"))) for name, part in parts]
        parts = [(name, part) for name, part in parts if part.text]
        headings = [case.writer.words.headings[name] for name, _ in parts if name is not None]
        marked = _joined(case.writer, parts)
        response = unmarked(marked)
        considered = self._considered(judged, scoped, task, form, case)
        cited = case.cited
        rests_on = [p.id for j in scoped for p in j.considered]
        if any(s.block == "timetable" for s in sections):
            rests_on += [finding.provision.id for finding in across]
        if any(s.block == "data_rules" for s in sections):
            rests_on += [rule.id for rule in case.law.framework.data_protection]
        strongest = max(scoped, key=lambda j: level_rank(self._domain, j))
        steps = any(s.block in ("escalation", "escalation_stages") for s in sections)
        alone = len(judged) == 1
        return Answer(
            kind=kind_of(self._domain, scoped),
            response=_with_premise(response, bool(headings)) if alone else response,
            sections=tuple(headings),
            citations=cited,
            level="" if task.names_no_level else strongest.level,
            body=strongest.body.id if strongest.body else "",
            provenance=tuple(dict.fromkeys([*considered, *(_steps(scoped[0]) if steps else ())])),
            applies=tuple(p.id for j in judged for p in j.applying),
            current=self._are_verified(rests_on)
            and all(self._rests_on_current_law(j.framework, cited) for j in scoped),
            language=form.answer_language,
            fields=tuple(dict.fromkeys(_plain(each) for _, part in parts for each in part.fields)),
            exhibit=case.exhibit.text if case.exhibit else "",
            supposed=(case.supposed.fact, int(case.supposed.value)) if case.supposed else None,
            marked=marked if self._marked else "",
        )

    def about_place(self, task_id: str, framework: Framework, provision: Provision, form: Form) -> Answer:
        """Compose the answer to a question about one provision."""
        writer = self._writer(form)
        law = LawText(framework, writer, self.quotable, self._written)
        part = (place_says if self._tasks[task_id].kind == "place" else place_found)(
            self._domain, writer, law, provision
        )
        marked = tidy(part.text)
        cited = tuple(law.cited)
        return Answer(
            kind="plain",
            response=_with_premise(unmarked(marked), headed=False),
            sections=(),
            citations=cited,
            level="",
            body=provision.body,
            provenance=(provision.id,),
            applies=(provision.id,),
            current=self._are_verified([provision.id]) and self._rests_on_current_law(framework, cited),
            language=form.answer_language,
            fields=part.fields,
            marked=marked if self._marked else "",
        )

    def _writer(self, form: Form) -> Writer:
        return Writer(self._pack.answers[form.answer_language], form.choice, self._marked)

    def _case(
        self,
        task: TaskType,
        scoped: tuple[Judgement, ...],
        setting: StatedFacts,
        form: Form,
        across: tuple[Finding, ...],
    ) -> AnswerCase:
        language = self._pack.languages[form.answer_language]
        first = scoped[0]

        def flips() -> tuple[Flip, ...]:
            return self._flips_of(first, setting, task.scope != "all")

        supposed = None
        if any(s.block == "suppose" for s in task.sections(form.depth)):
            found = flips()
            supposed = found[form.choice % len(found)] if found else None
        writer, exhibit = self._writer(form), None
        if task.exhibit:
            exhibit = draw_exhibit(
                task.exhibit, self._domain, self._pack, first, setting.change, setting.facts[0], form, writer
            )
        return AnswerCase(
            domain=self._domain,
            change_type=setting.change,
            facts=setting.facts[0],
            judged=scoped,
            deciding=self._deciding(setting, scoped),
            form=form,
            writer=writer,
            names=self._names[form.answer_language],
            quotable=self.quotable,
            day=lambda day: written_date(language.date, day),
            flips=flips,
            supposed=supposed,
            written=self._written,
            exhibit=exhibit,
            across=across,
        )

    def _flips_of(self, judged: Judgement, setting: StatedFacts, conditional: bool) -> tuple[Flip, ...]:
        """What other facts would change; those that bring law which is not verified are left out."""
        if id(judged) not in self._flips:
            facts = setting.facts[0]

            def judge(other: Facts) -> Judgement:
                return self._judge(judged.framework, setting.change, other, conditional, setting.on)

            found = find_flips(self._domain, judged, facts, judge)
            kept = tuple(f for f in found if all(self._statuses.get(p.id) == "verified" for p in f.comes))
            self._flips[id(judged)] = judged, kept
        return self._flips[id(judged)][1]

    def _considered(
        self,
        judged: tuple[Judgement, ...],
        scoped: tuple[Judgement, ...],
        task: TaskType,
        form: Form,
        case: AnswerCase,
    ) -> list[str]:
        """Ids of the provisions that an edit of which could change the answer."""
        found = [p.id for j in (*judged, *scoped) for p in j.considered]
        found += [finding.provision.id for finding in case.across]
        blocks = {s.block for s in task.sections(form.depth)}
        if blocks & LOOKS_FURTHER:
            found += [p.id for p in scoped[0].framework.provisions]
        if "data_rules" in blocks:
            found += [rule.id for rule in case.law.framework.data_protection]
        return list(dict.fromkeys(found))

    def _are_verified(self, entries: Iterable[str]) -> bool:
        return all(self._statuses.get(name) == "verified" for name in entries)

    def _rests_on_current_law(self, framework: Framework, cited: tuple[CitationKey, ...]) -> bool:
        """Whether the text of each place is current, and a verified provision stands there, if any does."""
        if id(framework) not in self._places:
            laws = {law.id: law for law in framework.laws}
            verified: dict[CitationKey, bool] = {}
            for p in framework.provisions:
                verified[p.cite] = verified.get(p.cite, False) or self._statuses.get(p.id) == "verified"
            self._places[id(framework)] = framework, laws, verified
        _, laws, verified = self._places[id(framework)]
        own = [key for key in cited if key.jurisdiction == framework.jurisdiction]
        return all(text_is_current(key, laws[key.law]) for key in own) and all(verified.get(key, True) for key in cited)

    def _fits(
        self, task: TaskType, judged: tuple[Judgement, ...], scoped: tuple[Judgement, ...], setting: StatedFacts
    ) -> bool:
        if not fits(self._domain, task, setting.change, judged, scoped):
            return False
        supposes = any(section.block == "suppose" for section in task.sections("note"))
        return not supposes or bool(self._flips_of(scoped[0], setting, task.scope != "all"))

    def _scoped(self, task: TaskType, judged: tuple[Judgement, ...], setting: StatedFacts) -> tuple[Judgement, ...]:
        if task.scope == "all":
            return judged
        return tuple(
            self._judge(j.framework, setting.change, facts, True, setting.on)
            for j, facts in zip(judged, setting.facts, strict=True)
        )

    def _deciding(self, setting: StatedFacts, scoped: tuple[Judgement, ...]) -> tuple[str, ...]:
        """Facts that leave nothing to apply: where a threshold failed, else the conditions that do not hold."""
        facts = setting.facts[0]
        missed = tuple(name for j in scoped for name in j.missed)
        conditions = [c.fact for c in self._domain.change_types[setting.change].conditional_triggers]
        unmet = tuple(name for name in conditions if not facts.get(name))
        return tuple(dict.fromkeys(missed or unmet or facts))


def without_fact(setting: StatedFacts, name: str) -> StatedFacts:
    """Remove one fact from the stated facts of every country."""
    return replace(setting, facts=tuple({n: v for n, v in facts.items() if n != name} for facts in setting.facts))


def _joined(writer: Writer, parts: list[tuple[str | None, SectionText]]) -> str:
    """The sections under their headings, as Markdown."""
    said = []
    for heading, part in parts:
        text = tidy(part.text)
        if heading is not None:
            named = writer.source(f"heading:{heading}", writer.words.headings[heading])
            text = f"## {named}\n{text}"
        said.append(text)
    return "\n".join(said)


def _with_premise(response: str, headed: bool) -> str:
    """The answer with the slot for a correction where it begins."""
    return response.replace("\n", f"\n{PREMISE}", 1) if headed else f"{PREMISE}{response}"


def _plain(field: Field) -> Field:
    return Field(field.name, tuple(dict.fromkeys(unmarked(text) for text in field.said)))


def _steps(judged: Judgement) -> list[str]:
    return [step_id(judged.framework.jurisdiction, place) for place, _ in judged.steps]
