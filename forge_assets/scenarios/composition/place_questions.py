"""Compose questions about one provision: what a place says, and which place says something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl

from forge_assets.citations.rendering import render
from forge_assets.law.model import Framework, Provision
from forge_assets.scenarios.answers.composer import Answer, AnswerComposer
from forge_assets.scenarios.answers.law_text import shortened
from forge_assets.scenarios.composition.forms import form_of, with_forms
from forge_assets.scenarios.composition.judged_cells import Volume
from forge_assets.scenarios.facts.counter_rng import choose_index, keys
from forge_assets.scenarios.pack.files import Pack
from forge_assets.scenarios.pack.language import ENGLISH
from forge_assets.scenarios.prompts.tables import Prompts


def compose_place_questions(pack: Pack, answers: AnswerComposer, framework: Framework, volume: Volume) -> list[Prompts]:
    """Compose `volume.kept` questions of each kind about every provision that stands alone at its place.

    A place at which several duties stand is not asked about: no one of them is what it says.
    """
    tasks = [task.id for task in pack.tasks if task.kind != "case"]
    asked = _standing_alone(framework, answers)
    if not tasks or not asked or ENGLISH not in pack.plain:
        return []
    rows = pl.DataFrame(
        {"at": at, "task_type": task, "nth": f"{task} {nth}", "number": nth}
        for at in range(len(asked))
        for task in tasks
        for nth in range(volume.kept)
    )
    drawn = np.zeros(rows.height, dtype=np.uint64)
    counters = rows["number"].cast(pl.UInt64).to_numpy()
    names = [asked[at].id for at in rows["at"]]
    for i, (name, task) in enumerate(zip(names, rows["task_type"], strict=True)):
        drawn[i] = keys(counters[i : i + 1], "place", name, task)[0]
    rows = rows.with_columns(
        pl.Series("key", drawn),
        pl.lit(framework.jurisdiction).alias("home"),
        *(pl.lit("").alias(name) for name in ("archetype", "company", "change_type", "variant", "without")),
        pl.lit([], dtype=pl.List(pl.String)).alias("also"),
    )
    rows = with_forms(pack, rows, framework.language)
    return [Prompts(*_answered(answers, framework, rows, asked))]


def _answered(
    answers: AnswerComposer, framework: Framework, rows: pl.DataFrame, asked: Sequence[Provision]
) -> tuple[pl.DataFrame, list[Answer]]:
    made: dict[object, int] = {}
    composed: list[Answer] = []
    numbers = []
    columns = ("at", "task_type", "depth", "language", "answer_language", "choice", "date")
    for at, task, *said in rows.select(columns).iter_rows():
        form = form_of(tuple(said))
        if (at, task, form) not in made:
            made[at, task, form] = len(composed)
            composed.append(answers.about_place(task, framework, asked[at], form))
        numbers.append(made[at, task, form])
    in_english = choose_index(rows["key"].to_numpy(), 2, "place written") == 0
    written = [
        render(asked[at].cite, framework, "english" if english and language == ENGLISH else "national")
        for at, english, language in zip(rows["at"], in_english, rows["language"], strict=True)
    ]
    return rows.with_columns(
        pl.Series("answer", numbers, dtype=pl.Int64),
        pl.Series("place", written),
        pl.Series("place_quote", [shortened(" ".join(asked[at].quote.split())) for at in rows["at"]]),
        pl.Series("gist", [asked[at].summary for at in rows["at"]]),
    ).drop("at", "number"), composed


def _standing_alone(framework: Framework, answers: AnswerComposer) -> list[Provision]:
    """Provisions that are the only one at their place, and whose words cite no other."""
    counted = Counter(p.cite for p in (*framework.provisions, *framework.minor))
    return [
        p
        for p in framework.provisions
        if counted[p.cite] == 1
        and not p.only_if
        and not p.incomplete
        and answers.quotable(" ".join(p.quote.split()), render(p.cite, framework))
    ]
