"""Turn worded questions into intake rows: the same prompt, answered by what it says, as JSON.

Such an answer rests on no law, so it has no provenance, and is taught where law is withheld too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from forge_assets.law.model import Domain
from forge_assets.scenarios.intake.schema import asked_facts, compact, intake_schema_text
from forge_resources.storage.tables import TABLES

INTAKE = "intake"
"""The task's id."""
EMPTY = ("sections", "expected_citations", "expected_fields", "level_words", "provenance", "provenance_versions")
"""What no such answer has."""


def intake_rows(
    domain: Domain, codes: Iterable[str], rows: pl.DataFrame, sides: Sequence[tuple[str, str]]
) -> pl.DataFrame:
    """Make each row an intake row of its own split; prompt, language, register, asker and case stay.

    Args:
        codes: of the countries that can be asked about.
        rows: worded questions: change_type, drawn (a split), neighbour, premise and the facts, null where a question
            does not state them. Nobody judges them: what applies is null.
        sides: column of the country code and mark of its facts' columns, one a country; the code is empty where a row
            has no such country.
    """
    schema = TABLES["scenarios.samples"].schema
    return rows.with_columns(
        pl.lit(INTAKE).alias("task_type"),
        pl.lit(domain.intake_prompt).alias("system"),
        intake_answers(domain, rows, sides),
        pl.lit(intake_schema_text(domain, codes)).alias("output_schema"),
        _variants(domain, rows, sides),
        pl.col("drawn").alias("split"),
        *(pl.lit([], dtype=schema[name]).alias(name) for name in EMPTY),
        *(pl.lit("").alias(name) for name in ("expected_level", "expected_body")),
        pl.lit("note").alias("depth"),
        pl.lit("en").alias("answer_language"),
        pl.lit(None, dtype=pl.List(pl.String)).alias("applies"),
    )


def intake_answers(domain: Domain, rows: pl.DataFrame, sides: Sequence[tuple[str, str]]) -> pl.Series:
    """Write what each row says as JSON of `intake_schema`: countries by code, facts in the domain's order."""
    stated = [_side(domain, rows, code, mark) for code, mark in sides]
    facts = pl.concat_list(stated).list.drop_nulls().list.sort().list.join(",")  # an entry opens with its code
    opens = {change: f'{{"change":{compact(change)},"facts":{{' for change in domain.change_types}
    text = pl.concat_str(
        pl.col("change_type").replace_strict(opens, return_dtype=pl.String),
        facts,
        pl.lit('},"missing":['),
        _joined(pl.when(_open(domain, rows, name, sides)).then(pl.lit(compact(name))) for name in asked_facts(domain)),
        pl.lit("]}"),
    )
    return rows.select(text.alias("response")).to_series()


def _side(domain: Domain, rows: pl.DataFrame, code: str, mark: str) -> pl.Expr:
    """One country's entry; null where the row has none."""
    names = [name for name in domain.drawn_facts if f"{name}{mark}" in rows.columns]
    pairs = (pl.concat_str(pl.lit(f"{compact(name)}:"), pl.col(f"{name}{mark}").cast(pl.String)) for name in names)
    text = pl.concat_str(pl.lit('"'), pl.col(code), pl.lit('":{'), _joined(pairs), pl.lit("}"))
    return pl.when(pl.col(code) != "").then(text)


def _joined(parts: Iterable[pl.Expr]) -> pl.Expr:
    listed = list(parts)
    return pl.concat_str(listed, separator=",", ignore_nulls=True) if listed else pl.lit("")


def _open(domain: Domain, rows: pl.DataFrame, name: str, sides: Sequence[tuple[str, str]]) -> pl.Expr:
    """Whether a fact should be stated and is not, of one of the countries at least."""
    changes = [change for change, kind in domain.change_types.items() if name in kind.facts]
    unsaid = [
        (pl.col(code) != "") & (pl.col(f"{name}{mark}").is_null() if f"{name}{mark}" in rows.columns else pl.lit(True))
        for code, mark in sides
    ]
    return pl.col("change_type").is_in(changes) & pl.any_horizontal(unsaid)


def _variants(domain: Domain, rows: pl.DataFrame, sides: Sequence[tuple[str, str]]) -> pl.Expr:
    """What makes a question hard to read, whatever the law says."""
    incomplete = pl.any_horizontal(_open(domain, rows, name, sides) for name in asked_facts(domain))
    return (
        pl.when(incomplete)
        .then(pl.lit("missing_fact"))
        .when(pl.col("premise") != "")
        .then(pl.lit("false_premise"))
        .when(pl.col("neighbour") != "")
        .then(pl.lit("confusable_neighbour"))
        .otherwise(pl.lit("plain"))
        .alias("variant")
    )
