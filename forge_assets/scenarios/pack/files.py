"""Read the scenario side of a domain pack as strict frozen models: `companies.yaml`, `tasks.yaml`, `exhibits.yaml` and
the files of each language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, model_validator

from forge_assets.law.model import Domain, JurisdictionCode, Name, Text
from forge_assets.scenarios.pack.exhibits import ExhibitKinds, Exhibits, exhibit_problems, kind_problems
from forge_assets.scenarios.pack.language import ENGLISH, Language, YesNo
from forge_resources.config.strict_yaml import FieldPath, Problem, SourceError, line_of, read_yaml, validate, yaml_files
from forge_resources.storage.strict import Strict

Block = Literal[
    "verdict",
    "thresholds",
    "basis",
    "steps",
    "lead",
    "escalation",
    "timing",
    "agreement",
    "stricter",
    "compare",
]
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


class BooleanPhrase(Strict):
    """How a prompt says that a yes/no fact holds or fails."""

    if_true: Text
    if_false: Text


class Vocabulary(Strict):
    """Wordings of the answers, which are English."""

    levels: dict[Name, Text]
    facts: dict[Name, BooleanPhrase | Text]
    changes: dict[Name, tuple[Text, ...]]


class Section(Strict):
    """A heading of the answer and the block that fills it."""

    heading: Text
    block: Block


class TaskType(Strict):
    """What is asked, about which scenarios, answered under which headings."""

    id: Name
    title: Text
    sections: tuple[Section, ...] = Field(min_length=1)
    changes: tuple[Name, ...] = Field(min_length=1)
    countries: Literal[1, 2] = 1
    scope: Literal["all", "conditional"] = "all"
    """`conditional`: only provisions pulled by the facts of a conditional trigger count."""
    when_nothing_applies: bool = False
    lowest_level: Name | None = None
    """The task is asked only where the strongest duty is at least this."""
    body: Name | None = None
    """The task is asked only where the strongest duty is owed to this body."""


class Tasks(Strict):
    """`tasks.yaml`."""

    vocabulary: Vocabulary
    neighbours: dict[JurisdictionCode, tuple[JurisdictionCode, ...]] = Field(default_factory=dict)
    """Countries whose law is easily taken for this one's."""
    tasks: tuple[TaskType, ...] = Field(min_length=1)


class Pack(Strict):
    """All files, checked against the domain."""

    companies: tuple[Company, ...]
    vocabulary: Vocabulary
    neighbours: dict[JurisdictionCode, tuple[JurisdictionCode, ...]]
    tasks: tuple[TaskType, ...]
    languages: dict[str, Language]
    """By code; `en` asks about every country, the others about those that speak them."""
    exhibit_kinds: ExhibitKinds
    exhibits: dict[str, Exhibits]
    """By code; a language that is not there has exhibits in English."""

    @property
    def shares(self) -> frozenset[str]:
        """Facts that are a share of another."""
        return frozenset(name for c in self.companies for name, choice in c.facts.items() if isinstance(choice, Share))


def load_pack(pack_dir: Path, domain: Domain) -> Pack:
    """Read and check `companies.yaml`, `tasks.yaml`, `exhibits.yaml`, and the files of each language.

    Raises:
        SourceError: names file, line, problem and mend.
    """
    companies = _read(pack_dir / "companies.yaml", Companies, _company_problems, domain)
    tasks = _read(pack_dir / "tasks.yaml", Tasks, _task_problems, domain)
    languages = {}
    for path in yaml_files(pack_dir / "languages"):
        languages[path.stem] = _read(path, Language, _language_problems(path.stem, tasks, companies), domain)
    if ENGLISH not in languages:
        path = pack_dir / "languages" / f"{ENGLISH}.yaml"
        raise SourceError(path, 1, "the file is missing", "add it: every country is asked about in English")
    kinds = _read(pack_dir / "exhibits.yaml", ExhibitKinds, kind_problems, domain)
    exhibits = {}
    for path in yaml_files(pack_dir / "exhibits"):
        exhibits[path.stem] = _read(path, Exhibits, exhibit_problems(path.stem, kinds), domain)
        if path.stem not in languages:
            raise SourceError(path, 1, f"languages/{path.stem}.yaml is missing", "add it, or remove this file")
    if ENGLISH not in exhibits:
        path = pack_dir / "exhibits" / f"{ENGLISH}.yaml"
        raise SourceError(path, 1, "the file is missing", "add it: a language without exhibits has them in English")
    return Pack(
        companies=tuple(c.model_copy(update={"facts": companies.facts | c.facts}) for c in companies.companies),
        vocabulary=tasks.vocabulary,
        neighbours=tasks.neighbours,
        tasks=tasks.tasks,
        languages=languages,
        exhibit_kinds=kinds,
        exhibits=exhibits,
    )


def load_parts(pack_dir: Path, domain: Domain) -> list[tuple[str, str]]:
    """Read which facts `companies.yaml` draws as a share of another, each with that other one.

    Raises:
        SourceError: the file cannot be read.
    """
    companies = _read(pack_dir / "companies.yaml", Companies, _company_problems, domain)
    drawn = [item for facts in (companies.facts, *(c.facts for c in companies.companies)) for item in facts.items()]
    return sorted({(name, choice.share_of) for name, choice in drawn if isinstance(choice, Share)})


def _read(path: Path, model: type[M], check: Callable[[M, Domain], Iterator[Problem]], domain: Domain) -> M:
    data, lines = read_yaml(path)
    file = validate(model, path, data, lines)
    for where, problem, mend in check(file, domain):
        raise SourceError(path, line_of(lines, where), problem, mend)
    return file


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
    words = file.vocabulary
    for group, given, wanted in (
        ("levels", set(words.levels), set(domain.ranks)),
        ("facts", set(words.facts), set(domain.drawn_facts)),
        ("changes", set(words.changes), set(domain.change_types)),
    ):
        if given != wanted:
            odd = ", ".join(sorted(given ^ wanted))
            mend = f"vocabulary.{group} and domain.yaml must name the same"
            yield ("vocabulary", group), f"differs from domain.yaml in {odd}", mend
    for i, task in enumerate(file.tasks):
        for j, change in enumerate(task.changes):
            if change not in domain.change_types:
                known = ", ".join(domain.change_types)
                yield ("tasks", i, "changes", j), f"{change} is no change type", f"use one of {known}"
        if task.lowest_level is not None and task.lowest_level not in domain.levels:
            yield (
                ("tasks", i, "lowest_level"),
                f"{task.lowest_level} is no level",
                "use a level of domain.yaml",
            )


def _language_problems(
    code: str, tasks: Tasks, companies: Companies
) -> Callable[[Language, Domain], Iterator[Problem]]:
    """The checks of one language's file: it must have words for all that a question may say."""

    def problems(file: Language, domain: Domain) -> Iterator[Problem]:
        if file.language != code:
            yield ("language",), f"the file says {file.language}, its name says {code}", "make them agree"
        wanted: dict[str, tuple[set[str], set[str]]] = {
            "facts": (set(file.facts), set(domain.drawn_facts)),
            "changes": (set(file.changes), set(domain.change_types)),
            "sectors": (set(file.sectors), {c.id for c in companies.companies}),
            "questions": (set(file.questions), {t.id for t in tasks.tasks if t.countries == 1 or code == ENGLISH}),
        }
        for group, (given, needed) in wanted.items():
            if given != needed:
                odd = ", ".join(sorted(given ^ needed))
                yield (group,), f"differs from the pack in {odd}", "name each exactly once"
        for change, kinds in file.changes.items():
            if len(kinds) != (needed_kinds := len(tasks.vocabulary.changes.get(change, ()))):
                mend = f"give {needed_kinds}, in the order of tasks.yaml"
                yield ("changes", change), f"{len(kinds)} wordings for {change}", mend
        for name, words in file.facts.items():
            if isinstance(words, YesNo) is (name in domain.facts and domain.facts[name].type == "integer"):
                yield ("facts", name), f"{name} is of type {domain.facts[name].type}", "give words of that type"
        for name, asker in file.askers.items():
            if asker.needs is not None and asker.needs not in domain.facts:
                yield ("askers", name), f"{asker.needs} is no fact", f"use one of {', '.join(domain.facts)}"

    return problems


def _before(name: str, domain: Domain) -> list[str]:
    """Integer facts that are drawn before this one."""
    names = list(domain.facts)
    return [n for n in names[: names.index(name)] if domain.facts[n].type == "integer"]


def _twins(ids: list[str], group: str) -> Iterator[Problem]:
    for i, name in enumerate(ids):
        if name in ids[:i]:
            yield (group, i, "id"), f"the id {name} is used twice", "give each its own"
