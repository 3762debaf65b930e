"""The job runner: what was finished is not done again, and what a job rests on is found or named."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from forge_assets.training.jobs import curve
from forge_assets.training.jobs.runner import JobRunner
from forge_assets.training.jobs.spec import CutJob, GenerateJob, Sampling, SftJob, identity, parse_job
from forge_assets.training.worker.main import main as worker_main
from forge_resources.launchers.base import JobFailed, JobStopped
from forge_resources.storage.job_folder import write_record
from forge_resources.storage.launch_file import LaunchFile
from forge_resources.storage.store import Store
from tests.training.job_runs import BASE as MINIATURE
from tests.training.job_runs import Runs, training

BASE = "b" * 64
ENVIRONMENT = "e" * 64
SAMPLING = Sampling(max_new_tokens=8, batch_size=2)


class Launches:
    """Stands in for worker processes: finishes every job at once and remembers which."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self.fails = False

    def __call__(self, folder: Path) -> dict[str, Any]:
        self.folders.append(folder)
        if self.fails:
            raise ConnectionError("killed")
        (folder / "result").mkdir()
        (folder / "result" / "answers.jsonl").write_text(
            '{"sample_id": "1", "answer": "§ 87 BetrVG"}\n', encoding="utf-8"
        )
        record = {
            "identity": folder.name, "kind": "generate", "attempts": 1, "seconds": 2.5,
            "peak_rss_bytes": 1000, "generate_tokens_per_second": 40.0,
        }  # fmt: skip
        return write_record(folder, record)


@pytest.fixture
def launches() -> Launches:
    return Launches()


@pytest.fixture
def jobs(tmp_path: Path, launches: Launches) -> JobRunner:
    (tmp_path / "models" / "tiny").mkdir(parents=True)
    return JobRunner(Store(tmp_path), ENVIRONMENT, {BASE: tmp_path / "models" / "tiny"}, launches)


def _prompts(jobs: JobRunner, *texts: str) -> str:
    return jobs.dataset({"sample_id": str(i), "prompt": text} for i, text in enumerate(texts))


def test_equal_rows_are_one_dataset_and_other_rows_another(jobs: JobRunner, tmp_path: Path) -> None:
    one = jobs.dataset([{"sample_id": "1", "prompt": "§ 87"}])
    same = jobs.dataset([{"prompt": "§ 87", "sample_id": "1"}])
    other = jobs.dataset([{"sample_id": "1", "prompt": "§ 90"}])
    assert one == same != other
    assert {path.stem for path in (tmp_path / "datasets").iterdir()} == {one, other}


def test_a_job_is_given_its_spec_and_where_its_inputs_lie(jobs: JobRunner, launches: Launches, tmp_path: Path) -> None:
    prompts = _prompts(jobs, "a question")
    job = GenerateJob(base=BASE, prompts=prompts, sampling=SAMPLING)
    done = jobs.run(job, "answers")
    [folder] = launches.folders
    assert done.identity == folder.name == identity(job, ENVIRONMENT)
    assert parse_job((folder / "job.json").read_text("utf-8")) == job
    told = LaunchFile.read(folder)
    assert told.paths == {BASE: tmp_path / "models" / "tiny", prompts: tmp_path / "datasets" / f"{prompts}.jsonl"}
    assert told.title == "answers"
    assert done.answers() == [{"sample_id": "1", "answer": "§ 87 BetrVG"}]


def test_a_finished_job_is_not_launched_again(jobs: JobRunner, launches: Launches) -> None:
    job = GenerateJob(base=BASE, prompts=_prompts(jobs, "a question"), sampling=SAMPLING)
    assert jobs.run(job, "first") == jobs.run(job, "second")
    assert len(launches.folders) == 1


def test_a_job_that_failed_is_launched_again_in_the_same_folder(jobs: JobRunner, launches: Launches) -> None:
    job = GenerateJob(base=BASE, prompts=_prompts(jobs, "a question"), sampling=SAMPLING)
    launches.fails = True
    with pytest.raises(ConnectionError):
        jobs.run(job, "answers")
    launches.fails = False
    jobs.run(job, "answers")
    assert len(launches.folders) == 2
    assert len(set(launches.folders)) == 1


def test_a_later_job_finds_the_result_of_an_earlier_one(jobs: JobRunner, launches: Launches) -> None:
    prompts = _prompts(jobs, "a question")
    cut = jobs.run(CutJob(base=BASE, texts=prompts, remove=1), "cut")
    jobs.run(GenerateJob(base=cut.identity, prompts=prompts, sampling=SAMPLING), "answers")
    assert LaunchFile.read(launches.folders[-1]).paths[cut.identity] == cut.result


def test_what_a_job_is_told_to_run_is_the_worker_of_this_version(jobs: JobRunner, launches: Launches) -> None:
    jobs.run(GenerateJob(base=BASE, prompts=_prompts(jobs, "a question"), sampling=SAMPLING), "answers")
    entry = LaunchFile.read(launches.folders[0]).entry
    assert entry.load() is worker_main
    assert entry.preload and all(find_spec(module) for module in entry.preload)


def test_a_job_on_weights_that_nobody_made_is_refused_before_it_starts(jobs: JobRunner, launches: Launches) -> None:
    job = GenerateJob(base="c" * 64, prompts=_prompts(jobs, "a question"), sampling=SAMPLING)
    with pytest.raises(FileNotFoundError, match="nothing is stored under cccccccccccc: materialise"):
        jobs.run(job, "answers")
    assert launches.folders == []


def test_a_result_without_a_record_does_not_count(jobs: JobRunner, tmp_path: Path) -> None:
    unfinished = "d" * 64
    (tmp_path / "artefacts" / unfinished / "work").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="dddddddddddd"):
        jobs.run(GenerateJob(base=unfinished, prompts=_prompts(jobs, "x"), sampling=SAMPLING), "answers")


def test_every_job_is_a_row_of_ops_jobs(jobs: JobRunner, tmp_path: Path) -> None:
    job = GenerateJob(base=BASE, prompts=_prompts(jobs, "a question"), sampling=SAMPLING)
    done = jobs.run(job, "answers")
    jobs.run(job, "answers")
    [row] = Store(tmp_path).read("ops.jobs").to_dicts()
    assert (row["title"], row["identity"], row["kind"]) == ("answers", done.identity, "generate")
    assert (row["seconds"], row["peak_memory_bytes"], row["tokens_per_second"]) == (2.5, 1000, 40.0)
    assert parse_job(row["spec"]) == job


LOSSES = [3.0, 2.5, 2.2, 2.4, 2.9, 3.4, 3.3, 3.6, 3.2, 3.1]
TRAINING = SftJob(base=BASE, dataset=BASE, lora=None, learning_rate=1e-3, batch_size=1, steps=len(LOSSES))


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curve, "LOOK_SECONDS", 0.01)


class Watched:
    """A watch that remembers what it saw, and ends a job whose loss is above a limit."""

    def __init__(self, limit: float = 3.35) -> None:
        self.steps: list[int] = []
        self.limit = limit

    def __call__(self, line: dict[str, Any]) -> str:
        self.steps.append(line["step"])
        return f"its loss is {line['loss']}" if line["loss"] > self.limit else ""


class Trainings:
    """Stands in for a launcher: its worker does the steps it is told to and then what it is told to.

    Args:
        slowly: the worker waits until each step was seen before it does the next.
    """

    def __init__(self, root: Path, watch: Watched, *, slowly: bool = False) -> None:
        (root / "models").mkdir(exist_ok=True)
        self.runner = JobRunner(Store(root), ENVIRONMENT, {BASE: root / "models"}, self._launch, self._stop)
        self.watch = watch
        self.attempts: list[tuple[range, bool]] = [(range(1, len(LOSSES) + 1), True)]
        self.stopped = threading.Event()
        self._slowly = slowly

    def run(self) -> Any:
        return self.runner.run(TRAINING, "a trial", self.watch)

    def _stop(self, folder: Path) -> None:
        self.stopped.set()

    def _launch(self, folder: Path) -> dict[str, Any]:
        steps, finishes = self.attempts.pop(0)
        (folder / "work" / "checkpoint-2").mkdir(parents=True, exist_ok=True)
        with (folder / "metrics.jsonl").open("a", encoding="utf-8") as stream:
            for step in steps:
                stream.write(json.dumps({"phase": "training"}) + "\n")
                line = {"step": step, "loss": LOSSES[step - 1], "data_seconds": 0.0, "step_seconds": 1.0}
                stream.write(json.dumps(line) + "\n")
                stream.flush()
                if self._slowly:
                    _until(lambda step=step: step in self.watch.steps or self.stopped.is_set())
                if self.stopped.is_set():
                    break
        if not finishes or self.stopped.is_set():
            raise JobFailed("was interrupted")
        record = {"identity": folder.name, "kind": "sft", "attempts": 1, "seconds": 2.5, "peak_rss_bytes": 1000}
        return write_record(folder, record)


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@pytest.mark.parametrize("how", ["one by one", "all at once", "killed before", "killed after", "stopped before"])
def test_when_a_job_is_stopped_depends_on_its_losses_alone(tmp_path: Path, how: str) -> None:
    trainings = Trainings(tmp_path, Watched(), slowly=how == "one by one")
    whole = range(1, len(LOSSES) + 1)
    trainings.attempts = {
        "one by one": [(whole, True)],
        "all at once": [(whole, False)],
        "killed before": [(range(1, 5), False), (range(3, 11), False)],
        "killed after": [(range(1, 8), False)],
        "stopped before": [(whole, False), (whole, False)],
    }[how]  # fmt: skip
    if how in ("killed before", "killed after"):
        trainings.watch.limit = 9.0
        with pytest.raises(JobFailed):
            trainings.run()
        trainings.watch = Watched()
    if how == "stopped before":
        with pytest.raises(JobStopped):
            trainings.run()
        trainings.watch = Watched()
    with pytest.raises(JobStopped, match="^its loss is 3.4$") as stopped:
        trainings.run()
    assert stopped.value.step == 6
    assert trainings.watch.steps == [1, 2, 3, 4, 5, 6], "each once, in order"
    assert [line["loss"] for line in trainings.runner.curve(TRAINING)][:6] == LOSSES[:6]
    assert not (tmp_path / "artefacts" / trainings.runner.identity(TRAINING) / "work").exists()


def test_a_job_that_gives_no_reason_finishes_and_is_not_watched_again(tmp_path: Path) -> None:
    trainings = Trainings(tmp_path, Watched(limit=9.0), slowly=True)
    done = trainings.run()
    assert [step["loss"] for step in done.steps()] == LOSSES
    trainings.watch = Watched()
    assert trainings.run() == done
    assert trainings.watch.steps == []


def test_a_job_that_has_its_record_before_it_could_be_stopped_is_finished(tmp_path: Path) -> None:
    trainings = Trainings(tmp_path, Watched())
    trainings._stop = lambda folder: None  # type: ignore[method-assign]
    assert trainings.run().record["kind"] == "sft"


def test_what_a_watch_raises_stops_its_job_and_comes_out(tmp_path: Path) -> None:
    class Broken(Watched):
        def __call__(self, line: dict[str, Any]) -> str:
            super().__call__(line)
            raise OSError("the study's database is gone")

    trainings = Trainings(tmp_path, Broken(), slowly=True)
    with pytest.raises(OSError, match="database is gone"):
        trainings.run()
    assert trainings.stopped.is_set()


def test_a_desk_that_cannot_stop_a_job_refuses_to_watch_it(jobs: JobRunner) -> None:
    with pytest.raises(ValueError, match="watch: a runner without `stop`"):
        jobs.run(TRAINING, "a trial", Watched())


def test_a_real_training_is_stopped_and_leaves_its_curve_alone(disturbed: Runs, tiny_model: Path) -> None:
    job = training(disturbed, steps=3000, checkpoint_every=10)
    workers, pids = disturbed.workers, list[int]()

    def launch(folder: Path) -> dict[str, Any]:
        pids.append(workers.start(folder))
        if status := workers.wait():
            raise JobFailed(f"status {status}")
        raise AssertionError("it was not stopped")

    def stop(folder: Path) -> None:
        os.kill(pids[-1], signal.SIGTERM)

    runner = JobRunner(disturbed.store, ENVIRONMENT, {MINIATURE: tiny_model}, launch, stop)
    with pytest.raises(JobStopped, match="enough") as stopped:
        runner.run(job, "a trial", lambda line: "enough" if line["step"] == 4 else "")
    assert stopped.value.step == 4
    steps = [line["step"] for line in runner.curve(job)]
    assert steps == list(range(1, len(steps) + 1)) and 4 <= len(steps) < 3000
    folder = disturbed.store.artefact(runner.identity(job))
    assert not (folder / "work").exists() and not (folder / "result").exists()


HOLDER = """
import sys
from pathlib import Path
from forge_assets.training.jobs.spec import parse_job
from forge_assets.training.jobs.runner import JobRunner
from forge_resources.storage.store import Store

def launch(folder):
    (folder / "launched").touch()
    sys.stdin.read()

root, job = Path(sys.argv[1]), parse_job(sys.argv[2])
JobRunner(Store(root), "e" * 64, {"b" * 64: root / "models" / "tiny"}, launch).run(job, "the first")
"""


def _waits(thread: threading.Thread) -> bool:
    """Whether it is still at it: who waits for a lock looks for it many times a second."""
    thread.join(0.5)
    return thread.is_alive()


def _later(run: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_a_job_that_is_wanted_twice_at_once_is_done_once(jobs: JobRunner, launches: Launches) -> None:
    job = GenerateJob(base=BASE, prompts=_prompts(jobs, "a question"), sampling=SAMPLING)
    done: list[str] = []
    first: list[threading.Thread] = []

    def launch(folder: Path) -> dict[str, Any]:
        first.append(_later(lambda: done.append(jobs.run(job, "the second").identity)))
        assert _waits(first[0])
        return launches(folder)

    jobs._launch = launch
    done.append(jobs.run(job, "the first").identity)
    first[0].join(60)
    assert done == [jobs.identity(job)] * 2
    assert len(launches.folders) == 1


def test_who_waits_for_a_job_that_another_process_does_goes_on_when_that_is_killed(
    jobs: JobRunner, launches: Launches, tmp_path: Path
) -> None:
    job = GenerateJob(base=BASE, prompts=_prompts(jobs, "a question"), sampling=SAMPLING)
    folder = tmp_path / "artefacts" / jobs.identity(job)
    command = [sys.executable, "-c", HOLDER, str(tmp_path), job.model_dump_json()]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as holder:
        _until((folder / "launched").exists)
        second = _later(lambda: jobs.run(job, "the second"))
        assert _waits(second)
        assert launches.folders == []
        holder.kill()
        second.join(60)
    assert launches.folders == [folder]
