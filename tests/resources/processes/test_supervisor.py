"""A supervisor ends its job also where the worker does not: real processes that are stuck or deaf."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from forge_resources.processes import supervisor as module
from forge_resources.processes.supervisor import LEFT_SECONDS, MATES_SECONDS
from tests.resources import entries

GRACE = 1
PARENT = "import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait()"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A job of two processes that get stuck."""
    return entries.job(tmp_path / "job", "is_stuck", processes=2)


def _command(folder: Path, grace: float = GRACE) -> list[str]:
    return [sys.executable, "-m", module.__name__, str(folder), str(grace)]


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def _stuck(supervisor: psutil.Process) -> list[psutil.Process]:
    """Both ranks, once they hear signals."""

    def ranks() -> list[psutil.Process]:
        found = supervisor.children()
        return found if len(found) == 2 and all(_hears(rank) for rank in found) else []

    _until(ranks)
    return ranks()


def _has(process: psutil.Process, signals: str, number: signal.Signals) -> bool:
    mask = Path(f"/proc/{process.pid}/status").read_text("utf-8").split(f"{signals}:")[1].split()[0]
    return bool(int(mask, 16) >> (number - 1) & 1)


def _hears(process: psutil.Process) -> bool:
    return _has(process, "SigCgt", signal.SIGTERM) and process.num_threads() > 1


def test_workers_that_do_not_stop_when_asked_to_are_killed_after_the_grace(folder: Path) -> None:
    with subprocess.Popen(_command(folder)) as supervisor:
        ranks = _stuck(psutil.Process(supervisor.pid))
        began = time.monotonic()
        supervisor.terminate()
        assert supervisor.wait(60) == 128 + signal.SIGKILL
        assert time.monotonic() - began >= GRACE
        assert not any(rank.is_running() for rank in ranks)


def test_workers_stopped_dead_end_with_the_process_that_started_their_supervisor(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, *_command(folder)]) as parent:
        _until(lambda: psutil.Process(parent.pid).children())
        [supervisor] = psutil.Process(parent.pid).children()
        ranks = _stuck(supervisor)
        for rank in ranks:
            rank.suspend()  # as in native code that never returns
        parent.kill()
        _until(lambda: not any(one.is_running() for one in [supervisor, *ranks]))


def test_when_one_rank_dies_the_others_do_not_stay(folder: Path) -> None:
    with subprocess.Popen(_command(folder)) as supervisor:
        first, second = _stuck(psutil.Process(supervisor.pid))
        second.kill()
        assert supervisor.wait(MATES_SECONDS + LEFT_SECONDS + 30) == 128 + signal.SIGKILL
        assert not first.is_running()


def test_a_stop_that_comes_before_a_worker_can_hear_it_is_heard_later(tmp_path: Path) -> None:
    folder = entries.job(tmp_path / "job", "hears_late", processes=2)
    with subprocess.Popen(_command(folder, 60)) as supervisor:
        _until(lambda: len(psutil.Process(supervisor.pid).children()) == 2)
        ranks = psutil.Process(supervisor.pid).children()
        supervisor.terminate()
        _until(lambda: all(_has(rank, "ShdPnd", signal.SIGTERM) for rank in ranks))
        (folder / "go").touch()
        assert supervisor.wait(60) == 75
    assert '"interrupted"' in (folder / "attempts.jsonl").read_text("utf-8")


def test_what_a_killed_worker_had_started_ends_with_it(tmp_path: Path) -> None:
    folder = entries.job(tmp_path / "job", "waits_with_a_child")
    with subprocess.Popen(_command(folder, 60)) as supervisor:
        _until((folder / "ready-0").exists)
        worker = psutil.Process(int((folder / "ready-0").read_text("utf-8")))
        [child] = worker.children()
        worker.kill()
        assert supervisor.wait(60) == 128 + signal.SIGKILL
        assert not child.is_running()


def test_an_entry_that_is_not_there_ends_the_job_with_its_name_in_the_log(tmp_path: Path) -> None:
    folder = entries.job(tmp_path / "job", "no_such_function")
    assert subprocess.run(_command(folder)).returncode == 1
    assert "has no attribute 'no_such_function'" in (folder / "log.txt").read_text("utf-8")


@pytest.mark.parametrize("text", ['{"paths": {}}', '{"title": "an', "[]"], ids=["older", "cut", "a list"])
def test_a_launch_file_that_does_not_say_what_to_run_is_named_in_the_log(folder: Path, text: str) -> None:
    (folder / "launch.json").write_text(text, "utf-8")
    assert subprocess.run(_command(folder)).returncode == 1
    assert f"{folder / 'launch.json'}: cannot be used (" in (folder / "log.txt").read_text("utf-8")


@pytest.mark.parametrize("end", ["gone", "told", "done"])
def test_a_supervisor_starts_nothing_while_a_worker_of_an_earlier_attempt_is_there(folder: Path, end: str) -> None:
    with subprocess.Popen(_command(folder)) as earlier:
        ranks = _stuck(psutil.Process(earlier.pid))
        for rank in ranks:
            rank.suspend()
        earlier.kill()
    with subprocess.Popen(_command(folder)) as later:
        _until(lambda: "waiting for the processes of an earlier attempt" in (folder / "log.txt").read_text("utf-8"))
        assert not psutil.Process(later.pid).children()
        if end == "told":
            later.terminate()
            assert later.wait(60) == 75
        if end == "done":
            (folder / "record.json").write_text("{}", "utf-8")
        for rank in ranks:
            rank.kill()
        if end == "done":
            assert later.wait(60) == 0
        if end == "gone":
            _stuck(psutil.Process(later.pid))
            later.terminate()
            assert later.wait(60) == 128 + signal.SIGKILL
