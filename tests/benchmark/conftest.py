"""A made-up benchmark of the size of a real one: 132 samples of 66 scenarios, five countries, four models."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl
import pytest

from forge_assets.benchmark.report import ReportInput, ShownStudent
from forge_assets.citations.law_index import LawIndex
from forge_assets.law.loading import load_domain, load_framework
from forge_assets.law.statutes import load_statutes
from forge_assets.search.figures.scores import best_so_far
from forge_resources.config.data_folder import PROJECT
from forge_resources.storage.tables import TABLES

MODELS = {"student_untuned": 0.06, "teacher_untuned": 0.14, "teacher_tuned": 0.84, "student_tuned": 0.76}
TASKS = (
    "escalation_analysis",
    "consultation_plan",
    "data_protection_review",
    "obligation_check",
    "management_brief",
    "works_council_letter",
    "cross_border_comparison",
)
LAW = {
    "DE": [("DE:betrvg:87:1:6", "§ 87 Abs. 1 Nr. 6 BetrVG"), ("DE:betrvg:112:1", "§ 112 Abs. 1 BetrVG")],
    "AT": [("AT:arbvg:96a:1:1", "§ 96a Abs. 1 Z 1 ArbVG"), ("AT:arbvg:109:1", "§ 109 Abs. 1 ArbVG")],
    "FR": [("FR:code_du_travail:L2312-38", "art. L. 2312-38 C. trav.")],
    "ES": [
        ("ES:estatuto_trabajadores:64:4", "art. 64.4 ET"),
        ("ES:estatuto_trabajadores:51:2", "art. 51.2 ET"),
    ],
}
WRONG = ("§ 87 Abs. 9 Nr. 14 BetrVG", "§ 4 KVG")
PACK = PROJECT / "frameworks" / "labour"


@cache
def laws() -> LawIndex:
    """The shipped law of this file's countries and their union."""
    domain = load_domain(PACK)
    frameworks = [load_framework(PACK / "jurisdictions" / f"{code.lower()}.yaml", domain) for code in (*LAW, "EU")]
    return LawIndex.build(domain, frameworks, {f.jurisdiction: load_statutes(PACK, f) for f in frameworks})


def make_samples(count: int = 132) -> pl.DataFrame:
    """Two samples a scenario."""
    rows = []
    for i in range(count):
        task = TASKS[i % len(TASKS)]
        home = list(LAW)[(i // 2) % 4]
        places = [home, "FR" if home != "FR" else "DE"] if task == "cross_border_comparison" else [home]
        cites = [LAW[place][i % len(LAW[place])] for place in places]
        prompt = (
            f"Country: {home}. Hafenlogistik SE, 1,240 employees, 310 affected, works council elected. The "
            "company brings in software that scores how drivers accept routes and records who did what. "
            "Which duties come before it goes live? Sections: Assessment; Legal basis."
        )
        basis = "\n".join(f"- {form}: co-determination on technical devices able to monitor" for _, form in cites)
        rows.append(
            {
                "sample_id": f"{i:04x}",
                "scenario_id": f"s{i // 2:03d}",
                "jurisdictions": places,
                "task_type": task,
                "prompt": prompt,
                "expected_citations": [key for key, _ in cites],
                "response": "## Assessment\nCo-determination: agreement is needed before introduction.\n"
                f"## Legal basis\n{basis}",
            }
        )
    return pl.DataFrame(rows)


def make_scores(samples: pl.DataFrame, models: dict[str, float] | None = None, seed: int = 7) -> pl.DataFrame:
    """Scores around each model's level; samples of one scenario resemble each other."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, str, str, float]] = []
    hard = {s: float(rng.normal(0, 0.12)) for s in samples["scenario_id"].unique(maintain_order=True)}
    for model, level in (models or MODELS).items():
        for sample_id, scenario in samples.select("sample_id", "scenario_id").iter_rows():
            skill = float(np.clip(level + hard[scenario] + rng.normal(0, 0.08), 0, 1))
            f1 = round(skill * 4) / 4
            bad = max(0.0, min(1.0, 0.4 - skill / 2)) if rng.random() < 0.6 else 0.0
            structure = min(1.0, round(skill * 2 + 0.3) / 2)
            values = {
                "citation_precision": f1,
                "citation_recall": f1,
                "citation_f1": f1,
                "fabricated_rate": bad,
                "wrong_country_rate": bad / 3,
                "unverifiable_rate": bad / 4,
                "structure": structure,
                "rouge1": min(1.0, skill * 0.9 + 0.1),
                "rouge2": skill * 0.8,
                "rougeL": min(1.0, skill * 0.85 + 0.05),
                "level": float(skill > 0.5),
                "clean": 1 - bad,
            }
            values["composite"] = (
                0.4 * f1 + 0.2 * structure + 0.2 * values["rougeL"] + 0.1 * values["level"] + 0.1 * (1 - bad)
            )
            rows.extend((model, sample_id, name, value) for name, value in values.items())
    return pl.DataFrame(rows, schema=["model", "sample_id", "metric", "value"], orient="row")


def make_answers(samples: pl.DataFrame) -> pl.DataFrame:
    """Tuned models answer in form; untuned ones ramble."""
    rows = []
    for sample in samples.iter_rows(named=True):
        ramble = (
            "The company should consult with its employees and make sure that the new system is fair. "
            "According to § 87 Abs. 9 Nr. 14 BetrVG and § 4 KVG the employer must inform everyone. "
        )
        wrong = sample["response"].replace("§ 111 Abs. 1 BetrVG", "§ 109 Abs. 1 ArbVG")
        rows += [
            {"model": "student_untuned", "sample_id": sample["sample_id"], "answer": ramble * 9},
            {
                "model": "teacher_untuned",
                "sample_id": sample["sample_id"],
                "answer": "## Assessment\n" + ramble,
            },
            {"model": "teacher_tuned", "sample_id": sample["sample_id"], "answer": sample["response"]},
            {"model": "student_tuned", "sample_id": sample["sample_id"], "answer": wrong},
        ]
    return pl.DataFrame(rows)


def make_trials() -> pl.DataFrame:
    """Nine trials; two gave no score, and the guard halved the rank of one."""
    scores = [0.31, None, 0.44, 0.52, 0.47, 0.61, None, 0.58, 0.66]
    halved = {"rule": "rank x sequence length", "parameter": "rank", "before": 32, "after": 16, "reason": "memory"}
    rows = []
    for i, score in enumerate(scores):
        asked = {"learning_rate": [5e-4, 1e-3, 2e-3][i % 3], "rank": [8, 16, 32][i % 3]}
        rows.append(
            {
                "trial": i,
                "phase": "explore" if i < 3 else "exploit" if i < 6 else "refine",
                "status": "finished" if score else "failed",
                "why": "" if score else "out of memory",
                "score": score,
                "standard_error": 0.04 if score else None,
                "asked": json.dumps(asked),
                "ran": json.dumps(asked | ({"rank": 16} if i == 8 else {})),
                "guard": json.dumps([halved] if i == 8 else []),
                "predicted_bytes": 5_000_000_000 + i * 10**8,
                "measured_bytes": 4_100_000_000 + i * 10**8 if score else None,
                "seconds": 140.0 + 17 * i,
            }
        )
    return pl.DataFrame(rows, schema_overrides=dict(TABLES["search.trials"].schema))


def make_jobs() -> pl.DataFrame:
    """The jobs of one run."""
    return pl.DataFrame(
        [
            ("teacher sft", "sft", 812.4, 4_713_000_000, 146.0),
            ("teacher generate", "generate", 301.0, 1_900_000_000, 88.0),
            ("student sft", "sft", 1_904.0, 3_900_000_000, 151.0),
            ("export", "export", 21.7, 900_000_000, None),
        ],
        schema=["job", "kind", "seconds", "peak_memory_bytes", "tokens_per_second"],
        orient="row",
    )


def make_provisions() -> pl.DataFrame:
    """Seven provisions a country; the Dutch text is old."""
    return pl.DataFrame(
        [
            {
                "jurisdiction": place,
                "provision_id": f"{place.lower()}-{i}",
                "status": "text_outdated" if place == "NL" else "verified",
                "text_as_of": dt.date(2020, 5, 1) if place == "NL" else dt.date(2026, 3 + i % 2, 14),
            }
            for place in ("DE", "AT", "FR", "NL", "ES")
            for i in range(7)
        ]
    )


def make_losses() -> pl.DataFrame:
    """Two falling curves and a validation curve."""
    rows = [
        (model, step, base * float(np.exp(-step / 30)) + floor, "train")
        for model, base, floor in (("teacher_tuned", 2.4, 0.22), ("student_tuned", 3.1, 0.27))
        for step in range(0, 120, 2)
    ]
    rows += [
        ("student_tuned", step, 3.0 * float(np.exp(-step / 28)) + 0.41, "validation") for step in range(0, 120, 20)
    ]
    return pl.DataFrame(rows, schema=["model", "step", "loss", "split"], orient="row")


def make_report() -> ReportInput:
    """Every part filled."""
    samples = make_samples()
    candidates = pl.DataFrame(
        {
            "student": ["cut: 20 of 30 layers left", "uncut"],
            "parameters": [99_000_000, 135_000_000],
            "composite": [0.71, 0.64],
            "seconds": [591.0, 640.0],
        }
    )
    return ReportInput(
        scores=make_scores(samples),
        samples=samples,
        answers=make_answers(samples),
        trials=make_trials(),
        search={"best so far": best_so_far(make_trials(), chosen=8)},
        search_choice="Trial 8 was chosen: 0.62 (95% 0.53 to 0.71) on 44 samples that played no part in choosing it.",
        search_chosen=8,
        jobs=make_jobs(),
        provisions=make_provisions(),
        losses=make_losses(),
        choice=ShownStudent("cut", "it scored 0.71 on validation, the uncut one 0.64.", candidates),
        laws=laws(),
        lineage={
            "profile": "cpu",
            "dataset digest": "9f2c" * 16,
            "model digests": {"teacher": "1a7e" * 16, "student": "c03d" * 16},
            "framework versions": {"DE": "77ab" * 16, "AT": "52c0" * 16},
            "code version": "4d1f0c2",
        },
        machine="2-core AVX2, 16 GB, no GPU",
    )


@pytest.fixture(scope="session")
def samples() -> pl.DataFrame:
    return make_samples()


@pytest.fixture(scope="session")
def scores(samples: pl.DataFrame) -> pl.DataFrame:
    return make_scores(samples)


@pytest.fixture(scope="session")
def scores_at(samples: pl.DataFrame) -> Callable[[dict[str, float]], pl.DataFrame]:
    """Scores of models at given levels."""
    return lambda levels: make_scores(samples, levels)


@pytest.fixture(scope="session")
def full_report() -> ReportInput:
    return make_report()
