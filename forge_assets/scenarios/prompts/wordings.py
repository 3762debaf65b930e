"""Pick wordings column by column: one index and one look-up a row, mistyped ones among them, then their slots."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forge_assets.scenarios.facts.counter_rng import Keys, choose_index, derive
from forge_assets.scenarios.prompts.typos import VARIANTS, Slip, drop_accents, lower_case, mistype

Numbers = NDArray[np.int64]
_SLOT = re.compile(r"\{(\^?\w+)\}")
_SIXTH = 6
"""One question in so many is mistyped."""
_KINDS = (Slip.LETTER, Slip.LETTER, Slip.LOWER, Slip.ACCENTS, Slip.STOP)
_HITS = 3
"""Of the wordings of a question with wrong letters, one in so many has one."""


def sentences(texts: Sequence[str]) -> list[str]:
    """Mark slots that begin a sentence: what fills them gets a capital."""
    return [f"{{^{text[1:]}" if text.startswith("{") else text for text in texts]


def draw_slips(keys: Keys) -> Numbers:
    """Draw how each question is typed, a `Slip` a row."""
    kinds = np.array(_KINDS, dtype=np.int64)[choose_index(keys, len(_KINDS), "slip kind")]
    return np.where(choose_index(keys, _SIXTH, "slip") == 0, kinds, int(Slip.NONE))


@dataclass(frozen=True)
class Hand:
    """Who types: the rows' keys, how each is typed, and the words that a mistake must not turn into."""

    language: str
    keys: Keys
    slips: Numbers
    known: frozenset[str]

    @property
    def size(self) -> int:
        """Rows."""
        return len(self.keys)

    def pick(
        self,
        groups: Sequence[Sequence[str]],
        which: Numbers,
        *stream: object,
        values: Mapping[str, pl.Series] | None = None,
    ) -> pl.Series:
        """Pick one wording a row and fill its slots.

        Args:
            groups: alternatives by case.
            which: the case of each row; negative: none, the result is null. No row may name an empty one.
            stream: what is chosen; rows of other cases draw from the same stream.
            values: text for each slot, a row each.
        """
        at = np.flatnonzero(which >= 0)
        if not len(at):
            return pl.Series([None] * self.size, dtype=pl.String)
        texts = [text for group in groups for text in group]
        counts = np.array([len(group) for group in groups], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
        case, keys, kind = which[at], self.keys[at], self.slips[at]
        drawn = derive(keys, *stream) % counts[case].astype(np.uint64)
        hit = choose_index(keys, VARIANTS * _HITS, "hit", *stream)
        version = np.select(
            [(kind == Slip.LETTER) & (hit < VARIANTS), kind == Slip.LOWER, kind == Slip.ACCENTS],
            [1 + hit, VARIANTS + 1, VARIANTS + 2],
            default=0,
        )
        used = set(np.unique(version).tolist())
        table = [text for v in range(VARIANTS + 3) for text in (self._version(texts, v) if v in used else texts)]
        index = starts[case] + drawn.astype(np.int64) + version * len(texts)
        return scatter(self.size, [(at, _fill(table, index, values or {}, at))])

    def _version(self, texts: Sequence[str], version: int) -> list[str]:
        if version == 0:
            return list(texts)
        if version <= VARIANTS:
            return [mistype(text, version - 1, self.known) for text in texts]
        if version == VARIANTS + 1:
            return [lower_case(text).replace("{^", "{") for text in texts]
        return [drop_accents(text, self.language) for text in texts]


def _fill(table: Sequence[str], index: Numbers, values: Mapping[str, pl.Series], rows: Numbers) -> pl.Series:
    """Look wordings up and fill their slots.

    Rows whose wordings have the same slots in the same order are filled at once: literals and values by turns.

    Args:
        rows: the place in `values` of each wording looked up.
    """
    parts = [_SLOT.split(text) for text in table]
    orders = list(dict.fromkeys(tuple(part[1::2]) for part in parts))
    if orders == [()]:
        return pl.Series(list(table)).gather(index)
    by_order = np.array([orders.index(tuple(part[1::2])) for part in parts], dtype=np.int64)[index]
    filled: list[tuple[Numbers, pl.Series]] = []
    for number, order in enumerate(orders):
        at = np.flatnonzero(by_order == number)
        if len(at):
            columns = []
            for i in range(len(order) + 1):
                literals = [part[2 * i] if tuple(part[1::2]) == order else None for part in parts]
                columns.append(pl.Series(literals, dtype=pl.String).gather(index[at]))
                columns += [_value(values, order[i], rows[at])] if i < len(order) else []
            named = [column.alias(str(i)) for i, column in enumerate(columns)]
            filled.append((at, named[0] if len(named) == 1 else pl.DataFrame(named).select(pl.concat_str("*"))["0"]))
    return scatter(len(index), filled)


def _value(values: Mapping[str, pl.Series], slot: str, rows: Numbers) -> pl.Series:
    text = values[slot.removeprefix("^")].gather(rows)
    return text if not slot.startswith("^") else text.str.slice(0, 1).str.to_uppercase() + text.str.slice(1)


def scatter(size: int, parts: Sequence[tuple[Numbers, pl.Series]]) -> pl.Series:
    """Put texts of some rows back to their places; null elsewhere."""
    if len(parts) == 1 and len(parts[0][0]) == size:
        return parts[0][1]
    place = np.full(size, sum(len(at) for at, _ in parts), dtype=np.int64)
    start = 0
    for at, _ in parts:
        place[at] = np.arange(start, start + len(at))
        start += len(at)
    texts = pl.concat([*(text.alias("") for _, text in parts), pl.Series("", [None], dtype=pl.String)])
    return texts.gather(place)


def join_freely(pieces: Mapping[str, pl.Series], keys: Keys, between: pl.Series, last: pl.Series) -> pl.Series:
    """Join the pieces of each row that are not null, in an order of the row's own.

    Args:
        between: what stands in each gap, a row each.
        last: what stands in the last gap.
    """
    size = len(keys)
    names = [name for name, piece in pieces.items() if piece.null_count() < size]
    if not names:
        return pl.Series([""] * size)
    ranks = np.stack([derive(keys, "order", name) >> np.uint64(1) for name in names], axis=1)
    absent = np.stack([pieces[name].is_null().to_numpy() for name in names], axis=1)
    ranks[absent] = np.iinfo(np.uint64).max
    order = np.argsort(ranks, axis=1)
    counts = len(names) - absent.sum(axis=1)
    everything = pl.concat([pieces[name].alias("") for name in names])
    columns: list[pl.Series] = []
    for position in range(int(counts.max(initial=0))):
        piece = everything.gather(order[:, position] * size + np.arange(size)).alias(f"piece {position}")
        if position:
            gap = pl.when(pl.lit(pl.Series(counts - 1 == position))).then(pl.lit(last)).otherwise(pl.lit(between))
            columns.append(
                pl.select(pl.when(pl.lit(piece).is_not_null()).then(gap).alias(f"gap {position}")).to_series()
            )
        columns.append(piece)
    return pl.DataFrame(columns).select(pl.concat_str("*", ignore_nulls=True).alias("joined")).to_series()
