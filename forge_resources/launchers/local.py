"""Run jobs on this machine, forked from a server that has imported what they need."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from forge_resources.launchers.base import (
    MARGIN_SECONDS,
    Ending,
    Launcher,
    how_it_ended,
    processes,
    worker_environment,
)
from forge_resources.processes.cause import Cause
from forge_resources.processes.fork_client import ForkServer, ForkServerFailed
from forge_resources.processes.fork_server import Order
from forge_resources.storage.launch_file import LaunchFile


class LocalLauncher(Launcher):
    """Runs jobs on this machine, one after the other, each in a session of its own that ends whole.

    After `cancel` it starts none any more.
    """

    _server: ForkServer | None = PrivateAttr(default=None)
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
            if self._running == folder and self._server is not None:
                self._server.stop(folder)

    def _work(self, context: dg.AssetExecutionContext, folder: Path) -> Ending:
        with self._turn, self._session(context, folder) as environment:
            if self._cancelled:
                return Ending("was cancelled before it began", Cause.INTERRUPTED)
            preload = LaunchFile.read(folder).entry.preload
            order = Order(folder, processes(folder), environment, preload, self.grace_seconds)
            try:
                return how_it_ended(self._done(order))
            except ForkServerFailed as error:
                words = f"did not end: the process that workers are forked from {error}; mend it and run again"
                return Ending(words, Cause.UNKNOWN)
            except BaseException:
                context.log.info("cancelled: asking the worker for a checkpoint")
                self._close()
                raise
            finally:
                self._running = None

    def _done(self, order: Order) -> int:
        """Exit status of the job."""
        if self._server is None or not self._server.alive():
            self._server = ForkServer({**os.environ, **worker_environment()})
        server = self._server
        with self._telling:
            server.start(order)
            self._running = order.folder
        return server.wait()

    def _close(self) -> None:
        """End the fork server, and the job that it runs."""
        server, self._server = self._server, None
        if server is not None:
            server.close(self.grace_seconds + MARGIN_SECONDS)
