"""Weights & Biases: one run a job, offline unless somebody switches it on."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

PROJECT = "model-forge"
STARTING_SECONDS = 30
"""How long a job waits for W&B's server, where it is switched on."""


def wandb_environment(mode: str, folder: Path) -> dict[str, str]:
    """What a worker is told about W&B.

    Args:
        mode: `offline`, `online` or `disabled`.
        folder: the job's folder; runs lie in `wandb/` of it.
    """
    return {"WANDB_MODE": mode, "WANDB_DIR": str(folder), "WANDB_PROJECT": PROJECT, "WANDB_SILENT": "true"}


class Tracker:
    """The W&B run of a job: named by the job's identity, so that a job that goes on goes on in its run.

    It starts with the first metrics. Without WANDB_MODE it is offline; with `disabled` it does nothing.

    Args:
        identity: the job's.
        config: its spec.
    """

    def __init__(self, identity: str, config: dict[str, Any]) -> None:
        self._identity = identity
        self._config = config
        self._mode = _mode()
        self._run: Any = None

    def log(self, values: dict[str, Any]) -> None:
        """Add one line of metrics."""
        if self._mode == "disabled":
            return
        if self._run is None:
            self._run = self._begin()
        self._run.log(values)

    def finish(self, whole: bool) -> None:
        """Close the run; `whole` is False where the job stopped before its end."""
        if self._run is not None:
            self._run.finish(exit_code=0 if whole else 1)

    def _begin(self) -> Any:
        config = {**self._config, "identity": self._identity}
        run = _open(self._identity, config, self._mode, job_type=self._config["kind"])
        # Steps that a killed worker had done are logged again: W&B's own counter must not be the axis.
        run.define_metric("*", step_metric="step")
        return run


def add_to_run(identity: str, group: str, config: dict[str, Any], summary: dict[str, Any]) -> None:
    """Add to the run of a job what others know of it.

    Args:
        group: of runs, for a search's trials the study.
    """
    run = _open(identity, config, _mode(), group=group)
    run.summary.update(summary)
    run.finish()


def _mode() -> Any:
    """What the launcher told the worker."""
    return os.environ.get("WANDB_MODE") or "offline"


def _open(identity: str, config: dict[str, Any], mode: Any, **more: Any) -> Any:
    # W&B's own telemetry goes to its server even where the run is offline.
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    import wandb

    return wandb.init(
        project=os.environ.get("WANDB_PROJECT") or PROJECT,
        id=identity[:16],
        name=identity[:12],
        resume="allow",
        config=config,
        mode=mode,
        settings=wandb.Settings(console="off", disable_git=True, init_timeout=STARTING_SECONDS),
        **more,
    )


if __name__ == "__main__":
    add_to_run(**json.load(sys.stdin))
