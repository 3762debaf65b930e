"""Add the configuration and scores of a trial to the W&B run of its job."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from optuna.trial import FrozenTrial

from forge_assets.search.optimizer.three_phase import phase
from forge_assets.search.study.context import StudyContext
from forge_assets.search.study.record import APPLIED, facts
from forge_resources.monitoring.wandb import wandb_environment

PATIENCE_SECONDS = 60


class WandbRuns:
    """Writes trials beside the search, in processes of their own: W&B takes seconds and hooks into its process.

    Args:
        mode: `offline`, `online` or `disabled`.
    """

    def __init__(self, mode: str, context: StudyContext) -> None:
        self._mode = mode
        self._context = context
        self._writing: list[subprocess.Popen[str]] = []

    def write(self, trial: FrozenTrial) -> None:
        """Begin to write a trial that has ended; one that never was a job has no run."""
        kept = facts(trial)
        if self._mode == "disabled" or "identity" not in kept:
            return
        folder = self._context.forge.store.artefact(kept["identity"])
        config = {"study": self._context.name, "trial": trial.number, "phase": phase(trial)}
        config |= {name: kept.get(name) for name in ("asked", "guard")} | {"ran": trial.user_attrs.get(APPLIED)}
        summary = {name: kept.get(name) for name in ("status", "why", "predicted_bytes", "measured_bytes", "seconds")}
        summary |= kept.get("scores") or {}
        order = {"identity": kept["identity"], "group": self._context.name, "config": config, "summary": summary}
        writer = subprocess.Popen(
            [sys.executable, "-m", "forge_resources.monitoring.wandb"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env={**os.environ, **wandb_environment(self._mode, folder)},
            start_new_session=True,
        )
        assert writer.stdin is not None
        writer.stdin.write(json.dumps(order))
        writer.stdin.close()
        self._writing.append(writer)

    def wait(self) -> None:
        """Wait until all are written; kill one that takes too long: the study has everything."""
        for writer in self._writing:
            try:
                writer.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                writer.kill()
                writer.wait()
        self._writing.clear()
