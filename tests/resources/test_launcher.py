"""What becomes of a job whose worker dies, and of a worker whose run is cancelled or killed."""

# No postponed annotations here: Dagster reads those of the asset.

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from forge_assets.training.job import GenerateJob, Sampling
from forge_resources.launcher import NURSERY, JobFailed, LocalLauncher

RUN = """
import sys
from pathlib import Path
import dagster as dg
from forge_resources import launcher

launcher.GRACE_SECONDS = 2

@dg.asset
def job(context: dg.AssetExecutionContext, launcher: launcher.LocalLauncher) -> None:
    launcher.run(context, Path(sys.argv[1]))

dg.materialize([job], resources={"launcher": launcher.LocalLauncher()})
"""
BASE, PROMPTS = "b" * 64, "d" * 64


def _listed() -> list[tuple[int, int, str]]:
    """Process id, parent and command line of all that runs."""
    table = subprocess.run(["ps", "-e", "-ww", "-o", "pid,ppid,stat,args"], capture_output=True, text=True, check=True)
    rows = [line.split(None, 3) for line in table.stdout.splitlines()[1:]]
    return [(int(pid), int(parent), command) for pid, parent, state, command in rows if not state.startswith("Z")]


def _processes(launcher: int) -> list[int]:
    """The process that a launcher's workers are forked from, and its worker."""
    rows = _listed()
    [nursery] = [pid for pid, parent, command in rows if parent == launcher and NURSERY in command]
    return [nursery, *(pid for pid, parent, _ in rows if parent == nursery)]


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the launcher said of a job that crashed and of one that was killed, and the first one's log."""
    crashing, dying = tmp_path_factory.mktemp("crashing"), tmp_path_factory.mktemp("dying")
    (crashing / "log.txt").write_text("what the attempt before said\n")
    (crashing / "job.json").write_text('{"kind": "dream"}')
    (crashing / "launch.json").write_text('{"paths": {}}')
    os.mkfifo(dying / "job.json")
    said: list[str] = []

    def kill() -> None:
        with (dying / "job.json").open("w"):  # the worker is here now, waiting for its spec
            os.kill(_processes(os.getpid())[1], signal.SIGKILL)

    @dg.asset
    def jobs(context: dg.AssetExecutionContext, launcher: LocalLauncher) -> dg.MaterializeResult:
        for folder in (crashing, dying):
            with pytest.raises(JobFailed) as caught:
                launcher.run(context, folder)
            said.append(str(caught.value))
        return dg.MaterializeResult()

    killer = threading.Thread(target=kill)
    killer.start()
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([jobs], instance=instance, resources={"launcher": LocalLauncher()})
    killer.join()
    with pytest.raises(ValueError, match="not enough values"):
        _processes(os.getpid())
    return {"crash": said[0], "kill": said[1], "log": (crashing / "log.txt").read_text()}


def test_a_worker_that_crashes_fails_its_job_with_the_end_of_its_log(failures: dict[str, str]) -> None:
    assert "ended with status 1; " in failures["crash"]
    assert "'dream'" in failures["crash"], "the last lines say what was wrong"
    assert "the attempt before" not in failures["crash"]
    assert failures["log"].startswith("what the attempt before said\n")


def test_a_worker_that_is_killed_fails_its_job(failures: dict[str, str]) -> None:
    assert "ended with status -9; " in failures["kill"]


@pytest.fixture
def folder(tmp_path: Path, tiny_model: Path) -> Path:
    """A job of a thousand answers."""
    sampling = Sampling(max_new_tokens=8, batch_size=1)
    job = GenerateJob(base=BASE, prompts=PROMPTS, sampling=sampling)
    prompts = [{"sample_id": str(i), "prompt": [{"role": "user", "content": f"§ {i} BetrVG?"}]} for i in range(1000)]
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in prompts))
    paths = {BASE: str(tiny_model), PROMPTS: str(tmp_path / "prompts.jsonl")}
    path = tmp_path / "job"
    path.mkdir()
    (path / "job.json").write_text(job.model_dump_json())
    (path / "launch.json").write_text(json.dumps({"paths": paths}))
    return path


def _run(folder: Path) -> subprocess.Popen[bytes]:
    """A Dagster run of the job in a process of its own."""
    command = [sys.executable, "-c", RUN, str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["cancelled", "killed"])
def test_a_run_that_ends_stops_its_worker_at_a_safe_point(folder: Path, number: signal.Signals) -> None:
    run = _run(folder)
    _until((folder / "metrics.jsonl").exists)
    pids = _processes(run.pid)
    run.send_signal(number)
    _until(lambda: not {pid for pid, _, _ in _listed()} & {*pids, run.pid})
    [attempt] = [json.loads(line) for line in (folder / "attempts.jsonl").read_text().splitlines()]
    assert attempt["outcome"] == "interrupted"
    answered = (folder / "work" / "result" / "answers.jsonl").read_text().splitlines()
    assert 0 < len(answered) < 1000
    assert all(json.loads(line)["sample_id"] for line in answered)


def test_a_worker_that_does_not_stop_when_its_run_is_cancelled_is_killed(folder: Path) -> None:
    (folder / "job.json").unlink()
    os.mkfifo(folder / "job.json")
    run = _run(folder)
    with (folder / "job.json").open("w"):
        pids = _processes(run.pid)
        run.send_signal(signal.SIGINT)
        run.wait(60)
        assert not {pid for pid, _, _ in _listed()} & set(pids)
