"""Ask a running job to stop at the next safe point: on SIGTERM, SIGINT, or when the process that started it is gone."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 75
"""Exit status of an interrupted worker (EX_TEMPFAIL): call again to go on."""
STOPS = (signal.SIGTERM, signal.SIGINT)
GRACE = "FORGE_GRACE_SECONDS"
"""Set by a worker's supervisor: how long it may take to stop when the supervisor, which would then kill it, is gone."""
GRACE_SECONDS = 60


class Interrupted(Exception):
    """The job stopped early; everything done so far is on disk."""


class Interrupt:
    """A flag that signals and the parent's death raise; jobs look at it between steps and batches."""

    def __init__(self) -> None:
        self.reason = ""
        self._at_once = False
        for number in STOPS:
            signal.signal(number, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        threading.Thread(target=self._watch_parent, args=(os.getppid(),), daemon=True).start()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        before, self.reason = self.reason, signal.Signals(number).name
        if self._at_once and not before:
            raise Interrupted(self.reason)

    def _watch_parent(self, parent: int) -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        self.reason = "the process that started this job is gone"
        if GRACE in os.environ:
            time.sleep(float(os.environ[GRACE]))
            os.kill(os.getpid(), signal.SIGKILL)  # it is stuck: an exit of the interpreter would wait for it

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """While there is nothing to save, a signal ends the job where it is."""
        self.check()
        self._at_once = True
        try:
            yield
        finally:
            self._at_once = False
        self.check()

    def check(self) -> None:
        """End the job here if it was asked to stop.

        Raises:
            Interrupted: somebody asked this job to stop.
        """
        if self.reason:
            raise Interrupted(self.reason)
