"""Every table the project writes: its columns, their types and what they mean. The contract between rooms.

`Store.write` refuses rows that differ from it; `Store.publish` takes types and comments from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl


class SchemaError(ValueError):
    """Rows or files that are not what the registry declares."""


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        comment: one sentence.
    """

    type: pl.DataType
    comment: str


@dataclass(frozen=True)
class Table:
    """One table.

    Args:
        name: `schema.table`.
        grain: what one row is.
        columns: in the order in which they are written.
        partitioned_by: what names a partition's file; None: the table is one file.
    """

    name: str
    grain: str
    comment: str
    columns: Mapping[str, Column]
    partitioned_by: str | None = None

    @property
    def schema(self) -> pl.Schema:
        """Column names and types, in order."""
        return pl.Schema({name: column.type for name, column in self.columns.items()})

    def faults(self, came: Mapping[str, pl.DataType]) -> str:
        """Where columns that came differ from those declared, whatever their order; empty where they do not."""
        declared = self.schema
        wrong = [
            f"column {name} is declared {kind} and came as {came.get(name, 'nothing')}"
            for name, kind in declared.items()
            if came.get(name) != kind
        ]
        extra = [f"column {name} is not declared and came as {came[name]}" for name in came if name not in declared]
        return "; ".join(wrong + extra)

    def empty(self) -> pl.DataFrame:
        """No rows, with every column."""
        return pl.DataFrame(schema=self.schema)


_TEXT, _TEXTS = pl.String(), pl.List(pl.String())
_INT, _REAL, _BOOL, _DATE = pl.Int64(), pl.Float64(), pl.Boolean(), pl.Date()

_FRAMEWORK_VERSION = Column(_TEXT, "Version of the framework that the row was read from, as in catalog.frameworks.")
_PROBLEMS = Column(_TEXTS, "What speaks against it, a sentence each; empty where it is verified.")
_STATUS = "verified, text_outdated (the text held is not the current one) or unverified."

_CATALOG = (
    Table(
        "catalog.frameworks",
        "a jurisdiction, a country or a union",
        "What is held of its law and how much of that the statute text bears out.",
        {
            "jurisdiction": Column(_TEXT, "Code of the country or union, as in AT or EU."),
            "name": Column(_TEXT, "Its English name."),
            "language": Column(_TEXT, "Code of the language its law is quoted in."),
            "version": Column(_TEXT, "Digest of the validated models and of the statute text they cite."),
            "bodies": Column(_TEXTS, "Names of its representation bodies and authorities."),
            "legislation": Column(_TEXTS, "Titles of its laws."),
            "status": Column(_TEXT, f"That of its worst provision: {_STATUS}"),
            "provisions": Column(_INT, "How many provisions it has."),
            "verified": Column(_INT, "How many of these are verified."),
            "text_as_of": Column(_DATE, "Date of the oldest text that a provision rests on."),
        },
        "jurisdiction",
    ),
    Table(
        "catalog.provisions",
        "a provision",
        "What the law asks for, with its verbatim quote and whether statute text bears it out.",
        {
            "provision_id": Column(_TEXT, "Its id, unique across jurisdictions."),
            "jurisdiction": Column(_TEXT, "Code of the country or union whose law it is."),
            "citation_key": Column(_TEXT, "The place as a key: jurisdiction, law and number, joined by colons."),
            "citation": Column(_TEXT, "The place in the form that lawyers of the country write."),
            "law_id": Column(_TEXT, "Id of its law, unique in the jurisdiction."),
            "unit": Column(_TEXT, "The article or section as printed."),
            "quote": Column(_TEXT, "Its words, verbatim, in the language of the law."),
            "summary": Column(_TEXT, "What it asks for, in an English sentence."),
            "level": Column(_TEXT, "Level of the duty, as in information or co_determination."),
            "body": Column(_TEXT, "Id of the body the duty is owed to, as in catalog.bodies."),
            "triggers": Column(_TEXTS, "Change types that it applies to."),
            "threshold": Column(_TEXT, "The facts it needs, in words; empty: it always applies."),
            "only_if": Column(_TEXT, "A condition that a person must judge; null: none. Such a one is never pulled."),
            "reviewed_on": Column(_DATE, "Day on which somebody else read it against the text; null: not yet."),
            "reviewed_by": Column(_TEXT, "How: second_reading or native_lawyer; null: not yet."),
            "deadline": Column(_TEXT, "When the duty is due; null: none is stated."),
            "term": Column(_TEXT, "The deadline as a length of time before or after an event; null: it is none."),
            "consequence": Column(_TEXT, "What follows from a breach; null: none is stated."),
            "valid_from": Column(_DATE, "First day it is in force; null: none is stated."),
            "valid_to": Column(_DATE, "Last day it is in force; null: none is stated."),
            "core": Column(_BOOL, "Whether it is a principal duty, which profiles with `provisions: core` teach."),
            "implements": Column(_TEXTS, "Citation keys of union law that it transposes."),
            "text_as_of": Column(_DATE, "Date of the statute text it was checked against."),
            "status": Column(_TEXT, _STATUS),
            "verified": Column(_BOOL, "Whether its status is verified: only then is it taught."),
            "problems": _PROBLEMS,
            "framework_version": _FRAMEWORK_VERSION,
            "version": Column(_TEXT, "Digest of the provision, the law it stands in, the body and its status."),
        },
        "jurisdiction",
    ),
    Table(
        "catalog.rules",
        "a rule that no change triggers",
        "Rules on employees' data and on collective agreements, each with its verbatim quote.",
        {
            "rule_id": Column(_TEXT, "Its id, unique across jurisdictions."),
            "jurisdiction": Column(_TEXT, "Code of the country or union whose law it is."),
            "topic": Column(_TEXT, "data_protection or collective_agreements."),
            "rule": Column(_TEXT, "What it says, in an English sentence."),
            "citation_key": Column(_TEXT, "The place as a key: jurisdiction, law and number, joined by colons."),
            "citation": Column(_TEXT, "The place in the form that lawyers of the country write."),
            "quote": Column(_TEXT, "Its words, verbatim, in the language of the law."),
            "status": Column(_TEXT, _STATUS),
            "problems": _PROBLEMS,
            "framework_version": _FRAMEWORK_VERSION,
        },
        "jurisdiction",
    ),
    Table(
        "catalog.bodies",
        "a representation body or an authority",
        "Whom duties are owed to, with the headcount from which a body exists.",
        {
            "jurisdiction": Column(_TEXT, "Code of its country or union."),
            "body": Column(_TEXT, "Its id, unique in the jurisdiction."),
            "name": Column(_TEXT, "Its name in the language of the law."),
            "english": Column(_TEXT, "Its name in English."),
            "kind": Column(_TEXT, "What it is: a kind of body of domain.yaml; null: not said."),
            "exists_when": Column(_TEXT, "The facts under which it exists, in words; empty: always."),
            "min_employees": Column(_INT, "Headcount from which it exists; null: size does not matter."),
            "basis": Column(_TEXT, "Citation key of the place that sets it up."),
            "quote": Column(_TEXT, "The words of that place, verbatim; null: not given."),
            "framework_version": _FRAMEWORK_VERSION,
        },
        "jurisdiction",
    ),
    Table(
        "catalog.escalation",
        "a step of a dispute",
        "The path that a dispute takes in a jurisdiction, step by step.",
        {
            "jurisdiction": Column(_TEXT, "Code of the country or union."),
            "position": Column(_INT, "Place in the path, 1 and up."),
            "step": Column(_TEXT, "What happens, in words."),
            "stage": Column(_TEXT, "Kind of step, by which countries are compared."),
            "core": Column(_BOOL, "Whether profiles with `provisions: core` keep the step."),
            "changes": Column(_TEXTS, "Kinds of change on which the step exists; empty: all."),
            "threshold": Column(_TEXT, "The facts it needs, in words; empty: it always exists."),
            "basis": Column(_TEXT, "Citation key of the place it rests on."),
            "quote": Column(_TEXT, "The words of that place, verbatim; null: not given."),
            "framework_version": _FRAMEWORK_VERSION,
            "step_id": Column(_TEXT, "Its id in the provenance of samples."),
            "version": Column(_TEXT, "Digest of the step and of the law it stands in."),
        },
        "jurisdiction",
    ),
    Table(
        "catalog.statute_units",
        "an article or a section of a statute",
        "The statute text that quotes and citations are checked against.",
        {
            "jurisdiction": Column(_TEXT, "Code of the country or union."),
            "law_id": Column(_TEXT, "Id of its law, unique in the jurisdiction."),
            "law_short": Column(_TEXT, "The law's usual abbreviation."),
            "unit": Column(_TEXT, "The article or section as printed."),
            "number": Column(_TEXT, "Its number as in citation keys."),
            "heading": Column(_TEXT, "Its heading; empty: it has none."),
            "text": Column(_TEXT, "Its text."),
            "text_as_of": Column(_DATE, "Date of the text."),
            "text_status": Column(_TEXT, "outdated where its law, or the unit by name, is held so; else current."),
            "cited": Column(_BOOL, "Whether a provision, a rule, a body or an escalation step cites it."),
        },
        "jurisdiction",
    ),
)

_SAMPLE = {
    "sample_id": Column(_TEXT, "Digest of its content: equal inputs give equal ids on any machine."),
    "question_id": Column(_TEXT, "Digest of countries, task, system and prompt: what is asked, whatever the answer."),
    "scenario_id": Column(_TEXT, "Scenario it was composed from."),
    "jurisdictions": Column(_TEXTS, "Codes of the countries asked about: one, or several to compare, home first."),
    "task_type": Column(_TEXT, "Id of the task asked."),
    "variant": Column(
        _TEXT,
        "What makes it hard: plain, nothing_applies, below_threshold, not_settled, false_premise, "
        "confusable_neighbour, missing_fact, not_in_force, same_level or different_levels.",
    ),
    "split": Column(
        _TEXT, "train, validation, benchmark, contrast, or withheld: it rests on law that is not verified."
    ),
    "pair": Column(_TEXT, "Id of the contrast pair; empty: it is in none."),
    "language": Column(_TEXT, "Code of the language of the prompt, as in en or de."),
    "answer_language": Column(_TEXT, "Code of the language of the reference."),
    "register": Column(_TEXT, "Form of the prompt: plain, note, email, chat, form or memo."),
    "depth": Column(_TEXT, "Length of the answer: note, advice or memo; note where a task has one length only."),
    "asker": Column(_TEXT, "Who asks."),
    "system": Column(_TEXT, "System message."),
    "prompt": Column(_TEXT, "User message."),
    "response": Column(_TEXT, "Reference answer, composed from the law engine's findings alone."),
    "output_schema": Column(_TEXT, "JSON Schema that the answer must follow; empty: it is prose."),
    "sections": Column(_TEXTS, "Headings that an answer must have, in order; none: it must have none."),
    "expected_citations": Column(_TEXTS, "Citation keys that a faultless answer names, and no others."),
    "expected_level": Column(
        _TEXT,
        "Level that an answer must name first; none: nothing applies; unsettled: no text says; empty: it need not name "
        "one.",
    ),
    "expected_body": Column(_TEXT, "Body that the duty is owed to; empty: none."),
    "expected_fields": Column(
        pl.List(pl.Struct({"field": pl.String, "said": pl.List(pl.String)})),
        "What an answer must say exactly: kind of field (body, deadline, threshold, date, ...) and the accepted ways "
        "of writing it.",
    ),
    "level_words": Column(
        pl.List(pl.Struct({"level": pl.String, "said": pl.List(pl.String)})),
        "Levels that are looked for in an answer, none and unsettled, with the words that name each in its language.",
    ),
    "change_type": Column(_TEXT, "What the company plans, by id; empty: the question is about one provision."),
    "provenance": Column(
        _TEXTS, "Ids of the provisions weighed, whether they apply or not, and of the escalation steps named."
    ),
    "provenance_versions": Column(_TEXTS, "Versions of these when it was composed, in the same order."),
}

_SCENARIOS = (
    Table(
        "scenarios.scenarios",
        "a company, a change and its facts in one country, or in two to four that are compared",
        "Made-up cases that samples are composed from.",
        {
            "scenario_id": Column(_TEXT, "Digest of its content: equal inputs give equal ids on any machine."),
            "jurisdictions": Column(_TEXTS, "Codes of its countries, one, or several that are compared, home first."),
            "archetype": Column(_TEXT, "Kind of company, by id."),
            "company": Column(_TEXT, "Made-up name of the company."),
            "change_type": Column(_TEXT, "What the company plans, by id."),
            "facts": Column(_TEXT, "JSON: country code to the facts there."),
            "date": Column(_TEXT, "Day of the change, ISO 8601; empty: none is given."),
            "applies": Column(_TEXTS, "Ids of the provisions that apply; null: it is only read, never judged."),
            "split": Column(_TEXT, "train, validation or benchmark, by its content: a case is in one split only."),
        },
        "jurisdiction, cross_border for comparisons",
    ),
    Table(
        "scenarios.samples",
        "a prompt with its reference answer",
        "Everything that could be taught or asked.",
        _SAMPLE,
        "jurisdiction, cross_border for comparisons",
    ),
    Table(
        "scenarios.sets",
        "a role and a sample that has it",
        "What each stage of the last chain saw; a sample can have several roles, so filter by role before a join.",
        {
            "position": Column(pl.UInt32(), "Place in the order of reading, 0 and up over all roles."),
            "role": Column(_TEXT, "train, validation, race, confirm, choice, benchmark, core, extended or contrast."),
            **_SAMPLE,
        },
    ),
)

_MODEL = Column(_TEXT, "student_untuned, teacher_untuned, teacher_tuned, student_tuned or student_guarded.")

_RUNS = (
    Table(
        "search.trials",
        "a trial of the last search",
        "Short real trainings of the teacher; the file is written anew after every trial.",
        {
            "trial": Column(_INT, "Its place in the search, 0 and up."),
            "study": Column(_TEXT, "The study it belongs to, as named in its Optuna storage."),
            "phase": Column(_TEXT, "explore, exploit or refine; empty for samplers without phases."),
            "status": Column(_TEXT, "running, finished, pruned, diverged or failed."),
            "why": Column(_TEXT, "What it died of or why it was ended early; empty: neither."),
            "score": Column(_REAL, "Mean composite on the validation set; null: it has none."),
            "standard_error": Column(_REAL, "Of the score, over samples; null: it has none."),
            "asked": Column(_TEXT, "JSON: the configuration proposed."),
            "ran": Column(_TEXT, "JSON: the configuration that ran, after the guard."),
            "guard": Column(_TEXT, "JSON list: rule, parameter, before, after, reason of each change by the guard."),
            "scores": Column(
                pl.List(pl.Struct({"metric": pl.String, "mean": pl.Float64})),
                "Mean of each metric of docs/benchmark.md on the validation set; empty: no score.",
            ),
            "loss": Column(_REAL, "Training loss, mean of the last five steps; null: it trained no step."),
            "losses": Column(pl.List(pl.Float64), "Training loss of each step that it did."),
            "predicted_bytes": Column(_INT, "Memory that the guard expected, its margin included."),
            "measured_bytes": Column(_INT, "Peak resident memory; null: it did not end by itself."),
            "started_at": Column(_REAL, "Unix time."),
            "seconds": Column(_REAL, "Seconds from its proposal to its score, waiting for its turn included."),
            "job": Column(_TEXT, "Identity of its job, as in ops.jobs."),
        },
    ),
    Table(
        "search.answers",
        "a trial, a stage and a sample",
        "How the trials of the last search answered: what they were compared on, and on which samples.",
        {
            "trial": Column(_INT, "Trial, as in search.trials."),
            "stage": Column(_TEXT, "trial: the set of every trial; race: further samples; confirm: the winner alone."),
            "sample_id": Column(_TEXT, "Sample answered."),
            "composite": Column(_REAL, "The weighted sum that ranks the models."),
        },
    ),
    Table(
        "distillation.teacher_responses",
        "a sampled answer of the tuned teacher",
        "The teacher's answers to training prompts, and whether the student was taught them.",
        {
            "sample_id": Column(_TEXT, "Sample answered."),
            "response": Column(_TEXT, "The answer."),
            "composite": Column(_REAL, "The weighted sum that ranks the models."),
            "citation_f1": Column(_REAL, "Harmonic mean of citation precision and recall."),
            "structure": Column(_REAL, "Share of the sections asked for that are there, in order and not empty."),
            "accepted": Column(_BOOL, "Whether law and form are without fault, so that it is taught."),
            "why_not": Column(_TEXT, "The first fault; empty: it was accepted."),
        },
    ),
    Table(
        "benchmark.answers",
        "a model and a benchmark sample",
        "What the models of the last benchmark answered.",
        {
            "model": _MODEL,
            "sample_id": Column(_TEXT, "Sample answered."),
            "answer": Column(_TEXT, "The answer."),
        },
    ),
    Table(
        "benchmark.scores",
        "a model, a benchmark sample and a metric",
        "What these answers are worth.",
        {
            "model": _MODEL,
            "sample_id": Column(_TEXT, "Sample answered."),
            "metric": Column(_TEXT, "composite or another metric of docs/benchmark.md."),
            "value": Column(_REAL, "The score, 0 to 1."),
        },
    ),
    Table(
        "ops.jobs",
        "a finished job",
        "What training and generating cost; rows of earlier chains stay.",
        {
            "title": Column(_TEXT, "What it was for, in the words of the chain that last asked for it."),
            "identity": Column(_TEXT, "Digest of spec and environment, which names its folder under artefacts."),
            "kind": Column(_TEXT, "What the worker did, as in sft, generate or cut."),
            "seconds": Column(_REAL, "Seconds of all attempts that ended by themselves."),
            "attempts": Column(_INT, "How often it was started, attempts that were killed included."),
            "peak_memory_bytes": Column(_INT, "Peak resident memory of the last attempt."),
            "peak_gpu_bytes": Column(_INT, "Most of a GPU's memory that was held at a step; null: it used none."),
            "steps": Column(_INT, "Optimiser steps; null: it trained nothing."),
            "tokens": Column(_INT, "Tokens trained on, or of the completions whose loss was computed; null: neither."),
            "new_tokens": Column(_INT, "Tokens of the answers it generated last; null: none."),
            "tokens_per_second": Column(_REAL, "Tokens trained on or generated a second; null: neither."),
            "data_share": Column(_REAL, "Share of the steps' time spent waiting for data, 0 to 1; null: no step."),
            "loss_first": Column(_REAL, "Training loss at the start; null: it trained nothing."),
            "loss_last": Column(_REAL, "Training loss, mean of the last five steps; null: it trained nothing."),
            "asked_at": Column(_REAL, "Unix time at which a chain last asked for it, run or reused."),
            "spec": Column(_TEXT, "JSON: all that makes its identity; dataset, base and adapter are digests."),
        },
        "identity",
    ),
    Table(
        "ops.steps",
        "a finished job and one of its training steps",
        "How training went; a step that was done again after a kill is here as it was done last.",
        {
            "identity": Column(_TEXT, "Identity of the job, as in ops.jobs."),
            "step": Column(_INT, "Optimiser step, 1 and up."),
            "loss": Column(_REAL, "Training loss."),
            "grad_norm": Column(_REAL, "Norm of the gradient before clipping."),
            "learning_rate": Column(_REAL, "Learning rate."),
            "tokens": Column(_INT, "Tokens of the step's batches."),
            "tokens_per_second": Column(_REAL, "These over the time of step and wait."),
            "step_seconds": Column(_REAL, "Latency of the step, from its first batch to its loss."),
            "data_seconds": Column(_REAL, "Wait for its batches."),
            "rss_bytes": Column(_INT, "Resident memory after it."),
            "gpu_bytes": Column(_INT, "Most of a GPU's memory that was held so far; null: none."),
            "reward": Column(_REAL, "Mean reward of its completions; null: training is not by reward."),
            "time": Column(_REAL, "Unix time of its end."),
        },
        "identity",
    ),
)

TABLES: Mapping[str, Table] = {table.name: table for table in (*_CATALOG, *_SCENARIOS, *_RUNS)}
"""Every table, by name."""
