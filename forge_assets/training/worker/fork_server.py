"""Starts worker processes fast: imports torch and its family once, then forks the keeper of one job after the other.

Run by the launcher: python -m forge_assets.training.worker.fork_server. Orders come as JSON lines on standard input
({"folder", "log", "environment"}, also "processes" and "grace"); for each, {"pid"} of the worker and later {"status"}
go to standard output. {"stop": folder} stops that job if it runs. Importing costs a worker about 10 s, forking none of
it. When standard input closes, the running job is stopped, and the nursery ends with it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from forge_assets.training.worker.supervisor import adopt_orphans, end_descendants, keep, leave_after, log_to
from forge_resources.processes.interrupt import GRACE_SECONDS


def main() -> int:
    """Serve orders until standard input closes."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not be taken for a reply
    # A terminal's Ctrl-C reaches the launcher, which stops the worker in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopt_orphans()
    import wandb  # noqa: F401

    from forge_assets.training.inference import generate, layer_pruning  # noqa: F401
    from forge_assets.training.trainers import sft  # noqa: F401
    from forge_assets.training.worker import main  # noqa: F401

    orders = Orders(os.dup(0))
    while orders.open:
        order = orders.next()
        if "folder" not in order:  # the end, or a stop that came when its job had just ended
            continue
        grace = float(order.get("grace", GRACE_SECONDS))
        keeper = os.fork()
        if keeper == 0:
            leave_after(partial(_keep, order, grace, replies))
        status = _wait(keeper, order["folder"], orders)
        end_descendants(grace)  # none are left, unless somebody killed the keeper
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


def _keep(order: dict[str, Any], grace: float, replies: TextIO) -> int:
    """Be the keeper of a job, in a session of its own."""
    os.setsid()
    log_to(Path(order["log"]))
    os.environ.update(order["environment"])
    return keep(
        Path(order["folder"]), order.get("processes", 1), grace, started=lambda pid: _reply(replies, {"pid": pid})
    )


def _reply(replies: TextIO, message: dict[str, int]) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()


def _wait(keeper: int, folder: str, orders: Orders) -> int:
    """Exit status of the job (negative: killed by that signal), stopping it if told to or if the launcher is gone."""
    asked = False
    while True:
        done, status = os.waitpid(keeper, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code <= 128 else 128 - code
        if asked:
            time.sleep(0.1)
        elif orders.next(0.1).get("stop") == folder or not orders.open:
            os.kill(keeper, signal.SIGTERM)
            asked = True


if __name__ == "__main__":
    sys.exit(main())
