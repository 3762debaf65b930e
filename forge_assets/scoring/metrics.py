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
from forge_assets.law.citation_key import CitationKey
from forge_assets.scoring import answer_text


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
    def cited(self) -> dict[CitationKey, Citation]:
        """Key to citation: repeating one changes nothing."""
        countries = self.sample["jurisdictions"]
        home = countries[0] if len(countries) == 1 else None
        return {citation.key: citation for citation in parse(self.text, self.laws, home)}

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

    def share_cited(self, bad: Callable[[Citation], bool]) -> float:
        """Compute the share of the citations for which `bad` holds; 0 of none."""
        return _share(sum(map(bad, self.cited.values())), len(self.cited))


@dataclass(frozen=True)
class Metric:
    """A score from 0 to 1, how it is computed, and where it is shown besides the tables and the search's record.

    Args:
        label: what people read.
        help: what it is, a clause that may stand after a colon.
        value: the score of one answer.
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
    """Compute the weighted sum of the metrics that have a weight."""
    return sum(metric.weight * metric.value(answer) for metric in METRICS.values() if metric.weight is not None)


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
    return answer.share_cited(lambda citation: citation.status == "fabricated")


def wrong_country_rate(answer: Answer) -> float:
    """Compute the share of citations of countries not asked about, nor of a union whose law binds them."""
    return answer.share_cited(lambda citation: citation.jurisdiction not in answer.at_home)


def unverifiable_rate(answer: Answer) -> float:
    """Compute the share of citations of no law we hold."""
    return answer.share_cited(lambda citation: citation.status == "unverifiable")


def structure(answer: Answer) -> float:
    """Compute the share of wanted headings in order and not empty, over the larger of wanted and given."""
    return answer_text.structure(answer.text, answer.sample["sections"])


def level(answer: Answer) -> float:
    """Score 1 where the first level named is the expected one."""
    named = answer_text.level_named(answer.text, answer.sample["levels"])
    return float(named == answer.sample["expected_level"])


def clean(answer: Answer) -> float:
    """Compute 1 - max(fabricated, wrong country); 0 for a blank answer, or where expected citations are missing."""
    if answer.blank or (answer.expected and not answer.cited):
        return 0.0
    return 1 - max(fabricated_rate(answer), wrong_country_rate(answer))


METRICS: dict[str, Metric] = {
    "composite": Metric(
        "Composite", "the weighted sum that ranks the models", composite, chip=True, headline="Composite"
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
        weight=0.2, chip=True,
    ),
    "rouge1": Metric("ROUGE-1", "overlap of words with the reference answer", lambda a: a.rouge[0], bar=False),
    "rouge2": Metric("ROUGE-2", "overlap of word pairs with the reference answer", lambda a: a.rouge[1], bar=False),
    "rougeL": Metric(
        "ROUGE-L", "longest common subsequence with the reference answer", lambda a: a.rouge[2], weight=0.2, chip=True
    ),
    "level": Metric(
        "Obligation level", "whether the right level of the obligation ladder was named", level, weight=0.1
    ),
    "clean": Metric(
        "Clean",
        "1 less the greater of fabricated and wrong country; 0 where a citation was due and none given, "
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
    """Format the composite as a sum of weighted labels."""
    return " + ".join(f"{one.weight:g} {one.label}" for one in METRICS.values() if one.weight is not None)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
