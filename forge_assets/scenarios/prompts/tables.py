"""Build the tables `scenarios.scenarios` and `scenarios.samples` from judged rows: prompts, ids, splits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from forge_assets.law.model import Domain
from forge_assets.scenarios.answers.composer import Answer
from forge_assets.scenarios.answers.writer import Writer
from forge_assets.scenarios.facts.counter_rng import choose_index
from forge_assets.scenarios.facts.draws import split_names, split_percentiles
from forge_assets.scenarios.facts.sites import place_of, sites_in
from forge_assets.scenarios.facts.text_digest import SEPARATOR, text_digest
from forge_assets.scenarios.intake.rows import intake_rows
from forge_assets.scenarios.pack.files import Pack
from forge_assets.scenarios.pack.language import ENGLISH
from forge_assets.scenarios.prompts.frames import build_prompts, facts_in
from forge_assets.scenarios.prompts.plain import PLAIN, build_plain
from forge_assets.scenarios.prompts.slots import fill_slots
from forge_resources.storage.tables import TABLES

EMPTY = (
    "neighbour",
    "premise",
    "corrects",
    "pair",
    "date",
    "without",
    "variant",
    "place",
    "place_quote",
    "gist",
    "nth",
    "seat",
)
"""Columns that are empty unless a part says more."""


@dataclass(frozen=True)
class Prompts:
    """Rows to put into words.

    Columns of `rows`: home, archetype, company, change_type, key, task_type, answer (index into `answers`), variant
    (empty: as the answer says), without (names of facts left unsaid), neighbour, premise, corrects (what a false
    premise is: `repealed`, or the country whose law it is), `also` (provision ids the question rests on), pair, what
    `composition.forms` adds (language, register, depth, form, answer_language, choice, date), of questions about one
    provision place, place_quote and gist, and one a fact, null where it is not stated. Where countries are compared:
    `country@1` and so on, null where there is none; facts of those countries end in the same mark (`SITES`); `seat`,
    the country of central management where that decides, else empty; and `split`.
    """

    rows: pl.DataFrame
    answers: list[Answer]
    intake: bool = False
    """Whether the questions are only to be read: each is worded for its task, and becomes an intake row."""

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
    judged_first = everything.sort(pl.col("applies").is_null(), maintain_order=True)
    scenarios = judged_first.select(
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
    """Parts that compare, that are only read, and all others, as one: the fewer and longer the columns, the faster."""
    together: dict[tuple[bool, bool], list[Prompts]] = {}
    for part in parts:
        if part.rows.height:
            together.setdefault((part.compared, part.intake), []).append(part)
    merged = []
    for (_, intake), some in together.items():
        rows: list[pl.DataFrame] = []
        answers: list[Answer] = []
        for part in some:
            rows.append(_defaults(part.rows).with_columns(pl.col("answer") + len(answers)))
            answers += part.answers
        merged.append(Prompts(pl.concat(rows, how="diagonal_relaxed"), answers, intake))
    return merged


def _worded(domain: Domain, pack: Pack, versions: Mapping[str, str], part: Prompts) -> pl.DataFrame:
    rows, answers = part.rows, _answer_table(part)
    rows = pl.concat([rows, answers[rows["answer"].to_list()]], how="horizontal")
    drawn = rows["split"] if part.compared else _splits(domain, pack, rows)
    rows = rows.with_columns(_facts_json(domain, rows), drawn.alias("drawn"))
    texts = [
        _phrased(domain, pack, part, group, str(code), str(register))
        for (code, register), group in _by(rows, "language", "register")
    ]
    rows = pl.concat(texts)
    places = [place_of(mark) for mark in sites_in(rows)]
    others = pl.concat_str(places[1:], separator=",", ignore_nulls=True) if len(places) > 1 else pl.lit("")
    broken = rows.filter((pl.col("pair") != "") & ~pl.col("current"))["pair"].unique().to_list()
    rows = rows.with_columns(
        pl.concat_list(places).list.drop_nulls().alias("jurisdictions"),
        pl.lit(domain.system_prompt).alias("system"),
        pl.lit("").alias("output_schema"),
        _level_words(pack, rows),
        pl.when(pl.col("variant") == "").then(pl.col("kind")).otherwise(pl.col("variant")).alias("variant"),
        pl.when(~pl.col("current") | pl.col("pair").is_in(broken))
        .then(pl.lit("withheld"))
        .when(pl.col("pair") != "")
        .then(pl.lit("contrast"))
        .otherwise(pl.col("drawn"))
        .alias("split"),
        *_filled(pack, rows, part.answers),
    )
    rows = _with_versions(rows, versions)
    if part.intake:
        sides = [(place_of(mark), mark) for mark in sites_in(rows)]
        rows = intake_rows(domain, pack.languages[ENGLISH].countries, rows, sides)
    rows = rows.with_columns(
        _hashed(
            rows,
            "scenario_id",
            "home",
            others,
            "archetype",
            "company",
            "change_type",
            "facts",
            "date",
            "premise",
            "place",
            "nth",
        ),
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
                "sections": list(a.sections),
                "expected_citations": [str(key) for key in a.citations],
                "expected_level": a.level,
                "expected_body": a.body,
                "provenance": list(a.provenance),
                "applies": list(a.applies),
                "current": a.current,
                "supposed": a.supposed[0] if a.supposed else "",
                "supposed_value": a.supposed[1] if a.supposed else None,
            }
            for a in part.answers
        ],
        schema={
            "kind": pl.String,
            "sections": pl.List(pl.String),
            "expected_citations": pl.List(pl.String),
            "expected_level": pl.String,
            "expected_body": pl.String,
            "provenance": pl.List(pl.String),
            "applies": pl.List(pl.String),
            "current": pl.Boolean,
            "supposed": pl.String,
            "supposed_value": pl.Int64,
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
    """The split of each row; what a question leaves unsaid does not count.

    Every provision must be taught, so questions about one are parted by their wording, not by the provision.
    """
    numbered = rows.with_row_index("at")
    cases = numbered.filter(pl.col("change_type") != "")
    places = numbered.filter(pl.col("change_type") == "")
    found = [places.select("at", split_names(choose_index(places["key"].to_numpy(), 100, "split")).alias("split"))]
    for (name,), group in _by(cases, "without"):
        names = split_names(split_percentiles(domain, group, {*pack.shares, *str(name).split()}))
        found.append(group.select("at", names.alias("split")))
    return pl.concat(found).sort("at")["split"]


def _phrased(
    domain: Domain, pack: Pack, part: Prompts, rows: pl.DataFrame, language: str, register: str
) -> pl.DataFrame:
    """Rows of one language and register with columns prompt and asker."""
    words = pack.languages[language]
    if register == PLAIN and not part.compared:
        texts, askers = build_plain(domain, rows, words, pack.plain[language])
    else:
        texts, askers = build_prompts(domain, rows, words, register, part.compared)
    return rows.with_columns(texts.alias("prompt"), askers.alias("asker"))


def _level_words(pack: Pack, rows: pl.DataFrame) -> pl.Series:
    """The words that name each level in the language of each answer."""
    kind = TABLES["scenarios.samples"].schema["level_words"]
    codes = sorted(rows["answer_language"].unique())
    named = [
        [{"level": level, "said": list(said)} for level, said in pack.answers[code].level_words.items()]
        for code in codes
    ]
    at = rows["answer_language"].replace_strict(codes, list(range(len(codes))), return_dtype=pl.Int64)
    return pl.Series("level_words", named, dtype=kind).gather(at)


def _filled(pack: Pack, rows: pl.DataFrame, answers: Sequence[Answer]) -> list[pl.Series]:
    """Answers, prompts with what is put under them, and exact fields, their slots filled."""
    which = rows["answer"].to_list()
    rows = rows.with_columns(_correction(pack, rows).alias("premise"))
    patterns = {code: pack.languages[code].date for code in rows["answer_language"].unique()}
    response = fill_slots([a.response for a in answers], which, rows, patterns)
    exact = [
        json.dumps([{"field": field.name, "said": field.said} for field in a.fields], ensure_ascii=False)
        for a in answers
    ]
    fields = pl.Series("expected_fields", fill_slots(exact, which, rows, patterns))
    fields = fields.str.json_decode(TABLES["scenarios.samples"].schema["expected_fields"])
    asked = {code: pack.languages[code].date for code in rows["language"].unique()}
    there = rows.with_columns(pl.col("language").alias("answer_language"))
    exhibits = fill_slots([f"\n\n{a.exhibit}" if a.exhibit else "" for a in answers], which, there, asked)
    prompts = [prompt + exhibit for prompt, exhibit in zip(rows["prompt"], exhibits, strict=True)]
    return [
        pl.Series("response", response),
        fields,
        pl.Series("prompt", prompts),
    ]


def _correction(pack: Pack, rows: pl.DataFrame) -> pl.Series:
    """What an answer says first of a false premise, with a space behind it; empty where there is none."""
    kinds = rows.select("corrects", "home", "answer_language", "choice").unique()
    said = []
    for corrects, home, language, choice in kinds.iter_rows():
        writer, english = Writer(pack.answers[language], choice), pack.languages[ENGLISH].names
        names = english | pack.languages[language].names
        if not corrects:
            said.append("")
        elif corrects == "repealed":
            said.append(f"{writer.say('repealed')} ")
        else:
            said.append(f"{writer.say('foreign', other=names[corrects], country=names[home])} ")
    table = kinds.with_columns(pl.Series("said", said, dtype=pl.String))
    return rows.join(table, on=kinds.columns, how="left", maintain_order="left")["said"]


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


def _by(rows: pl.DataFrame, *columns: str) -> list[tuple[tuple[object, ...], pl.DataFrame]]:
    return list(rows.group_by(*columns, maintain_order=True))
