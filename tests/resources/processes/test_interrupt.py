"""A worker notices signals and the death of the process that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from forge_resources.processes.interrupt import GRACE

WORKER = """
import os, sys, time
from pathlib import Path
from forge_resources.processes.interrupt import Interrupt, Interrupted

interrupt, said = Interrupt(), Path(sys.argv[1])
interrupt.check()
Path(sys.argv[2]).write_text(str(os.getpid()), "utf-8")
while True:
    time.sleep(0.05)
    try:
        interrupt.check()
    except Interrupted as reason:
        said.write_text(str(reason), "utf-8")
        sys.exit(0)
"""
DEAF = """
import os, sys, time
from pathlib import Path
from forge_resources.processes.interrupt import Interrupt

interrupt = Interrupt()
Path(sys.argv[1]).write_text(str(os.getpid()), "utf-8")
time.sleep(600)
"""
PARENT = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', *sys.argv[1:]]).wait()"


def _appears(path: Path) -> str:
    end = time.monotonic() + 30
    while not (path.exists() and path.read_text("utf-8")):
        assert time.monotonic() < end, f"{path.name} did not appear"
        time.sleep(0.05)
    return path.read_text("utf-8")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_heard_at_the_next_safe_point(tmp_path: Path, number: signal.Signals) -> None:
    said, ready = tmp_path / "said", tmp_path / "pid"
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(said), str(ready)])
    _appears(ready)
    worker.send_signal(number)
    assert worker.wait(30) == 0
    assert said.read_text("utf-8") == number.name


def test_a_worker_whose_parent_was_killed_stops_by_itself(tmp_path: Path) -> None:
    said, ready = tmp_path / "said", tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, WORKER, str(said), str(ready)])
    _appears(ready)
    parent.kill()
    parent.wait()
    assert _appears(said) == "the process that started this job is gone"


def test_a_worker_that_lost_its_supervisor_and_does_not_look_up_ends_after_the_grace(tmp_path: Path) -> None:
    ready = tmp_path / "pid"
    command = [sys.executable, "-c", PARENT, DEAF, str(ready)]
    parent = subprocess.Popen(command, env={**os.environ, GRACE: "1"})
    worker = psutil.Process(int(_appears(ready)))
    parent.kill()
    parent.wait()
    end = time.monotonic() + 60
    while worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "it is still there"
        time.sleep(0.05)
