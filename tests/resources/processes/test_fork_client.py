"""What one hears from a fork server that cannot serve: real processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from forge_resources.processes.fork_client import ForkServer, ForkServerFailed
from forge_resources.processes.fork_server import Order
from tests.resources import entries


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def server() -> Iterator[ForkServer]:
    found = ForkServer(os.environ)
    yield found
    found.close(60)


def test_one_server_does_one_job_after_the_other(server: ForkServer, tmp_path: Path) -> None:
    for name, entry, status in (("one", "ends_well", 0), ("two", "crashes", 1), ("three", "is_killed", -9)):
        server.start(Order(entries.job(tmp_path / name, entry)))
        assert server.worker() > 0
        assert server.wait() == status


def test_modules_that_a_job_needs_are_imported_before_it_is_forked(server: ForkServer, tmp_path: Path) -> None:
    server.start(Order(entries.job(tmp_path / "job", "ends_well"), preload=("no_such_module",)))
    with pytest.raises(ForkServerFailed, match="cannot import what workers need: ModuleNotFoundError: .*no_such_modu"):
        server.wait()
    assert not server.alive(), "the next one is started with what was mended"
    assert not (tmp_path / "job" / "record.json").exists()


def test_a_server_that_is_gone_says_how_it_ended_when_it_is_given_a_job(tmp_path: Path) -> None:
    dead = ForkServer({**os.environ, "PYTHONHOME": "/nowhere"})
    _until(lambda: psutil.Process(dead.pid).status() == psutil.STATUS_ZOMBIE)
    with pytest.raises(ForkServerFailed, match="^ended with status 1$"):
        dead.start(Order(tmp_path))
    dead.close(60)


def test_a_server_that_is_killed_says_by_which_signal(tmp_path: Path) -> None:
    server = ForkServer(os.environ)
    server.start(Order(entries.job(tmp_path / "job", "waits")))
    worker = psutil.Process(server.worker())
    psutil.Process(server.pid).kill()
    with pytest.raises(ForkServerFailed, match=r"^was killed \(SIGKILL\)$"):
        server.wait()
    worker.wait(60)
    server.close(60)
