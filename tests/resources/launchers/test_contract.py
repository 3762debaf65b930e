"""What every launcher of the registry does with jobs that end well, fail, are killed, stopped and interrupted.

Real Dagster runs in processes of their own; workers are the stand-ins of tests/resources/entries.py. A new launcher
needs a line in `PLACES`: the variables of the environment under which it runs here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from forge_resources.launchers.registry import LAUNCHERS
from forge_resources.processes.cause import Cause
from tests.resources import entries
from tests.resources.launchers.kubernetes_cluster import Cluster, kubeconfig

RUN = """
import json
import signal
import sys
import threading
import time
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
        for folder in (folders[0], folders[-1], *told):  # one that is over and one that waits are left alone
            launcher.stop(folder)

    threading.Thread(target=stop_when_told, daemon=True).start()
    for folder in folders:
        try:
            said = ["done", json.dumps(launcher.run(context, folder))]
        except JobFailed as error:
            said = [error.cause, str(error)]
        (folder / ".said").write_text(json.dumps(said), "utf-8")
        (folder / ".said").rename(folder / "said")
    return dg.MaterializeResult()

dg.materialize([jobs], resources={"launcher": launcher_from_environment()})
"""
REPOSITORY = Path(__file__).parents[3]


@contextmanager
def _local(root: Path) -> Iterator[dict[str, str]]:
    yield {}


@contextmanager
def _ray(root: Path) -> Iterator[dict[str, str]]:
    """A cluster of one node that this test alone uses."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster as RayCluster

    head = {"num_cpus": 4, "num_gpus": 0, "include_dashboard": False, "object_store_memory": 100 * 2**20}
    cluster = RayCluster(initialize_head=True, head_node_args=head)
    try:
        yield {"RAY_ADDRESS": cluster.address}
    finally:
        cluster.shutdown()


@contextmanager
def _kubernetes(root: Path) -> Iterator[dict[str, str]]:
    cluster, settings = Cluster(), root / "cluster.yaml"
    settings.write_text(f"{{image: 'forge:1', claim: data, data: {root}, poll_seconds: 0.1}}", "utf-8")
    yield {"FORGE_KUBERNETES": str(settings), "KUBECONFIG": str(kubeconfig(cluster, root))}
    assert not cluster.chosen({}), "no pod is left"
    cluster.shutdown()


PLACES = {"local": _local, "ray": _ray, "kubernetes": _kubernetes}


@dataclass(frozen=True)
class Seen:
    """What was seen of the jobs below."""

    root: Path
    gone: bool
    """Whether the worker of the interrupted run ended with the run."""

    def said(self, name: str) -> tuple[str, str]:
        """Cause, or `done`, and words."""
        cause, words = json.loads((self.root / name / "said").read_text("utf-8"))
        return cause, words


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def _worker(folder: Path) -> psutil.Process:
    """The job's worker, once it is at work."""
    _until(lambda: (folder / "ready-0").exists() and (folder / "ready-0").read_text("utf-8"))
    return psutil.Process(int((folder / "ready-0").read_text("utf-8")))


@pytest.fixture(
    scope="module",
    params=[name if name == "local" else pytest.param(name, marks=pytest.mark.slow) for name in LAUNCHERS],
)
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """One run of six jobs, one after the other: the fifth is stopped, and the run is interrupted at the sixth."""
    root = tmp_path_factory.mktemp(request.param)
    kinds = {
        "well": "ends_well", "failed": "fails", "crashed": "crashes", "killed": "is_killed", "stopped": "waits",
        "interrupted": "waits",
    }  # fmt: skip
    folders = [entries.job(root / name, kind) for name, kind in kinds.items()]
    (root / "crashed" / "log.txt").write_text("what the attempt before said\n", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
        with PLACES[request.param](root) as settings:
            environment = {**os.environ, **settings, "FORGE_LAUNCHER": request.param}
            run = subprocess.Popen([sys.executable, "-c", RUN, *map(str, folders)], env=environment)
            _worker(root / "stopped")
            (root / "stopped" / "stop").touch()
            worker = _worker(root / "interrupted")
            run.send_signal(signal.SIGINT)
            run.wait(120)
            gone = not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
            yield Seen(root, gone)


def test_every_launcher_is_held_to_the_contract() -> None:
    assert PLACES.keys() == LAUNCHERS.keys()


def test_the_guide_to_launchers_has_a_row_for_every_launcher() -> None:
    guide = (REPOSITORY / "docs" / "launchers.md").read_text("utf-8")
    assert [name for name in LAUNCHERS if f"\n| `{name}` " not in guide] == []


def test_a_job_that_ends_well_gives_its_record(seen: Seen) -> None:
    cause, words = seen.said("well")
    assert cause == "done" and json.loads(words)["kind"] == "ends_well"


def test_a_job_that_fails_says_in_one_line_why_and_where_its_log_is(seen: Seen) -> None:
    reason = "out of memory: 8 GB. Use a smaller batch_size"
    log = seen.root / "failed" / "log.txt"
    assert seen.said("failed") == (Cause.OUT_OF_MEMORY, f"job failed failed: {reason}; log: {log}")


def test_a_job_that_crashes_gives_the_end_of_its_log_and_nothing_of_the_attempt_before(seen: Seen) -> None:
    cause, words = seen.said("crashed")
    assert cause == Cause.UNKNOWN and words.startswith("job crashed ended with status 1; ")
    assert words.endswith("RuntimeError: no such thing as a dream")
    assert "the attempt before" not in words
    log = (seen.root / "crashed" / "log.txt").read_text("utf-8")
    assert log.startswith("what the attempt before said\n")


def test_a_worker_that_is_killed_fails_its_job_and_says_that_it_was_not_for_memory(seen: Seen) -> None:
    cause, words = seen.said("killed")
    assert cause == Cause.KILLED and "was killed (SIGKILL), and not by the kernel for memory" in words


def test_a_job_that_is_stopped_writes_what_it_has_and_the_next_one_runs(seen: Seen) -> None:
    cause, words = seen.said("stopped")
    assert cause == Cause.INTERRUPTED and "run it again, and it goes on" in words
    assert '"interrupted"' in (seen.root / "stopped" / "attempts.jsonl").read_text("utf-8")
    assert (seen.root / "interrupted" / "ready-0").exists()


def test_a_run_that_is_interrupted_ends_when_its_worker_has_written_what_it_has(seen: Seen) -> None:
    assert seen.gone
    assert '"interrupted"' in (seen.root / "interrupted" / "attempts.jsonl").read_text("utf-8")
    assert not (seen.root / "interrupted" / "said").exists()
