"""What ends with what on this machine, and how a launcher is chosen; the rest is in test_contract.py."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from forge_resources.launchers.base import LauncherError, how_it_ended
from forge_resources.launchers.local import LocalLauncher
from forge_resources.launchers.registry import LAUNCHERS, launcher_from_environment
from forge_resources.processes import fork_server
from forge_resources.processes.cause import Cause
from tests.resources import entries
from tests.resources.launchers.test_contract import RUN


def _run(folder: Path, **variables: str) -> subprocess.Popen[bytes]:
    """A Dagster run of one job, in a process of its own."""
    return subprocess.Popen([sys.executable, "-c", RUN, str(folder)], env={**os.environ, **variables})


def _said(folder: Path) -> list[str]:
    """Cause or `done`, and words."""
    said: list[str] = json.loads((folder / "said").read_text("utf-8"))
    return said


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def _gone(processes: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


def _below(run: subprocess.Popen[bytes], folder: Path) -> list[psutil.Process]:
    """Fork server, supervisor and worker of a run, once the worker is at work."""
    _until(lambda: (folder / "ready-0").exists() and (folder / "ready-0").read_text("utf-8"))
    worker = psutil.Process(int((folder / "ready-0").read_text("utf-8")))
    above = worker.parents()[:2]
    assert fork_server.__name__ in above[1].cmdline() and above[1].ppid() == run.pid
    return [above[1], above[0], worker]


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["run", "fork server", "supervisor"])
def test_whatever_above_a_worker_is_killed_the_worker_writes_what_it_has(tmp_path: Path, victim: str) -> None:
    folder = entries.job(tmp_path / "job", "waits")
    with _run(folder) as run:
        server, supervisor, worker = _below(run, folder)
        {"run": psutil.Process(run.pid), "fork server": server, "supervisor": supervisor}[victim].kill()
        run.wait(60)
        _until(lambda: _gone([server, supervisor, worker]))
    [attempt] = map(json.loads, (folder / "attempts.jsonl").read_text("utf-8").splitlines())
    assert attempt["outcome"] == "interrupted"
    if victim == "fork server":
        assert "the process that workers are forked from was killed (SIGKILL)" in _said(folder)[1]


@pytest.mark.slow
def test_a_second_interrupt_does_not_leave_the_worker_behind(tmp_path: Path) -> None:
    folder = entries.job(tmp_path / "job", "waits")
    with _run(folder) as run:
        below = _below(run, folder)
        run.send_signal(signal.SIGINT)
        _until((folder / "asked").exists)
        run.send_signal(signal.SIGINT)
        run.wait(60)
        assert _gone(below)
    assert '"interrupted"' in (folder / "attempts.jsonl").read_text("utf-8")


@pytest.mark.slow
def test_what_workers_need_and_cannot_be_imported_is_told_and_costs_no_finished_job(tmp_path: Path) -> None:
    """The same job is done once the environment is mended, and then needs it no more."""
    module = tmp_path / "modules" / "needed_by_this_job.py"
    module.parent.mkdir()
    module.write_text("raise ImportError('broken for a moment')", "utf-8")
    path = {"PYTHONPATH": os.pathsep.join([str(module.parent), os.environ.get("PYTHONPATH", "")])}
    folder = entries.job(tmp_path / "job", "ends_well", preload=("needed_by_this_job",))
    assert _run(folder, **path).wait(60) == 0
    cause, words = _said(folder)
    assert cause == Cause.UNKNOWN and "cannot import what workers need: ImportError: broken for a moment" in words
    module.write_text("", "utf-8")
    assert _run(folder, **path).wait(60) == 0 and _said(folder)[0] == "done"
    module.write_text("raise ImportError('broken again')", "utf-8")
    assert _run(folder, **path).wait(60) == 0 and _said(folder)[0] == "done"


@pytest.mark.parametrize(
    ("status", "words", "cause"),
    [
        (0, "", None),
        (1, "ended with status 1", Cause.UNKNOWN),
        (75, "run it again", Cause.INTERRUPTED),
        (76, "out of memory. Use a smaller batch_size", Cause.OUT_OF_MEMORY),
        (-9, "not by the kernel", Cause.KILLED),
        (137, "not by the kernel", Cause.KILLED),
    ],
)
def test_how_a_worker_ended_is_said_in_words_and_as_a_cause(status: int, words: str, cause: Cause | None) -> None:
    ended = how_it_ended(status)
    assert words in ended.words and bool(ended.words) == bool(status) and ended.cause == cause


def test_the_launcher_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORGE_LAUNCHER", raising=False)
    assert isinstance(launcher_from_environment(), LocalLauncher)
    monkeypatch.setenv("FORGE_LAUNCHER", "condor")
    known = ", ".join(LAUNCHERS)
    with pytest.raises(LauncherError, match=f"FORGE_LAUNCHER=condor: no such launcher; choose one of {known}"):
        launcher_from_environment()
