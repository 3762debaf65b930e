"""Measure leakage of held-out prompts into the taught ones: copies, shared scenarios, n-grams, near-duplicates.

Prompts come from a grammar, so wording is shared on purpose; what must not be shared is the case. Every value is exact:
shingles are compared by identity, no pair is sampled or hashed away. Prompts are compared in blocks, so beside the rows
given and the words of the held-out ones memory depends on the size of a block alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

NGRAM = 13
"""Words in an n-gram: the size the authors of GPT-3 looked for (arXiv 2005.14165, appendix C)."""

SHINGLE = 3
"""Words in a shingle; a number is a word."""

THRESHOLDS: Mapping[str, float] = {"exact": 1.0, "scenario": 1.0, "ngram": 0.8, "near": 0.85}
"""The value of each measure from which a held-out prompt counts as leaked."""

BLOCK = 2048
"""Prompts of each side compared at a time: peak memory is about 0.3 GB for prompts of 100 words."""

_COLUMNS = ("sample_id", "scenario_id", "prompt")
_PAIRS = {
    "sample_id": pl.String,
    "taught_id": pl.String,
    "measure": pl.String,
    "value": pl.Float64,
    "prompt": pl.String,
    "taught_prompt": pl.String,
}
_WORD = re.compile(r"\d+(?:[.,]\d+)*|\w+")
_COMMON = 0.005
"""Share of a block's pairs from which a gram is counted by matrix product, not pair by pair; moves only the speed."""
_STRETCH = 4_000_000
"""Pairs listed at a time when counting pair by pair."""
_WIDTH = 1024
"""Grams a matrix product covers at a time."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Spread:
    """One measure over the held-out prompts, each at its worst taught prompt; values are shares from 0 to 1.

    Attributes:
        flagged: held-out prompts at or above the measure's threshold.
        p50: median.
        p95: 95th percentile, interpolated.
        maximum: the worst.
    """

    flagged: int
    p50: float
    p95: float
    maximum: float


@dataclass(frozen=True)
class Leakage:
    """What the taught prompts give away of the held-out ones.

    Attributes:
        taught: number of taught prompts.
        held_out: number of held-out prompts.
        exact: 1 where the prompts are equal after NFKC, case folding and collapsing of white space.
        scenario: 1 where the scenario is taught too, in whatever words.
        ngram: share of a held-out prompt's distinct 13-grams that stand in one taught prompt; a prompt of fewer words
            is one n-gram of its own length.
        near: Jaccard similarity of the sets of word 3-shingles.
        pairs: the worst pairs of each measure, worst first: columns sample_id (held out), taught_id, measure, value,
            prompt (held out), taught_prompt. At most one pair a held-out prompt and measure.
    """

    taught: int
    held_out: int
    exact: Spread
    scenario: Spread
    ngram: Spread
    near: Spread
    pairs: pl.DataFrame

    @property
    def clean(self) -> bool:
        """No held-out prompt reaches the threshold of any measure."""
        return not any(spread.flagged for spread in (self.exact, self.scenario, self.ngram, self.near))


@dataclass(frozen=True)
class _Side:
    """One block of prompts: `words` are all its words in order, `length` the number of words of each prompt."""

    scenarios: list[str]
    texts: list[str]
    words: list[str]
    length: Ints


def leakage(taught: pl.DataFrame, held_out: pl.DataFrame, *, worst: int = 20, block: int = BLOCK) -> Leakage:
    """Compare every held-out prompt with every taught one.

    Args:
        taught: rows of `scenarios.samples` a model learns from; sample_id, scenario_id and prompt are read.
        held_out: rows it is measured on.
        worst: pairs to list for each measure.
        block: prompts of each side held at a time; changes memory and time, never the result.

    Returns:
        The same whatever the order of the rows; among equally bad taught prompts the smallest sample_id is named.

    Raises:
        ValueError: a side has no rows, so that nothing found would read as clean; a column is missing or has a null;
            `block` is less than 1.
    """
    for side, rows in (("taught", taught), ("held_out", held_out)):
        if rows.is_empty():
            raise ValueError(f"no {side} rows: there is nothing to compare")
    learned, kept = _sorted(taught, "taught"), _sorted(held_out, "held_out")
    best = {measure: np.zeros(kept.height) for measure in THRESHOLDS}
    where = {measure: np.zeros(kept.height, dtype=np.int64) for measure in THRESHOLDS}
    for row, column, values in _compared(learned, kept, block):
        for measure, matrix in values.items():
            top = matrix.argmax(axis=0)
            value = matrix[top, np.arange(matrix.shape[1])]
            better = np.flatnonzero(value > best[measure][column : column + len(value)])
            best[measure][column + better] = value[better]
            where[measure][column + better] = row + top[better]
    spreads = {measure: _spread(values, THRESHOLDS[measure]) for measure, values in best.items()}
    pairs = [_worst(learned, kept, measure, best[measure], where[measure], worst) for measure in THRESHOLDS]
    return Leakage(taught.height, held_out.height, **spreads, pairs=pl.concat(pairs))


def clear_of(taught: pl.DataFrame, held_out: pl.DataFrame, *, block: int = BLOCK) -> pl.DataFrame:
    """Keep the taught rows that reach no threshold of `leakage` with any held-out row, in the order given.

    Draw from what this returns, and `leakage` of the draw is clean. Rows of a held-out scenario go too.

    Raises:
        ValueError: a column is missing or has a null; `block` is less than 1.
    """
    learned, kept = _sorted(taught, "taught"), _sorted(held_out, "held_out")
    leaked = np.zeros(taught.height, dtype=np.bool_)
    for row, _, values in _compared(learned, kept, block):
        for measure, matrix in values.items():
            leaked[row : row + len(matrix)] |= (matrix >= THRESHOLDS[measure]).any(axis=1)
    clear = learned.select("row").filter(pl.Series(~leaked))["row"].sort()
    return taught[clear.to_list()]


def _sorted(rows: pl.DataFrame, side: str) -> pl.DataFrame:
    """The columns compared, by sample_id, with each row's place in the frame given as `row`."""
    missing = [column for column in _COLUMNS if column not in rows.columns]
    if missing:
        raise ValueError(f"{side} has no column {missing[0]}")
    holes = [column for column in _COLUMNS if rows[column].null_count()]
    if holes:
        raise ValueError(f"{side} has a null in column {holes[0]}")
    return rows.select(_COLUMNS).with_row_index("row").sort("sample_id", "prompt", "scenario_id")


def _compared(
    taught: pl.DataFrame, held: pl.DataFrame, block: int
) -> Iterator[tuple[int, int, dict[str, Floats | Bools]]]:
    """First taught row, first held-out row, and of each measure a matrix of shape (taught rows, held-out rows)."""
    if block < 1:
        raise ValueError(f"block is {block}: at least one prompt must be compared at a time")
    kept = [(column, _side(held.slice(column, block))) for column in range(0, held.height, block)]
    for row in range(0, taught.height, block):
        learned = _side(taught.slice(row, block))
        for column, side in kept:
            yield row, column, _values(learned, side)


def _side(rows: pl.DataFrame) -> _Side:
    texts = [_normal(prompt) for prompt in rows["prompt"].to_list()]
    split: list[list[str]] = [_WORD.findall(text) for text in texts]
    length = np.array([len(words) for words in split], dtype=np.int64)
    return _Side(rows["scenario_id"].to_list(), texts, [word for words in split for word in words], length)


def _normal(prompt: str) -> str:
    """Equal for prompts that differ in case, compatibility forms and white space only."""
    folded = unicodedata.normalize("NFKC", prompt).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def _values(taught: _Side, held: _Side) -> dict[str, Floats | Bools]:
    words = _numbers([*taught.words, *held.words])
    length = np.concatenate([taught.length, held.length])
    return {
        "exact": _equal(taught.texts, held.texts),
        "scenario": _equal(taught.scenarios, held.scenarios),
        "ngram": _containment(words, length, len(taught.length)),
        "near": _jaccard(words, length, len(taught.length)),
    }


def _numbers(names: Iterable[str]) -> Ints:
    """A number from 1 for every name, the same for the same name (np.unique takes eight times as long for words)."""
    known: dict[str, int] = {}
    return np.array([known.setdefault(name, len(known) + 1) for name in names], dtype=np.int64)


def _equal(taught: list[str], held: list[str]) -> Bools:
    numbers = _numbers([*taught, *held])
    same: Bools = numbers[: len(taught), None] == numbers[None, len(taught) :]
    return same


def _containment(words: Ints, length: Ints, taught: int) -> Floats:
    """Share of each held-out prompt's distinct n-grams that stand in each taught prompt.

    Args:
        words: of the taught prompts, then of the held-out ones.
        length: words of each prompt, in the same order.
        taught: number of taught prompts.
    """
    own = np.minimum(length, NGRAM)
    values = np.zeros((taught, len(length) - taught))
    for size in np.unique(own[taught:]):
        if not size:
            continue
        prompt, gram = _grams(words, length, int(size))
        asked = (prompt < taught) | (own[prompt] == size)
        both, total = _shared(prompt[asked], gram[asked], len(length), taught)
        columns = np.flatnonzero(own[taught:] == size)
        values[:, columns] = both[:, columns] / total[taught:][columns]
    return values


def _jaccard(words: Ints, length: Ints, taught: int) -> Floats:
    """Jaccard similarity of shingle sets; a prompt shorter than a shingle is filled up with a word of number 0."""
    padded = np.maximum(length, np.where(length > 0, SHINGLE, 0))
    filled = np.zeros(int(padded.sum()), dtype=np.int64)
    start = np.cumsum(padded) - padded
    filled[np.repeat(start, length) + _within(length)] = words
    prompt, gram = _grams(filled, padded, SHINGLE)
    both, total = _shared(prompt, gram, len(length), taught)
    either = total[:taught, None] + total[None, taught:] - both
    return np.divide(both, either, out=np.zeros(both.shape), where=either > 0)


def _grams(words: Ints, length: Ints, size: int) -> tuple[Ints, Ints]:
    """Distinct pairs of prompt and gram of `size` words; grams are numbered from 0, equal ones alike.

    Numbers of `size` words come from those of half as many, and so on, so that two grams share a number only if they
    are equal.
    """
    if len(words) < size:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    numbers, have = words, 1
    while have < size:
        step = min(have, size - have)
        pairs = numbers[:-step] * (numbers.max() + 1) + numbers[step:]
        numbers, have = np.unique(pairs, return_inverse=True)[1].astype(np.int64), have + step
    inside = _within(length) + size <= np.repeat(length, length)
    at = np.flatnonzero(inside)
    prompt = np.repeat(np.arange(len(length)), length)[at]
    span = int(numbers.max()) + 1
    distinct = np.unique(prompt * span + numbers[at])
    return distinct // span, distinct % span


def _within(length: Ints) -> Ints:
    """Place of every word in its prompt."""
    return np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)


def _shared(prompt: Ints, gram: Ints, prompts: int, taught: int) -> tuple[Floats, Floats]:
    """Grams that each taught and each held-out prompt have in common, and grams of each prompt.

    A gram that many pairs share is counted for all pairs at once by a matrix product, a rare one pair by pair.

    Args:
        prompt: of distinct pairs, sorted; taught prompts come first.
        gram: of the same pairs.
        prompts: number of prompts of both sides.
        taught: number of taught prompts.

    Returns:
        Counts of shape (taught, held out) and (prompts,).
    """
    held = prompts - taught
    total = np.bincount(prompt, minlength=prompts).astype(np.float64)
    both = np.zeros((taught, held))
    if not len(gram):
        return both, total
    left, right = prompt < taught, prompt >= taught
    span = int(gram.max()) + 1
    in_taught = np.bincount(gram[left], minlength=span)
    in_held = np.bincount(gram[right], minlength=span)
    pairs = in_taught * in_held
    common = pairs > _COMMON * taught * held

    grams = np.flatnonzero(common)
    column = np.full(span, -1)
    column[grams] = np.arange(len(grams))
    for first in range(0, len(grams), _WIDTH):
        width = min(_WIDTH, len(grams) - first)
        at = column[gram] - first
        chosen = (at >= 0) & (at < width)
        has = np.zeros((prompts, width), dtype=np.float32)
        has[prompt[chosen], at[chosen]] = 1
        both += has[:taught] @ has[taught:].T

    rare = (pairs > 0) & ~common
    mine, theirs = left & rare[gram], right & rare[gram]
    order = np.argsort(gram[theirs], kind="stable")
    holders = prompt[theirs][order] - taught
    begin = np.cumsum(np.where(rare, in_held, 0)) - np.where(rare, in_held, 0)
    wanted, owner = gram[mine], prompt[mine]
    ends = np.cumsum(in_held[wanted])
    first = 0
    while first < len(wanted):
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + _STRETCH, side="right")))
        times = in_held[wanted[first:last]]
        other = holders[np.repeat(begin[wanted[first:last]], times) + _within(times)]
        cells = np.repeat(owner[first:last], times) * held + other
        both += np.bincount(cells, minlength=taught * held).reshape(taught, held)
        first = last
    return both, total


def _spread(values: Floats, threshold: float) -> Spread:
    p50, p95 = np.quantile(values, [0.5, 0.95])
    return Spread(int((values >= threshold).sum()), float(p50), float(p95), float(values.max()))


def _worst(
    taught: pl.DataFrame, held: pl.DataFrame, measure: str, value: Floats, where: Ints, count: int
) -> pl.DataFrame:
    """The `count` held-out prompts of the highest values above 0, each beside its taught prompt."""
    at = np.argsort(-value, kind="stable")[:count]
    at = at[value[at] > 0]
    here, there = held[at.tolist()], taught[where[at].tolist()]
    return pl.DataFrame(
        {
            "sample_id": here["sample_id"],
            "taught_id": there["sample_id"],
            "measure": [measure] * len(at),
            "value": value[at],
            "prompt": here["prompt"],
            "taught_prompt": there["prompt"],
        },
        schema=_PAIRS,
    )
