"""What a job says while it works: a line a step, its phases, and what of it reaches W&B and the tables."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from forge_assets.training.jobs.runner import Finished
from forge_assets.training.jobs.spec import Probe
from tests.training.job_runs import GREEDY, KINDS, STEPS, Runs, after, dataset, lines, training, values


@pytest.fixture(scope="module")
def trained(undisturbed: Runs) -> Finished:
    """A training that then answers ten prompts in two batches."""
    probe = Probe(prompts=dataset(undisturbed), sampling=GREEDY)
    return undisturbed.run(training(undisturbed, **KINDS["LoRA"], probe=probe))


def test_every_step_says_what_it_learned_and_where_its_time_went(trained: Finished) -> None:
    steps = trained.steps()
    assert [line["step"] for line in steps] == list(range(1, STEPS + 1))
    for line in steps:
        assert line["loss"] > 0 and line["grad_norm"] > 0 and line["learning_rate"] > 0
        assert line["tokens"] > 0 and line["rss_bytes"] > 1e8
        assert line["step_seconds"] > 0 and line["data_seconds"] >= 0
        spent = line["step_seconds"] + line["data_seconds"]
        assert line["tokens_per_second"] == pytest.approx(line["tokens"] / spent, rel=0.05)
    assert sum(line["tokens"] for line in steps) == trained.record["tokens"]
    assert sum(line["step_seconds"] + line["data_seconds"] for line in steps) < trained.record["train_seconds"]
    assert all(earlier["time"] <= later["time"] for earlier, later in itertools.pairwise(steps))


def test_one_sees_what_a_job_does_now(trained: Finished) -> None:
    folder = trained.result.parent
    [loading, *others] = [line for line in lines(folder, "metrics.jsonl") if "phase" in line]
    assert (loading["phase"], loading["kind"], loading["attempt"]) == ("loading", "sft", 1)
    assert [line["phase"] for line in others] == ["training", "saving", "answering"]
    assert (others[0]["from_step"], others[0]["steps"]) == (0, STEPS)
    assert values(folder, "checkpoint") == [3, 6, 9, 12, 13]
    assert all(seconds > 0 for seconds in values(folder, "checkpoint_seconds"))


def test_answers_are_streamed_with_their_rate(trained: Finished) -> None:
    answered = [line for line in lines(trained.result.parent, "metrics.jsonl") if "answered" in line]
    assert [line["answered"] for line in answered] == [5, 10]
    assert sum(line["new_tokens"] for line in answered) == trained.record["new_tokens"]
    assert all(line["tokens_per_second"] > 0 and line["rss_bytes"] > 1e8 for line in answered)


def test_steps_and_totals_are_in_the_tables(undisturbed: Runs, trained: Finished) -> None:
    steps = undisturbed.store.read("ops.steps", trained.identity)
    assert steps.select("step", "loss").to_dicts() == trained.losses()
    assert steps["reward"].null_count() == STEPS
    [row] = undisturbed.store.read("ops.jobs", trained.identity).to_dicts()
    assert (row["tokens"], row["new_tokens"]) == (steps["tokens"].sum(), trained.record["new_tokens"])
    assert 0 <= row["data_share"] < 1 and row["peak_gpu_bytes"] is None


def test_a_training_says_how_far_it_is_and_on_how_fast_a_machine(trained: Finished) -> None:
    said = (trained.result.parent / "log.txt").read_text("utf-8")
    speed = trained.record["matrix_gflops"]
    assert speed > 0 and f"training {STEPS} steps; float32 matrix products: {speed:.0f} GFLOP/s" in said
    assert re.search(rf"step {STEPS}/{STEPS}: loss \d\.\d{{3}}, \d\.\d s/step, some 0 s left", said)


def test_an_attempt_that_was_killed_is_counted(disturbed: Runs) -> None:
    job = training(disturbed, **KINDS["LoRA"])
    _, folder = disturbed.break_off(job, after("step", 8), signal.SIGKILL)
    for name in ("metrics.jsonl", "attempts.jsonl"):
        with (folder / name).open("a", encoding="utf-8") as stream:
            stream.write('{"time": 1, "st')  # as a kill in mid-write leaves it
    done = disturbed.run(job)
    assert done.record["attempts"] == 2
    assert values(folder, "attempt") == [1, 2]
    assert [ended["outcome"] for ended in lines(folder, "attempts.jsonl")] == ["finished"]
    [first, second] = values(folder, "from_step")
    assert first == 0 and second == done.record["resumed_from_step"]
    assert sum(line["tokens"] for line in done.steps()) == done.record["tokens"]


TRACKED = """
import sys
from pathlib import Path
from forge_assets.training.runtime.progress import Progress
from forge_resources.monitoring.wandb import Tracker

folder = Path(sys.argv[1])
spec = {"kind": "sft", "dataset": "d" * 64, "learning_rate": 0.125}
progress = Progress(folder, None, Tracker(folder.name, spec))
progress.start("sft")
for step in range(1, 4):
    progress.metrics(step=step, loss=0.9375 - 0.125 * step, step_seconds=0.5)
progress.attempt(0.0, "finished", "")
"""
IDENTITY = "0123456789abcdef" * 4


class Server(HTTPServer):
    """Stands where W&B's would be; knows nobody, and counts who asks."""

    asked = 0


class Refusal(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Server)
        self.server.asked += 1
        self.send_response(401)
        self.end_headers()

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Refusal) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def _track(folder: Path, server: Server, **environment: str) -> str:
    """Three steps of a job that reports to that server, in a process of its own; what it printed."""
    folder.mkdir(exist_ok=True)
    address = f"http://127.0.0.1:{server.server_port}"
    given = {"WANDB_BASE_URL": address, "WANDB_API_KEY": "k" * 40, "WANDB_DIR": str(folder)} | environment
    whole = {name: value for name, value in os.environ.items() if name != "WANDB_MODE"} | given
    done = subprocess.run(
        [sys.executable, "-c", TRACKED, str(folder)], env=whole, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_wandb_holds_spec_identity_and_metrics_and_nothing_is_sent(tmp_path: Path, server: Server) -> None:
    said = _track(tmp_path / IDENTITY, server)
    [file] = (tmp_path / IDENTITY / "wandb").glob("offline-run-*/*.wandb")
    held = file.read_bytes()
    assert file.name == f"run-{IDENTITY[:16]}.wandb"
    assert all(word in held for word in (IDENTITY.encode(), b"d" * 64, b"learning_rate", b"0.125"))
    assert all(word in held for word in (b"0.8125", b"0.6875", b"0.5625", b"step_seconds", b"rss_bytes"))
    assert server.asked == 0 and "W&B" not in said


def test_a_job_that_goes_on_goes_on_in_its_wandb_run(tmp_path: Path, server: Server) -> None:
    for _ in range(2):
        _track(tmp_path / IDENTITY, server)
    files = list((tmp_path / IDENTITY / "wandb").glob("offline-run-*/*.wandb"))
    assert {file.name for file in files} == {f"run-{IDENTITY[:16]}.wandb"}
    assert values(tmp_path / IDENTITY, "attempt") == [1, 2]


def test_a_wandb_that_fails_costs_its_run_and_not_the_job(tmp_path: Path, server: Server) -> None:
    said = _track(tmp_path / IDENTITY, server, WANDB_MODE="online")
    assert server.asked > 0
    assert said.count("W&B failed, the job goes on without it") == 1
    assert values(tmp_path / IDENTITY, "step") == [1, 2, 3]
    assert json.loads((tmp_path / IDENTITY / "attempts.jsonl").read_text("utf-8"))["outcome"] == "finished"


def test_wandb_can_be_switched_off(tmp_path: Path, server: Server) -> None:
    _track(tmp_path / IDENTITY, server, WANDB_MODE="disabled")
    assert not (tmp_path / IDENTITY / "wandb").exists()
    assert server.asked == 0
