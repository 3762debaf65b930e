"""What becomes of a job whose worker dies, and of a worker whose job is cancelled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from forge_resources.launcher import JobFailed, LocalLauncher

CANCELLED = """
import sys
from pathlib import Path
import dagster as dg
from forge_resources import launcher

launcher.WORKER, launcher.GRACE_SECONDS = "worker_of_this_test", 1

@dg.asset
def job(context: dg.AssetExecutionContext, launcher: launcher.LocalLauncher) -> None:
    launcher.run(context, Path(sys.argv[1]))

dg.materialize([job], resources={"launcher": launcher.LocalLauncher()})
"""

WORKER = """
import signal, subprocess, sys, time
from pathlib import Path

folder = Path(sys.argv[1])
{ignore}
child = subprocess.Popen([sys.executable, "-c", "import signal, time; {child} time.sleep(600)"])
time.sleep(1)
(folder / "started").touch()
time.sleep(600)
"""
IGNORE = "signal.signal(signal.SIGTERM, signal.SIG_IGN);"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "job"
    path.mkdir()
    return path


def _launch(folder: Path) -> None:
    @dg.asset
    def job(context: dg.AssetExecutionContext, launcher: LocalLauncher) -> None:
        launcher.run(context, folder)

    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([job], instance=instance, resources={"launcher": LocalLauncher()})


def _processes(folder: Path) -> list[int]:
    """Process ids of the group of the worker that works in `folder`."""
    listed = subprocess.run(
        ["ps", "-eww", "-o", "pid,pgid,stat,args"], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 3) for line in listed.splitlines()[1:]]
    groups = {group for _, group, _, arguments in rows if arguments.endswith(str(folder)) and " -m " in arguments}
    return [int(pid) for pid, group, state, _ in rows if group in groups and not state.startswith("Z")]


def _wait(condition: threading.Event | None, path: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.05)


def test_a_worker_that_crashes_fails_the_job_with_the_end_of_its_log(folder: Path) -> None:
    (folder / "log.txt").write_text("what the attempt before said\n")
    (folder / "job.json").write_text('{"kind": "dream"}')
    (folder / "launch.json").write_text('{"paths": {}}')
    with pytest.raises(JobFailed) as caught:
        _launch(folder)
    message = str(caught.value)
    assert "ended with status 1" in message
    assert "dream" in message, "the log's last lines say what was wrong"
    assert "the attempt before" not in message
    assert (folder / "log.txt").read_text().startswith("what the attempt before said\n")


def test_a_worker_that_is_killed_fails_the_job(folder: Path) -> None:
    os.mkfifo(folder / "job.json")  # the worker waits here for its spec

    def kill() -> None:
        with (folder / "job.json").open("w"):
            [worker] = _processes(folder)
            os.kill(worker, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(JobFailed, match=f"job {folder.name} ended with status -9; .*log.txt ends:"):
        _launch(folder)
    killer.join()


@pytest.fixture
def cancelled(tmp_path: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A Dagster run under way in a process of its own, its worker not yet started."""
    (tmp_path / "run.py").write_text(CANCELLED)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "run.py"), str(folder)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    for pid in _processes(folder):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(("worker", "child"), [("", ""), (IGNORE, ""), ("", IGNORE)])
def test_cancelling_a_run_ends_the_worker_and_all_its_processes(
    tmp_path: Path, folder: Path, cancelled: subprocess.Popen[str], worker: str, child: str
) -> None:
    (tmp_path / "worker_of_this_test.py").write_text(WORKER.format(ignore=worker, child=child))
    _wait(None, folder / "started")
    assert len(_processes(folder)) == 2
    cancelled.send_signal(signal.SIGINT)
    cancelled.wait(30)
    assert _processes(folder) == []
