"""What the processes of jobs run in tests of launchers and supervisors: they end in every way that a worker can."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from forge_resources.processes.cause import Cause
from forge_resources.processes.interrupt import INTERRUPTED, Interrupt, Interrupted
from forge_resources.processes.ranks import rank
from forge_resources.storage.job_folder import write_record
from forge_resources.storage.launch_file import Entry, LaunchFile


def job(folder: Path, entry: str, *, processes: int = 1, preload: tuple[str, ...] = ()) -> Path:
    """A job folder whose processes run a function of this file."""
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps({"kind": entry, "processes": processes}), "utf-8")
    LaunchFile(entry, {}, Entry(f"{__name__}:{entry}", preload)).write(folder)
    return folder


def ends_well(folder: Path) -> int:
    """Leave a result and its record."""
    (folder / "result").mkdir()
    (folder / "result" / "answer").write_text("42", "utf-8")
    write_record(folder, {"kind": "ends_well", "attempts": 1})
    return 0


def fails(folder: Path) -> int:
    """Say what it died of, as a worker does."""
    _attempt(folder, "failed", "out of memory: 8 GB. Use a smaller batch_size", Cause.OUT_OF_MEMORY)
    return 1


def crashes(folder: Path) -> int:
    """Die before it can say anything."""
    raise RuntimeError("no such thing as a dream")


def is_killed(folder: Path) -> int:
    """Die as of `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def waits(folder: Path) -> int:
    """Work until it is asked to stop, then take a moment to write what it has."""
    interrupt = Interrupt()
    (folder / f"ready-{rank()}").write_text(str(os.getpid()), "utf-8")
    while True:
        time.sleep(0.02)
        try:
            interrupt.check()
        except Interrupted as reason:
            (folder / "asked").touch()
            time.sleep(0.5)
            _attempt(folder, "interrupted", str(reason), Cause.INTERRUPTED)
            return INTERRUPTED


def waits_with_a_child(folder: Path) -> int:
    """The same, with a program that it started in a session of its own."""
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    return waits(folder)


def hears_late(folder: Path) -> int:
    """Hear no signal until it is let go on."""
    while not (folder / "go").exists():
        time.sleep(0.02)
    return waits(folder)


def is_stuck(folder: Path) -> int:
    """Hear signals and never look at them."""
    _interrupt = Interrupt()
    time.sleep(600)
    return 0


def _attempt(folder: Path, outcome: str, reason: str, cause: Cause) -> None:
    line = {"outcome": outcome, "reason": reason, "cause": cause, "time": time.time()}
    with (folder / "attempts.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
