"""A keeper ends its job also where the worker does not: real processes, stuck before they load anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from forge_assets.training.jobs.spec import SftJob
from forge_assets.training.worker.supervisor import LEFT_SECONDS, MATES_SECONDS

DIGEST = "d" * 64
GRACE = 1
PARENT = "import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait()"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A job of two processes that get stuck: what they are to read never comes."""
    job = SftJob(base=DIGEST, dataset=DIGEST, lora=None, learning_rate=1e-3, batch_size=1, steps=1, processes=2)
    (tmp_path / "job.json").write_text(job.model_dump_json(), "utf-8")
    os.mkfifo(tmp_path / "launch.json")
    return tmp_path


def _command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "forge_assets.training.worker.supervisor", str(folder), str(GRACE)]


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def _stuck(keeper: psutil.Process) -> list[psutil.Process]:
    """Both ranks, once they hear signals."""

    def ranks() -> list[psutil.Process]:
        found = keeper.children()
        return found if len(found) == 2 and all(_hears(rank) for rank in found) else []

    _until(ranks)
    return ranks()


def _hears(process: psutil.Process) -> bool:
    caught = Path(f"/proc/{process.pid}/status").read_text("utf-8").split("SigCgt:")[1].split()[0]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1) and process.num_threads() > 1


def test_workers_that_do_not_stop_when_asked_to_are_killed_after_the_grace(folder: Path) -> None:
    with subprocess.Popen(_command(folder)) as keeper:
        ranks = _stuck(psutil.Process(keeper.pid))
        began = time.monotonic()
        keeper.terminate()
        assert keeper.wait(60) == 128 + signal.SIGKILL
        assert time.monotonic() - began >= GRACE
        assert not any(rank.is_running() for rank in ranks)


def test_workers_stopped_dead_end_with_the_process_that_started_their_keeper(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, *_command(folder)]) as parent:
        _until(lambda: psutil.Process(parent.pid).children())
        [keeper] = psutil.Process(parent.pid).children()
        ranks = _stuck(keeper)
        for rank in ranks:
            rank.suspend()  # as in native code that never returns
        parent.kill()
        _until(lambda: not any(one.is_running() for one in [keeper, *ranks]))


def test_when_one_rank_dies_the_others_do_not_stay(folder: Path) -> None:
    with subprocess.Popen(_command(folder)) as keeper:
        first, second = _stuck(psutil.Process(keeper.pid))
        second.kill()
        assert keeper.wait(MATES_SECONDS + LEFT_SECONDS + 30) == 128 + signal.SIGKILL
        assert not first.is_running()


def test_a_stop_that_comes_before_a_worker_can_hear_it_is_heard_later(folder: Path) -> None:
    (folder / "launch.json").unlink()
    (folder / "launch.json").write_text('{"paths": {}}', "utf-8")
    with subprocess.Popen([*_command(folder)[:-1], "60"]) as keeper:
        _until(lambda: len(psutil.Process(keeper.pid).children()) == 2)
        keeper.terminate()
        assert keeper.wait(60) == 75
    assert '"interrupted"' in (folder / "attempts.jsonl").read_text("utf-8")


@pytest.mark.parametrize("end", ["gone", "told", "done"])
def test_a_keeper_starts_nothing_while_a_worker_of_an_earlier_attempt_is_there(folder: Path, end: str) -> None:
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
