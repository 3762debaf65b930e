"""Define what a check of the law finds: a fault, with file, line and mend."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from forge_resources.config.strict_yaml import FieldPath, SourceError

Check = Literal[
    "readable",
    "places",
    "quotes",
    "evidence",
    "terms",
    "thresholds",
    "conditions",
    "size",
    "numbers",
    "bodies",
    "wording",
    "headline",
    "references",
    "sources",
    "teaching",
]

CHECKS: dict[Check, str] = {
    "readable": "The YAML and the statute text can be read; ids are unique, triggers known, escalation in order.",
    "places": "Every unit, paragraph and point that is cited stands in the statute text.",
    "quotes": "Every quote stands word for word in the place it is cited from.",
    "evidence": "Every field that states law says where the text says so, and the words stand there.",
    "terms": "Every number of days, weeks or months before or after an event stands in words of the text.",
    "thresholds": "Bands of headcounts leave no gap and do not overlap.",
    "conditions": "Every condition that a comment states is one that the engine sees.",
    "size": "A headcount that the text names is tested, and a body says from which one it exists.",
    "numbers": "A duty that needs a number of people affected tests it.",
    "bodies": "Every body says what it is and when it exists, and takes part only if it can.",
    "wording": "Every summary has a word of its level.",
    "headline": "No minor duty outranks the principal ones; none leads that is owed to a body which the facts deny.",
    "references": "Every provision named as transposed stands in the union's law.",
    "sources": "Every statute text has a row in SOURCES.md; one that is not current says why.",
    "teaching": "Every kind of change that provisions cover has a principal duty.",
}

Found = tuple[Check, Literal["error", "warning"], FieldPath, str, str]
"""Check, severity, field, problem and mend."""


@dataclass(frozen=True)
class Fault:
    """What is wrong, where, and what mends it. An `error` is never taught; a `warning` is for a person to judge."""

    check: Check
    severity: Literal["error", "warning"]
    file: str
    line: int
    problem: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.problem}: {self.mend}"

    @classmethod
    def of(cls, error: SourceError) -> Fault:
        """Report a file that cannot be read."""
        return cls("readable", "error", str(error.path), error.line, error.problem, error.mend)

    def as_dict(self) -> dict[str, str | int]:
        """Return the fields for `forge check --json`."""
        return asdict(self)
