"""What a search says where a trial cannot be added to its W&B run."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest

from forge_assets.search.study.record import remember_outcome
from forge_assets.search.study.wandb_runs import WandbRuns
from forge_resources.storage.store import Store


def test_a_trial_that_is_not_in_its_run_is_logged_with_the_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    study = optuna.create_study()
    trial = study.ask()
    remember_outcome(trial, status="finished", why="", seconds=1.0, losses=[], identity="a" * 64)
    study.tell(trial, 0.5)
    setting: Any = SimpleNamespace(name="study", forge=SimpleNamespace(store=Store(tmp_path)))
    runs = WandbRuns("no such mode", setting)
    with caplog.at_level(logging.WARNING, "forge"):
        runs.write(study.trials[0])
        runs.wait()
    assert "trial 0 is not in its W&B run: the writer ended with status 1" in caplog.text
    assert "no such mode" in caplog.text
