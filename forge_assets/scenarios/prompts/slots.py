"""Fill the slots of texts that many rows share with what differs by row: names, numbers, differences, shares, dates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import polars as pl

_SLOT = re.compile(r"\{([a-z_]+(?:@\d)?|[=%@][^{}\"]+)\}")
_TERM = re.compile(r"([+-]?)([a-z_]+(?:@\d)?|\d+)")
_MOVED = re.compile(r"@date(?:([+-]\d+)([dbwm]))?$")


def fill_slots(
    texts: Sequence[str], which: Sequence[int], rows: pl.DataFrame, patterns: Mapping[str, str]
) -> list[str]:
    """Fill each row's text.

    `{name}` is a column. `{=employees-20}` adds and subtracts columns and numbers. `{%affected/employees}` is a share
    in percent, with one decimal at most. `{@date-30d}` is the row's date moved by days, working days (`b`),
    weeks or months, as `forge_assets.law.terms.moved` does.

    Args:
        texts: the different texts.
        which: the text of each row.
        rows: columns of the slots; `date` is ISO 8601, `answer_language` says how dates are written.
        patterns: language to how it writes a date, e.g. `{d}.{m}.{y}`.

    Raises:
        polars.exceptions.ColumnNotFoundError: a slot names no column.
    """
    split = [_SLOT.split(text) for text in texts]
    wanted = dict.fromkeys(slot for parts in split for slot in parts[1::2])
    columns = {slot: _column(slot, rows, patterns).to_list() for slot in wanted}
    filled = []
    for row, text in enumerate(which):
        parts = split[text]
        if len(parts) == 1:
            filled.append(parts[0])
        else:
            parts = parts.copy()
            for at in range(1, len(parts), 2):
                parts[at] = columns[parts[at]][row] or ""
            filled.append("".join(parts))
    return filled


def _column(slot: str, rows: pl.DataFrame, patterns: Mapping[str, str]) -> pl.Series:
    if slot.startswith("="):
        return rows.select(_sum(slot[1:]).cast(pl.String).alias(slot)).to_series()
    if slot.startswith("%"):
        part, whole = slot[1:].split("/")
        tenths = (pl.col(part) * 1000 + pl.col(whole) // 2) // pl.col(whole)
        whole_text = pl.format("{}%", tenths // 10)
        exact = pl.when(tenths % 10 == 0).then(whole_text).otherwise(pl.format("{}.{}%", tenths // 10, tenths % 10))
        return rows.select(exact.alias(slot)).to_series()
    if slot.startswith("@"):
        return _date(slot, rows, patterns)
    return rows[slot].cast(pl.String)


def _sum(terms: str) -> pl.Expr:
    total = pl.lit(0, dtype=pl.Int64)
    for sign, term in _TERM.findall(terms):
        value = pl.lit(int(term), dtype=pl.Int64) if term.isdigit() else pl.col(term).cast(pl.Int64)
        total = total - value if sign == "-" else total + value
    return total


def _date(slot: str, rows: pl.DataFrame, patterns: Mapping[str, str]) -> pl.Series:
    moved = _MOVED.match(slot)
    if moved is None:
        raise KeyError(slot)
    day = pl.col("date").str.to_date("%Y-%m-%d", strict=False)
    if moved[2] == "b":
        day = day.dt.add_business_days(int(moved[1]), roll="forward" if moved[1].startswith("-") else "backward")
    elif moved[1]:
        day = day.dt.offset_by(f"{moved[1]}{moved[2].replace('m', 'mo')}")
    numbers = {"d": day.dt.day(), "m": day.dt.month(), "y": day.dt.year()}
    text = pl.lit("")
    for language, pattern in patterns.items():
        parts = re.split(r"\{(\w)\}", pattern)
        said = [numbers[part].cast(pl.String) if i % 2 else pl.lit(part) for i, part in enumerate(parts)]
        text = pl.when(pl.col("answer_language") == language).then(pl.concat_str(said)).otherwise(text)
    return rows.select(text.alias(slot)).to_series()
