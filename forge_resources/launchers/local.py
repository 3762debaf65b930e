"""Run jobs on this machine, forked from a server that has imported what they need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import dagster as dg
from pydantic import PrivateAttr

from forge_resources.launchers.base import (
    MARGIN_SECONDS,
    Ending,
    JobFailed,
    Launcher,
    how_it_ended,
    processes,
    worker_environment,
)
from forge_resources.processes.cause import Cause
from forge_resources.storage.launch_file import LaunchFile

NURSERY = "forge_resources.processes.fork_server"


class LocalLauncher(Launcher):
    """Runs jobs on this machine, one after the other, each in a session of its own that ends whole."""

    _nursery: subprocess.Popen[str] | None = PrivateAttr(default=None)
    _turn: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _telling: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _running: Path | None = PrivateAttr(default=None)
    _cancelled: bool = PrivateAttr(default=False)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """End the process that workers are forked from; Dagster calls this when the run is over."""
        self._close()

    def cancel(self) -> None:
        """Stop the job that runs, and start none any more."""
        self._cancelled = True
        self._close()

    def stop(self, folder: Path) -> None:
        """Ask the job to stop; the process that workers are forked from stays."""
        with self._telling:
            nursery = self._nursery
            if self._running == folder and nursery is not None and nursery.stdin is not None:
                with suppress(BrokenPipeError, ValueError):  # the nursery is gone or was closed, and the job with it
                    _tell(nursery.stdin, {"stop": str(folder)})

    def _work(self, context: dg.AssetExecutionContext, folder: Path) -> Ending:
        with self._turn, self._session(context, folder) as environment:
            if self._cancelled:
                return Ending("was cancelled before it began", Cause.INTERRUPTED)
            order = {
                "folder": str(folder),
                "environment": environment,
                "preload": LaunchFile.read(folder).entry.preload,
                "processes": processes(folder),
                "grace": self.grace_seconds,
            }
            try:
                return how_it_ended(self._do(folder, order))
            except JobFailed:
                raise
            except BaseException:
                context.log.info("cancelled: asking the worker for a checkpoint")
                self._close()
                raise
            finally:
                self._running = None

    def _do(self, folder: Path, order: dict[str, Any]) -> int:
        """Exit status of the job."""
        nursery = self._started()
        assert nursery.stdin is not None and nursery.stdout is not None
        with self._telling:
            _tell(nursery.stdin, order)
            self._running = folder
        for line in nursery.stdout:
            if (status := json.loads(line).get("status")) is not None:
                return int(status)
        self._nursery = None
        raise JobFailed(
            f"the process that workers are forked from ended with status {nursery.wait()}: the workers' environment is "
            "broken; mend it and run again"
        )

    def _started(self) -> subprocess.Popen[str]:
        if self._nursery is None or self._nursery.poll() is not None:
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", NURSERY],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
                start_new_session=True,
                env={**os.environ, **worker_environment()},
            )
        return self._nursery

    def _close(self) -> None:
        """End the nursery, and the job that it runs."""
        nursery, self._nursery = self._nursery, None
        if nursery is None:
            return
        assert nursery.stdin is not None
        nursery.stdin.close()
        try:
            nursery.wait(self.grace_seconds + MARGIN_SECONDS)
        finally:
            nursery.kill()
            nursery.wait()


def _tell(nursery: IO[str], order: dict[str, Any]) -> None:
    nursery.write(json.dumps(order) + "\n")
    nursery.flush()
