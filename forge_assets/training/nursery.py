"""Starts worker processes fast: imports torch and its family once, then forks the keeper of one job after the other.

Run by the launcher: python -m forge_assets.training.nursery. Orders come as JSON lines on standard input
({"folder", "log", "environment"}, also "processes" and "grace"); for each, {"pid"} of the worker and later {"status"}
go to standard output. Importing costs a worker about 10 s, forking none of it. When standard input closes, the running
job is stopped, and the nursery ends with it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from forge_assets.training.interrupt import GRACE_SECONDS
from forge_assets.training.keeper import adopt_orphans, end_descendants, keep, leave_after, log_to


def main() -> int:
    """Serve orders until standard input closes."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not be taken for a reply
    # A terminal's Ctrl-C reaches the launcher, which stops the worker in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopt_orphans()
    import wandb  # noqa: F401

    from forge_assets.training import cut, generate, sft, worker  # noqa: F401

    orders = os.fdopen(os.dup(0), "r")
    for line in orders:
        order = json.loads(line)
        grace = float(order.get("grace", GRACE_SECONDS))
        keeper = os.fork()
        if keeper == 0:
            leave_after(partial(_keep, order, grace, replies))
        status = _wait(keeper)
        end_descendants(grace)  # none are left, unless somebody killed the keeper
        _reply(replies, {"status": status})
    return 0


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


def _wait(keeper: int) -> int:
    """Exit status of the job (negative: killed by that signal), stopping it if the launcher is gone."""
    watched = [0]
    while True:
        done, status = os.waitpid(keeper, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code <= 128 else 128 - code
        readable, _, _ = select.select(watched, [], [], 0.1)
        if readable:  # nobody sends an order while one runs: standard input was closed
            os.kill(keeper, signal.SIGTERM)
            watched = []


if __name__ == "__main__":
    sys.exit(main())
