"""The other end of a fork server: start it, have it do one job after the other, and end it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from forge_resources.processes import fork_server


class ForkServerFailed(Exception):
    """The server ended, and with it the job that it was given; the message says what of."""


class ForkServer:
    """A fork server in a session of its own, for one job at a time.

    Args:
        environment: its whole environment, which its jobs inherit.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", fork_server.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
            env=dict(environment),
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._orders, self._replies = self._process.stdin, self._process.stdout

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it can take a job."""
        return self._process.poll() is None

    def start(self, order: fork_server.Order) -> None:
        """Give it a job.

        Raises:
            ForkServerFailed: the server is gone.
        """
        try:
            self._tell(order.line())
        except BrokenPipeError:
            while True:  # until the reason is read, or the end
                self._reply()

    def worker(self) -> int:
        """Process id of the first worker of the job that was started last, once there is one.

        Raises:
            ForkServerFailed: the server ended before that.
        """
        return int(self._reply()["pid"])

    def wait(self) -> int:
        """Exit status of the job that was started last, negative where a signal killed it.

        Raises:
            ForkServerFailed: the server ended before the job; what the job had is on disk.
        """
        while (status := self._reply().get("status")) is None:
            pass
        return int(status)

    def stop(self, folder: Path) -> None:
        """Ask the job in `folder` to stop if it is the one that runs; from any thread."""
        with suppress(BrokenPipeError, ValueError):  # the server is gone or was closed, and the job with it
            self._tell(json.dumps({"stop": str(folder)}))

    def close(self, patience: float) -> None:
        """End the server, and first the job that it runs.

        An interrupt that comes meanwhile is heard when both have ended: the job was asked to stop already.

        Args:
            patience: seconds after which the server is killed.
        """
        with suppress(BrokenPipeError):
            self._orders.close()
        until, heard = time.monotonic() + patience, None
        while self.alive() and time.monotonic() < until:
            try:
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(max(0.0, until - time.monotonic()))
            except BaseException as interrupt:
                heard = interrupt
        self._process.kill()
        self._process.wait()
        if heard is not None:
            raise heard

    def _tell(self, line: str) -> None:
        self._orders.write(line + "\n")
        self._orders.flush()

    def _reply(self) -> dict[str, Any]:
        line = self._replies.readline()
        if not line:
            raise ForkServerFailed(self._end())
        reply: dict[str, Any] = json.loads(line)
        if "failed" in reply:
            self._process.wait()
            raise ForkServerFailed(f"cannot import what workers need: {reply['failed']}")
        return reply

    def _end(self) -> str:
        """How its process ended."""
        status = self._process.wait()
        return f"was killed ({signal.Signals(-status).name})" if status < 0 else f"ended with status {status}"
