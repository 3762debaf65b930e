"""A job's training curve: read it whole, or judge it step by step while the job runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from forge_resources.storage.json_lines import JsonLines

LOOK_SECONDS = 0.2
STREAM = "metrics.jsonl"

Watch = Callable[[dict[str, Any]], str]
"""Told a line of the curve, gives "" to go on or a sentence why the job should stop."""


def curve(folder: Path) -> list[dict[str, Any]]:
    """What a job's stream says of every training step so far, in order, each as it was done last."""
    steps = {line["step"]: line for line in JsonLines(folder / STREAM).new() if "step" in line}
    return [steps[step] for step in sorted(steps)]


class Judge:
    """Shows a job's training steps to a `watch` until that gives a reason to stop.

    Steps come in order and each once, as it was done first, so that the reason depends on the curve alone and not on
    when somebody looked or how often the worker was started.

    Attributes:
        reason: why the job should stop; "" so far.
        step: the last step that was shown.
    """

    def __init__(self, folder: Path, watch: Watch) -> None:
        self.reason = ""
        self.step = 0
        self._name = folder.name[:12]
        self._stream = JsonLines(folder / STREAM)
        self._watch = watch
        self._error: BaseException | None = None

    def look(self) -> str:
        """Show what is new; the reason to stop, or "".

        Raises:
            BaseException: what `watch` raised, now or in `looking`.
        """
        if self._error is not None:
            raise self._error
        for line in () if self.reason else self._stream.new():
            if line.get("step", 0) > self.step:
                self.step = line["step"]
                self.reason = self._watch(line)
                if self.reason:
                    break
        return self.reason

    @contextmanager
    def looking(self, stop: Callable[[], None]) -> Iterator[None]:
        """Look again and again meanwhile, and call `stop` once there is a reason, or when `watch` has failed."""
        over = threading.Event()
        looker = threading.Thread(target=self._look_until, args=(over, stop), name=f"judge {self._name}")
        looker.start()
        try:
            yield
        finally:
            over.set()
            looker.join()
        if self._error is not None:
            raise self._error

    def _look_until(self, over: threading.Event, stop: Callable[[], None]) -> None:
        while not over.wait(LOOK_SECONDS):
            try:
                ended = bool(self.look())
            except BaseException as error:  # raised where the job was asked for
                self._error, ended = error, True
            if ended:
                self._end(stop)
                return

    def _end(self, stop: Callable[[], None]) -> None:
        try:
            stop()
        except BaseException as error:
            self._error = self._error or error
