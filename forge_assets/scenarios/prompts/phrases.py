"""Put rows of facts into words: alternatives chosen by key, frames filled column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from forge_assets.law.model import Domain
from forge_assets.scenarios.facts.counter_rng import Keys, choose_index, derive, seed
from forge_assets.scenarios.pack.language import OPTIONAL, Language, YesNo, split_template

ORDERS = 8
"""Orders in which facts may be listed."""


def pick_phrase(alternatives: Sequence[str], keys: Keys, *words: object) -> pl.Series:
    """Pick one alternative a row."""
    return pl.Series("picked", list(alternatives), dtype=pl.String).gather(
        choose_index(keys, len(alternatives), *words)
    )


def phrase_fact(language: Language, style: str, name: str, values: pl.Series, keys: Keys) -> pl.Series:
    """Write a fact in words, null where it is not stated.

    Args:
        style: `listed` or `told`.
    """
    words = language.facts[name]
    if isinstance(words, YesNo):
        yes, no = (pick_phrase(getattr(side, style), keys, name) for side in (words.if_true, words.if_false))
        return pl.select(
            pl.when(pl.lit(values)).then(pl.lit(yes)).when(~pl.lit(values)).then(pl.lit(no)).alias(name)
        ).to_series()
    halves = [text.partition("{n}") for text in getattr(words, style)]
    before, after = (pick_phrase([half[i] for half in halves], keys, name) for i in (0, 2))
    number = pl.lit(values).cast(pl.String)
    return pl.select(pl.concat_str(pl.lit(before), number, pl.lit(after)).alias(name)).to_series()


def join_facts(
    domain: Domain, names: Sequence[str], phrases: Sequence[pl.Series], keys: Keys, separator: str
) -> pl.Series:
    """Join facts to one text, in an order that differs from row to row; numbers keep theirs among themselves.

    Args:
        names: all facts that could be stated: the order must not hang on which of them other rows state.
        phrases: a series for each fact that a row states, named like it.
    """
    if not phrases:
        return pl.Series("facts", [""] * len(keys))
    table = pl.DataFrame(list(phrases))
    order = choose_index(keys, ORDERS, "order")
    text = pl.lit(None, dtype=pl.String)
    for i in range(ORDERS):
        arranged = [name for name in _arranged(domain, names, i) if name in table.columns]
        text = (
            pl.when(pl.lit(pl.Series(order == i)))
            .then(pl.concat_str(arranged, separator=separator, ignore_nulls=True))
            .otherwise(text)
        )
    return table.select(text.alias("facts")).to_series()


def _arranged(domain: Domain, names: Sequence[str], number: int) -> list[str]:
    if number == 0:
        return list(names)
    ranks = {name: int(seed("order", number, name)) for name in names}
    shuffled = sorted(names, key=lambda name: ranks[name])
    numbers = iter(name for name in names if domain.facts[name].type == "integer")
    return [next(numbers) if domain.facts[name].type == "integer" else name for name in shuffled]


def fill_frames(templates: Sequence[str], slots: pl.DataFrame, keys: Keys) -> tuple[pl.Series, pl.Series]:
    """Fill one of some frames a row.

    Returns:
        The texts, and whether the frame that was used names who asks.
    """
    used = choose_index(keys, len(templates), "frame")
    text, opens = pl.lit(""), np.zeros(slots.height, dtype=np.bool_)
    for i, template in enumerate(templates):
        parts: list[pl.Expr] = []
        for literal, slot in split_template(template):
            parts.append(pl.lit(literal))
            if slot in OPTIONAL:
                spaced = pl.lit(" ") + pl.col(slot) if not literal.endswith("\n") else pl.col(slot)
                parts.append(pl.when(pl.col(slot) == "").then(pl.lit("")).otherwise(spaced))
            elif slot:
                parts.append(pl.col(slot))
        text = pl.when(pl.lit(pl.Series(used == i))).then(pl.concat_str(parts)).otherwise(text)
        opens |= (used == i) & ("{open}" in template)
    return slots.select(text.alias("prompt")).to_series(), pl.Series(opens)


def phrase_plan(language: Language, changes: pl.Series, style: str, keys: Keys) -> pl.Series:
    """Write the plan in words: one of the alternatives of the wording drawn.

    Args:
        style: `listed` or `told`.
    """
    present = set(changes.unique())
    return _by_change(
        changes,
        {
            change: [pick_phrase(getattr(words, style), keys, "plan", change) for words in kinds]
            for change, kinds in language.changes.items()
            if change in present
        },
        keys,
    )


def _by_change(changes: pl.Series, wordings: Mapping[str, Sequence[pl.Series]], keys: Keys) -> pl.Series:
    text = pl.lit("")
    for change, kinds in wordings.items():
        drawn = choose_index(keys, len(kinds), "kind")
        for i, words in enumerate(kinds):
            here = pl.lit(pl.Series((changes == change).to_numpy() & (drawn == i)))
            text = pl.when(here).then(pl.lit(words)).otherwise(text)
    return pl.select(text.alias("plan")).to_series()


def pick_asker(language: Language, facts: pl.DataFrame, keys: Keys) -> pl.Series:
    """Pick who asks: never a person whom the facts rule out.

    Args:
        facts: what is stated; null where it is not.
    """
    names = list(language.askers)
    free = [name for name in names if language.askers[name].needs is None]
    asker, fallback = pick_phrase(names, keys, "asker"), pick_phrase(free, derive(keys, "fallback"), "asker")
    possible = pl.lit(True)
    for name in names:
        need = language.askers[name].needs
        if need is not None:
            there = pl.col(need).fill_null(False) if need in facts.columns else pl.lit(False)
            possible = possible & (pl.lit(asker).ne(name) | there)
    return facts.select(pl.when(possible).then(pl.lit(asker)).otherwise(pl.lit(fallback)).alias("asker")).to_series()


def pick_opening(language: Language, askers: pl.Series, keys: Keys) -> pl.Series:
    """Pick the first sentence of the person who asks."""
    text = pl.lit("")
    for name, asker in language.askers.items():
        text = (
            pl.when(pl.lit(askers) == name).then(pl.lit(pick_phrase(asker.opens, keys, "open", name))).otherwise(text)
        )
    return pl.select(text.alias("open")).to_series()


def pick_asides(language: Language, keys: Keys, most: int) -> pl.Series:
    """Pick up to `most` sentences that are irrelevant to the answer."""
    number = choose_index(keys, most + 1, "detail")
    first = choose_index(keys, len(language.asides), "aside")
    text = pl.Series([""] * len(keys))
    for i in range(most):
        sentence = pl.Series(list(language.asides)).gather((first + i * 3) % len(language.asides))
        more = pl.select(
            pl.when(pl.lit(pl.Series(number > i)))
            .then(pl.concat_str(pl.lit(text), pl.lit(sentence), separator=" "))
            .otherwise(pl.lit(text))
        ).to_series()
        text = more
    return text.str.strip_chars()
