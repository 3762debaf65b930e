"""Write the card of an exported dataset: description, columns and limits, a README for people and hubs."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import polars as pl
import yaml

from forge_assets.law.model import Domain, Framework, Law
from forge_resources.presentation.markdown import markdown
from forge_resources.storage.strict import Strict
from forge_resources.storage.tables import TABLES

DESCRIPTIONS = {name: column.comment for name, column in TABLES["scenarios.samples"].columns.items()}
DESCRIPTIONS |= {"completion": DESCRIPTIONS["response"], "split": "train, validation or test."}
"""What the columns hold. One that is not named here is exported without a description."""

LIMITS = (
    "Composed by rules from law that is written down as data; no lawyer has read every answer.",
    "Wording comes from a grammar, not reviewed by native speakers: questions put by people vary more.",
    "A country's law is covered as far as the texts below go; many are excerpts, and case law is not covered.",
    "None of the texts is an authentic edition, and law may have changed since its date. This is no legal advice.",
)
LOADING = """```python
from datasets import load_dataset

load_dataset("FOLDER")  # a row a sample, with what its answer is judged by
load_dataset("FOLDER", "messages")  # the same samples as chat messages
```"""
MAKING = """\
Law is written down as data: each provision with its place, its verbatim quote and the conditions under which it
applies, checked against the statute's text. Companies, planned changes and facts are drawn; which provisions apply is
computed from the conditions; question and answer are composed from that. Only provisions whose place and quote were
found in a current text are taught. Splits are drawn by scenario: no combination of company, change and facts is in two
of them. Equal law gives equal samples, with equal ids."""
KINDS = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "DATE": "date",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UINTEGER", "UBIGINT"), "integer"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "float"),
}
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


class LawInfo(Strict):
    """A law whose text the answers may cite."""

    jurisdiction: str
    law_id: str
    title: str
    english: str
    text_as_of: dt.date
    status: str
    """current or outdated, with the units that are an exception."""
    coverage: str
    note: str = ""


class DatasetInfo(Strict):
    """What is not counted from the samples; all of it is part of the exported bytes."""

    name: str
    title: str
    summary: str
    version: str
    licence: str
    """SPDX identifier of samples and card; quoted law keeps its publisher's terms."""
    published: dt.date | None = None
    tags: tuple[str, ...] = ()
    limits: tuple[str, ...] = LIMITS
    laws: tuple[LawInfo, ...] = ()
    sources: str = ""
    """Where the law's texts come from and under what terms: written beside the card as SOURCES.md."""


@dataclass(frozen=True)
class ColumnInfo:
    """A column of the Parquet files; `type` is DuckDB's."""

    name: str
    type: str

    @property
    def description(self) -> str:
        """What it holds; empty if unknown."""
        return DESCRIPTIONS.get(self.name, "")

    @property
    def parts(self) -> tuple[ColumnInfo, ...]:
        """The fields of a structured value; none: it has no structure."""
        found = re.fullmatch(r"STRUCT\((.*)\)(?:\[\])?", self.type)
        pairs = re.findall(r"(\w+) ([A-Z]+(?:\[\])?)", found[1]) if found else ()
        return tuple(ColumnInfo(name, kind) for name, kind in pairs)

    @property
    def repeated(self) -> bool:
        """Whether a row has a list of values."""
        return self.type.endswith("[]")

    @property
    def kind(self) -> str:
        """Type of a value: text, integer, float, boolean, date or record, which has `parts`.

        Raises:
            ValueError: none of these.
        """
        found = "record" if self.parts else KINDS.get(self.type.removesuffix("[]"))
        if found is None:
            raise ValueError(f"column {self.name} is of type {self.type}, which an export cannot describe")
        return found

    @property
    def words(self) -> str:
        """The type in words."""
        return f"list of {self.kind}" if self.repeated else self.kind


@dataclass(frozen=True)
class File:
    """A file of the export, by its path in the folder."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Split:
    """A split: its table, and the same rows as chat messages, once more as JSON Lines.

    `datasets` reads every configuration of a folder by the format of the first, so the messages are in Parquet too.
    """

    name: str
    rows: int
    table: File
    messages: File
    lines: File


@dataclass(frozen=True)
class Contents:
    """What was counted while the samples were written.

    `counts` has the columns task, jurisdictions and a column a variant.
    """

    splits: tuple[Split, ...]
    columns: tuple[ColumnInfo, ...]
    languages: tuple[str, ...]
    jurisdictions: frozenset[str]
    """Of the samples and of the law they must cite."""
    counts: pl.DataFrame

    @property
    def rows(self) -> int:
        """Rows over all splits."""
        return sum(split.rows for split in self.splits)


def dataset_info(domain: Domain, frameworks: Sequence[Framework], sources: str = "") -> DatasetInfo:
    """Describe a domain's samples by the law they were composed from."""
    return DatasetInfo(
        name=f"model-forge-{domain.domain.replace('_', '-')}",
        title=f"Model Forge: {domain.title}",
        summary=f"{domain.title}: questions, each with a reference answer that cites the law it rests on.",
        version=version("model-forge"),
        licence="Apache-2.0",
        tags=("legal", "citations", "synthetic", domain.domain.replace("_", "-")),
        laws=tuple(
            LawInfo(
                jurisdiction=framework.jurisdiction,
                law_id=law.id,
                title=law.title,
                english=law.english,
                text_as_of=law.text_as_of,
                status=_status(law),
                coverage=law.coverage,
                note=law.text_note or "",
            )
            for framework in frameworks
            for law in framework.laws
        ),
        sources=sources,
    )


def card(info: DatasetInfo, contents: Contents) -> str:
    """Write the README: front matter for the Hugging Face hub and `datasets`, then the description."""
    splits = ", ".join(f"{split.name} {split.rows:,}" for split in contents.splits)
    described = (f"`{c.name}` ({c.words}){': ' if c.description else ''}{c.description}" for c in contents.columns)
    parts = [
        f"---\n{yaml.safe_dump(_front_matter(info, contents), sort_keys=False, allow_unicode=True)}---",
        f"# {info.title}",
        f"{info.summary} {contents.rows:,} samples: {splits}.",
        LOADING,
        "## How it was made",
        MAKING,
        "## Counts",
        "Samples by task, jurisdictions and variant, over all splits.",
        markdown(contents.counts),
        *_law([law for law in info.laws if law.jurisdiction in contents.jurisdictions]),
        "## Known limits",
        _listed(info.limits),
        "## Columns",
        "Of `data/*.parquet`, in order:",
        _listed(described),
        "Of `messages/*.parquet`, and of `messages/*.jsonl`: `sample_id` and `messages` (system, user, assistant).",
        "## Licence",
        f"Samples and card: {info.licence}. Quoted words of statutes keep the terms of their publishers"
        + (", see [SOURCES.md](SOURCES.md)." if info.sources else "."),
        "`sha256sum -c SHA256SUMS` checks the files; `croissant.json` describes them to machines.",
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(info: DatasetInfo, contents: Contents) -> dict[str, object]:
    configs = {
        "default": [{"split": split.name, "path": split.table.path} for split in contents.splits],
        "messages": [{"split": split.name, "path": split.messages.path} for split in contents.splits],
    }
    return {
        "pretty_name": info.title,
        "language": list(contents.languages),
        "license": info.licence.lower(),
        "task_categories": ["text-generation", "question-answering"],
        "size_categories": [next((name for size, name in SIZES if contents.rows < size), "n>1M")],
        "tags": list(info.tags),
        "configs": [{"config_name": name, "data_files": files} for name, files in configs.items()],
    }


def _law(laws: Sequence[LawInfo]) -> list[str]:
    if not laws:
        return []
    rows = [law.model_dump(exclude={"note", "law_id"}) for law in laws]
    notes = [f"{law.jurisdiction} {law.title}: {law.note}" for law in laws if law.note]
    told = "The texts that provisions were held against. What stands in an outdated text is not taught."
    return ["## Law", told, markdown(pl.DataFrame(rows)), *([_listed(notes)] if notes else [])]


def _status(law: Law) -> str:
    but = f", except {', '.join(law.outdated_units)}" if law.outdated_units else ""
    return law.text_status + but


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
