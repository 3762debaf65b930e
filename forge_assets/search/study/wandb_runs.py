"""Add the configuration and scores of a trial to the W&B run of its job."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from typing import IO, NamedTuple

from optuna.trial import FrozenTrial

from forge_assets.search.optimizer.three_phase import phase
from forge_assets.search.study.context import StudyContext
from forge_assets.search.study.record import APPLIED, facts
from forge_resources.monitoring.wandb import wandb_environment

LOG = logging.getLogger("forge")
"""Also seen in Dagster's runs, see `dagster.yaml`."""

PATIENCE_SECONDS = 60
LAST_LINES = 5
"""Of what a writer said before it failed, those that are logged."""


class _Writer(NamedTuple):
    trial: int
    process: subprocess.Popen[str]
    said: IO[str]


class WandbRuns:
    """Writes trials beside the search, in processes of their own: W&B takes seconds and hooks into its process.

    Args:
        mode: `offline`, `online` or `disabled`.
    """

    def __init__(self, mode: str, context: StudyContext) -> None:
        self._mode = mode
        self._context = context
        self._writing: list[_Writer] = []

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
        said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 (`wait` closes it)
        process = subprocess.Popen(
            [sys.executable, "-m", "forge_resources.monitoring.wandb"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            encoding="utf-8",
            env={**os.environ, **wandb_environment(self._mode, folder)},
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(order))
        process.stdin.close()
        self._writing.append(_Writer(trial.number, process, said))

    def wait(self) -> None:
        """Wait until all are written. What is not, or takes too long, is logged: the study has everything."""
        for trial, process, said in self._writing:
            try:
                status = process.wait(PATIENCE_SECONDS)
                ended = f"ended with status {status}" if status else ""
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                ended = f"was not done after {PATIENCE_SECONDS} s"
            if ended:
                LOG.warning("trial %d is not in its W&B run: the writer %s%s", trial, ended, _last_lines(said))
            said.close()
        self._writing.clear()


def _last_lines(said: IO[str]) -> str:
    """Read the end of what a writer said, to follow how it ended."""
    said.seek(0)
    lines = said.read().strip().splitlines()[-LAST_LINES:]
    return ":\n" + "\n".join(lines) if lines else ""
