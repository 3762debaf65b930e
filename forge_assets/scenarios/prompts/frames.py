"""Build prompts: rows of facts of one language and register, put into the frames of that language."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from forge_assets.law.model import Domain
from forge_assets.scenarios.facts.sites import place_of, sites_in
from forge_assets.scenarios.pack.files import DEPTH_NAMES
from forge_assets.scenarios.pack.language import ENGLISH, Language
from forge_assets.scenarios.prompts.phrases import (
    fill_frames,
    join_facts,
    phrase_fact,
    phrase_plan,
    pick_asides,
    pick_asker,
    pick_opening,
    pick_phrase,
)

TELEGRAPHIC = ("note", "form")
"""Registers that list facts and say little beside them."""


def facts_in(domain: Domain, rows: pl.DataFrame, mark: str = "") -> list[str]:
    """List the facts that the rows have columns for; with a mark of `SITES`, of that site."""
    return [name for name in domain.drawn_facts if f"{name}{mark}" in rows.columns]


def stated_in(domain: Domain, rows: pl.DataFrame, mark: str = "") -> list[str]:
    """List the facts that one of the rows states at least: the others need no words."""
    return [n for n in facts_in(domain, rows, mark) if rows[f"{n}{mark}"].null_count() < rows.height]


def build_prompts(
    domain: Domain, rows: pl.DataFrame, language: Language, register: str, compared: bool
) -> tuple[pl.Series, pl.Series]:
    """Build the prompts of rows of one language and register, and who asks; empty where the frame does not say it.

    Args:
        rows: as in `wording.Prompts`, with the `sections` of the answer.
        compared: whether each row is about several countries.
    """
    frames = (language.compared if compared else language.frames)[register]
    key = rows["key"].to_numpy()
    brief = register in TELEGRAPHIC
    alone = pl.col("pair") == ""  # both sides of a pair are asked by the same person
    known = rows.select(pl.when(alone).then(pl.col(name)).alias(name) for name in facts_in(domain, rows))
    asker = pick_asker(language, known, key)
    slots = {
        "open": pick_opening(language, asker, key),
        "company": rows["company"],
        "sector": rows["archetype"].replace_strict(dict(language.sectors), return_dtype=pl.String),
        "country": rows["home"].replace_strict(language.names, return_dtype=pl.String),
        "in_country": rows["home"].replace_strict(language.within, return_dtype=pl.String),
        "plan": phrase_plan(language, rows["change_type"], "listed", key),
        "plan_told": phrase_plan(language, rows["change_type"], "told", key),
        "extra": phrase_extra(language, rows, 1 if brief else 2),
        "question": _by_task(language, rows),
        "close": _closings(language, rows),
    }
    if not compared:
        for slot, style, separator in (("facts", "listed", ", "), ("facts_told", "told", " ")):
            if any(f"{{{slot}}}" in frame for frame in frames):
                phrases = [phrase_fact(language, style, n, rows[n], key) for n in stated_in(domain, rows)]
                slots[slot] = join_facts(domain, facts_in(domain, rows), phrases, key, separator)
    else:
        slots |= _sites(domain, rows, language)
    texts, opens = fill_frames(frames, pl.DataFrame([series.alias(name) for name, series in slots.items()]), key)
    named = pl.select(pl.when(pl.lit(opens)).then(pl.lit(asker)).otherwise(pl.lit("")).alias("asker")).to_series()
    return texts, named


def _sites(domain: Domain, rows: pl.DataFrame, language: Language) -> dict[str, pl.Series]:
    """What differs by country, and what is the same in all; columns of sites that a row lacks are null."""
    assert language.several is not None
    names: dict[str | None, str | None] = {None: None} | dict(language.names)
    places: dict[str | None, str | None] = {None: None} | dict(language.within)
    called, listed, where, told = [], [], [], []
    for mark in sites_in(rows):
        name = pl.lit(rows[place_of(mark)].replace_strict(names, return_dtype=pl.String))
        own = pl.lit(_joined(domain, rows, language, ("site", "listed", ", "), mark))
        called.append(name)
        listed.append(pl.format("{}: {}", name, own))
        where.append(pl.lit(rows[place_of(mark)].replace_strict(places, return_dtype=pl.String)))
        told.append(pl.format("{} ({})", where[-1], own))
    count = rows.select(pl.sum_horizontal(pl.col(place_of(m)).is_not_null() for m in sites_in(rows))).to_series()
    plan = [pl.lit(_joined(domain, rows, language, ("plan", "told", " "))), _seat(rows, language)]
    last = f" {language.several.last} "
    texts = {
        "sites": pl.concat_str(listed, separator="; ", ignore_nulls=True),
        "sites_told": _listing(told, last, count),
        "plan_facts": pl.concat_str(plan, separator=" ", ignore_nulls=True),
        "countries": pl.concat_str(called, separator=" / ", ignore_nulls=True),
        "countries_told": _listing(where, last, count),
        "count": pl.lit(count.replace_strict(dict(enumerate(language.several.numbers, 2)), return_dtype=pl.String)),
    }
    return dict(zip(texts, pl.select(text.alias(name) for name, text in texts.items()), strict=True))


def _listing(items: Sequence[pl.Expr], last: str, count: pl.Series) -> pl.Expr:
    """Items with commas between them, a word before the last one; what is null is left out."""
    parts = [items[0]]
    for number, item in enumerate(items[1:], start=2):
        before = pl.when(pl.lit(count == number)).then(pl.lit(last)).otherwise(pl.lit(", "))
        parts.append(pl.concat_str(before, item))
    return pl.concat_str(parts, ignore_nulls=True)


def _seat(rows: pl.DataFrame, language: Language) -> pl.Expr:
    """Where central management sits, where that decides; else null."""
    assert language.several is not None
    seat = rows["seat"]
    told = pl.lit(pick_phrase(language.several.seats, rows["key"].to_numpy(), "seat"))
    for slot, words in (("{in_country}", language.within), ("{country}", language.names)):
        told = told.str.replace(slot, pl.lit(seat.replace_strict(words, default="")), literal=True)
    return pl.when(pl.lit(seat) != "").then(told)


def _joined(
    domain: Domain, rows: pl.DataFrame, language: Language, how: tuple[str, str, str], mark: str = ""
) -> pl.Series:
    """The facts of one scope in one style, joined by a separator."""
    scope, style, separator = how
    key = rows["key"].to_numpy()
    names = [name for name in facts_in(domain, rows, mark) if domain.facts[name].scope == scope]
    stated = [name for name in names if name in stated_in(domain, rows, mark)]
    phrases = [phrase_fact(language, style, n, rows[f"{n}{mark}"], key) for n in stated]
    return join_facts(domain, names, phrases, key, separator)


def phrase_extra(language: Language, rows: pl.DataFrame, most: int) -> pl.Series:
    """Write a false premise, a neighbour or a date, then up to `most` sentences that decide nothing."""
    key = rows["key"].to_numpy()
    false = pick_phrase(language.premises, key, "premise")
    old = pick_phrase(language.repealed, key, "premise")
    near = pick_phrase(language.neighbours, key, "near")
    on = pick_phrase(language.dates, key, "date")
    wrong = pl.col("also").list.len() > 0
    claim = pl.when(wrong).then(pl.lit(false)).otherwise(pl.lit(old))
    cited = claim.str.replace("{citation}", pl.col("premise"), literal=True)
    premise = cited.str.replace("..", ".", literal=True)  # some citations end in a full stop
    neighbour = (
        pl.lit(near)
        .str.replace("{in_neighbour}", pl.col("neighbour").replace_strict(language.within, default=""), literal=True)
        .str.replace("{neighbour}", pl.col("neighbour").replace_strict(language.names, default=""), literal=True)
    )
    day = pl.col("date").str.to_date("%Y-%m-%d", strict=False)
    date = pl.lit(pl.Series([language.date] * rows.height))
    for mark, number in (("{d}", day.dt.day()), ("{m}", day.dt.month()), ("{y}", day.dt.year())):
        date = date.str.replace(mark, number.cast(pl.String), literal=True)
    dated = pl.lit(on).str.replace("{date}", date, literal=True)
    idle = pick_asides(language, key, most)
    return rows.select(
        pl.concat_str(
            pl.when(pl.col("premise") != "").then(premise),
            pl.when(pl.col("neighbour") != "").then(neighbour),
            pl.when(pl.col("date") != "").then(dated),
            pl.when(pl.lit(idle) != "").then(pl.lit(idle)),
            separator=" ",
            ignore_nulls=True,
        ).alias("extra")
    ).to_series()


def _by_task(language: Language, rows: pl.DataFrame) -> pl.Series:
    key, text = rows["key"].to_numpy(), pl.lit("")
    asked = set(rows["task_type"].unique())
    for task, questions in ((name, words) for name, words in language.questions.items() if name in asked):
        text = (
            pl.when(pl.col("task_type") == task)
            .then(pl.lit(pick_phrase(questions, key, "question", task)))
            .otherwise(text)
        )
    return rows.select(text.alias("question")).to_series()


def _closings(language: Language, rows: pl.DataFrame) -> pl.Series:
    """What the question says of the form of the answer, as `form` has it, and that it be in English."""
    key, words = rows["key"].to_numpy(), language.closings

    def pick(texts: Sequence[str], stream: str) -> pl.Expr:
        return pl.lit(pick_phrase(list(texts) or [""], key, stream))

    english = pl.lit(language.language != ENGLISH) & (pl.col("answer_language") == ENGLISH)
    headings = pl.col("sections").list.join("; ")
    abroad = pick(words.english_sections, "closing").str.replace("{sections}", headings, literal=True)
    listed = pick(words.sections, "closing").str.replace("{sections}", headings, literal=True)
    length = pl.lit("")
    for depth in DEPTH_NAMES:
        length = pl.when(pl.col("depth") == depth).then(pick(getattr(words, depth), "closing")).otherwise(length)
    said = pl.when(pl.col("form") == "depth").then(length).otherwise(pl.lit(""))
    asked = pl.when(english).then(pick(words.english, "english")).otherwise(pl.lit(""))
    both = pl.concat_str(said, asked, separator=" ").str.strip_chars()
    sections = pl.when(english).then(abroad).otherwise(listed)
    return rows.select(pl.when(pl.col("form") == "sections").then(sections).otherwise(both).alias("close")).to_series()
