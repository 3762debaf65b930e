"""Define the metrics: one function of an answer and one row of `METRICS` each; all tables and plots follow from it.

Scores, the report's tables, plots and key figures, the search's record and the table of docs/benchmark.md follow the
rows and their order; a metric without a row has no name anywhere, and is refused where one turns up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from forge_assets.citations.citation import Citation
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.citations.verdict import JudgedCitation, asked, judge
from forge_assets.law.citation_key import CitationKey
from forge_assets.scoring import answer_text, intake, repetition
from forge_assets.scoring.fields import Said
from forge_assets.scoring.quotes import false_quotes, quotes

INTAKE = "intake"
"""Task whose answer is JSON: what is written about prose is not defined for it."""

Sample = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """An answer beside its sample; what several metrics need of it is found once.

    Args:
        text: the answer as `answer_text.plain_text` gives it.
        sample: a row of `scenarios.samples`.
        laws: the laws whose text we hold, of every country.
    """

    text: str
    sample: Mapping[str, Any]
    laws: LawIndex

    @property
    def blank(self) -> bool:
        """Whether nothing was answered."""
        return not self.text.strip()

    @cached_property
    def citations(self) -> list[Citation]:
        """Every citation, in order."""
        countries = self.sample["jurisdictions"]
        return parse(self.text, self.laws, countries[0] if len(countries) == 1 else None)

    @cached_property
    def cited(self) -> dict[CitationKey, Citation]:
        """Key to citation: repeating one changes nothing."""
        return {citation.key: citation for citation in self.citations}

    @cached_property
    def said(self) -> Said:
        """What it says exactly."""
        return Said(self.text, [citation.span for citation in self.citations])

    @cached_property
    def false_quotes(self) -> float:
        """Share of its quotes that are verbatim nowhere; 0 of none."""
        found, question = quotes(self.text), f"{self.sample['system']}\n{self.sample['prompt']}"
        return _share(false_quotes(found, question, self.laws, self.at_home), len(found))

    @cached_property
    def expected(self) -> set[CitationKey]:
        """Keys that are due. They match exactly: one less or more precise is another."""
        return {CitationKey.parse(key) for key in self.sample["expected_citations"]}

    @cached_property
    def at_home(self) -> frozenset[str]:
        """Jurisdictions whose law applies: the countries asked about and the unions that bind them."""
        return self.laws.at_home(self.sample["jurisdictions"])

    @property
    def hits(self) -> int:
        """Citations that are due and given."""
        return len(self.cited.keys() & self.expected)

    @property
    def rightly_silent(self) -> bool:
        """Whether none is due and an answer cites none."""
        return not (self.blank or self.cited or self.expected)

    @cached_property
    def rouge(self) -> tuple[float, float, float]:
        """F-measures of ROUGE-1, ROUGE-2 and ROUGE-L."""
        return answer_text.rouge(self.text, self.sample["response"])

    @cached_property
    def judged(self) -> list[JudgedCitation]:
        """Every place it cites, once, with its verdict."""
        situation = asked(self.at_home, self.expected)
        return [judge(citation, situation) for citation in self.cited.values()]

    def share_cited(self, bad: Callable[[JudgedCitation], bool]) -> float:
        """Compute the share of the citations for which `bad` holds; 0 of none."""
        return _share(sum(map(bad, self.judged)), len(self.judged))


def is_prose(sample: Sample) -> bool:
    """Whether a sample is answered in words."""
    return bool(sample["task_type"] != INTAKE)


def is_intake(sample: Sample) -> bool:
    """Whether a sample is answered with what was read out of a question, as JSON."""
    return not is_prose(sample)


def asks_for(*fields: str) -> Callable[[Sample], bool]:
    """Build the test whether a sample's answer must say one of some fields exactly, or any where none is given."""

    def asks(sample: Sample) -> bool:
        return is_prose(sample) and any(not fields or each["field"] in fields for each in sample["expected_fields"])

    return asks


@dataclass(frozen=True)
class Metric:
    """A score from 0 to 1, how it is computed, and where it is shown besides the tables and the search's record.

    Args:
        label: what people read.
        help: what it is, a clause that may stand after a colon.
        value: the score of one answer.
        defined: of which samples there is such a score, whatever the answer; others have none and enter no mean.
        better: which end is good.
        weight: share of the composite; None: no part of it.
        bar: whether the report draws its bars.
        chip: whether it stands over each worked answer.
        headline: label among the key figures that the report opens with; empty: it is none of them.

    Raises:
        ValueError: there is no label or help, or the weight is no share.
    """

    label: str
    help: str
    value: Callable[[Answer], float]
    better: Literal["higher", "lower"] = "higher"
    defined: Callable[[Sample], bool] = is_prose
    weight: float | None = None
    bar: bool = True
    chip: bool = False
    headline: str = ""

    def __post_init__(self) -> None:
        if not self.label.strip() or not self.help.strip():
            raise ValueError(f"a metric has label {self.label!r}, help {self.help!r}: give both in scoring/metrics.py")
        if self.weight is not None and not 0 < self.weight <= 1:
            raise ValueError(f"metric {self.label} has weight {self.weight:g}: a share above 0 and up to 1, or None")

    @property
    def title(self) -> str:
        """The label, with an arrow where less is better."""
        return self.label + (" ↓" if self.better == "lower" else "")


def composite(answer: Answer) -> float:
    """Compute the mean of the metrics that have a weight and are defined for the sample, by their weights."""
    parts = [(m.weight, m.value) for m in METRICS.values() if m.weight is not None and m.defined(answer.sample)]
    return sum(weight * value(answer) for weight, value in parts) / sum(weight for weight, _ in parts)


def citation_f1(answer: Answer) -> float:
    """Compute citation F1: 2 x hits / (given + expected)."""
    found = _share(2 * answer.hits, len(answer.cited) + len(answer.expected))
    return 1.0 if answer.rightly_silent else found


def citation_precision(answer: Answer) -> float:
    """Compute citation precision: hits / given."""
    return 1.0 if answer.rightly_silent else _share(answer.hits, len(answer.cited))


def citation_recall(answer: Answer) -> float:
    """Compute citation recall: hits / expected."""
    return 1.0 if answer.rightly_silent else _share(answer.hits, len(answer.expected))


def fabricated_rate(answer: Answer) -> float:
    """Compute the share of citations to a unit or paragraph that a law we hold does not have."""
    return answer.share_cited(lambda judged: judged.verdict == "fabricated")


def wrong_country_rate(answer: Answer) -> float:
    """Compute the share of citations of countries not asked about, nor of a union whose law binds them."""
    return answer.share_cited(lambda judged: judged.abroad)


def unverifiable_rate(answer: Answer) -> float:
    """Compute the share of citations of no law we hold."""
    return answer.share_cited(lambda judged: judged.verdict in ("unheld", "unverifiable"))


def structure(answer: Answer) -> float:
    """Compute the share of wanted headings in order and not empty, over the larger of wanted and given."""
    return answer_text.structure(answer.text, answer.sample["sections"])


def level(answer: Answer) -> float:
    """Score 1 where the first level named is the expected one."""
    named = answer_text.level_named(answer.text, answer.sample["level_words"])
    return float(named == answer.sample["expected_level"])


def has_level(sample: Sample) -> bool:
    """Whether an answer must name a level."""
    return is_prose(sample) and bool(sample["expected_level"])


def fields(*names: str) -> Callable[[Answer], float]:
    """Build the score that is the share of the fields of some names that an answer says exactly; no name: of all."""

    def share(answer: Answer) -> float:
        return answer.said.share([f for f in answer.sample["expected_fields"] if not names or f["field"] in names])

    return share


def stray_numbers(answer: Answer) -> float:
    """Compute the share of the numbers that stand neither in the question nor in the reference; 0 of none."""
    sample = answer.sample
    stray = answer.said.stray_numbers(sample["system"], sample["prompt"], sample["response"])
    return _share(len(stray), len(answer.said.numbers))


def repeats(answer: Answer) -> float:
    """Score 1 where an answer says the same again and again, or stops in mid-sentence far beyond its reference."""
    return float(repetition.repeats(answer.text, answer.sample["response"]))


def clean(answer: Answer) -> float:
    """Compute 1 - max(fabricated, wrong country, false quotes); 0 if blank, or where expected citations are missing."""
    if answer.blank or (answer.expected and not answer.cited):
        return 0.0
    return 1 - max(fabricated_rate(answer), wrong_country_rate(answer), answer.false_quotes)


def read(score: Callable[[str, str, str], float]) -> Callable[[Answer], float]:
    """Build the score of what an answer read, from one of an answer, a reference and a JSON Schema."""
    return lambda answer: score(answer.text, answer.sample["response"], answer.sample["output_schema"])


AGREEMENT = ("party", "number", "clause")
"""Fields of an agreement that an answer sums up."""

METRICS: dict[str, Metric] = {
    "composite": Metric(
        "Composite", "the weighted sum that ranks the models", composite, defined=lambda _: True,
        chip=True, headline="Composite",
    ),
    "citation_f1": Metric(
        "Citation F1", "harmonic mean of citation precision and recall", citation_f1,
        weight=0.4, chip=True, headline="Citation F1",
    ),
    "citation_precision": Metric(
        "Citation precision", "share of the cited provisions that were expected", citation_precision, bar=False
    ),
    "citation_recall": Metric(
        "Citation recall", "share of the expected provisions that were cited", citation_recall, bar=False
    ),
    "structure": Metric(
        "Structure", "share of the sections asked for that are there, in order and not empty", structure,
        weight=0.15, chip=True,
    ),
    "rouge1": Metric("ROUGE-1", "overlap of words with the reference answer", lambda a: a.rouge[0], bar=False),
    "rouge2": Metric("ROUGE-2", "overlap of word pairs with the reference answer", lambda a: a.rouge[1], bar=False),
    "rougeL": Metric(
        "ROUGE-L", "longest common subsequence with the reference answer", lambda a: a.rouge[2], weight=0.1, chip=True
    ),
    "level": Metric(
        "Obligation level", "whether the right level of the obligation ladder was named", level,
        defined=has_level, weight=0.1,
    ),
    "fields": Metric(
        "Exact fields", "share of what an answer must say exactly that it says: bodies, deadlines, numbers, dates",
        fields(), defined=asks_for(), weight=0.15, chip=True, headline="Exact fields",
    ),
    "body": Metric("Body", "share of the bodies due that are named", fields("body"), defined=asks_for("body")),
    "deadline": Metric(
        "Deadline", "share of the deadlines due that are given", fields("deadline"), defined=asks_for("deadline")
    ),
    "threshold": Metric(
        "Threshold", "share of the arithmetic of thresholds due that is given", fields("threshold"),
        defined=asks_for("threshold"),
    ),
    "date": Metric("Date", "share of the dates due that are given", fields("date"), defined=asks_for("date")),
    "agreement": Metric(
        "Agreement", "share of the parties, numbers and clauses of an agreement due that are given",
        fields(*AGREEMENT), defined=asks_for(*AGREEMENT),
    ),
    "clean": Metric(
        "Clean",
        "1 less the greatest of fabricated, wrong country and false quotes; 0 where a citation was due and none given, "
        "and for a blank answer",
        clean, weight=0.1, bar=False,
    ),
    "fabricated_rate": Metric(
        "Fabricated", "share of citations to a unit the law does not have", fabricated_rate, "lower",
        chip=True, headline="Fabricated citations",
    ),
    "wrong_country_rate": Metric(
        "Wrong country", "share of citations to another country's law", wrong_country_rate, "lower"
    ),
    "unverifiable_rate": Metric(
        "Unverifiable", "share of citations to a law we hold no text of", unverifiable_rate, "lower"
    ),
    "false_quotes": Metric(
        "False quotes", "share of quotes that stand neither in the law held nor in the question",
        lambda a: a.false_quotes, "lower",
    ),
    "stray_numbers": Metric(
        "Stray numbers", "share of numbers outside citations that stand neither in the question nor in the reference",
        stray_numbers, "lower",
    ),
    "repeats": Metric(
        "Repeats", "whether it says the same again and again, or stops in mid-sentence far beyond its reference",
        repeats, "lower", headline="Answers that repeat or never end",
    ),
    "intake_facts": Metric(
        "Facts read", "F1 of the facts read out of a question, by country, name and value", read(intake.intake_facts),
        defined=is_intake, weight=0.4,
    ),
    "intake_change": Metric(
        "Change read", "whether the kind of change was read right", read(intake.intake_change),
        defined=is_intake, weight=0.3,
    ),
    "intake_country": Metric(
        "Country read", "whether exactly the countries asked about were read", read(intake.intake_country),
        defined=is_intake, weight=0.2,
    ),
    "intake_missing": Metric(
        "Missing read", "F1 of the facts that a question leaves open", read(intake.intake_missing),
        defined=is_intake, weight=0.1,
    ),
    "intake_exact": Metric(
        "All read", "whether all that was read is right", read(intake.intake_exact), defined=is_intake,
        headline="All read",
    ),
}  # fmt: skip
"""Name, as tables and Prometheus have it, to metric, in reading order."""


def metric(name: str) -> Metric:
    """Look up the metric of a name.

    Raises:
        ValueError: it has no row.
    """
    if name not in METRICS:
        raise ValueError(f"metric {name} is unknown: give it a row in METRICS of forge_assets/scoring/metrics.py")
    return METRICS[name]


def in_reading_order(names: Iterable[str]) -> list[str]:
    """Sort names in the order of `METRICS`, each once.

    Raises:
        ValueError: one has no row.
    """
    wanted = set(names)
    for name in sorted(wanted):
        metric(name)
    return [name for name in METRICS if name in wanted]


def formula() -> str:
    """Format the composite of answers in words as a sum of weighted labels."""
    parts = [one for one in METRICS.values() if one.weight is not None and one.defined is not is_intake]
    return " + ".join(f"{one.weight:g} {one.label}" for one in parts)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
