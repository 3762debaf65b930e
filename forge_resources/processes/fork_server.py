"""Starts worker processes fast: imports what they need once, then forks the supervisor of one job after the other.

Run by `ForkServer` (fork_client.py): python -m forge_resources.processes.fork_server. Orders come as JSON lines on
standard input; for each, {"pid"} of the job's first worker and later {"status"} go to standard output. {"stop": folder}
stops that job if it runs. Importing costs a worker about 10 s, forking none of it; what cannot be imported is told as
{"failed": reason}, and the server ends. When standard input closes, the running job is stopped, and the server ends
with it.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from forge_resources.processes.interrupt import GRACE_SECONDS
from forge_resources.processes.supervisor import adopt_orphans, end_descendants, keep, leave_after, log_to


@dataclass(frozen=True)
class Order:
    """One job for the server.

    Attributes:
        processes: how many ranks it has.
        environment: what its processes get beside the server's own.
        preload: modules to import before they are forked.
        grace: seconds that they may take to stop.
    """

    folder: Path
    processes: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    preload: tuple[str, ...] = ()
    grace: float = GRACE_SECONDS

    def line(self) -> str:
        """As it is sent."""
        return json.dumps({**vars(self), "folder": str(self.folder)})

    @classmethod
    def parse(cls, sent: Mapping[str, Any]) -> Order:
        """As it was sent."""
        return cls(**{**sent, "folder": Path(sent["folder"]), "preload": tuple(sent["preload"])})


def main() -> int:
    """Serve orders until standard input closes; 1 if an order's modules cannot be imported."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not be taken for a reply
    # A terminal's Ctrl-C reaches the launcher, which stops the worker in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopt_orphans()
    orders = Orders(os.dup(0))
    while orders.open:
        sent = orders.next()
        if "folder" not in sent:  # the end, or a stop that came when its job had just ended
            continue
        order = Order.parse(sent)
        try:
            for module in order.preload:
                importlib.import_module(module)
        except Exception as error:  # whatever a library raises when it is imported
            traceback.print_exc()
            _reply(replies, {"failed": f"{type(error).__name__}: {error}"})
            return 1
        supervisor = os.fork()
        if supervisor == 0:
            leave_after(partial(_supervise, order, replies))
        status = _wait(supervisor, order.folder, orders)
        end_descendants(order.grace)  # none are left, unless somebody killed the supervisor
        _reply(replies, {"status": status})
    return 0


class Orders:
    """Orders as they come in.

    Attributes:
        open: whether more can come.
    """

    def __init__(self, source: int) -> None:
        self.open = True
        self._source = source
        self._read = b""

    def next(self, patience: float | None = None) -> dict[str, Any]:
        """The next order; empty if none came within `patience` seconds, or if the input was closed."""
        while b"\n" not in self._read:
            readable, _, _ = select.select([self._source], [], [], patience)
            if not readable:
                return {}
            piece = os.read(self._source, 2**16)
            self.open = bool(piece)
            if not piece:
                return {}
            self._read += piece
        line, _, self._read = self._read.partition(b"\n")
        order: dict[str, Any] = json.loads(line)
        return order


def _supervise(order: Order, replies: TextIO) -> int:
    """Be the supervisor of a job, in a session of its own."""
    os.setsid()
    log_to(order.folder / "log.txt")
    os.environ.update(order.environment)
    return keep(order.folder, order.processes, order.grace, started=lambda pid: _reply(replies, {"pid": pid}))


def _reply(replies: TextIO, message: dict[str, Any]) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()


def _wait(supervisor: int, folder: Path, orders: Orders) -> int:
    """Exit status of the job (negative: killed by that signal), stopping it if told to or if the launcher is gone."""
    asked = False
    while True:
        done, status = os.waitpid(supervisor, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code <= 128 else 128 - code
        if asked:
            time.sleep(0.1)
        elif orders.next(0.1).get("stop") == str(folder) or not orders.open:
            os.kill(supervisor, signal.SIGTERM)
            asked = True


if __name__ == "__main__":
    sys.exit(main())
