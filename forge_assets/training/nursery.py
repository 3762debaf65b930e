"""Starts worker processes fast: imports torch and its family once, then forks one process a job.

Run by the launcher: python -m forge_assets.training.nursery. Orders come as JSON lines on standard input
({"folder", "log", "environment"}); for each, {"pid"} and later {"status"} go to standard output. Importing costs a
worker about 10 s, forking none of it. When standard input closes, the running worker is asked to stop.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TextIO

GRACE_SECONDS = 60


def main() -> int:
    """Serve orders until standard input closes."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not be taken for a reply
    # A terminal's Ctrl-C reaches the launcher, which stops the worker in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from forge_assets.training import cut, generate, sft, worker  # noqa: F401

    orders = os.fdopen(os.dup(0), "r")
    for line in orders:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _settle(order)
            _leave(worker.main, Path(order["folder"]))
        _reply(replies, {"pid": pid})
        _reply(replies, {"status": _wait(pid)})
    return 0


def _settle(order: dict[str, Any]) -> None:
    """Make the forked process one of its own: session, log, environment."""
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)
    os.environ.update(order["environment"])


def _leave(work: Callable[[Path], int], folder: Path) -> NoReturn:
    """Work, then exit without the seconds that taking torch apart would cost."""
    status = 1
    try:
        status = work(folder)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _reply(replies: TextIO, message: dict[str, int]) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()


def _wait(pid: int) -> int:
    """Exit status of the worker (negative: killed by that signal), stopping it if the launcher is gone."""
    asked_at: float | None = None
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if asked_at is None:
            readable, _, _ = select.select([0], [], [], 0.1)
            if readable:  # nobody sends an order while one runs: standard input was closed
                os.killpg(pid, signal.SIGTERM)
                asked_at = time.time()
        else:
            time.sleep(0.1)
            if time.time() - asked_at > GRACE_SECONDS:
                os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
