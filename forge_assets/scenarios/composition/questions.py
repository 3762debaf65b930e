"""Choose the tasks asked about each row of judged facts, and compose their answers."""

from __future__ import annotations

import numpy as np
import polars as pl

from forge_assets.law.model import Domain
from forge_assets.scenarios.answers.case import Form
from forge_assets.scenarios.answers.composer import Answer, AnswerComposer, without_fact
from forge_assets.scenarios.composition.forms import form_of, with_forms
from forge_assets.scenarios.composition.judged_cells import JudgedDraws
from forge_assets.scenarios.facts.counter_rng import choose_index, derive
from forge_assets.scenarios.pack.files import Pack
from forge_assets.scenarios.prompts.tables import Prompts


def choose_tasks(rows: pl.DataFrame, found: JudgedDraws, answers: AnswerComposer, *stream: str) -> pl.DataFrame:
    """Choose among the tasks that each row's cell can be asked with, one in so many as each task says.

    `key` becomes the question's own.
    """
    if rows.is_empty():
        return rows
    fitting = [
        (cell, task)
        for cell in rows["cell"].unique().sort()
        for task in answers.tasks(found.judged[cell], found.settings[cell])
    ]
    tasks = pl.DataFrame(fitting, schema={"cell": pl.Int64, "task_type": pl.String}, orient="row")
    questions = rows.join(tasks, on="cell", how="inner", maintain_order="left_right")
    key = questions["key"].to_numpy()
    own, asked = np.zeros(questions.height, dtype=np.uint64), np.zeros(questions.height, dtype=np.bool_)
    for task in tasks["task_type"].unique():
        where = (questions["task_type"] == task).to_numpy()
        own[where] = derive(key[where], *stream, task)
        asked[where] = choose_index(own[where], answers.one_in(task), "asked") == 0
    return questions.with_columns(pl.Series("key", own)).filter(pl.Series(asked))


def compose_answers(
    domain: Domain, pack: Pack, answers: AnswerComposer, found: JudgedDraws, rows: pl.DataFrame
) -> list[Prompts]:
    """Compose the answers that the rows need, once each, and take out the facts that questions leave unsaid."""
    if rows.is_empty():
        return []
    if "variant" not in rows.columns:
        rows = rows.with_columns(pl.lit("").alias("variant"))
    rows = with_forms(pack, rows, found.framework.language)
    picks = choose_index(rows["key"].to_numpy(), 2**31, "missing")
    cells, tasks, variants = rows["cell"].to_list(), rows["task_type"].to_list(), rows["variant"].to_list()
    forms = rows.select("depth", "language", "answer_language", "choice", "date", "exhibit").rows()
    shown = {task.id for task in pack.tasks if task.exhibit}
    made: dict[tuple[int, str, str, Form], int] = {}
    composed: list[Answer] = []
    missing: list[str] = []
    numbers: list[int] = []
    for cell, task, variant, pick, (*said, exhibit) in zip(cells, tasks, variants, picks.tolist(), forms, strict=True):
        form = form_of(tuple(said), exhibit if task in shown else None)
        stated = list(found.settings[cell].facts[0])
        name = stated[pick % len(stated)] if variant == "missing_fact" else ""
        for fact in dict.fromkeys((name, "")):
            key = (cell, task, fact, form)
            if key not in made:
                answer = _answer(answers, found, cell, task, fact, form)
                made[key] = len(composed) if answer else -1
                composed += [answer] if answer else []
            if made[key] >= 0:
                missing.append(fact)
                numbers.append(made[key])
                break
    framework = found.framework
    stated_by_cell = [set(setting.facts[0]) for setting in found.settings]
    facts: list[pl.Expr] = []
    gone = pl.Series(missing)
    for name in domain.drawn_facts:
        known = pl.Series([name in stated for stated in stated_by_cell], dtype=pl.Boolean).gather(cells)
        facts.append(pl.when(pl.lit(known & (gone != name))).then(pl.col(name)).alias(name))
    unheard = (pl.col("variant") == "missing_fact") & pl.lit(gone == "")  # nothing depends on the fact drawn
    rows = rows.with_columns(
        *facts,
        pl.Series("answer", numbers, dtype=pl.Int64),
        gone.alias("without"),
        pl.when(unheard).then(pl.lit("")).otherwise(pl.col("variant")).alias("variant"),
    )
    rows = rows.with_columns(pl.lit(framework.jurisdiction).alias("home"))
    return [Prompts(rows, composed)]


def _answer(answers: AnswerComposer, found: JudgedDraws, cell: int, task: str, fact: str, form: Form) -> Answer | None:
    """The answer in a cell; with a fact left unsaid, None where nothing depends on it."""
    setting, judged = found.settings[cell], found.judged[cell]
    if fact:
        setting = without_fact(setting, fact)
        judged = answers.judged((judged[0].framework,), setting)
        if judged[0].asks != (fact,) or task not in answers.tasks(judged, setting):
            return None
    return answers.compose(task, judged, setting, form)
