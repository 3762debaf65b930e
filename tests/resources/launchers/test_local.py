"""What becomes of a job whose worker dies, and of a worker whose run is cancelled or killed: real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from forge_assets.training.jobs.spec import GenerateJob, Sampling, SftJob
from forge_assets.training.jobs.worker_entry import WORKER
from forge_resources.launchers.base import LauncherError, how_it_ended
from forge_resources.launchers.local import NURSERY, LocalLauncher
from forge_resources.launchers.registry import launcher_from_environment
from forge_resources.processes.cause import Cause
from forge_resources.storage.launch_file import LaunchFile

RUN = """
import sys
import threading
import time
from pathlib import Path
import dagster as dg
from forge_resources.launchers.base import JobFailed
from forge_resources.launchers.local import LocalLauncher

@dg.asset
def jobs(context: dg.AssetExecutionContext, launcher: LocalLauncher) -> dg.MaterializeResult:
    def stop_when_told() -> None:
        folders = list(map(Path, sys.argv[1:]))
        while not (told := [folder for folder in folders if (folder / "stop").exists()]):
            time.sleep(0.05)
        for folder in (folders[-1], *told):  # the first of them does not run now, and is left alone
            launcher.stop(folder)

    threading.Thread(target=stop_when_told, daemon=True).start()
    for folder in map(Path, sys.argv[1:]):
        try:
            launcher.run(context, folder)
        except JobFailed as error:
            (folder / "said").write_text(f"{error.cause}: {error}", "utf-8")
    return dg.MaterializeResult()

dg.materialize([jobs], resources={"launcher": LocalLauncher(grace_seconds=20)})
"""
BASE, DATA = "b" * 64, "d" * 64
STEP = {"prompt": [{"role": "user", "content": "§ 1 BetrVG?"}], "completion": [{"role": "assistant", "content": "Yes"}]}
ROWS = [{"sample_id": str(i), "prompt": [{"role": "user", "content": f"§ {i} BetrVG?"}]} for i in range(3000)]
ANSWERS = GenerateJob(base=BASE, prompts=DATA, sampling=Sampling(max_new_tokens=8, batch_size=1))
TRAINING = SftJob(base=BASE, dataset=DATA, lora=None, learning_rate=1e-3, batch_size=1, steps=10**6)
pytestmark = pytest.mark.slow


@dataclass
class Run:
    """A Dagster run of jobs, one after the other, in a process of its own."""

    process: subprocess.Popen[bytes]

    @classmethod
    def of(cls, *folders: Path) -> Run:
        """Start it. The miniature is faster on one thread, and so are the tests beside it."""
        return cls(
            subprocess.Popen(
                [sys.executable, "-c", RUN, *map(str, folders)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        )

    def nursery(self) -> psutil.Process:
        """The process that its workers are forked from."""
        [found] = [child for child in psutil.Process(self.process.pid).children() if NURSERY in child.cmdline()]
        return found

    def keeper(self) -> psutil.Process:
        """The parent of its present worker."""
        [found] = self.nursery().children()
        return found

    def worker(self) -> psutil.Process:
        """Its present worker; what it orphaned came later."""
        return min(self.keeper().children(), key=lambda child: child.create_time())

    def started(self, name: str) -> bool:
        """Whether its present worker has started a program of that name."""
        try:
            return any(name in below.name() for below in self.keeper().children(recursive=True))
        except (ValueError, psutil.NoSuchProcess):
            return False  # it is between two jobs


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def _gone(processes: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


def _job(folder: Path, model: Path, job: GenerateJob | SftJob, rows: list[dict[str, Any]]) -> Path:
    folder.mkdir()
    data = folder.parent / f"{folder.name}.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (folder / "job.json").write_text(job.model_dump_json(), "utf-8")
    LaunchFile(folder.name, {BASE: model, DATA: data}, WORKER).write(folder)
    return folder


def _lines(file: Path) -> list[dict[str, Any]]:
    """Whole lines of a stream of JSON."""
    text = file.read_text("utf-8") if file.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _did_a_step(folder: Path) -> bool:
    return any("step" in line for line in _lines(folder / "metrics.jsonl"))


def _answered(folder: Path) -> bool:
    return any("answered" in line for line in _lines(folder / "metrics.jsonl"))


@dataclass(frozen=True)
class Seen:
    """What was seen of the jobs below."""

    folders: dict[str, Path]
    left: dict[str, bool]
    """Whether anything was left of the worker, or of what it had started; of the one stopped, whether it took its
    nursery along."""

    def said(self, name: str) -> str:
        return (self.folders[name] / "said").read_text("utf-8")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Seen]:
    """Four runs at once: one whose workers die or are stopped, one cancelled, one killed, one whose nursery is."""
    root = tmp_path_factory.mktemp("jobs")
    answering = ("keeper killed", "cancelled", "killed", "nursery killed")
    folders = {name: _job(root / name, tiny_model, ANSWERS, ROWS) for name in ("crashed", "worker killed", *answering)}
    folders["failed"] = _job(root / "failed", tiny_model, TRAINING.model_copy(update={"max_length": 16}), [STEP])
    folders["with a child"] = _job(root / "with a child", tiny_model, TRAINING, [STEP])
    folders["stopped"] = _job(root / "stopped", tiny_model, TRAINING, [STEP])
    (folders["crashed"] / "log.txt").write_text("what the attempt before said\n", "utf-8")
    (folders["crashed"] / "job.json").write_text('{"kind": "dream"}', "utf-8")
    (root / "worker killed.jsonl").unlink()
    os.mkfifo(root / "worker killed.jsonl")
    one_by_one = ("stopped", "crashed", "failed", "worker killed", "with a child", "keeper killed")
    dying = Run.of(*(folders[name] for name in one_by_one))
    cancelled, killed, orphaned = (Run.of(folders[name]) for name in ("cancelled", "killed", "nursery killed"))
    left: dict[str, bool] = {}

    def end(name: str, victim: psutil.Process, number: signal.Signals, below: list[psutil.Process]) -> None:
        victim.send_signal(number)
        _until(lambda: _gone(below))
        left[name] = not _gone(below)

    _until(lambda: _did_a_step(folders["stopped"]))
    nursery = dying.nursery()
    (folders["stopped"] / "stop").touch()
    _until(lambda: (folders["stopped"] / "said").exists())
    left["stopped"] = nursery != dying.nursery()
    with (root / "worker killed.jsonl").open("w", encoding="utf-8"):  # the worker is here now, and reads
        end("worker killed", dying.worker(), signal.SIGKILL, [dying.worker()])
    _until(lambda: dying.started("wandb"))
    below = dying.keeper().children(recursive=True)
    end("with a child", dying.worker(), signal.SIGKILL, below)
    for run, name in ((dying, "keeper killed"), (cancelled, "cancelled"), (killed, "killed"),
                      (orphaned, "nursery killed")):  # fmt: skip
        _until(lambda name=name: _answered(folders[name]))
        whole = [run.nursery(), *run.nursery().children(recursive=True)]
        victim, number = {
            "keeper killed": (run.keeper(), signal.SIGKILL),
            "cancelled": (psutil.Process(run.process.pid), signal.SIGINT),
            "killed": (psutil.Process(run.process.pid), signal.SIGKILL),
            "nursery killed": (run.nursery(), signal.SIGKILL),
        }[name]
        end(name, victim, number, whole)
    for run in (dying, cancelled, killed, orphaned):
        run.process.wait(60)
    yield Seen(folders, left)


def test_a_worker_that_crashes_fails_its_job_with_the_end_of_its_log(runs: Seen) -> None:
    said = runs.said("crashed")
    assert "job crashed ended with status 1; " in said
    assert "'dream'" in said, "the last lines say what was wrong"
    assert "the attempt before" not in said
    assert (runs.folders["crashed"] / "log.txt").read_text("utf-8").startswith("what the attempt before said\n")


def test_a_job_that_fails_says_in_one_line_why_and_where_its_log_is(runs: Seen) -> None:
    said = runs.said("failed")
    assert said.startswith(f"{Cause.UNKNOWN}: job failed failed: ValueError: all 1 rows are longer than max_length 16 ")
    assert said.endswith(f"log: {runs.folders['failed'] / 'log.txt'}") and "\n" not in said


def test_a_worker_that_is_killed_fails_its_job_and_says_that_it_was_not_for_memory(runs: Seen) -> None:
    said = runs.said("worker killed")
    assert said.startswith(Cause.KILLED) and "was killed (SIGKILL), and not by the kernel for memory" in said


def test_what_a_killed_worker_had_started_ends_with_it(runs: Seen) -> None:
    assert not runs.left["with a child"]
    assert "was killed" in runs.said("with a child")


def test_one_job_is_stopped_with_its_checkpoint_and_the_next_ones_run_from_the_same_nursery(runs: Seen) -> None:
    folder = runs.folders["stopped"]
    assert "was asked to stop from outside" in runs.said("stopped")
    [attempt] = _lines(folder / "attempts.jsonl")
    assert (attempt["outcome"], attempt["reason"]) == ("interrupted", "SIGTERM")
    assert list((folder / "work").glob("checkpoint-*/seal.json"))
    assert not runs.left["stopped"]
    assert [attempt["outcome"] for attempt in _lines(runs.folders["failed"] / "attempts.jsonl")] == ["failed"]


@pytest.mark.parametrize("name", ["cancelled", "killed", "nursery killed", "keeper killed"])
def test_whatever_of_a_run_ends_its_worker_stops_at_a_safe_point(runs: Seen, name: str) -> None:
    folder = runs.folders[name]
    assert not runs.left[name]
    assert not (folder / "result").exists() and not (folder / "record.json").exists()
    [attempt] = _lines(folder / "attempts.jsonl")
    assert attempt["outcome"] == "interrupted"
    answered = (folder / "work" / "result" / "answers.jsonl").read_text("utf-8").splitlines()
    assert 0 < len(answered) < len(ROWS)
    assert all(json.loads(line)["sample_id"] for line in answered)


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


def test_an_environment_in_which_no_worker_starts_is_told_and_costs_no_finished_job(
    tmp_path: Path, tiny_model: Path
) -> None:
    """The same job is done once the environment is mended, and then needs it no more."""
    (tmp_path / "broken" / "trl").mkdir(parents=True)
    (tmp_path / "broken" / "trl" / "__init__.py").write_text(
        "raise ImportError('broken for a moment')", encoding="utf-8"
    )
    few = ANSWERS.model_copy(update={"prompts": DATA})
    folder = _job(tmp_path / "job", tiny_model, few, ROWS[:2])

    def run(**variables: str) -> str:
        (folder / "said").unlink(missing_ok=True)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
        subprocess.run([sys.executable, "-c", RUN, str(folder)], env=environment, check=True, capture_output=True)
        return (folder / "said").read_text("utf-8") if (folder / "said").exists() else ""

    broken = {"PYTHONPATH": f"{tmp_path / 'broken'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    said = run(**broken)
    assert said.startswith(Cause.UNKNOWN) and "the workers' environment is broken; mend it and run again" in said
    assert run() == "" and (folder / "record.json").exists()
    assert run(**broken) == ""


def test_the_launcher_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORGE_LAUNCHER", raising=False)
    assert isinstance(launcher_from_environment(), LocalLauncher)
    monkeypatch.setenv("FORGE_LAUNCHER", "slurm")
    with pytest.raises(LauncherError, match="FORGE_LAUNCHER=slurm: no such launcher; choose one of local, ray, kuber"):
        launcher_from_environment()
