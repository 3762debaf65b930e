"""Choose for each question its language and register, and how long and in which language it is answered."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forge_assets.scenarios.answers.case import DEPTHS, Form
from forge_assets.scenarios.facts.counter_rng import Keys, choose_index
from forge_assets.scenarios.pack.files import Pack
from forge_assets.scenarios.pack.language import ENGLISH
from forge_assets.scenarios.prompts.plain import PLAIN

Bits = NDArray[np.bool_]
Names = NDArray[np.object_]
NATIONAL = 3
"""One question in so many is asked in the country's own language, where there are words for it."""
IN_ENGLISH = 3
"""One question in so many that is not asked in English is answered in English all the same."""
SHARES = {PLAIN: (75, 90, 100), "": (55, 80, 100)}
"""Percentiles at which notes, advices and memos end, of plain questions and of all others."""
CHOICES = 4
"""Wordings that an answer may be drawn from."""
EXHIBITS = 4
"""Agreements, or descriptions of systems, that a question of one country, change, depth and wording is drawn from."""
FIRST_DAY, DAYS = dt.date(2027, 1, 11), 500
"""Dates of planned changes are drawn from here on, Mondays to Fridays."""


def with_forms(pack: Pack, rows: pl.DataFrame, national: str, compared: bool = False) -> pl.DataFrame:
    """Add the columns language, register, depth, form, answer_language, choice, exhibit and date.

    Every choice hangs on a row's key and task alone.

    Args:
        rows: key, task_type, neighbour; `date` where a question has one already.
        national: the language of the country asked about.
        compared: whether countries are compared, which is asked in English.
    """
    key = rows["key"].to_numpy()
    tasks = {task.id: task for task in pack.tasks}
    plain_only = _of_task(rows, {name for name, task in tasks.items() if task.plain_only})
    language = _languages(pack, rows, national, plain_only) if not compared else np.full(len(key), ENGLISH, object)
    register = _registers(pack, key, language, plain_only, compared)
    plain = register == PLAIN
    drawn = choose_index(key, 100, "depth")
    by_depth = np.where(
        plain,
        np.searchsorted(np.array(SHARES[PLAIN]), drawn, side="right"),
        np.searchsorted(np.array(SHARES[""]), drawn, side="right"),
    )
    for number, depth in enumerate(DEPTHS[1:], start=1):
        has = _of_task(rows, {name for name, task in tasks.items() if task.has(depth)})
        by_depth = np.where((by_depth == number) & ~has, 0, by_depth)
    shown = _of_task(rows, {name for name, task in tasks.items() if task.exhibit})
    answered = _answer_languages(pack, key, language, shown)
    dated = _of_task(rows, {name for name, task in tasks.items() if task.dated})
    dates = _dates(key, dated & (choose_index(key, 2, "dated") == 0))
    if "date" in rows.columns:
        given = rows["date"].cast(pl.String).fill_null("")
        dates = pl.select(pl.when(pl.lit(given) != "").then(pl.lit(given)).otherwise(pl.lit(dates))).to_series()
    return rows.with_columns(
        pl.Series("language", language, dtype=pl.String),
        pl.Series("register", register, dtype=pl.String),
        pl.Series("depth", np.array(DEPTHS, dtype=object)[by_depth], dtype=pl.String),
        pl.Series("form", _said_form(pack, key, language, answered, plain, by_depth), dtype=pl.String),
        pl.Series("answer_language", answered, dtype=pl.String),
        pl.Series("choice", choose_index(key, CHOICES, "wording")),
        pl.Series("exhibit", choose_index(key, EXHIBITS, "exhibit")),
        dates.alias("date"),
    )


def form_of(row: tuple[str, str, str, int, str], exhibit: int | None = None) -> Form:
    """Build the form of a row: depth, language, answer_language, choice, date; without an exhibit the language of the
    question makes no difference."""
    depth, language, answered, choice, date = row
    asked = answered if exhibit is None else language
    return Form(depth, asked, answered, choice, bool(date), exhibit or 0)  # type: ignore[arg-type]


def _of_task(rows: pl.DataFrame, names: set[str]) -> Bits:
    return rows["task_type"].is_in(list(names)).to_numpy()


def _languages(pack: Pack, rows: pl.DataFrame, code: str, plain_only: Bits) -> Names:
    national = pack.languages.get(code)
    languages = np.full(rows.height, ENGLISH, dtype=object)
    if national is None or code == ENGLISH:
        return languages
    known = np.ones(rows.height, dtype=np.bool_)
    for column in {"neighbour", "corrects"} & set(rows.columns):
        known &= rows[column].is_in(["", "repealed", *national.countries]).to_numpy()
    chosen = choose_index(rows["key"].to_numpy(), NATIONAL, "language") == 0
    if code not in pack.plain:
        known = known & ~plain_only
    languages[chosen & known] = code
    return languages


def _registers(pack: Pack, key: Keys, language: Names, plain_only: Bits, compared: bool) -> Names:
    register = np.full(len(key), "", dtype=object)
    for code in set(language):
        words = pack.languages[code]
        frames = list(words.compared if compared else words.frames)
        here = language == code
        register[here] = np.array(frames, dtype=object)[choose_index(key[here], len(frames), "register")]
        if code in pack.plain and not compared:
            asked_plainly = choose_index(key, 2, "plain") == 0
            register[here & (asked_plainly | plain_only)] = PLAIN
    return register


def _answer_languages(pack: Pack, key: Keys, language: Names, shown: Bits) -> Names:
    answered = language.copy()
    for code in set(language):
        here = language == code
        if code not in pack.answers:
            answered[here] = ENGLISH
        elif code != ENGLISH and pack.languages[code].closings.english:
            answered[here & (choose_index(key, IN_ENGLISH, "answered") == 0)] = ENGLISH
        if code not in pack.exhibits:
            answered[here & shown] = ENGLISH
    return answered


def _said_form(
    pack: Pack,
    key: Keys,
    language: Names,
    answered: Names,
    plain: Bits,
    by_depth: NDArray[np.int64],
) -> Names:
    """`sections`, `depth` or `free`: what the question says of the form; what is not said is a note."""
    drawn = choose_index(key, 4, "form")
    form = np.where(drawn < 2, "sections", np.where((drawn == 2) | (by_depth > 0), "depth", "free")).astype(object)
    form[plain] = np.where((drawn[plain] == 0) | (by_depth[plain] > 0), "depth", "free")
    for code in set(language):
        closings = pack.languages[code].closings
        here = ~plain & (language == code)
        if not closings.english:
            form[here & (answered != code)] = "sections"
        for number, depth in enumerate(DEPTHS):
            if not getattr(closings, depth):
                form[here & (by_depth == number) & (form == "depth")] = "sections"
    return form


def _dates(key: Keys, dated: Bits) -> pl.Series:
    days = np.datetime64(FIRST_DAY) + choose_index(key, DAYS, "planned").astype("timedelta64[D]")
    days = np.busday_offset(days, 0, roll="forward")
    return pl.Series("date", np.where(dated, np.datetime_as_string(days), ""), dtype=pl.String)
