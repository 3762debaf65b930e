"""Model card and data sheet say what the run recorded, its faults included."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from forge_assets.delivery.cards import card, datasheet
from forge_assets.delivery.deployment import Deployment, Deployments
from tests.delivery.deployments import GOOD, WORSE, planted

SAMPLES = pl.DataFrame(
    {
        "sample_id": [f"s{i}" for i in range(8)],
        "scenario_id": [f"c{i}" for i in range(8)],
        "task_type": ["who", "when"] * 4,
        "jurisdictions": [["DE"]] * 4 + [["AT"]] * 4,
        "prompt": [f"Question {i}\nin two lines?" for i in range(8)],
    }
)
ANSWERS = pl.DataFrame([{"model": "q8_0", "sample_id": f"s{i}", "answer": f"Answer {i}."} for i in range(8)])
SCORES = pl.DataFrame(
    [
        {"model": model, "sample_id": f"s{i}", "metric": "composite", "value": value * i / 8}
        for model, value in (("student_untuned", 0.1), ("student_tuned", 0.8), ("q8_0", 0.7))
        for i in range(8)
    ]
)


@pytest.fixture
def made(tmp_path: Path) -> Deployment:
    return planted(Deployments(tmp_path / "deployments"), tmp_path, "one", 1, checks=(GOOD, WORSE))


def test_a_card_has_files_checks_scores_and_the_worst_answers(made: Deployment) -> None:
    text = card(made, "Information and consultation", SCORES, SAMPLES, ANSWERS)
    head = yaml.safe_load(text.split("---\n")[1])
    assert head["license"] == "apache-2.0"
    assert head["base_model"] == "smollm2-135m-instruct"
    assert f"| labour.q8_0.gguf (served) | 3 | `{made.files['q8_0'].sha256}` | 0.55 | 249 |" in text
    assert f"| no_regression | **no** | {WORSE.said} |" in text
    assert "| who | 0.3 |" in " ".join(text.split())
    assert "| AT | 0.55 |" in " ".join(text.split())
    worst = text.split("## What it gets wrong")[1].split("## Intended use")[0]
    assert [f"Answer {i}." in worst for i in range(8)] == [True] * 5 + [False] * 3
    assert "> Question 0 in two lines?" in worst


def test_a_data_sheet_has_the_law_with_its_dates_and_what_was_taught(made: Deployment) -> None:
    sets = SAMPLES.with_columns(language=pl.lit("de"), role=pl.Series(["train"] * 6 + ["benchmark"] * 2))
    law = {"jurisdiction": "DE", "version": "f" * 64, "name": "Betriebsverfassungsgesetz (BetrVG)"}
    text = datasheet(
        made,
        {"teacher": "weights `a`", "student": "weights `b`", "fingerprint": "f1", "sets": "f2"},
        {"steps": 400, "learning_rate": 5e-4, "batch_size": 4, "accumulation": 1, "seconds": 812},
        [{**law, "as_of": "2026-08-19", "status": "current"}],
        sets,
        taught=4,
    )
    assert "| training samples | 6, of which 4 with an answer of the teacher that was accepted |" in text
    assert f"| DE | `{'f' * 12}` | Betriebsverfassungsgesetz (BetrVG) | 2026-08-19 | current |" in text
    assert "| student | weights `b` |" in text
    assert "| 400, 0.0005, 4 x 1 |" in text
