"""Say in words what a plain question has to say: the change, where, and the facts, several of them in one wording here
and there, in an order of the row's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forge_assets.law.model import Domain
from forge_assets.scenarios.facts.counter_rng import choose_index, derive
from forge_assets.scenarios.pack.language import Language
from forge_assets.scenarios.pack.numerals import in_words
from forge_assets.scenarios.pack.plain import VOICES, Plain, Saying, Together, YesNoSaying
from forge_assets.scenarios.prompts.wordings import Hand, Numbers, join_freely, scatter, sentences

SPOKEN, FIRM = 8, 8
"""One prompt in so many has its numbers in words, names the company."""
NAMED = "cba_summary"
"""The task whose answer names the company always."""
STYLES = ("said", "brief")
ROUNDS = (3, 2)
"""Per round: all but one question in so many say several things in one wording, where there is one."""
_CHANGE, _WHERE, _FACT = 0, 1, 2
"""Bits of what a question has to say: the change, the place, then one a fact."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """What the builder knows of the rows: facts by bit, and how each row is told."""

    rows: pl.DataFrame
    plain: Plain
    language: Language
    hand: Hand
    names: Sequence[str]
    """Facts that rows state; the nth has bit `_FACT` + n."""
    frame: Numbers
    voice: Numbers
    asked_by: Numbers
    """Index into `plain.people` of who asks, whether the prompt says so or not."""

    def frames_with(self, *parts: str) -> Flags:
        """Rows whose frame has one of the parts."""
        has = [any(f"{{{p}}}" in f or f"{{{p.capitalize()}}}" in f for p in parts) for f in self.plain.frames]
        return np.array(has)[self.frame]

    def value(self, name: str) -> pl.Series:
        """A fact's values."""
        return self.rows[name]


def tell_case(case: Case, says_who: Flags, values: dict[str, pl.Series]) -> tuple[pl.Series, pl.Series]:
    """Write the change, and all else in free order, with the change among it where the frame wants the whole story.

    Args:
        says_who: rows that say who asks, which states the fact that makes such a person possible.
        values: as of `slot_values`.
    """
    plan_style = case.frames_with("plan_brief", "story_brief").astype(np.int64)
    fact_style = case.frames_with("facts_brief", "story_brief").astype(np.int64)
    together, left = _together(case, _to_say(case, says_who), plan_style, fact_style, values)
    plan = _first([texts for texts, tells in together if tells] + [_plan(case, left, plan_style)])
    pieces = {f"together {i}": texts for i, (texts, tells) in enumerate(together) if not tells}
    pieces |= {"where": _where(case, left, fact_style, values), "firm": _firm(case, fact_style, values)}
    for i, name in enumerate(case.names):
        pieces[name] = _fact(case, name, _has(left, _FACT + i), fact_style, values)
    pieces["plan"] = _kept(plan, case.frames_with("story", "story_brief"))
    between, last = _gaps(case, fact_style)
    return plan, join_freely(pieces, case.hand.keys, between, last)


def draw_people(rows: pl.DataFrame, plain: Plain, hand: Hand) -> Numbers:
    """Draw who asks. Whom facts rule out, or would on one side of a pair, gives way to one of the same voice."""
    people = list(plain.people.values())
    drawn = choose_index(hand.keys, len(people), "person")
    alone = (rows["pair"] == "").to_numpy()
    for i, person in enumerate(people):
        if person.needs is not None:
            there = rows[person.needs].fill_null(False).to_numpy() if person.needs in rows.columns else False
            free = [j for j, p in enumerate(people) if p.needs is None and p.voice == person.voice]
            others = np.array(free, dtype=np.int64)[choose_index(hand.keys, len(free), "another person")]
            drawn = np.where((drawn == i) & ~(alone & there), others, drawn)
    return drawn


def slot_values(domain: Domain, case: Case) -> dict[str, pl.Series]:
    """Write the texts of the slots: numbers, in words here and there, the place, the company."""
    hand, plain, rows = case.hand, case.plain, case.rows
    spoken = choose_index(hand.keys, SPOKEN, "spoken") == 0
    values = {}
    for name in [name for name in case.names if domain.facts[name].type == "integer"]:
        values[name] = _number(rows[name], plain, spoken)
    if "supposed_value" in rows.columns:
        values["supposed n"] = _number(rows["supposed_value"], plain, spoken)
    homes = list(plain.places)
    home = rows["home"].replace_strict({code: i for i, code in enumerate(homes)}, return_dtype=pl.Int64).to_numpy()
    # A place is a name, spelt as it is however the rest is typed.
    careful = Hand(hand.language, hand.keys, np.zeros(hand.size, dtype=np.int64), hand.known)
    values["where"] = careful.pick([plain.places[code] for code in homes], home, "place")
    values["company"] = rows["company"]
    values["sector"] = rows["archetype"].replace_strict(dict(case.language.sectors), return_dtype=pl.String)
    return values


def _number(numbers: pl.Series, plain: Plain, spoken: Flags) -> pl.Series:
    words = in_words(numbers.filter(pl.Series(spoken)), plain.language, plain.spoken)
    there = scatter(len(numbers), [(np.flatnonzero(spoken), words)])
    return pl.select(pl.coalesce(pl.lit(there), pl.lit(numbers.cast(pl.String)))).to_series()


def _to_say(case: Case, says_who: Flags) -> Numbers:
    """Bits of what each row has to say; who asks says what makes such a person possible."""
    left = np.full(case.hand.size, 1 << _CHANGE | 1 << _WHERE, dtype=np.int64)
    needs = np.array([_bit(case, p.needs or "") for p in case.plain.people.values()])
    for i, name in enumerate(case.names):
        left |= case.value(name).is_not_null().to_numpy().astype(np.int64) << (_FACT + i)
    said: Numbers = np.where(says_who, needs[case.asked_by], 0)
    return left & ~said


def _bit(case: Case, name: str) -> int:
    return 1 << (_FACT + case.names.index(name)) if name in case.names else 0


def _has(left: Numbers, bit: int) -> Flags:
    return (left >> bit & 1).astype(np.bool_)


def _together(
    case: Case, left: Numbers, plan_style: Numbers, fact_style: Numbers, values: dict[str, pl.Series]
) -> tuple[list[tuple[pl.Series, bool]], Numbers]:
    """Wordings that say several things, at most one a round; never so many that no fact is left to say.

    Returns:
        Texts, null where there is none, and whether they tell the change; then what is left to say.
    """
    entries = [(i, entry) for i, entry in enumerate(case.plain.together) if _sayable(case, entry)]
    groups = [texts for entry in case.plain.together for texts in (sentences(entry.said), entry.brief)]
    found: list[tuple[pl.Series, bool]] = []
    for number, odds in enumerate(ROUNDS):
        chosen = np.full(case.hand.size, -1, dtype=np.int64)
        best = np.zeros(case.hand.size, dtype=np.uint64)
        wanted = choose_index(case.hand.keys, odds, "together", number) > 0
        for i, entry in entries:
            style = fact_style if entry.change is None else plan_style
            at = np.flatnonzero(wanted & _fits(case, entry, left, style))
            score = derive(case.hand.keys[at], "together", number, i) >> np.uint64(1 if entry.change is None else 0)
            better = score > best[at]
            chosen[at[better]], best[at[better]] = i, score[better]
        tells = np.array([entry.change is not None for entry in case.plain.together] + [False])[chosen]
        style = np.where(tells, plan_style, fact_style)
        texts = case.hand.pick(groups, np.where(chosen < 0, -1, 2 * chosen + style), "together", number, values=values)
        found += [(_kept(texts, tells), True), (_kept(texts, ~tells), False)]
        covers = np.array([_covers(case, entry) for entry in case.plain.together] + [0], dtype=np.int64)
        left = left & ~covers[chosen]
    return found, left


def _sayable(case: Case, entry: Together) -> bool:
    return {*entry.facts, *entry.slots} <= {*case.names, "where"}


def _covers(case: Case, entry: Together) -> int:
    bits = sum(_bit(case, name) for name in {*entry.facts, *entry.slots})
    return bits | (entry.change is not None) << _CHANGE | ("where" in entry.slots) << _WHERE


def _fits(case: Case, entry: Together, left: Numbers, style: Numbers) -> Flags:
    covers = _covers(case, entry)
    fits: Flags = (left & covers == covers) & (left & ~covers & ~(1 << _CHANGE) != 0)
    if entry.change is not None:
        fits &= (case.rows["change_type"] == entry.change).to_numpy()
    if entry.voice is not None:
        fits &= case.voice == VOICES.index(entry.voice)
    if not (entry.said and entry.brief):
        fits &= style == (1 if entry.brief else 0)
    if entry.facts:  # the two sides of a pair differ in one of them, and must not in words
        fits &= (case.rows["pair"] == "").to_numpy()
    for name, holds in entry.facts.items():
        fits &= (case.value(name) == holds).fill_null(False).to_numpy()
    return fits


def _plan(case: Case, left: Numbers, style: Numbers) -> pl.Series:
    changes = list(case.plain.changes)
    groups = [
        getattr(case.plain.changes[change], way).of(voice) for change in changes for way in STYLES for voice in VOICES
    ]
    change = case.rows["change_type"].replace_strict({c: i for i, c in enumerate(changes)}, return_dtype=pl.Int64)
    which = (change.to_numpy() * len(STYLES) + style) * len(VOICES) + case.voice
    return case.hand.pick(groups, np.where(_has(left, _CHANGE), which, -1), "plain plan")


def _where(case: Case, left: Numbers, style: Numbers, values: dict[str, pl.Series]) -> pl.Series:
    which = np.where(_has(left, _WHERE), style, -1)
    return case.hand.pick([sentences(case.plain.where.said), ("{where}",)], which, "where", values=values)


def _firm(case: Case, style: Numbers, values: dict[str, pl.Series]) -> pl.Series:
    named = (case.rows["task_type"] == NAMED).to_numpy() | (choose_index(case.hand.keys, FIRM, "names firm") == 0)
    firm = case.plain.firm
    return case.hand.pick([firm.said, firm.brief], np.where(named, style, -1), "firm", values=values)


def _fact(case: Case, name: str, stated: Flags, style: Numbers, values: dict[str, pl.Series]) -> pl.Series:
    words = case.plain.facts[name]
    groups = [texts for side in _sides(words) for texts in (sentences(side.said), side.brief)]
    side = _side(words, case.value(name))
    number = {"n": values[name]} if name in values else {}
    return case.hand.pick(groups, np.where(stated, 2 * side + style, -1), "plain", name, values=number)


def _sides(words: YesNoSaying | Saying) -> list[Saying]:
    return [words.if_false, words.if_true] if isinstance(words, YesNoSaying) else [words]


def _side(words: YesNoSaying | Saying, values: pl.Series) -> Numbers:
    """Which side of a fact each row states."""
    if isinstance(words, Saying):
        return np.zeros(len(values), dtype=np.int64)
    return values.cast(pl.Int64).fill_null(0).to_numpy()


def _gaps(case: Case, style: Numbers) -> tuple[pl.Series, pl.Series]:
    """What stands between sentences, or between the fragments of a list; lists joined in the first way may end in a
    way of their own."""
    joiners = case.plain.joiners
    gaps = [" ", *joiners.between]
    between = np.where(style == 1, 1 + choose_index(case.hand.keys, len(joiners.between), "between"), 0)
    last = len(gaps) + choose_index(case.hand.keys, len(joiners.last), "last")
    table = pl.Series([*gaps, *joiners.last])
    return table.gather(between), table.gather(np.where(between == 1, last, between))


def say_supposed(case: Case, values: dict[str, pl.Series]) -> pl.Series:
    """Write the fact of a what-if question as a clause."""
    rows, names = case.rows, list(case.plain.facts)
    groups: list[Sequence[str]] = []
    first: list[int] = []
    for name in names:
        first.append(len(groups))
        groups += [side.supposed for side in _sides(case.plain.facts[name])]
    # Numbers have one side only.
    two = np.array([isinstance(case.plain.facts[name], YesNoSaying) for name in names])
    fact = rows["supposed"].replace_strict({n: i for i, n in enumerate(names)}, default=-1, return_dtype=pl.Int64)
    at = fact.to_numpy()
    holds = np.where(two[at], rows["supposed_value"].fill_null(0).to_numpy(), 0)
    which = np.where(at < 0, -1, np.array(first, dtype=np.int64)[at] + holds)
    return case.hand.pick(groups, which, "supposed", values={"n": values["supposed n"]})


def _kept(texts: pl.Series, where: Flags) -> pl.Series:
    return pl.select(pl.when(pl.lit(pl.Series(where))).then(pl.lit(texts))).to_series()


def _first(texts: Sequence[pl.Series]) -> pl.Series:
    return pl.select(pl.coalesce(pl.lit(text) for text in texts)).to_series()
