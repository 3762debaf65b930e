"""A store with a few rows of every table, as a chain over two countries leaves them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from forge_resources.storage.store import Store
from forge_resources.storage.tables import TABLES

DAY = dt.date(2025, 1, 1)
PROVISIONS: list[dict[str, Any]] = [
    {"provision_id": "de-transfer", "jurisdiction": "DE", "citation_key": "DE:betrvg:99:1", "core": True,
     "citation": "§ 99 Abs. 1 BetrVG", "law_id": "betrvg", "unit": "§ 99", "level": "consultation",
     "body": "works_council", "triggers": ["transfer"], "threshold": "more than 20 employees", "implements": [],
     "problems": [], "text_as_of": DAY, "status": "verified", "verified": True, "version": "v2"},
    {"provision_id": "de-monitoring", "jurisdiction": "DE", "citation_key": "DE:betrvg:87:1:6", "core": True,
     "citation": "§ 87 Abs. 1 Nr. 6 BetrVG", "law_id": "betrvg", "unit": "§ 87", "level": "co_determination",
     "body": "works_council", "triggers": ["monitoring"], "threshold": "", "implements": [], "problems": [],
     "text_as_of": DAY, "status": "verified", "verified": True, "version": "v1"},
    {"provision_id": "nl-monitoring", "jurisdiction": "NL", "citation_key": "NL:wor:27:1:l", "core": False,
     "citation": "art. 27 lid 1 onder l WOR", "law_id": "wor", "unit": "Artikel 27", "level": "co_determination",
     "body": "ondernemingsraad", "triggers": ["monitoring"], "threshold": "", "implements": [], "text_as_of": DAY,
     "problems": ["the statute text held is not the current one"], "status": "text_outdated", "verified": False,
     "version": "v1"},
]  # fmt: skip


def _sample(name: str, code: str, split: str, provenance: dict[str, str], **fields: Any) -> dict[str, Any]:
    return {
        "sample_id": name,
        "question_id": f"question of {name}",
        "scenario_id": f"scenario of {name}",
        "jurisdictions": [code],
        "task_type": "duty",
        "variant": "plain",
        "split": split,
        "language": "en",
        "register": "email",
        "asker": "hr",
        "system": "You know labour law.",
        "prompt": "Must we ask the works council?",
        "response": "Yes.",
        "sections": ["Answer"],
        "expected_citations": ["DE:betrvg:87:1:6"],
        "expected_level": "co_determination",
        "expected_body": "works_council",
        "change_type": "monitoring",
        "provenance": list(provenance),
        "provenance_versions": list(provenance.values()),
        **fields,
    }


SAMPLES = {
    "DE": [
        _sample("taught", "DE", "train", {"de-monitoring": "v1", "de-escalation-1": "v1"}),
        _sample("taught before", "DE", "train", {"de-monitoring": "v1", "de-transfer": "v1", "de-repealed": "v1"}),
        _sample("asked", "DE", "benchmark", {"de-monitoring": "v1"}),
        _sample("asked in German", "DE", "benchmark", {"de-monitoring": "v1"}, language="de", variant="false_premise"),
    ],
    "NL": [_sample("withheld", "NL", "withheld", {"nl-monitoring": "v1"})],
}
ROLES = {"taught": "train", "taught before": "train", "asked": "benchmark", "asked in German": "benchmark"}
COMPOSITES = {
    "student_untuned": {"asked": 0.25, "asked in German": 0.5},
    "student_tuned": {"asked": 0.75, "asked in German": 0.25},
}


@pytest.fixture
def filled(tmp_path: Path) -> Store:
    store = Store(tmp_path)

    def write(table: str, rows: list[dict[str, Any]], partition: str = "all") -> None:
        store.write(table, pl.DataFrame(rows, schema=TABLES[table].schema), partition)

    for code, samples in SAMPLES.items():
        found = [row for row in PROVISIONS if row["jurisdiction"] == code]
        verified = sum(row["verified"] for row in found)
        overview = {"jurisdiction": code, "name": code, "status": found[0]["status"], "provisions": len(found),
                    "verified": verified, "text_as_of": DAY}  # fmt: skip
        scenarios = [{"scenario_id": s["scenario_id"], "jurisdictions": [code], "split": s["split"]} for s in samples]
        where = {"jurisdiction": code}
        write("catalog.frameworks", [overview], code)
        write("catalog.provisions", found, code)
        write("catalog.rules", [where | {"rule_id": f"{code}-gdpr", "topic": "data_protection"}], code)
        write("catalog.bodies", [where | {"body": "works_council", "min_employees": 5}], code)
        write(
            "catalog.escalation",
            [
                where
                | {
                    "position": 1,
                    "step": "They negotiate.",
                    "core": True,
                    "step_id": f"{code.lower()}-escalation-1",
                    "version": "v1",
                }
            ],
            code,
        )
        write("catalog.statute_units", [where | {"law_id": "betrvg", "number": "87", "cited": True}], code)
        write("scenarios.scenarios", scenarios, code)
        write("scenarios.samples", samples, code)
    drawn = [s for samples in SAMPLES.values() for s in samples if s["sample_id"] in ROLES]
    write(
        "scenarios.sets", [s | {"position": i, "role": ROLES[s["sample_id"]], "pair": ""} for i, s in enumerate(drawn)]
    )
    trial = {
        "trial": 0,
        "study": "cpu-1",
        "phase": "explore",
        "score": 0.4,
        "status": "finished",
        "asked": "{}",
        "ran": "{}",
        "guard": "[]",
    }
    write("search.trials", [trial | {"seconds": 61.0, "predicted_bytes": 2 * 10**9, "measured_bytes": 10**9}])
    write("search.answers", [{"trial": 0, "stage": "trial", "sample_id": "taught", "composite": 0.4}])
    response = {"sample_id": "taught", "response": "Yes.", "composite": 0.9, "accepted": True, "why_not": ""}
    write("distillation.teacher_responses", [response])
    scored = [(m, s, v) for m, found in COMPOSITES.items() for s, v in found.items()]
    write("benchmark.answers", [{"model": m, "sample_id": s, "answer": "Yes."} for m, s, _ in scored])
    write("benchmark.scores", [{"model": m, "sample_id": s, "metric": "composite", "value": v} for m, s, v in scored])
    for name, seconds in (("a", 60.0), ("b", 120.0)):
        job = {"title": name, "identity": name, "kind": "sft", "seconds": seconds, "attempts": 2, "spec": "{}"}
        write("ops.jobs", [job | {"peak_memory_bytes": 10**9, "tokens_per_second": seconds}], name)
        steps = [{"identity": name, "step": step, "loss": 2.0 / step, "step_seconds": 0.5} for step in (1, 2)]
        write("ops.steps", steps, name)
    return store
