"""Supervises the processes of one job: starts one for each rank, passes a stop on to them, and leaves none behind.

Run: python -m forge_resources.processes.supervisor JOB_FOLDER [GRACE_SECONDS]

It does nothing that can get stuck, so it can end a worker that does. Whatever a worker starts becomes the supervisor's
child when its parent is gone (PR_SET_CHILD_SUBREAPER, Linux), also from a session of its own, and ends with the job.
The supervisor stops the job when it is told to (SIGTERM, SIGINT) or when the process that started it is gone. It starts
nothing while a process of an earlier attempt is still there. What a rank runs is the entry of the job's `launch.json`,
which only the rank reads.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

import psutil

from forge_resources.processes.cause import OUT_OF_MEMORY_STATUS, out_of_memory_kills
from forge_resources.processes.interrupt import GRACE, GRACE_SECONDS, INTERRUPTED, STOPS
from forge_resources.processes.ranks import FAILED, environments
from forge_resources.storage.job_folder import WORKER_LOCK
from forge_resources.storage.launch_file import LaunchFile

LEFT_SECONDS = 2
"""How long something that a worker left behind may take to end when asked to."""
MATES_SECONDS = 5
"""How long the other ranks may go on when one of them has failed."""
_SUBREAPER = 36


def main(folder: Path, grace: float) -> int:
    """Run the job in `folder` with its output in the folder's log; exit status, 128 and more for a signal."""
    log_to(folder / "log.txt")
    spec = json.loads((folder / "job.json").read_text("utf-8"))
    return keep(folder, int(spec.get("processes", 1)), grace)


def keep(folder: Path, processes: int, grace: float, started: Callable[[int], None] | None = None) -> int:
    """Run a job's ranks to their end.

    Args:
        grace: seconds that they may take to stop when asked to, before they are killed.
        started: told the process id of rank 0.

    Returns:
        0, or the exit status of the rank that failed first: 75 interrupted, 76 killed by the kernel for memory, 128 + n
        killed by signal n.
    """
    adopt_orphans()
    asked, parent = _Asked(), os.getppid()
    if not _alone(folder, lambda: asked.now or os.getppid() != parent):
        return INTERRUPTED
    if (folder / "record.json").exists():  # the earlier attempt ended well
        return 0
    (folder / "work" / FAILED).unlink(missing_ok=True)
    os.environ[GRACE] = str(grace)
    ranks = [_fork(folder, environment) for environment in environments(processes)]
    if started:
        started(ranks[0])
    running, kills = set(ranks), out_of_memory_kills()
    first, stopping, deadline = 0, False, float("inf")
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)  # children that were adopted are reaped along
        if pid in running:
            running.remove(pid)
            code = os.waitstatus_to_exitcode(status)
            first = first or code
            if code not in (0, INTERRUPTED):
                deadline = min(deadline, time.monotonic() + MATES_SECONDS)
            asked.now |= code == INTERRUPTED
        elif pid == 0:
            time.sleep(0.05)
        if not stopping and (asked.now or os.getppid() != parent):
            stopping, deadline = True, min(deadline, time.monotonic() + grace)
            _signal(running, signal.SIGTERM)
        if time.monotonic() > deadline:
            _signal(running, signal.SIGKILL)
    end_descendants(LEFT_SECONDS)
    if first == -signal.SIGKILL and not stopping and out_of_memory_kills() > kills:
        return OUT_OF_MEMORY_STATUS
    return first if first >= 0 else 128 - first


def adopt_orphans() -> None:
    """Become the parent of every process below this one whose own parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)


def end_descendants(patience: float) -> None:
    """End all processes below this one: SIGTERM, and SIGKILL to those that are still there after `patience` seconds."""
    deadline = time.monotonic() + patience
    here, asked = psutil.Process(), set[int]()
    while below := here.children(recursive=True):
        for process in below:
            late = time.monotonic() > deadline
            if late or process.pid not in asked:
                asked.add(process.pid)
                _signal({process.pid}, signal.SIGKILL if late else signal.SIGTERM)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.02)


def log_to(file: Path) -> None:
    """Send this process's output, and that of those it starts, to the end of a file; its input is empty."""
    log = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)


def leave_after(work: Callable[[], int]) -> NoReturn:
    """Work, then exit from a forked process without the seconds that taking torch apart would cost."""
    status = 1
    try:
        status = work()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


class _Asked:
    """Whether a signal has asked the supervisor to stop the job."""

    def __init__(self) -> None:
        self.now = False
        for number in STOPS:
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.now = True


def _alone(folder: Path, to_stop: Callable[[], bool]) -> bool:
    """Wait until all processes of earlier attempts are gone; False: `to_stop` came first.

    The ranks inherit the open file, and with it the lock: it is free when supervisor and ranks are gone, however they
    end. So not by `filelock`, whose locks a forked process does not keep.
    """
    lock = os.open(folder / WORKER_LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    said = False
    while not to_stop():
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if not said:
                print("waiting for the processes of an earlier attempt to end", flush=True)
                said = True
            time.sleep(0.1)
    return False


def _fork(folder: Path, environment: dict[str, str]) -> int:
    """Process id of a new rank, in which stop signals wait until its `Interrupt` can hear them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    pid = os.fork()
    if pid == 0:
        os.environ.update(environment)
        leave_after(lambda: LaunchFile.read(folder).entry.load()(folder))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    return pid


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else GRACE_SECONDS))
