"""Build contrast pairs: one question twice, with one fact changed so that the answer changes (Gardner et al., 2020)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from forge_assets.law.model import Domain
from forge_assets.scenarios.answers.composer import AnswerComposer, StatedFacts
from forge_assets.scenarios.answers.judgement import Judgement
from forge_assets.scenarios.composition.judged_cells import JudgedDraws, first_of_each_outcome, judge_rows
from forge_assets.scenarios.composition.questions import compose_answers
from forge_assets.scenarios.facts.counter_rng import choose_index, derive
from forge_assets.scenarios.facts.draws import split_names, split_percentiles
from forge_assets.scenarios.facts.text_digest import SEPARATOR, text_digest
from forge_assets.scenarios.pack.files import Pack, Share
from forge_assets.scenarios.prompts.tables import Prompts

_Judged = tuple[tuple[Judgement, ...], StatedFacts]
KEPT = 16
"""Cases tried for each company and outcome."""
FACTORS = ((1, 16), (1, 8), (1, 4), (1, 2), (2, 1), (4, 1), (8, 1))
"""What a number is multiplied by in the second question."""


def build_contrast_pairs(domain: Domain, pack: Pack, answers: AnswerComposer, found: JudgedDraws) -> list[Prompts]:
    """Build contrast pairs from benchmark cases of one country; both sides have split `contrast`."""
    rows = _held_out(domain, pack, first_of_each_outcome(found, KEPT)) if found.rows.height else found.rows
    if rows.is_empty():
        return []
    edits = pl.concat(list(_edits(domain, pack, rows.drop("cell", "group"))))
    # One change is drawn for each case, whatever the law says: others that would do better must not push it out.
    drawn = choose_index(edits["key"].to_numpy(), int(edits["edit"].to_numpy().max()) + 1, "edit")
    twins = judge_rows(domain, answers, found.framework, found.change, edits.filter(pl.col("edit") == pl.Series(drawn)))
    twins = replace(twins, rows=_held_out(domain, pack, twins.rows))
    originals = {(row["archetype"], row["draw"]): row for row in rows.iter_rows(named=True)}
    pairs: dict[str, tuple[dict[str, object], dict[str, object], str]] = {}
    weighed: dict[str, list[str]] = {}
    for twin in twins.rows.iter_rows(named=True):
        original = originals[twin["archetype"], twin["draw"]]
        before, after = found.judged[original["cell"]], twins.judged[twin["cell"]]
        first, second = found.settings[original["cell"]], twins.settings[twin["cell"]]
        stated = first.facts[0].keys()
        if twin["edited"] not in stated or second.facts[0].keys() != stated:
            continue
        both = [
            task
            for task in answers.tasks(before, first)
            if task in answers.tasks(after, second) and _differ(answers, task, (before, first), (after, second))
        ]
        if both:
            task = both[int(choose_index(np.array([twin["key"]], dtype=np.uint64), len(both), "pair task")[0])]
            name = _pair_id(found, twin)
            pairs[name] = (original, twin, task)
            weighed[name] = list(dict.fromkeys(p.id for j in (*before, *after) for p in j.considered))
    return [
        *_side(domain, pack, answers, found, rows, {n: (a, task, weighed[n]) for n, (a, _, task) in pairs.items()}),
        *_side(
            domain, pack, answers, twins, twins.rows, {n: (b, task, weighed[n]) for n, (_, b, task) in pairs.items()}
        ),
    ]


def _differ(answers: AnswerComposer, task: str, before: _Judged, after: _Judged) -> bool:
    """Whether the two sides are answered differently; what a question supposes may undo the difference."""
    first, second = answers.compose(task, *before), answers.compose(task, *after)
    return first.supposed is None and first.response != second.response


def _held_out(domain: Domain, pack: Pack, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(split_names(split_percentiles(domain, rows, pack.shares)) == "benchmark")


def _edits(domain: Domain, pack: Pack, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows with one fact changed, for every fact; shares stay below their whole."""
    number = -1
    for name in domain.drawn_facts:
        if domain.facts[name].type == "boolean":
            changes = [~pl.col(name)]
        else:
            changes = [(pl.col(name) * over // under).alias(name) for over, under in FACTORS]
        for change in changes:
            number += 1
            edit = rows.with_columns(
                change, pl.lit(name).alias("edited"), pl.lit(number, dtype=pl.UInt64).alias("edit")
            )
            yield edit.filter(_possible(domain, pack, name))


def _possible(domain: Domain, pack: Pack, name: str) -> pl.Expr:
    if domain.facts[name].type == "boolean":
        return pl.lit(True)
    shares = [
        (part, c.share_of) for company in pack.companies for part, c in company.facts.items() if isinstance(c, Share)
    ]
    wholes = {whole for part, whole in shares if part == name}
    parts = {part for part, whole in shares if whole == name}
    possible = pl.col(name) >= 2
    for whole in wholes:
        possible = possible & (pl.col(name) <= pl.col(whole))
    for part in parts:
        possible = possible & (pl.col(part) <= pl.col(name))
    return possible


def _pair_id(found: JudgedDraws, twin: dict[str, object]) -> str:
    words = (found.framework.jurisdiction, found.change, twin["archetype"], twin["draw"])
    return text_digest(SEPARATOR.join(map(str, words)), 16)


def _side(
    domain: Domain,
    pack: Pack,
    answers: AnswerComposer,
    found: JudgedDraws,
    rows: pl.DataFrame,
    chosen: dict[str, tuple[dict[str, object], str, list[str]]],
) -> list[Prompts]:
    """One side of the pairs as rows to put into words; both sides have the same keys, so the same words."""
    if not chosen:
        return []
    picked = pl.DataFrame([row for row, _, _ in chosen.values()], schema=rows.schema)
    keys = derive(picked["key"].to_numpy(), "pair", found.framework.jurisdiction)
    picked = picked.with_columns(
        pl.Series("key", keys),
        pl.Series("task_type", [task for _, task, _ in chosen.values()]),
        pl.Series("also", [weighed for _, _, weighed in chosen.values()]),
        pl.Series("pair", list(chosen)),
    )
    return compose_answers(domain, pack, answers, found, picked)
