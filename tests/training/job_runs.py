"""Jobs on the miniature in real worker processes, forked from the fork server as in a Dagster run."""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forge_assets.training.jobs.runner import Finished, JobRunner
from forge_assets.training.jobs.spec import Job, Lora, Sampling, SftJob
from forge_assets.training.jobs.worker_entry import WORKER
from forge_resources.launchers import base
from forge_resources.processes.fork_client import ForkServer
from forge_resources.processes.fork_server import Order
from forge_resources.storage.store import Store

BASE = "b" * 64
"""Stands for the miniature's digest."""

ENVIRONMENT = "e" * 64

Moment = Callable[[Path], bool]


class Broken(Exception):
    """The worker was ended on purpose; holds its exit status."""


class Workers:
    """One worker process after the other."""

    def __init__(self, threads: int = 1) -> None:
        # The miniature is faster on one thread, and so are the tests beside it.
        environment = {
            **os.environ,
            **base.ENVIRONMENT,
            **base.OFFLINE,
            "WANDB_MODE": "disabled",
            "OMP_NUM_THREADS": str(threads),
        }
        self._server = ForkServer(environment)

    def start(self, folder: Path) -> int:
        """Process id of a worker for the job in `folder`."""
        self._server.start(Order(folder, base.processes(folder), preload=WORKER.preload))
        return self._server.worker()

    def wait(self) -> int:
        """Exit status of the worker that was started last."""
        return self._server.wait()

    def close(self) -> None:
        self._server.close(120)


class Runs:
    """Jobs over one store of the test."""

    def __init__(self, root: Path, model: Path, workers: Workers) -> None:
        self.store = Store(root)
        self.model = model
        self.workers = workers
        self.jobs = self._with(self._finish)
        dataset(self)

    def run(self, job: Job) -> Finished:
        """The job's result."""
        return self.jobs.run(job, "a job of this test")

    def break_off(self, job: Job, moment: Moment, number: signal.Signals) -> tuple[int, Path]:
        """Start the job and signal its worker at that moment; exit status and job folder."""
        found: list[Path] = []

        def launch(folder: Path) -> dict[str, Any]:
            found.append(folder)
            os.kill(self._started(folder, moment), number)
            raise Broken(self.workers.wait())

        with pytest.raises(Broken) as caught:
            self._with(launch).run(job, "a job of this test")
        return int(str(caught.value)), found[0]

    def limit(self, job: Job, moment: Moment, kind: int, most: int) -> Finished:
        """Run the job; from that moment its process may take no more than `most` of a resource (RLIMIT_...)."""

        def launch(folder: Path) -> dict[str, Any]:
            resource.prlimit(self._started(folder, moment), kind, (most, most))
            return self._ended(folder)

        return self._with(launch).run(job, "a job of this test")

    def _started(self, folder: Path, moment: Moment) -> int:
        """Process id of the job's worker, when it is that far."""
        pid, end = self.workers.start(folder), time.monotonic() + 120
        while not moment(folder):
            assert time.monotonic() < end, (folder / "log.txt").read_text("utf-8")
            time.sleep(0.005)
        return pid

    def _with(self, launch: Callable[[Path], dict[str, Any]]) -> JobRunner:
        return JobRunner(self.store, ENVIRONMENT, {BASE: self.model}, launch)

    def _finish(self, folder: Path) -> dict[str, Any]:
        self.workers.start(folder)
        return self._ended(folder)

    def _ended(self, folder: Path) -> dict[str, Any]:
        status = self.workers.wait()
        if status:
            raise Broken(f"status {status}: {(folder / 'log.txt').read_text(encoding='utf-8')}")
        record: dict[str, Any] = json.loads((folder / "record.json").read_text("utf-8"))
        return record


WORDS = "The works council of Müller GmbH has a say under § 87 Abs. 1 Nr. 6 BetrVG when monitoring is introduced"
ROWS = [
    {
        "sample_id": str(i),
        "prompt": [
            {"role": "system", "content": "Law."},
            {"role": "user", "content": " ".join(WORDS.split()[: i + 2])},
        ],
        "completion": [{"role": "assistant", "content": " ".join(WORDS.split()[-(3 * i + 7) % 18 :])}],
    }
    for i in range(10)
]
"""Rows of ten lengths: five batches of two make an epoch."""

GREEDY = Sampling(max_new_tokens=6, batch_size=5)
DRAWN = Sampling(max_new_tokens=6, batch_size=1, temperature=0.9, top_p=0.9, seed=3)
STEPS = 13
"""Two epochs and a half."""


def dataset(runner: Runs) -> str:
    """Digest of `ROWS`, kept on that runner."""
    return runner.jobs.dataset(ROWS)


def training(runner: Runs, **changes: Any) -> SftJob:
    """A short training on `ROWS`."""
    defaults: dict[str, Any] = {
        "base": BASE, "dataset": dataset(runner), "lora": None, "learning_rate": 5e-3,
        "batch_size": 2, "steps": STEPS, "checkpoint_every": 3,
    }  # fmt: skip
    return SftJob(**defaults | changes)


KINDS: dict[str, dict[str, Any]] = {
    "every weight": {},
    "LoRA": {"lora": Lora(rank=4, alpha=8, dropout=0.2), "scheduler": "constant", "learning_rate": 2e-2},
}


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    """Whole JSON lines of a file; none where there is no file."""
    file = folder / name
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]


def values(folder: Path, key: str) -> list[Any]:
    """What the stream of metrics says of one thing, in order."""
    return [line[key] for line in lines(folder, "metrics.jsonl") if key in line]


def after(key: str, count: int) -> Moment:
    """The moment when the stream of metrics says that step or batch `count` is done."""
    return lambda folder: any(line.get(key, 0) >= count for line in lines(folder, "metrics.jsonl"))


def weights(done: Finished) -> bytes:
    """The weights that a training made."""
    [file] = [*done.result.glob("model/*.safetensors"), *done.result.glob("adapter/*.safetensors")]
    return file.read_bytes()
