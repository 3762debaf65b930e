"""Real training and answering on every launcher: several jobs at once where there is room, one after the other here.

Jobs are stopped, killed and interrupted, and the same command then goes on with them. How a launcher deals with every
way in which a worker can end is in test_contract.py.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from forge_assets.training.jobs.curve import curve
from forge_assets.training.jobs.spec import GenerateJob, Sampling, SftJob
from forge_assets.training.jobs.worker_entry import WORKER
from forge_resources.processes import fork_server
from forge_resources.processes.cause import Cause
from forge_resources.storage.launch_file import LaunchFile
from tests.resources.launchers.test_contract import PLACES, REPOSITORY
from tests.resources.launchers.test_contract import RUN as ONE_BY_ONE

AT_ONCE = """
import json
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import dagster as dg
from forge_resources.launchers.base import JobFailed, Launcher
from forge_resources.launchers.registry import launcher_from_environment

signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background are deaf to it
folders = list(map(Path, sys.argv[1:]))

@dg.asset
def jobs(context: dg.AssetExecutionContext, launcher: Launcher) -> dg.MaterializeResult:
    def stop_when_told() -> None:
        while not (told := [folder for folder in folders if (folder / "stop").exists()]):
            time.sleep(0.05)
        for folder in told:
            launcher.stop(folder)

    def run(folder: Path) -> None:
        try:
            said = ["done", json.dumps(launcher.run(context, folder))]
        except JobFailed as error:
            said = [error.cause, str(error)]
        (folder / ".said").write_text(json.dumps(said), "utf-8")
        (folder / ".said").rename(folder / "said")

    threading.Thread(target=stop_when_told, daemon=True).start()
    with ThreadPoolExecutor(len(folders)) as pool:
        works = [pool.submit(run, folder) for folder in folders]
        try:
            for work in works:
                work.result()
        except BaseException:  # as a search with parallel trials does: an interrupt is heard by this thread alone
            launcher.cancel()
            raise
    return dg.MaterializeResult()

dg.materialize([jobs], resources={"launcher": launcher_from_environment()})
"""
BASE, DATA = "b" * 64, "d" * 64
STEPS, ANSWERS = 300, 300
ROWS = [
    {
        "sample_id": str(i),
        "prompt": [{"role": "user", "content": f"§ {i} BetrVG?"}],
        "completion": [{"role": "assistant", "content": f"§ {i}: the works council has a say."}],
    }
    for i in range(ANSWERS)
]
TRAINING = SftJob(
    base=BASE, dataset=DATA, lora=None, learning_rate=1e-3, batch_size=1, steps=STEPS, checkpoint_every=20
)
ANSWERING = GenerateJob(
    base=BASE, prompts=DATA, sampling=Sampling(max_new_tokens=8, batch_size=1, temperature=0.9, seed=3)
)
pytestmark = pytest.mark.slow


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def _job(folder: Path, model: Path, job: GenerateJob | SftJob) -> Path:
    """A job's folder; its data lie in a pipe at which its worker waits."""
    folder.mkdir(parents=True)
    data = folder.parent.parent / "data" / folder.name
    data.parent.mkdir(exist_ok=True)
    os.mkfifo(data)
    (folder / "job.json").write_text(job.model_dump_json(), "utf-8")
    LaunchFile("a job of this test", {BASE: model, DATA: data}, WORKER).write(folder)
    return folder


def _give_data(*folders: Path) -> None:
    """Once the workers of all these jobs wait for their data at the same time, let them have them."""
    pipes: dict[Path, int] = {}

    def waits(data: Path) -> bool:
        try:
            pipes[data] = os.open(data, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            assert error.errno == errno.ENXIO, "nobody reads yet"
            return False
        return True

    for folder in folders:
        _until(partial(waits, LaunchFile.read(folder).paths[DATA]))
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    for data, pipe in pipes.items():
        data.unlink()
        data.write_text(lines, "utf-8")  # for later attempts
        os.set_blocking(pipe, True)
        with open(pipe, "w", encoding="utf-8") as stream:
            stream.write(lines)


@contextmanager
def _run(script: str, environment: dict[str, str], *folders: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Dagster run of the jobs in a process of its own. The miniature is faster on one thread."""
    for folder in folders:
        for told in ("said", "stop"):
            (folder / told).unlink(missing_ok=True)
    command = [sys.executable, "-c", script, *map(str, folders)]
    with subprocess.Popen(command, env={**os.environ, **environment, "OMP_NUM_THREADS": "1"}) as run:
        try:
            yield run
            run.wait(180)
        finally:
            run.kill()


def _lines(file: Path) -> list[dict[str, Any]]:
    """Whole lines of a stream of JSON."""
    text = file.read_text("utf-8") if file.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _values(folder: Path, name: str) -> list[int]:
    """What the stream of metrics says of one thing, in order."""
    return [line[name] for line in _lines(folder / "metrics.jsonl") if name in line]


def _far(folder: Path) -> int:
    """Steps or answers so far."""
    return max([*_values(folder, "step"), *_values(folder, "answered")], default=0)


def _worker(folder: Path) -> psutil.Process:
    """The process that works on the job now."""
    return psutil.Process(_values(folder, "pid")[-1])


def _gone(processes: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


def _said(folder: Path) -> tuple[str, str]:
    """Cause, or `done`, and words."""
    cause, words = json.loads((folder / "said").read_text("utf-8"))
    return cause, words


def _weights(folder: Path) -> bytes:
    return (folder / "result" / "model" / "model.safetensors").read_bytes()


def _answers(folder: Path) -> bytes:
    return (folder / "result" / "answers.jsonl").read_bytes()


@dataclass(frozen=True)
class Seen:
    """Folders of jobs as they were when a run of them had ended.

    Attributes:
        first: after a run of four at once, of which one was stopped and one's worker was killed.
        second: after a run of the one that was killed, which was interrupted.
        third: after a run of both, which nobody disturbed.
        gone: whether worker and supervisor ended with the run that was interrupted.
        status: that run's exit status.
    """

    first: Path
    second: Path
    third: Path
    gone: bool
    status: int


@pytest.fixture(scope="module", params=[name for name in PLACES if name != "local"])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Seen]:
    root = tmp_path_factory.mktemp(request.param)
    jobs = root / "jobs"
    kinds = {"trained": TRAINING, "stopped": TRAINING, "answered": ANSWERING, "killed": ANSWERING}
    folders = [_job(jobs / name, tiny_model, job) for name, job in kinds.items()]
    stopped, killed = jobs / "stopped", jobs / "killed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
        patch.setenv("OMP_NUM_THREADS", "1")
        with PLACES[request.param](root) as settings:
            environment = {**settings, "FORGE_LAUNCHER": request.param}
            with _run(AT_ONCE, environment, *folders):
                _give_data(*folders)
                _until(lambda: all(_far(folder) for folder in folders))
                (stopped / "stop").touch()
                _worker(killed).kill()
            shutil.copytree(jobs, root / "first")
            with _run(AT_ONCE, environment, killed) as run:
                before = _far(killed)
                _until(lambda: _far(killed) > before + 1)
                below = [_worker(killed), *_worker(killed).parents()[:1]]
                run.send_signal(signal.SIGINT)
                status = run.wait(180)
                gone = _gone(below)
            shutil.copytree(jobs, root / "second")
            with _run(AT_ONCE, environment, stopped, killed):
                pass
            yield Seen(root / "first", root / "second", jobs, gone, status)


def test_jobs_that_run_beside_others_end_well_whatever_becomes_of_those(seen: Seen) -> None:
    for name, count, whole in (("trained", "steps", STEPS), ("answered", "answers", ANSWERS)):
        cause, words = _said(seen.first / name)
        assert cause == "done" and json.loads(words)[count] == whole and json.loads(words)["attempts"] == 1


def test_a_job_that_is_stopped_has_written_its_checkpoint(seen: Seen) -> None:
    folder = seen.first / "stopped"
    cause, words = _said(folder)
    assert cause == Cause.INTERRUPTED and "run it again, and it goes on" in words
    [attempt] = _lines(folder / "attempts.jsonl")
    assert (attempt["outcome"], attempt["reason"]) == ("interrupted", "SIGTERM")
    assert (folder / "work" / f"checkpoint-{_far(folder)}" / "seal.json").exists()
    assert not (folder / "result").exists() and not (folder / "record.json").exists()


def test_a_job_whose_worker_is_killed_says_so_and_keeps_its_answers(seen: Seen) -> None:
    folder = seen.first / "killed"
    cause, words = _said(folder)
    assert cause == Cause.KILLED and "was killed (SIGKILL), and not by the kernel for memory" in words
    assert not (folder / "result").exists() and not (folder / "record.json").exists()
    assert 0 < len(_lines(folder / "work" / "result" / "answers.jsonl")) < ANSWERS


def test_a_run_that_is_interrupted_asks_its_worker_and_answers_nothing_twice(seen: Seen) -> None:
    folder = seen.second / "killed"
    assert seen.gone and seen.status
    assert _said(folder)[0] == Cause.INTERRUPTED
    [attempt] = _lines(folder / "attempts.jsonl")
    assert attempt["outcome"] == "interrupted", "it was asked, not killed"
    assert _values(folder, "attempt") == [1, 2]
    before = len(_lines(seen.first / "killed" / "work" / "result" / "answers.jsonl"))
    answered = [line["sample_id"] for line in _lines(folder / "work" / "result" / "answers.jsonl")]
    assert ANSWERS > len(answered) == len(set(answered)) > before


def test_the_same_command_goes_on_and_ends_with_the_same_bytes_as_if_nothing_had_been(seen: Seen) -> None:
    stopped, killed = (json.loads(_said(seen.third / name)[1]) for name in ("stopped", "killed"))
    assert (stopped["attempts"], killed["attempts"]) == (2, 3)
    assert stopped["resumed_from_step"] == _far(seen.first / "stopped")
    assert _values(seen.third / "stopped", "step") == list(range(1, STEPS + 1)), "no step is done twice"
    losses = [[line["loss"] for line in curve(seen.third / name)] for name in ("stopped", "trained")]
    assert losses[0] == losses[1]
    assert _weights(seen.third / "stopped") == _weights(seen.third / "trained")
    assert _answers(seen.third / "killed") == _answers(seen.third / "answered")
    assert not any((seen.third / name / "work").exists() for name in ("stopped", "killed"))


@dataclass(frozen=True)
class Here:
    """Jobs that ran one after the other on this machine, from one fork server.

    Attributes:
        first: their folders after a run in which one was stopped and one's worker was killed.
        second: after another run of the two.
        same_server: whether the second came from the same fork server as the first, which was stopped.
        gone: whether what the killed worker had started ended with it.
    """

    first: Path
    second: Path
    same_server: bool
    gone: bool


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Here:
    root = tmp_path_factory.mktemp("local")
    jobs = root / "jobs"
    kinds = {
        "trained": TRAINING, "stopped": TRAINING, "killed": TRAINING,
        "failed": TRAINING.model_copy(update={"max_length": 16}), "crashed": TRAINING,
    }  # fmt: skip
    folders = [_job(jobs / name, tiny_model, job) for name, job in kinds.items()]
    stopped, killed = jobs / "stopped", jobs / "killed"
    (jobs / "crashed" / "job.json").write_text('{"kind": "dream"}', "utf-8")
    (jobs / "crashed" / "log.txt").write_text("what the attempt before said\n", "utf-8")

    def server() -> psutil.Process:
        [found] = [child for child in psutil.Process(run.pid).children() if fork_server.__name__ in child.cmdline()]
        return found

    def below() -> list[psutil.Process]:
        """What is below the supervisor of the job that is killed: its worker, and what that has started."""
        return [child for above in _worker(killed).parents()[:1] for child in above.children(recursive=True)]

    with _run(ONE_BY_ONE, {"FORGE_LAUNCHER": "local"}, *folders) as run:
        _give_data(jobs / "trained")
        _give_data(stopped)
        _until(lambda: _far(stopped))
        before = server()
        (stopped / "stop").touch()
        _give_data(killed)
        same_server = server() == before
        _until(lambda: _far(killed) > 2 * (TRAINING.checkpoint_every or 0))
        _until(lambda: any("wandb" in one.name() for one in below()))
        started = below()
        _worker(killed).kill()
        _give_data(jobs / "failed")
        gone = _gone(started)
    shutil.copytree(jobs, root / "first")
    with _run(ONE_BY_ONE, {"FORGE_LAUNCHER": "local"}, stopped, killed):
        pass
    return Here(root / "first", jobs, same_server, gone)


def test_here_one_job_is_stopped_with_its_checkpoint_and_the_next_ones_run_from_the_same_server(here: Here) -> None:
    folder = here.first / "stopped"
    assert _said(folder)[0] == Cause.INTERRUPTED and "was asked to stop from outside" in _said(folder)[1]
    [attempt] = _lines(folder / "attempts.jsonl")
    assert (attempt["outcome"], attempt["reason"]) == ("interrupted", "SIGTERM")
    assert (folder / "work" / f"checkpoint-{_far(folder)}" / "seal.json").exists()
    assert here.same_server


def test_here_what_a_killed_worker_had_started_ends_with_it(here: Here) -> None:
    cause, words = _said(here.first / "killed")
    assert cause == Cause.KILLED and "was killed" in words
    assert here.gone


def test_here_a_worker_that_fails_says_in_one_line_why_and_where_its_log_is(here: Here) -> None:
    cause, words = _said(here.first / "failed")
    reason = f"ValueError: all {ANSWERS} rows are longer than max_length 16 "
    assert cause == Cause.UNKNOWN and words.startswith(f"job failed failed: {reason}")
    assert words.endswith(f"log: {here.second / 'failed' / 'log.txt'}") and "\n" not in words
    assert [attempt["outcome"] for attempt in _lines(here.first / "failed" / "attempts.jsonl")] == ["failed"]


def test_here_a_worker_that_cannot_read_its_job_ends_with_what_was_wrong_with_it(here: Here) -> None:
    cause, words = _said(here.first / "crashed")
    assert cause == Cause.UNKNOWN and words.startswith("job crashed ended with status 1; ")
    assert "'dream'" in words and "the attempt before" not in words


@pytest.mark.parametrize("name", ["stopped", "killed"])
def test_here_the_same_command_goes_on_and_ends_with_the_same_weights(here: Here, name: str) -> None:
    record = json.loads(_said(here.second / name)[1])
    assert record["attempts"] == 2 and record["resumed_from_step"] > 0
    assert _weights(here.second / name) == _weights(here.second / "trained")
