"""The scenario side of a domain pack: `companies.yaml` and `tasks.yaml` as strict frozen models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, model_validator

from forge_assets.law.load import LawError, Problem, line_of, read_yaml, validate
from forge_assets.law.model import Domain, JurisdictionCode, Name, Strict, Text

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


Choice = NumberRange | Share | Annotated[tuple[bool, ...], Field(min_length=1)]


class Company(Strict):
    """An archetype: where it works and which facts are realistic for it."""

    id: Name
    name: Text
    sector: Text
    countries: tuple[JurisdictionCode, ...] = ()
    """Empty: everywhere."""
    facts: dict[Name, Choice]


class Companies(Strict):
    """`companies.yaml`."""

    companies: tuple[Company, ...] = Field(min_length=1)


class BooleanPhrase(Strict):
    """How a prompt says that a yes/no fact holds or fails."""

    if_true: Text
    if_false: Text


class Vocabulary(Strict):
    """Wordings shared by every task."""

    levels: dict[Name, Text]
    facts: dict[Name, BooleanPhrase | Text]
    changes: dict[Name, tuple[Text, ...]]
    frames: tuple[Text, ...] = Field(min_length=1)


class Section(Strict):
    """A heading of the answer and the block that fills it."""

    heading: Text
    block: Block


class Question(Strict):
    """One phrasing, by the person who asks."""

    asker: Name
    text: Text


class TaskType(Strict):
    """What is asked, about which scenarios, answered under which headings."""

    id: Name
    title: Text
    sections: tuple[Section, ...] = Field(min_length=1)
    changes: tuple[Name, ...] = Field(min_length=1)
    questions: tuple[Question, ...] = Field(min_length=1)
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
    tasks: tuple[TaskType, ...] = Field(min_length=1)


class Pack(Strict):
    """Both files, checked against the domain."""

    companies: tuple[Company, ...]
    vocabulary: Vocabulary
    tasks: tuple[TaskType, ...]


def load_pack(pack_dir: Path, domain: Domain) -> Pack:
    """Read and check `companies.yaml` and `tasks.yaml` of a domain pack.

    Raises:
        LawError: names file, line, problem and mend.
    """
    companies = _read(pack_dir / "companies.yaml", Companies, _company_problems, domain)
    tasks = _read(pack_dir / "tasks.yaml", Tasks, _task_problems, domain)
    return Pack(companies=companies.companies, vocabulary=tasks.vocabulary, tasks=tasks.tasks)


def _read(path: Path, model: type[M], check: Callable[[M, Domain], Iterator[Problem]], domain: Domain) -> M:
    data, lines = read_yaml(path)
    file = validate(model, path, data, lines)
    for where, problem, mend in check(file, domain):
        raise LawError(path, line_of(lines, where), problem, mend)
    return file


def _company_problems(file: Companies, domain: Domain) -> Iterator[Problem]:
    yield from _twins([c.id for c in file.companies], "companies")
    for i, company in enumerate(file.companies):
        for name, choice in company.facts.items():
            where = ("companies", i, "facts", name)
            if name not in domain.facts:
                yield where, f"{name} is no fact of domain.yaml", f"use one of {', '.join(domain.facts)}"
            elif isinstance(choice, tuple) is (domain.facts[name].type == "integer"):
                yield where, f"{name} is of type {domain.facts[name].type}", "give values of that type"
            elif isinstance(choice, Share) and choice.share_of not in _before(name, domain):
                mend = f"name an integer fact that domain.yaml lists before {name}"
                yield where, f"share of {choice.share_of}, which is not drawn before", mend
        for name in domain.facts:
            if domain.facts[name].drawn and name not in company.facts:
                yield ("companies", i, "facts"), f"{company.id} has no {name}", f"add {name} to its facts"


def _task_problems(file: Tasks, domain: Domain) -> Iterator[Problem]:
    yield from _twins([t.id for t in file.tasks], "tasks")
    words = file.vocabulary
    for group, given, wanted in (
        ("levels", set(words.levels), set(domain.levels)),
        ("facts", set(words.facts), {name for name, fact in domain.facts.items() if fact.drawn}),
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


def _before(name: str, domain: Domain) -> list[str]:
    """Integer facts that are drawn before this one."""
    names = list(domain.facts)
    return [n for n in names[: names.index(name)] if domain.facts[n].type == "integer"]


def _twins(ids: list[str], group: str) -> Iterator[Problem]:
    for i, name in enumerate(ids):
        if name in ids[:i]:
            yield (group, i, "id"), f"the id {name} is used twice", "give each its own"
