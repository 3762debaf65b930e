"""Read the scenario side of a domain pack as strict frozen models: companies, tasks, exhibits and languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar, cast

from pydantic import BaseModel, Field, model_validator

from forge_assets.law.model import Domain, JurisdictionCode, Name, Text
from forge_assets.scenarios.pack.answer_words import AnswerWords, answer_problems
from forge_assets.scenarios.pack.block_names import BLOCK_NAMES, READS
from forge_assets.scenarios.pack.exhibits import ExhibitKinds, Exhibits, exhibit_problems, kind_problems
from forge_assets.scenarios.pack.language import ENGLISH, Language, YesNo
from forge_assets.scenarios.pack.plain import Plain, plain_problems
from forge_resources.config.strict_yaml import (
    FieldPath,
    Problem,
    SourceError,
    line_of,
    parse_yaml,
    read_text,
    read_yaml,
    validate,
    yaml_files,
)
from forge_resources.storage.strict import Strict

DEPTH_NAMES = ("note", "advice", "memo")
M = TypeVar("M", bound=Strict)


class NumberRange(Strict):
    """A whole number drawn between two ends, both included."""

    min: Annotated[int, Field(ge=1)]
    max: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _ordered(self) -> NumberRange:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class Share(Strict):
    """A number that is one of some percentages of another fact."""

    share_of: Name
    percent: tuple[Annotated[int, Field(ge=1, le=100)], ...] = Field(min_length=1)


ValueChoice = NumberRange | Share | Annotated[tuple[bool, ...], Field(min_length=1)]


class Company(Strict):
    """An archetype: where it works and which facts are realistic for it."""

    id: Name
    names: tuple[Text, ...] = Field(min_length=1)
    """Made-up names; which one a company bears is drawn."""
    countries: tuple[JurisdictionCode, ...] = ()
    """Empty: everywhere."""
    facts: dict[Name, ValueChoice]


class Companies(Strict):
    """`companies.yaml`."""

    facts: dict[Name, ValueChoice] = Field(default_factory=dict)
    """Of every company that does not say otherwise."""
    companies: tuple[Company, ...] = Field(min_length=1)


class Section(Strict):
    """A block of the answer and the heading over it; without one it stands alone."""

    heading: Name | None = None
    """An id, put into words by `answers/<code>.yaml`."""
    block: Name


class Depths(Strict):
    """The sections of an answer by how much is asked for; what has no sections of its own is answered as a note."""

    note: tuple[Section, ...] = Field(min_length=1)
    advice: tuple[Section, ...] = ()
    memo: tuple[Section, ...] = ()


class TaskType(Strict):
    """What is asked, about which scenarios, answered in which sections."""

    id: Name
    title: Text
    kind: Literal["case", "place", "place_found"] = "case"
    """A question about a case; or about one provision: what it says, or which one says something."""
    depths: Depths | None = None
    """Of a question about a case."""
    changes: tuple[Name, ...] | Literal["all"] = ()
    countries: Literal["one", "several"] = "one"
    """Whether it is asked about one country, or compares two to four."""
    scope: Literal["all", "conditional"] = "all"
    """`conditional`: only provisions pulled by the facts of a conditional trigger count."""
    when_nothing_applies: bool = False
    lowest_level: Name | None = None
    """The task is asked only where the strongest duty is at least this."""
    body: Name | None = None
    """The task is asked only where the strongest duty is owed to this body."""
    plain_only: bool = False
    """Asked in plain words only."""
    one_in: Annotated[int, Field(ge=1)] = 2
    """Of the cases that it fits, one in so many is asked about."""
    names_no_level: bool = False
    """The answer need not name the level of the strongest duty first."""
    dated: bool = False
    """Half of the questions state the date of the change, so that the steps have dates."""

    exhibit: Literal["agreement", "system"] | None = None
    """What is put under the question."""

    def sections(self, depth: str) -> tuple[Section, ...]:
        """List the sections of an answer of that depth."""
        assert self.depths is not None
        found: tuple[Section, ...] = getattr(self.depths, depth)
        return found or self.depths.note

    def has(self, depth: str) -> bool:
        """Whether answers of that depth have sections of their own."""
        return self.depths is not None and bool(getattr(self.depths, depth))

    def asks_about(self, countries: int) -> bool:
        """Whether the task is asked about so many countries at once."""
        return (countries > 1) is (self.countries == "several")

    @property
    def headings(self) -> frozenset[str]:
        """Ids of the headings of all depths."""
        if self.depths is None:
            return frozenset()
        every = (*self.depths.note, *self.depths.advice, *self.depths.memo)
        return frozenset(section.heading for section in every if section.heading)


class Tasks(Strict):
    """`tasks.yaml`."""

    neighbours: dict[JurisdictionCode, tuple[JurisdictionCode, ...]] = Field(default_factory=dict)
    """Countries whose law is easily taken for this one's."""
    tasks: tuple[TaskType, ...] = Field(min_length=1)


class Pack(Strict):
    """All files, checked against the domain."""

    companies: tuple[Company, ...]
    neighbours: dict[JurisdictionCode, tuple[JurisdictionCode, ...]]
    tasks: tuple[TaskType, ...]
    languages: dict[str, Language]
    """By code; `en` asks about every country, the others about those that speak them."""
    plain: dict[str, Plain] = Field(default_factory=dict)
    """By code: how people ask who were given no form. A language may lack it."""
    answers: dict[str, AnswerWords]
    """By code; a question in a language without is answered in English."""
    exhibit_kinds: ExhibitKinds
    exhibits: dict[str, Exhibits]
    """By code; in a language that is not there an exhibit is English, and so is what an answer says of it."""

    @property
    def shares(self) -> frozenset[str]:
        """Facts that are a share of another."""
        return frozenset(name for c in self.companies for name, choice in c.facts.items() if isinstance(choice, Share))


def load_pack(pack_dir: Path, domain: Domain) -> Pack:
    """Read and check `companies.yaml`, `tasks.yaml`, `exhibits.yaml` and the files of each language of a domain pack.

    Raises:
        SourceError: names file, line, problem and mend.
    """
    companies = _read(pack_dir / "companies.yaml", Companies, _company_problems, domain)
    tasks = _read(pack_dir / "tasks.yaml", Tasks, _task_problems, domain)
    kinds = _kinds_of_change(pack_dir)
    languages = {}
    for path in yaml_files(pack_dir / "languages"):
        languages[path.stem] = _read(path, Language, _language_problems(path.stem, tasks, companies, kinds), domain)
    headings = frozenset[str]().union(*(task.headings for task in tasks.tasks))
    answers = {
        path.stem: _read(path, AnswerWords, answer_problems(path.stem, headings), domain)
        for path in yaml_files(pack_dir / "answers")
    }
    if ENGLISH not in answers:
        path = pack_dir / "answers" / f"{ENGLISH}.yaml"
        raise SourceError(path, 1, "the file is missing", "add it: where a language has none, answers are English")
    for code in answers.keys() - languages.keys():
        path = pack_dir / "answers" / f"{code}.yaml"
        raise SourceError(path, 1, f"no question is asked in {code}", f"add languages/{code}.yaml")
    for code in answers.keys() - {ENGLISH}:
        missing = [
            name for name in (*DEPTH_NAMES, "sections", "english") if not getattr(languages[code].closings, name)
        ]
        if missing:
            path = pack_dir / "languages" / f"{code}.yaml"
            problem = f"answers are written in {code}, and closings have no {', '.join(missing)}"
            raise SourceError(path, 1, problem, "give each at least one wording")
    exhibit_kinds, exhibits = _load_exhibits(pack_dir, domain, languages)
    plain = {}
    for path in yaml_files(pack_dir / "plain"):
        plain[path.stem] = _read(path, Plain, _plain_problems(path.stem, languages.get(path.stem), tasks), domain)
    return Pack(
        companies=tuple(c.model_copy(update={"facts": companies.facts | c.facts}) for c in companies.companies),
        neighbours=tasks.neighbours,
        tasks=tuple(
            task.model_copy(update={"changes": tuple(domain.change_types)}) if task.changes == "all" else task
            for task in tasks.tasks
        ),
        languages=languages,
        plain=plain,
        answers=answers,
        exhibit_kinds=exhibit_kinds,
        exhibits=exhibits,
    )


def _load_exhibits(
    pack_dir: Path, domain: Domain, languages: Mapping[str, Language]
) -> tuple[ExhibitKinds, dict[str, Exhibits]]:
    """Read and check what questions bring with them.

    Raises:
        SourceError: a file is wrong, or the English one is missing.
    """
    kinds = _read(pack_dir / "exhibits.yaml", ExhibitKinds, kind_problems, domain)
    exhibits = {}
    for path in yaml_files(pack_dir / "exhibits"):
        exhibits[path.stem] = _read(path, Exhibits, exhibit_problems(path.stem, kinds), domain)
        if path.stem not in languages:
            raise SourceError(path, 1, f"no question is asked in {path.stem}", f"add languages/{path.stem}.yaml")
    if ENGLISH not in exhibits:
        path = pack_dir / "exhibits" / f"{ENGLISH}.yaml"
        raise SourceError(path, 1, "the file is missing", "add it: where a language has none, exhibits are English")
    return kinds, exhibits


def _kinds_of_change(pack_dir: Path) -> dict[str, int]:
    """How many kinds of each change the English questions know: the nth is the nth in every language.

    Raises:
        SourceError: there are no English questions.
    """
    path = pack_dir / "languages" / f"{ENGLISH}.yaml"
    if not path.exists():
        raise SourceError(path, 1, "the file is missing", "add it: every country is asked about in English")
    data, lines = read_yaml(path)
    return {change: len(kinds) for change, kinds in validate(Language, path, data, lines).changes.items()}


def load_parts(pack_dir: Path, domain: Domain) -> list[tuple[str, str]]:
    """Read which facts `companies.yaml` draws as a share of another, each with that other one.

    Raises:
        SourceError: the file cannot be read.
    """
    companies = _read(pack_dir / "companies.yaml", Companies, _company_problems, domain)
    drawn = [item for facts in (companies.facts, *(c.facts for c in companies.companies)) for item in facts.items()]
    return sorted({(name, choice.share_of) for name, choice in drawn if isinstance(choice, Share)})


def _read(path: Path, model: type[M], check: Callable[[M, Domain], Iterator[Problem]], domain: Domain) -> M:
    text = read_text(path)
    try:
        file = cast("M", _parsed(model, text))
    except SourceError:
        file = validate(model, path, *parse_yaml(path, text))  # says the same, of this file
    for where, problem, mend in check(file, domain):
        raise SourceError(path, line_of(parse_yaml(path, text)[1], where), problem, mend)
    return file


@lru_cache(maxsize=256)
def _parsed(model: type[BaseModel], text: str) -> BaseModel:
    """Sensors and runs read the pack again and again: a file that has not changed is parsed once in a process."""
    return validate(model, Path(), *parse_yaml(Path(), text))


def _company_problems(file: Companies, domain: Domain) -> Iterator[Problem]:
    yield from _twins([c.id for c in file.companies], "companies")
    yield from _choice_problems(file.facts, ("facts",), domain)
    for i, company in enumerate(file.companies):
        yield from _choice_problems(company.facts, ("companies", i, "facts"), domain)
        for name in domain.facts:
            if domain.facts[name].drawn and name not in company.facts and name not in file.facts:
                yield ("companies", i, "facts"), f"{company.id} has no {name}", f"add {name} to its facts"


def _choice_problems(facts: dict[str, ValueChoice], at: FieldPath, domain: Domain) -> Iterator[Problem]:
    for name, choice in facts.items():
        where = (*at, name)
        if name not in domain.facts:
            yield where, f"{name} is no fact of domain.yaml", f"use one of {', '.join(domain.facts)}"
        elif isinstance(choice, tuple) is (domain.facts[name].type == "integer"):
            yield where, f"{name} is of type {domain.facts[name].type}", "give values of that type"
        elif isinstance(choice, Share) and choice.share_of not in _before(name, domain):
            mend = f"name an integer fact that domain.yaml lists before {name}"
            yield where, f"share of {choice.share_of}, which is not drawn before", mend


def _task_problems(file: Tasks, domain: Domain) -> Iterator[Problem]:
    yield from _twins([t.id for t in file.tasks], "tasks")
    for i, task in enumerate(file.tasks):
        if (task.depths is None) is (task.kind == "case"):
            mend = "give `depths` to a question about a case, and to no other"
            yield ("tasks", i), f"{task.id} is of kind {task.kind}", mend
        for j, change in enumerate(task.changes if task.changes != "all" else ()):
            if change not in domain.change_types:
                known = ", ".join(domain.change_types)
                yield ("tasks", i, "changes", j), f"{change} is no change type", f"use one of {known}"
        for depth, sections in task.depths or ():
            for k, section in enumerate(sections):
                if section.block not in BLOCK_NAMES:
                    mend = f"use one of {', '.join(BLOCK_NAMES)}"
                    yield ("tasks", i, "depths", depth, k, "block"), f"no block {section.block}", mend
                if READS.get(section.block, task.exhibit) != task.exhibit:
                    mend = f"give the task `exhibit: {READS[section.block]}`"
                    yield ("tasks", i, "depths", depth, k, "block"), f"{section.block} has nothing to sum up", mend
        if task.lowest_level is not None and task.lowest_level not in domain.levels:
            yield (
                ("tasks", i, "lowest_level"),
                f"{task.lowest_level} is no level",
                "use a level of domain.yaml",
            )


def _language_problems(
    code: str, tasks: Tasks, companies: Companies, kinds: Mapping[str, int]
) -> Callable[[Language, Domain], Iterator[Problem]]:
    """The checks of one language's file: it must have words for all that a question may say."""

    def problems(file: Language, domain: Domain) -> Iterator[Problem]:
        if file.language != code:
            yield ("language",), f"the file says {file.language}, its name says {code}", "make them agree"
        wanted: dict[str, tuple[set[str], set[str]]] = {
            "facts": (set(file.facts), set(domain.drawn_facts)),
            "changes": (set(file.changes), set(domain.change_types)),
            "sectors": (set(file.sectors), {c.id for c in companies.companies}),
            "questions": (set(file.questions), {t.id for t in tasks.tasks if asked_in(t, code)}),
        }
        for group, (given, needed) in wanted.items():
            if given != needed:
                odd = ", ".join(sorted(given ^ needed))
                yield (group,), f"differs from the pack in {odd}", "name each exactly once"
        for change, words_ in file.changes.items():
            if len(words_) != kinds.get(change):
                mend = f"give {kinds.get(change)}, in the order of {ENGLISH}.yaml"
                yield ("changes", change), f"{len(words_)} wordings for {change}", mend
        for name, words in file.facts.items():
            if isinstance(words, YesNo) is (name in domain.facts and domain.facts[name].type == "integer"):
                yield ("facts", name), f"{name} is of type {domain.facts[name].type}", "give words of that type"
        for name, asker in file.askers.items():
            if asker.needs is not None and asker.needs not in domain.facts:
                yield ("askers", name), f"{asker.needs} is no fact", f"use one of {', '.join(domain.facts)}"

    return problems


def asked_in(task: TaskType, code: str) -> bool:
    """Whether a language needs questions of a task beside the plain ones: comparisons are asked in English alone."""
    return task.kind == "case" and not task.plain_only and (task.countries == "one" or code == ENGLISH)


def _plain_problems(code: str, language: Language | None, tasks: Tasks) -> Callable[[Plain, Domain], Iterator[Problem]]:
    """The checks of one language's plain wordings."""
    asked = [t.id for t in tasks.tasks if t.kind == "case" and (t.countries == "one" or code == ENGLISH)]
    return lambda file, domain: plain_problems(code, file, language, asked, domain)


def _before(name: str, domain: Domain) -> list[str]:
    """Integer facts that are drawn before this one."""
    names = list(domain.facts)
    return [n for n in names[: names.index(name)] if domain.facts[n].type == "integer"]


def _twins(ids: list[str], group: str) -> Iterator[Problem]:
    for i, name in enumerate(ids):
        if name in ids[:i]:
            yield (group, i, "id"), f"the id {name} is used twice", "give each its own"
