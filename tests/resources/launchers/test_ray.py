"""Jobs on a real Ray cluster of one node: several at once, cancelled, killed, and gone on with."""

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

import psutil
import pytest

from forge_assets.training.jobs.spec import GenerateJob, Sampling
from forge_assets.training.jobs.worker_entry import WORKER
from forge_resources.launchers.base import LauncherError
from forge_resources.launchers.ray import RayLauncher
from forge_resources.launchers.registry import launcher_from_environment
from forge_resources.storage.launch_file import LaunchFile

pytestmark = pytest.mark.slow

RUN = """
import sys
import threading
import time
from pathlib import Path
import dagster as dg
from forge_resources.launchers.base import JobFailed, Launcher
from forge_resources.launchers.registry import launcher_from_environment

@dg.asset
def jobs(context: dg.AssetExecutionContext, launcher: Launcher) -> dg.MaterializeResult:
    folders = list(map(Path, sys.argv[1:]))

    def stop_when_told() -> None:
        while not (told := [folder for folder in folders if (folder / "stop").exists()]):
            time.sleep(0.05)
        launcher.stop(*told)

    threading.Thread(target=stop_when_told, daemon=True).start()
    for folder, done in zip(folders, launcher.run_many(context, folders)):
        if isinstance(done, JobFailed):
            (folder / "said").write_text(str(done), "utf-8")
    return dg.MaterializeResult()

dg.materialize([jobs], resources={"launcher": launcher_from_environment()})
"""
BASE, PROMPTS = "b" * 64, "d" * 64


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Address of a cluster that this test alone uses."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 3, "num_gpus": 0, "include_dashboard": False, "object_store_memory": 100 * 2**20}
    found = Cluster(initialize_head=True, head_node_args=head)
    yield found.address
    found.shutdown()


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def _job(folder: Path, model: Path, answers: int) -> Path:
    folder.mkdir()
    rows = [{"sample_id": str(i), "prompt": [{"role": "user", "content": f"§ {i} BetrVG?"}]} for i in range(answers)]
    data = folder.parent / f"{folder.name}.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    job = GenerateJob(base=BASE, prompts=PROMPTS, sampling=Sampling(max_new_tokens=8, batch_size=1))
    (folder / "job.json").write_text(job.model_dump_json(), "utf-8")
    LaunchFile(folder.name, {BASE: model, PROMPTS: data}, WORKER).write(folder)
    return folder


def _run(address: str, *folders: Path) -> subprocess.Popen[bytes]:
    """A Dagster run of the jobs, all at once, in a process of its own."""
    environment = {**os.environ, "FORGE_LAUNCHER": "ray", "RAY_ADDRESS": address, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", RUN, *map(str, folders)], env=environment)


def _lines(file: Path) -> list[dict[str, Any]]:
    text = file.read_text("utf-8") if file.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _answered(folder: Path) -> int:
    return max((line.get("answered", 0) for line in _lines(folder / "metrics.jsonl")), default=0)


def _worker(folder: Path) -> psutil.Process:
    """The process that works on the job now."""
    return psutil.Process([line["pid"] for line in _lines(folder / "metrics.jsonl") if "attempt" in line][-1])


def test_jobs_run_at_once_and_one_that_was_stopped_killed_or_cancelled_goes_on(
    cluster: str, tmp_path: Path, tiny_model: Path
) -> None:
    short, long = _job(tmp_path / "short", tiny_model, 3), _job(tmp_path / "long", tiny_model, 4000)
    stopped = _job(tmp_path / "stopped", tiny_model, 4000)
    all_three = _run(cluster, short, long, stopped)
    _until(lambda: _answered(short) and _answered(long) and _answered(stopped))
    (stopped / "stop").touch()
    _until(lambda: _lines(stopped / "attempts.jsonl"))
    assert _lines(stopped / "attempts.jsonl")[0]["outcome"] == "interrupted"
    seen = _answered(long)
    _until(lambda: _answered(long) > seen + 1)
    _worker(long).send_signal(signal.SIGKILL)
    assert all_three.wait(120) == 0
    assert json.loads((short / "record.json").read_text("utf-8"))["answers"] == 3
    assert "was killed" in (long / "said").read_text("utf-8")
    assert (stopped / "said").exists() and not (stopped / "record.json").exists()
    assert not (long / "record.json").exists()
    kept = len(_lines(long / "work" / "result" / "answers.jsonl"))

    again = _run(cluster, long)
    _until(lambda: _answered(long) > kept + 1)
    worker = _worker(long)
    below = [worker, *worker.parents()[:1]]
    again.send_signal(signal.SIGINT)
    again.wait(120)
    _until(lambda: not any(one.is_running() for one in below))
    [attempt] = _lines(long / "attempts.jsonl")
    assert attempt["outcome"] == "interrupted", "it was asked, not killed"
    phases = [line for line in _lines(long / "metrics.jsonl") if "attempt" in line]
    assert [phase["attempt"] for phase in phases] == [1, 2]
    answers = [line["sample_id"] for line in _lines(long / "work" / "result" / "answers.jsonl")]
    assert len(answers) == len(set(answers)) > kept, "none was answered twice"


def test_a_cluster_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_LAUNCHER", "ray")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    launcher = launcher_from_environment()
    assert isinstance(launcher, RayLauncher)
    with pytest.raises(LauncherError, match="no Ray cluster at '127.0.0.1:1': start one"):
        launcher._connected()
