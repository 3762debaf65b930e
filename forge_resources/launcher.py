"""Start a job's worker process and see it to its end. This launcher runs it on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

NURSERY = "forge_assets.training.nursery"
GRACE_SECONDS = 60
"""How long a cancelled worker may take to write its checkpoint before it is killed."""

ENVIRONMENT = {
    # One heap of huge pages that is kept between steps, or steps spend their time in page faults (bench/allocator.py).
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "268435456",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
}
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}


class JobFailed(Exception):
    """A worker ended without a result; the message ends with the last lines of its log."""


class LocalLauncher(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Runs each job as a process in a session of its own, killed whole on cancel."""

    wandb_mode: str = "offline"
    _nursery: subprocess.Popen[str] | None = PrivateAttr(default=None)

    def run(self, context: dg.AssetExecutionContext, folder: Path) -> dict[str, Any]:
        """Run the job in `folder` to its end and return its record.

        Raises:
            JobFailed: the worker crashed or was killed; calling again resumes from its last checkpoint.
        """
        log = folder / "log.txt"
        start = log.stat().st_size if log.exists() else 0
        with dg.open_pipes_session(
            context=context,
            context_injector=dg.PipesTempFileContextInjector(),
            message_reader=dg.PipesTempFileMessageReader(),
        ) as session:
            wandb = {"WANDB_MODE": self.wandb_mode, "WANDB_DIR": str(folder), "WANDB_PROJECT": "model-forge"}
            environment = {**wandb, "WANDB_SILENT": "true", **session.get_bootstrap_env_vars()}
            status = self._work({"folder": str(folder), "log": str(log), "environment": environment}, context)
        record = folder / "record.json"
        if status != 0 or not record.exists():
            with log.open("rb") as stream:
                stream.seek(start)
                tail = "\n".join(stream.read().decode(errors="replace").splitlines()[-15:])
            raise JobFailed(f"job {folder.name[:12]} ended with status {status}; {log} ends:\n{tail}")
        result: dict[str, Any] = json.loads(record.read_text())
        return result

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """End the process that workers are forked from; Dagster calls this when the run is over."""
        self._close()

    def _close(self) -> None:
        if self._nursery is not None:
            assert self._nursery.stdin is not None
            self._nursery.stdin.close()
            self._nursery.wait()
            self._nursery = None

    def _work(self, order: dict[str, Any], context: dg.AssetExecutionContext) -> int:
        """Exit status of the worker that did the order."""
        nursery = self._started()
        assert nursery.stdin is not None and nursery.stdout is not None
        pid: int | None = None
        try:
            nursery.stdin.write(json.dumps(order) + "\n")
            nursery.stdin.flush()
            pid = int(json.loads(nursery.stdout.readline() or "{}").get("pid", 0))
            status = json.loads(nursery.stdout.readline() or "{}").get("status")
        except BaseException:
            context.log.info("cancelled: asking the worker for a checkpoint")
            if pid:
                _end(pid)
            self._close()
            raise
        if status is None:
            self._nursery = None
            raise JobFailed(f"the process that workers are forked from ended with status {nursery.wait()}")
        return int(status)

    def _started(self) -> subprocess.Popen[str]:
        if self._nursery is None or self._nursery.poll() is not None:
            environment = {**os.environ, **ENVIRONMENT}
            if os.environ.get("FORGE_ALLOW_HUB") != "1":
                environment |= OFFLINE
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", NURSERY],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
                env=environment,
            )
        return self._nursery


def _end(group: int) -> None:
    """SIGTERM to the whole group, SIGKILL after the grace period."""
    for number, patience in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 10)):
        try:
            os.killpg(group, number)
            until = time.time() + patience
            while time.time() < until:
                os.killpg(group, 0)
                time.sleep(0.2)
        except ProcessLookupError:
            return


def run_directly(folder: Path) -> dict[str, Any]:
    """Run a job outside Dagster, for scripts in `bench/`: one process, the same environment, no cancel.

    Raises:
        subprocess.CalledProcessError: the worker ended without a result.
    """
    environment = {**os.environ, **ENVIRONMENT, **OFFLINE, "WANDB_MODE": "offline", "WANDB_DIR": str(folder)}
    with (folder / "log.txt").open("ab") as log:
        subprocess.run(
            [sys.executable, "-m", "forge_assets.training.worker", str(folder)],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=True,
        )
    result: dict[str, Any] = json.loads((folder / "record.json").read_text())
    return result
