"""Build the tables `scenarios.scenarios` and `scenarios.samples` from judged rows: prompts, ids, splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from forge_assets.law.model import Domain
from forge_assets.scenarios.answers.composer import PREMISE, Answer
from forge_assets.scenarios.facts.counter_rng import choose_index
from forge_assets.scenarios.facts.draws import split_names, split_percentiles
from forge_assets.scenarios.facts.sites import place_of, sites_in
from forge_assets.scenarios.facts.text_digest import SEPARATOR, text_digest
from forge_assets.scenarios.pack.files import Pack
from forge_assets.scenarios.pack.language import ENGLISH, Language
from forge_assets.scenarios.prompts.frames import build_prompts, facts_in
from forge_assets.scenarios.prompts.phrases import phrase_change, pick_phrase
from forge_resources.storage.tables import TABLES

EMPTY = ("neighbour", "premise", "correction", "pair", "date", "without", "variant", "seat")
"""Columns that are empty unless a part says more."""
NATIONAL = 3
"""One question in so many is asked in the country's own language, where there are words for it."""


@dataclass(frozen=True)
class Prompts:
    """Rows to put into words.

    Columns of `rows`: home, archetype, company, change_type, key, task_type, answer (index into `answers`), variant
    (empty: as the answer says), without, neighbour, premise, correction, `also` (provision ids the question rests on),
    pair, date, and one a fact, null where it is not stated. Where countries are compared: `country@1` and so on, null
    where there is none; facts of those countries end in the same mark (`SITES`); `seat`, the country of central
    management where it decides; and `split`.
    """

    rows: pl.DataFrame
    answers: list[Answer]
    language: str = ENGLISH
    """The language of the country that is asked about."""

    @property
    def compared(self) -> bool:
        """Whether several countries are."""
        return "split" in self.rows.columns


def sample_tables(
    domain: Domain, pack: Pack, versions: Mapping[str, str], parts: Sequence[Prompts]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Build both tables, sorted by id, each question once.

    Args:
        versions: id of provision or escalation step to its content digest.
    """
    rows = [_worded(domain, pack, versions, part) for part in _merged(parts)]
    if not rows:
        return TABLES["scenarios.scenarios"].empty(), TABLES["scenarios.samples"].empty()
    everything = pl.concat(rows).unique("question_id", keep="first", maintain_order=True)
    scenarios = everything.select(
        "scenario_id",
        "jurisdictions",
        "archetype",
        "company",
        "change_type",
        "facts",
        "date",
        "applies",
        pl.col("drawn").alias("split"),
    ).unique("scenario_id", keep="first", maintain_order=True)
    samples = everything.select(TABLES["scenarios.samples"].schema.keys())
    return scenarios.sort("scenario_id"), samples.sort("sample_id")


def _merged(parts: Sequence[Prompts]) -> list[Prompts]:
    """Parts in one language, or that compare, as one: the fewer and longer the columns, the faster."""
    together: dict[tuple[bool, str], list[Prompts]] = {}
    for part in parts:
        if part.rows.height:
            together.setdefault((part.compared, part.language), []).append(part)
    merged = []
    for (_, language), some in together.items():
        rows: list[pl.DataFrame] = []
        answers: list[Answer] = []
        for part in some:
            rows.append(_defaults(part.rows).with_columns(pl.col("answer") + len(answers)))
            answers += part.answers
        merged.append(Prompts(pl.concat(rows, how="diagonal_relaxed"), answers, language))
    return merged


def _worded(domain: Domain, pack: Pack, versions: Mapping[str, str], part: Prompts) -> pl.DataFrame:
    rows, answers = part.rows, _answer_table(part)
    rows = pl.concat([rows, answers[rows["answer"].to_list()]], how="horizontal")
    drawn = rows["split"] if part.compared else _splits(domain, pack, rows)
    rows = rows.with_columns(_facts_json(domain, rows), drawn.alias("drawn"))
    rows = rows.with_columns(_language(pack, rows, part))
    texts = [_phrased(domain, pack, part, group, pack.languages[str(code)]) for (code,), group in _by(rows, "language")]
    rows = pl.concat(texts)
    places = [place_of(mark) for mark in sites_in(rows)]
    others = pl.concat_str(places[1:], separator=",", ignore_nulls=True) if len(places) > 1 else pl.lit("")
    broken = rows.filter((pl.col("pair") != "") & ~pl.col("current"))["pair"].unique().to_list()
    rows = rows.with_columns(
        pl.concat_list(places).list.drop_nulls().alias("jurisdictions"),
        pl.lit(domain.system_prompt).alias("system"),
        pl.lit(list(domain.ranks), dtype=pl.List(pl.String)).alias("levels"),
        pl.when(pl.col("variant") == "").then(pl.col("kind")).otherwise(pl.col("variant")).alias("variant"),
        pl.when(~pl.col("current") | pl.col("pair").is_in(broken))
        .then(pl.lit("withheld"))
        .when(pl.col("pair") != "")
        .then(pl.lit("contrast"))
        .otherwise(pl.col("drawn"))
        .alias("split"),
        _response(domain, rows),
    )
    rows = _with_versions(rows, versions)
    rows = rows.with_columns(
        _hashed(rows, "scenario_id", "home", others, "archetype", "company", "change_type", "facts", "date", "premise"),
        _hashed(rows, "question_id", "home", others, "task_type", "system", "prompt", "pair"),
    )
    return rows.with_columns(_hashed(rows, "sample_id", "question_id", "scenario_id", "response")).select(
        *TABLES["scenarios.samples"].schema, "archetype", "company", "facts", "date", "applies", "drawn"
    )


def _defaults(rows: pl.DataFrame) -> pl.DataFrame:
    """Fill in what a part does not say."""
    empty = {name: pl.lit("") for name in EMPTY}
    missing = [value.alias(name) for name, value in empty.items() if name not in rows.columns]
    if "also" not in rows.columns:
        missing.append(pl.lit([], dtype=pl.List(pl.String)).alias("also"))
    return rows.with_columns(missing)


def _answer_table(part: Prompts) -> pl.DataFrame:
    """One row an answer."""
    return pl.DataFrame(
        [
            {
                "kind": a.kind,
                "response": a.response,
                "sections": list(a.sections),
                "expected_citations": [str(key) for key in a.citations],
                "expected_level": a.level,
                "expected_body": a.body,
                "provenance": list(a.provenance),
                "applies": list(a.applies),
                "current": a.current,
            }
            for a in part.answers
        ],
        schema={
            "kind": pl.String,
            "response": pl.String,
            "sections": pl.List(pl.String),
            "expected_citations": pl.List(pl.String),
            "expected_level": pl.String,
            "expected_body": pl.String,
            "provenance": pl.List(pl.String),
            "applies": pl.List(pl.String),
            "current": pl.Boolean,
        },
    )


def _facts_json(domain: Domain, rows: pl.DataFrame) -> pl.Expr:
    """Canonical JSON: country to the facts stated of it."""
    home, *others = (_side_json(domain, rows, mark, place_of(mark)) for mark in sites_in(rows))
    sites = pl.concat_list(home, *others).list.drop_nulls().list.sort().list.join(",") if others else home
    return pl.concat_str(pl.lit("{"), sites, pl.lit("}")).alias("facts")


def _side_json(domain: Domain, rows: pl.DataFrame, mark: str, code: str) -> pl.Expr:
    stated = [
        pl.concat_str(pl.lit(f'"{name}":'), pl.col(f"{name}{mark}").cast(pl.String))
        for name in sorted(facts_in(domain, rows, mark))
    ]
    text = pl.concat_str(stated, separator=",", ignore_nulls=True) if stated else pl.lit("")
    return pl.concat_str(pl.lit('"'), pl.col(code), pl.lit('":{'), text, pl.lit("}"))


def _splits(domain: Domain, pack: Pack, rows: pl.DataFrame) -> pl.Series:
    """The split of each row; what a question leaves unsaid does not count."""
    numbered = rows.with_row_index("at")
    found = []
    for (name,), group in _by(numbered, "without"):
        names = split_names(split_percentiles(domain, group, {*pack.shares, str(name)}))
        found.append(group.select("at", names.alias("split")))
    return pl.concat(found).sort("at")["split"]


def _language(pack: Pack, rows: pl.DataFrame, part: Prompts) -> pl.Series:
    national = pack.languages.get(part.language)
    if part.compared or national is None:
        return pl.Series("language", [ENGLISH] * rows.height)
    chosen = pl.Series(choose_index(rows["key"].to_numpy(), NATIONAL, "language") == 0)
    known = pl.col("home").is_in(list(national.countries)) & pl.col("neighbour").is_in(["", *national.countries])
    asked = pl.when(pl.lit(chosen) & known).then(pl.lit(national.language)).otherwise(pl.lit(ENGLISH))
    return rows.select(asked.alias("language")).to_series()


def _phrased(domain: Domain, pack: Pack, part: Prompts, rows: pl.DataFrame, language: Language) -> pl.DataFrame:
    """Rows of one language with columns prompt, register, asker and plan_said (the change as the answer words it)."""
    frames = language.compared if part.compared else language.frames
    registers = pick_phrase(list(frames), rows["key"].to_numpy(), "register").alias("register")
    done = []
    for (register,), group in _by(rows.with_columns(registers), "register"):
        texts, askers = build_prompts(domain, group, language, str(register), part.compared)
        english = phrase_change(dict(pack.vocabulary.changes), group["change_type"], group["key"].to_numpy())
        done.append(group.with_columns(texts.alias("prompt"), askers.alias("asker"), english.alias("plan_said")))
    return pl.concat(done)


def _response(domain: Domain, rows: pl.DataFrame) -> pl.Series:
    """The answer with its slots filled."""
    numbers = [n for n in facts_in(domain, rows) if domain.facts[n].type == "integer"]
    values = {"company": pl.col("company"), "change": pl.col("plan_said"), "date": pl.col("date")}
    values |= {n: pl.col(n).cast(pl.String).fill_null("") for n in numbers}
    text = rows.select(pl.col("response").str.replace(PREMISE, pl.col("correction"), literal=True), *values.values())
    for name, value in values.items():
        slot = f"{{{name}}}"
        while (slotted := text["response"].str.contains(slot, literal=True)).any():
            text = text.with_columns(
                pl.when(pl.lit(slotted))
                .then(pl.col("response").str.replace(slot, value, literal=True))
                .otherwise(pl.col("response"))
                .alias("response")
            )
    return text["response"]


def _with_versions(rows: pl.DataFrame, versions: Mapping[str, str]) -> pl.DataFrame:
    """Provenance, with what the question rests on, and the digest of each."""
    rows = rows.with_columns(pl.col("provenance").list.concat(pl.col("also")).list.unique(maintain_order=True))
    known = list({name for names in rows["provenance"].unique() for name in names})
    table = {name: versions[name] for name in known}
    return rows.with_columns(
        pl.col("provenance")
        .list.eval(pl.element().replace_strict(table, return_dtype=pl.String))
        .alias("provenance_versions")
    )


def _hashed(rows: pl.DataFrame, name: str, *columns: Any) -> pl.Series:
    """24 hex digits of the SHA-256 of some columns."""
    texts = rows.select(pl.concat_str(*columns, separator=SEPARATOR)).to_series()
    return pl.Series(name, [text_digest(text, 24) for text in texts])


def _by(rows: pl.DataFrame, column: str) -> list[tuple[tuple[object, ...], pl.DataFrame]]:
    return list(rows.group_by(column, maintain_order=True))
