"""What a worker makes, and what is left when it is killed, stopped and called again.

Real worker processes on the miniature model, forked from the nursery as in a Dagster run.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from forge_assets.training.interrupt import INTERRUPTED
from forge_assets.training.job import CutJob, GenerateJob, Job, Lora, Probe, Sampling, SftJob
from forge_assets.training.jobs import Finished, Jobs
from forge_resources.launcher import ENVIRONMENT, NURSERY, OFFLINE
from forge_resources.store import Store

BASE = "b" * 64
"""Stands for the miniature's digest."""

Moment = Callable[[Path], bool]


class Broken(Exception):
    """The worker was ended on purpose; holds its exit status."""


class Workers:
    """One worker process after the other."""

    def __init__(self) -> None:
        # The miniature is faster on one thread, and so are the tests beside it.
        environment = {**os.environ, **ENVIRONMENT, **OFFLINE, "WANDB_MODE": "disabled", "OMP_NUM_THREADS": "1"}
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def start(self, folder: Path) -> int:
        """Process id of a worker for the job in `folder`."""
        assert self._nursery.stdin
        order = {"folder": str(folder), "log": str(folder / "log.txt"), "environment": {}}
        self._nursery.stdin.write(json.dumps(order) + "\n")
        self._nursery.stdin.flush()
        return int(self._reply()["pid"])

    def wait(self) -> int:
        """Exit status of the worker that was started last."""
        return int(self._reply()["status"])

    def close(self) -> None:
        assert self._nursery.stdin
        self._nursery.stdin.close()
        self._nursery.wait()

    def _reply(self) -> dict[str, int]:
        assert self._nursery.stdout
        reply: dict[str, int] = json.loads(self._nursery.stdout.readline())
        return reply


class Desk:
    """Jobs over one store of the test."""

    def __init__(self, root: Path, model: Path, workers: Workers) -> None:
        self.store = Store(root)
        self._model = model
        self._workers = workers
        self.jobs = self._with(self._finish)

    def run(self, job: Job) -> Finished:
        """The job's result."""
        return self.jobs.run(job, "a job of this test")

    def break_off(self, job: Job, moment: Moment, number: signal.Signals) -> tuple[int, Path]:
        """Start the job and signal its worker at that moment; exit status and job folder."""
        found: list[Path] = []

        def launch(folder: Path) -> dict[str, Any]:
            found.append(folder)
            pid, end = self._workers.start(folder), time.monotonic() + 120
            while not moment(folder):
                assert time.monotonic() < end, (folder / "log.txt").read_text()
                time.sleep(0.005)
            os.kill(pid, number)
            raise Broken(self._workers.wait())

        with pytest.raises(Broken) as caught:
            self._with(launch).run(job, "a job of this test")
        return int(str(caught.value)), found[0]

    def _with(self, launch: Callable[[Path], dict[str, Any]]) -> Jobs:
        return Jobs(self.store, "e" * 64, {BASE: self._model}, launch)

    def _finish(self, folder: Path) -> dict[str, Any]:
        self._workers.start(folder)
        status = self._workers.wait()
        if status:
            raise Broken(f"status {status}: {(folder / 'log.txt').read_text()}")
        record: dict[str, Any] = json.loads((folder / "record.json").read_text())
        return record


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    found = Workers()
    yield found
    found.close()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, workers: Workers) -> Desk:
    """A desk whose jobs nobody disturbs; what one test ran, others share."""
    return Desk(tmp_path_factory.mktemp("undisturbed"), tiny_model, workers)


@pytest.fixture
def disturbed(tmp_path: Path, tiny_model: Path, workers: Workers) -> Desk:
    """A desk of this test alone."""
    return Desk(tmp_path, tiny_model, workers)


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


def _dataset(desk: Desk) -> str:
    return desk.jobs.dataset(ROWS)


def _training(desk: Desk, **changes: Any) -> SftJob:
    defaults: dict[str, Any] = {
        "base": BASE, "dataset": _dataset(desk), "lora": None, "learning_rate": 5e-3,
        "batch_size": 2, "steps": STEPS, "checkpoint_every": 3,
    }  # fmt: skip
    return SftJob(**defaults | changes)


KINDS: dict[str, dict[str, Any]] = {
    "every weight": {},
    "LoRA": {"lora": Lora(rank=4, alpha=8, dropout=0.2), "scheduler": "constant", "learning_rate": 2e-2},
}


def _lines(folder: Path, name: str) -> list[dict[str, Any]]:
    file = folder / name
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]


def _after(key: str, count: int) -> Moment:
    """The moment when the stream of metrics says that step or batch `count` is done."""
    return lambda folder: any(line.get(key, 0) >= count for line in _lines(folder, "metrics.jsonl"))


def _weights(done: Finished) -> bytes:
    [file] = [*done.result.glob("model/*.safetensors"), *done.result.glob("adapter/*.safetensors")]
    return file.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_training_lowers_the_loss(undisturbed: Desk, kind: str) -> None:
    done = undisturbed.run(_training(undisturbed, **KINDS[kind]))
    record = done.record
    assert record["loss_last"] < record["loss_first"] - 0.2
    assert (record["steps"], record["resumed_from_step"], record["attempts"]) == (STEPS, 0, 1)
    assert record["tokens"] > 0 and record["peak_rss_bytes"] > 1e8
    assert sorted(path.name for path in done.result.parent.iterdir() if path.name != "wandb") == [
        "attempts.jsonl", "job.json", "launch.json", "log.txt", "metrics.jsonl", "record.json", "result",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_training_that_was_killed_ends_with_the_same_weights(undisturbed: Desk, disturbed: Desk, kind: str) -> None:
    job = _training(disturbed, **KINDS[kind])
    status, folder = disturbed.break_off(job, _after("step", 8), signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert not (folder / "result").exists()
    done, expected = disturbed.run(job), undisturbed.run(job)
    assert done.record["resumed_from_step"] >= 6, "it went on instead of starting again"
    assert done.record["steps"] == STEPS
    assert [entry["step"] for entry in done.losses()] == list(range(1, STEPS + 1))
    assert done.losses() == expected.losses()
    assert _weights(done) == _weights(expected)


def test_training_that_is_asked_to_stop_writes_a_checkpoint_first(undisturbed: Desk, disturbed: Desk) -> None:
    job = _training(disturbed)
    status, folder = disturbed.break_off(job, _after("step", 7), signal.SIGTERM)
    assert status == INTERRUPTED
    stopped_at = _lines(folder, "metrics.jsonl")[-1]["step"]
    assert stopped_at < STEPS
    [attempt] = _lines(folder, "attempts.jsonl")
    assert (attempt["outcome"], attempt["reason"]) == ("interrupted", "SIGTERM")
    done = disturbed.run(job)
    assert (done.record["resumed_from_step"], done.record["attempts"]) == (stopped_at, 2)
    steps = [line["step"] for line in _lines(folder, "metrics.jsonl")]
    assert steps == list(range(1, STEPS + 1)), "no step is done twice"
    assert _weights(done) == _weights(undisturbed.run(job))


def test_a_trained_model_that_is_stopped_while_it_answers_is_not_trained_further(
    undisturbed: Desk, disturbed: Desk
) -> None:
    probe = Probe(prompts=_dataset(disturbed), sampling=DRAWN)
    job = _training(disturbed, **KINDS["LoRA"], probe=probe)
    _dataset(undisturbed)
    status, folder = disturbed.break_off(job, _after("batch", 2), signal.SIGTERM)
    assert status == INTERRUPTED
    done, expected = disturbed.run(job), undisturbed.run(job)
    assert [line["step"] for line in _lines(folder, "metrics.jsonl") if "step" in line] == list(range(1, STEPS + 1))
    assert done.record["steps"] == STEPS
    assert done.record["loss_last"] == expected.record["loss_last"]
    assert _weights(done) == _weights(expected)
    assert done.answers() == expected.answers()


def test_a_checkpoint_that_was_not_written_to_its_end_is_passed_over(undisturbed: Desk, disturbed: Desk) -> None:
    job = _training(disturbed)
    _, folder = disturbed.break_off(job, _after("step", 8), signal.SIGKILL)
    (folder / "work" / "checkpoint-12").mkdir()
    (folder / "work" / "checkpoint-12" / "model.safetensors").write_bytes(b"half of the w")
    done = disturbed.run(job)
    assert done.record["resumed_from_step"] in (6, 9)
    assert _weights(done) == _weights(undisturbed.run(job))


def test_answers_after_an_interruption_are_those_of_an_undisturbed_run(undisturbed: Desk, disturbed: Desk) -> None:
    job = GenerateJob(base=BASE, prompts=_dataset(disturbed), sampling=DRAWN)
    _dataset(undisturbed)
    status, folder = disturbed.break_off(job, _after("batch", 3), signal.SIGTERM)
    assert status == INTERRUPTED
    file = folder / "work" / "result" / "answers.jsonl"
    before = file.read_text()
    assert 3 <= len(before.splitlines()) < 10
    file.write_text(before + '{"sample_id": "9", "answ')  # as a kill in mid-write leaves it
    done, expected = disturbed.run(job), undisturbed.run(job)
    assert done.answers() == expected.answers()
    assert len({answer["answer"] for answer in done.answers()}) > 5, "answers are drawn"
    batches = [line["batch"] for line in _lines(folder, "metrics.jsonl")]
    assert batches == list(range(1, 11)), "no batch is answered twice"


def test_a_probe_answers_as_the_stored_adapter_does(undisturbed: Desk) -> None:
    prompts = _dataset(undisturbed)
    probed = undisturbed.run(_training(undisturbed, **KINDS["LoRA"], probe=Probe(prompts=prompts, sampling=GREEDY)))
    stored = {"prompts": prompts, "sampling": GREEDY, "base": BASE}
    tuned = undisturbed.run(GenerateJob(**stored, adapter=probed.identity))
    untuned = undisturbed.run(GenerateJob(**stored))
    assert probed.answers() == tuned.answers()
    assert [a["sample_id"] for a in tuned.answers()] != [] and tuned.answers() != untuned.answers()


def test_a_cut_model_has_fewer_layers_and_answers(undisturbed: Desk) -> None:
    data = _dataset(undisturbed)
    cut = undisturbed.run(CutJob(base=BASE, texts=data, remove=2))
    found = json.loads((cut.result / "influence.json").read_text())
    config = json.loads((cut.result / "model" / "config.json").read_text())
    assert (config["num_hidden_layers"], found["removed"], cut.record["removed"]) == (2, [1, 2], [1, 2])
    assert len(found["influence"]) == 4 and all(0 < value < 2 for value in found["influence"])
    answers = undisturbed.run(GenerateJob(base=cut.identity, prompts=data, sampling=GREEDY)).answers()
    assert {answer["sample_id"] for answer in answers} == {row["sample_id"] for row in ROWS}


def test_a_cut_removes_the_inner_layers_of_least_influence(undisturbed: Desk) -> None:
    cut = undisturbed.run(CutJob(base=BASE, texts=_dataset(undisturbed), remove=1))
    influence = json.loads((cut.result / "influence.json").read_text())["influence"]
    assert cut.record["removed"] == [min((1, 2), key=lambda layer: influence[layer])]


def test_a_cut_that_leaves_too_little_fails_with_the_reason(disturbed: Desk) -> None:
    with pytest.raises(Broken, match="cannot remove 3 of 4 layers: first and last are kept"):
        disturbed.run(CutJob(base=BASE, texts=_dataset(disturbed), remove=3))


def test_training_that_diverges_fails_and_says_what_to_change(disturbed: Desk) -> None:
    with pytest.raises(Broken, match="loss became NaN: lower the learning rate"):
        disturbed.run(_training(disturbed, learning_rate=1e30, scheduler="constant", warmup_ratio=0, steps=4))
