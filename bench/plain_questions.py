"""Ask a model questions as people ask them in public (`benchmark/questions.yaml` of the pack), after a chain.

Run: FORGE_PROFILE=cpu python bench/plain_questions.py
The chain's student answers the questions about the profile's countries, greedily. Every answer is written beside its
verdicts, and the figures are printed.

Run: FORGE_PROFILE=cpu python bench/plain_questions.py --model teacher
Another model of the chain (teacher, student, untuned_teacher, untuned_student), or digests: BASE or BASE:ADAPTER.

Run: FORGE_PROFILE=cpu python bench/plain_questions.py --guard
Citations are held to the model's citation tokens, and to the countries asked about.

Run: FORGE_PROFILE=cpu python bench/plain_questions.py --intake
The model reads each question that states a case into fields instead, decoded under their schema.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forge_assets.catalog.snapshot import live_countries
from forge_assets.citations.citation import UNKNOWN, Citation
from forge_assets.citations.law_index import LawIndex, law_index
from forge_assets.citations.parser import parse
from forge_assets.datasets.questions import DEPENDS, Question, citable, load_questions
from forge_assets.datasets.roles import messages
from forge_assets.distillation.records import Student, Teacher
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.country import Country
from forge_assets.law.model import Domain
from forge_assets.scenarios.answers.judgement import NO_LEVEL, UNSETTLED
from forge_assets.scenarios.intake.schema import intake_schema_text
from forge_assets.scoring.answer_text import plain_text
from forge_assets.scoring.bootstrap import clustered_mean
from forge_assets.scoring.intake import intake_change, intake_country, intake_exact, intake_facts, intake_missing
from forge_assets.scoring.repetition import repeats
from forge_assets.training.asset_support import greedy
from forge_assets.training.base_models import guard_of
from forge_assets.training.jobs.model_ref import ModelRef
from forge_assets.training.jobs.runner import JobRunner
from forge_assets.training.jobs.spec import GenerateJob, Guard
from forge_assets.training.models.makers import MAKERS
from forge_resources.config.chosen import pack_folder
from forge_resources.forge import Forge
from forge_resources.launchers.base import run_directly

LEVEL_WORDS = {
    "co_determination": r"co-?determin\w*|mitbestimm\w*|mitzubestimmen|erzwingbar\w*",
    "consultation": r"consult\w*|beraten|beratung\w*|anhörung\w*|anzuhören",
    "information": r"inform\w*|unterricht\w*",
    "approval": r"approv\w*|genehmig\w*",
    NO_LEVEL: r"no (?:provision|duty|duties)|nothing is owed|keine (?:pflicht|vorschrift)\w*",
    UNSETTLED: r"(?:do|does) not settle|(?:klärt|klären|regelt|regeln) (?:das |es )?nicht",
    DEPENDS: r"depends?|hinges? on|not stated|hängt (?:davon )?ab|kommt darauf an|nicht angegeben",
}
"""Words that name a level, in the two languages in which Germany and Austria are asked about. The first one under the
headings counts."""

MEANS = ("| | Mean | Questions |", "|---|---:|---:|")
ANSWERS = "## Answers"
INTAKE: dict[str, Callable[[str, str, str], float]] = {
    "Change right": intake_change,
    "Country right": intake_country,
    "Facts F1": intake_facts,
    "Missing facts F1": intake_missing,
    "All right": intake_exact,
}


@dataclass(frozen=True)
class Verdict:
    """What is right about an answer; None where the question does not ask for it."""

    country: float
    f1: float | None
    quiet: float | None
    """Where nothing is to be cited: whether nothing that does not bear on the case is."""
    invented: float
    foreign: float
    level: float | None
    endless: float


FIGURES: dict[str, Callable[[Verdict], float | None]] = {
    "Country right": lambda v: v.country,
    "Citation F1, where a place is due": lambda v: v.f1,
    "No wrong citation and no loop, where none is due": lambda v: v.quiet,
    "Invented citations ↓": lambda v: v.invented,
    "Citations of another country ↓": lambda v: v.foreign,
    "Level right": lambda v: v.level,
    "Repeats or never ends ↓": lambda v: v.endless,
}


class Judge:
    """Gives verdicts on answers by the law held."""

    def __init__(self, domain: Domain, countries: Sequence[Country], day: dt.date) -> None:
        self._domain, self._day = domain, day
        self._frameworks = {c.framework.jurisdiction: c.framework for c in countries}
        self._laws: LawIndex = law_index(domain, list(countries))

    def verdict(self, question: Question, answer: str) -> Verdict:
        """Judge one answer. What the question names itself, such as another country's law, is never held against it."""
        text, asked = plain_text(answer), frozenset(question.jurisdictions)
        home = question.jurisdictions[0] if len(asked) == 1 else None
        cited = {c.key: c for c in parse(text, self._laws, home)}
        repeated = {c.key for c in parse(question.text, self._laws, home) if c.jurisdiction not in asked}
        own = {key: citation for key, citation in cited.items() if key not in repeated}
        at_home = self._laws.at_home(asked)
        due, citable_here = set(question.citations), self._citable(question, at_home)
        stray = any(not any(one.touches(key) for key in citable_here) for one in own)
        looping = repeats(text, "")
        return Verdict(
            country=self._country(question, text, own.values(), asked),
            f1=_f1(set(own), due, citable_here) if due else None,
            quiet=None if due else float(not (stray or looping or not text.strip())),
            invented=_share(c.status == "fabricated" for c in own.values()),
            foreign=_share(c.jurisdiction not in at_home for c in own.values()),
            level=self._level(question, text),
            endless=float(looping),
        )

    def _country(self, question: Question, text: str, cited: Iterable[Citation], asked: frozenset[str]) -> float:
        """1 where the countries that are cited or named are those asked about, and no other."""
        unions = self._laws.at_home(asked) - asked
        named = {code for _, code in self._laws.countries(text)}
        said = {code for _, code in self._laws.countries(question.text)}
        found = ({c.jurisdiction for c in cited} | (named - said) | (named & asked)) - unions - {UNKNOWN}
        return float(found == asked)

    def _citable(self, question: Question, at_home: frozenset[str]) -> set[CitationKey]:
        codes = [code for code in sorted(at_home) if code in self._frameworks]
        found = (citable(self._domain, self._frameworks[code], question, self._day) for code in codes)
        return set().union(*found)

    def _level(self, question: Question, text: str) -> float | None:
        if not question.expected:
            return None
        words = "|".join(f"(?P<{level}>{word})" for level, word in LEVEL_WORDS.items())
        said = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        found = re.search(rf"\b(?:{words})\b", said, re.IGNORECASE)
        return float(found is not None and found.lastgroup in {each.level for each in question.expected.values()})


def _f1(cited: set[CitationKey], due: set[CitationKey], citable: set[CitationKey]) -> float:
    """Harmonic mean of recall of what must be named, exactly or more precisely, and precision over what may be."""
    recall = _share(any(key.contains(one) for one in cited) for key in due)
    precision = _share(any(one.touches(key) for key in citable | due) for one in cited)
    return 2 * recall * precision / (recall + precision) if recall + precision else 0.0


def _share(found: Iterable[bool]) -> float:
    listed = list(found)
    return sum(listed) / len(listed) if listed else 0.0


def chosen_model(forge: Forge, name: str) -> ModelRef:
    """Find a model by its name in the chain, or by digests."""
    if name in ("student", "untuned_student"):
        student = forge.load(Student)
        return student.model if name == "student" else student.untuned
    if name in ("teacher", "untuned_teacher"):
        teacher = forge.load(Teacher)
        return teacher.model if name == "teacher" else teacher.untuned
    base, _, adapter = name.partition(":")
    return ModelRef(base=base, adapter=adapter or None)


def answered(
    forge: Forge, model: ModelRef, rows: Sequence[Mapping[str, object]], title: str, guard: Guard | None = None
) -> dict[str, str]:
    """Answer rows of a prompt dataset greedily, with the profile's limits; by id."""
    names = sorted({forge.profile.teacher.model, forge.profile.student.model})
    bases = {base.digest: base.path for base in map(forge.models.ensure, names)}
    runner = JobRunner(forge.store, forge.environment, bases, run_directly)
    job = GenerateJob(**model.spec, prompts=runner.dataset(rows), sampling=greedy(forge), guard=guard)
    return {row["sample_id"]: row["answer"] for row in runner.run(job, title).answers()}


@dataclass(frozen=True)
class Inquiry:
    """Who is asked what."""

    forge: Forge
    model: ModelRef
    domain: Domain
    countries: Sequence[Country]
    questions: Sequence[Question]
    day: dt.date
    guarded: bool = False

    def answers(self, questions: Sequence[Question], system: str, **more: str) -> dict[str, str]:
        """Answer questions greedily, with the profile's limits; by id.

        Args:
            more: further fields of each row of the prompts.
        """
        rows = [
            {"sample_id": q.id, "prompt": messages({"system": system, "prompt": q.text}), **more}
            | ({"countries": list(q.jurisdictions)} if self.guarded else {})
            for q in questions
        ]
        guard = guard_of(self.domain, self.countries) if self.guarded else None
        return answered(self.forge, self.model, rows, "plain questions", guard)


def plain(inquiry: Inquiry) -> list[str]:
    """Ask the questions as they stand; lines of the report."""
    asked = inquiry.questions
    answers = inquiry.answers(asked, inquiry.domain.system_prompt)
    judge = Judge(inquiry.domain, inquiry.countries, inquiry.day)
    verdicts = {q.id: judge.verdict(q, answers[q.id]) for q in asked}
    lines = [*MEANS, *figures(verdicts)]
    lines += ["", "| | Country right | Citation F1 | Level right | Repeats | Questions |", f"|---|{'---:|' * 5}"]
    kinds: dict[str, list[Verdict]] = {}
    for q in asked:
        taught = ["principal duties alone"] if q.core_only_ok and q.citations else []
        for kind in (f"{q.jurisdictions[0]}, {q.language}", f"kind {q.kind}", *taught):
            kinds.setdefault(kind, []).append(verdicts[q.id])
    lines += [_part(kind, kinds[kind]) for kind in sorted(kinds)]
    lines += ["", ANSWERS]
    for question in asked:
        lines += ["", *_shown(question, answers[question.id], verdicts[question.id])]
    return lines


def figures(verdicts: Mapping[str, Verdict]) -> list[str]:
    """Format the means and their intervals as rows of a table."""
    rows = []
    for label, value in FIGURES.items():
        given = {name: found for name, verdict in verdicts.items() if (found := value(verdict)) is not None}
        rows.append(_row(label, list(given.values()), list(given)))
    return rows


def _row(label: str, values: Sequence[float], names: Sequence[str]) -> str:
    found = clustered_mean(values, names)
    return f"| {label} | {found.value:.2f} [{found.low:.2f}, {found.high:.2f}] | {found.items} |"


def _part(name: str, verdicts: Sequence[Verdict]) -> str:
    def mean(values: Iterable[float | None]) -> str:
        given = [value for value in values if value is not None]
        return f"{sum(given) / len(given):.2f}" if given else "–"

    cells = (
        mean(v.country for v in verdicts),
        mean(v.f1 for v in verdicts),
        mean(v.level for v in verdicts),
        mean(v.endless for v in verdicts),
    )
    return f"| {name} | {' | '.join(cells)} | {len(verdicts)} |"


def _shown(question: Question, answer: str, verdict: Verdict) -> list[str]:
    said = [f"{label} {value:.2f}" for label, of in FIGURES.items() if (value := of(verdict)) is not None]
    due = ", ".join(map(str, question.citations)) or "nothing to cite"
    leads = "; ".join(f"{e.level}, {e.body}" if e.body else e.level for e in question.expected.values())
    quoted = [f"> {line}".rstrip() for line in answer.strip().splitlines() or ["(nothing)"]]
    head = [f"### {question.id}", "", question.text, ""]
    return [*head, *quoted, "", f"Due: {due}{f' ({leads})' if leads else ''}.", f"{'; '.join(said)}."]


def intake(inquiry: Inquiry) -> list[str]:
    """Have the questions that state a case read into fields; lines of the report."""
    schema = intake_schema_text(inquiry.domain, [c.framework.jurisdiction for c in inquiry.countries])
    cases = [q for q in inquiry.questions if q.change is not None]
    answers = inquiry.answers(cases, inquiry.domain.intake_prompt, schema=schema)
    right = {q.id: json.dumps(read_rightly(inquiry.domain, q), separators=(",", ":")) for q in cases}
    lines = [*MEANS]
    for label, of in INTAKE.items():
        lines.append(_row(label, [of(answers[q.id], right[q.id], schema) for q in cases], [q.id for q in cases]))
    lines += ["", ANSWERS]
    for q in cases:
        lines += ["", f"### {q.id}", "", q.text, "", f"Read: `{answers[q.id]}`", "", f"Right: `{right[q.id]}`"]
    return lines


def read_rightly(domain: Domain, question: Question) -> dict[str, Any]:
    """Write what a question says as an intake answer."""
    wanted = domain.change_types[question.change or ""].facts
    stated = {code: question.facts.get(code, {}) for code in question.jurisdictions}
    missing = [name for name in domain.drawn_facts if name in wanted and any(name not in f for f in stated.values())]
    return {"change": question.change, "facts": stated, "missing": missing}


def main() -> None:
    """Ask, judge, write the report and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="student", help="a model of the chain, or digests: BASE or BASE:ADAPTER")
    parser.add_argument("--guard", action="store_true", help="hold citations to the countries asked about")
    parser.add_argument("--intake", action="store_true", help="read the questions into fields")
    parser.add_argument("--out", type=Path, default=Path("bench/results/plain-questions.md"), help="the report")
    given = parser.parse_args()
    forge = Forge.from_environment(MAKERS)
    domain, countries = live_countries(forge)
    file = load_questions(pack_folder(), domain)
    wanted = forge.profile.jurisdictions or [c.framework.jurisdiction for c in countries]
    asked = [q for q in file.questions if set(q.jurisdictions) <= set(wanted)]
    inquiry = Inquiry(forge, chosen_model(forge, given.model), domain, countries, asked, file.asked_on, given.guard)
    lines = intake(inquiry) if given.intake else plain(inquiry)
    title = f"# {len(asked)} questions as people ask them, {given.model} of profile {forge.profile.name}"
    given.out.write_text("\n".join([title, "", *lines]) + "\n", "utf-8")
    print("\n".join(lines[: lines.index(ANSWERS)]).rstrip())
    print(f"\nanswers: {given.out}")


if __name__ == "__main__":
    main()
