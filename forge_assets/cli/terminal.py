"""How a command lives with its terminal: readers that go away, and signals that ask it to stop."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO


class PatientOutput:
    """Standard output whose reader, `head` say, may go away: the command goes on with its work and prints no more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or drop the text where nobody reads any more."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._drop()
            return len(text)

    def flush(self) -> None:
        """Flush, or drop what is in the buffer."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._drop()

    def _drop(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Signals:
    """Which signals that ask a command to stop came, whoever handled them.

    Dagster handles SIGINT and SIGTERM itself while a step runs, and does not say which it was. A terminal that is
    closed (SIGHUP) stops a command as Ctrl-C does.
    """

    def __init__(self) -> None:
        self._came, self._pipe = os.pipe()
        for end in (self._came, self._pipe):
            os.set_blocking(end, False)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Raise KeyboardInterrupt for SIGTERM and SIGHUP as for SIGINT while it lasts; in the main thread only."""
        wake = signal.set_wakeup_fd(self._pipe, warn_on_full_buffer=False)
        # `nohup` has SIGHUP ignored, and means it.
        heard = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is not signal.SIG_IGN]
        before = {number: signal.signal(number, _interrupt) for number in heard}
        before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)  # `&` of a shell ignores it
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wake)

    def status(self) -> int:
        """Exit status of a command that the first of them stopped, as shells count: 128 and its number."""
        stops = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        try:
            came = [number for number in os.read(self._came, 4096) if number in stops]
        except BlockingIOError:
            came = []
        return 128 + (came[0] if came else signal.SIGINT)


def _interrupt(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGINT)
