"""Start a job's worker process and see it to its end. This launcher runs it on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg

WORKER = "forge_assets.training.worker"
GRACE_SECONDS = 60
"""How long a cancelled worker may take to write its checkpoint before it is killed."""

ENVIRONMENT = {
    # One heap of huge pages that is kept between steps: without this a training step spends up to half its time in
    # page faults (bench/results/allocator.md).
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "268435456",
    # Threads sleep at barriers instead of spinning: one busy neighbour otherwise makes a step ten times slower.
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
}
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}


class JobFailed(Exception):
    """A worker ended without a result; the message ends with the last lines of its log."""


class LocalLauncher(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Runs each job as a process of its own, in its own session, killed whole on cancel."""

    wandb_mode: str = "offline"

    def run(self, context: dg.AssetExecutionContext, folder: Path) -> dict[str, Any]:
        """Run the job in `folder` to its end and return its record.

        Raises:
            JobFailed: the worker crashed or was killed; calling again resumes from its last checkpoint.
        """
        with (
            dg.open_pipes_session(
                context=context,
                context_injector=dg.PipesTempFileContextInjector(),
                message_reader=dg.PipesTempFileMessageReader(),
            ) as session,
            (folder / "log.txt").open("ab") as log,
        ):
            start = log.tell()
            process = subprocess.Popen(
                [sys.executable, "-m", WORKER, str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**self._environment(folder), **session.get_bootstrap_env_vars()},
            )
            try:
                status = process.wait()
            finally:
                if process.poll() is None:
                    context.log.info("cancelled: asking the worker for a checkpoint")
                    _end(process)
        record = folder / "record.json"
        if status != 0 or not record.exists():
            with (folder / "log.txt").open("rb") as log_file:
                log_file.seek(start)
                tail = "\n".join(log_file.read().decode(errors="replace").splitlines()[-15:])
            raise JobFailed(f"job {folder.name[:12]} ended with status {status}; {folder}/log.txt ends:\n{tail}")
        result: dict[str, Any] = json.loads(record.read_text())
        return result

    def _environment(self, folder: Path) -> dict[str, str]:
        environment = {**os.environ, **ENVIRONMENT}
        if os.environ.get("FORGE_ALLOW_HUB") != "1":
            environment |= OFFLINE
        environment |= {"WANDB_MODE": self.wandb_mode, "WANDB_DIR": str(folder), "WANDB_PROJECT": "model-forge"}
        return environment


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the whole group, SIGKILL after the grace period."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
