"""What may go live: the same tokens and answers, no score lost, something learned, and not worse than before."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from forge_assets.delivery.deployment import Deployment, Deployments
from forge_assets.delivery.gate import CHECKS, judge
from forge_assets.delivery.parity import Parity, compare
from tests.delivery.deployments import planted

SAMPLES = pl.DataFrame({"sample_id": [f"s{i}" for i in range(40)], "scenario_id": [f"c{i}" for i in range(40)]})
SAME = Parity(answers=32, same=31, near_ties=1)


def scores(**models: float) -> pl.DataFrame:
    """Composites around a mean, with some spread."""
    return pl.DataFrame(
        [
            {"model": model, "sample_id": f"s{i}", "metric": "composite", "value": mean + 0.05 * (-1) ** i}
            for model, mean in models.items()
            for i in range(40)
        ]
    )


def failed(
    found: pl.DataFrame, golden: tuple[int, int] = (42, 42), parity: Parity = SAME, live: Deployment | None = None
) -> list[str]:
    checks = judge(golden, parity, found, SAMPLES, "q8_0", live)
    assert tuple(check.name for check in checks) == CHECKS
    return [check.name for check in checks if not check.passed]


def test_a_good_model_passes() -> None:
    assert failed(scores(student_tuned=0.56, student_untuned=0.1, q8_0=0.55)) == []


def test_each_fault_fails_its_check() -> None:
    good = scores(student_tuned=0.56, student_untuned=0.1, q8_0=0.55)
    assert failed(good, golden=(42, 41)) == ["token_ids"]
    assert failed(good, parity=Parity(32, 29, 2)) == ["parity"]
    assert failed(scores(student_tuned=0.56, student_untuned=0.1, q8_0=0.5)) == ["served_score"]
    assert failed(scores(student_tuned=0.1, student_untuned=0.1, q8_0=0.1)) == ["learned"]


def test_a_worse_model_than_the_live_one_fails_and_an_equal_one_passes(tmp_path: Path) -> None:
    live = planted(Deployments(tmp_path / "deployments"), tmp_path, "live", 1)
    assert failed(scores(student_tuned=0.4, student_untuned=0.1, q8_0=0.4), live=live) == ["no_regression"]
    assert failed(scores(student_tuned=0.5, student_untuned=0.1, q8_0=0.5), live=live) == []


@pytest.mark.parametrize(
    ("found", "ahead", "counted"),
    [
        ("Consultation, § 87", 5.0, (1, 0)),
        ("Consultation, § 90", 0.05, (0, 1)),
        ("Consultation, § 90", 0.5, (0, 0)),
        ("Consultation", 0.05, (0, 0)),
    ],
)
def test_answers_part_at_a_near_tie_or_not(found: str, ahead: float, counted: tuple[int, int]) -> None:
    tokens = {"a": [("Consul", 9.0), ("tation", 9.0), (",", 9.0), (" § ", 9.0), (found[-2:], ahead)]}
    if found == "Consultation":
        tokens = {"a": [("Consul", 9.0), ("tation", 9.0)]}
    seen = compare({"a": "Consultation, § 87"}, {"a": found}, tokens)
    assert (seen.same, seen.near_ties) == counted
