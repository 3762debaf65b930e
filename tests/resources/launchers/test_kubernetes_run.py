"""Pods that run at once, and one that the kernel ends for memory, on a stand-in for a cluster."""

# No postponed annotations here: Dagster reads those of the asset.

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from forge_resources.launchers.base import JobFailed
from forge_resources.launchers.kubernetes import KubernetesLauncher
from forge_resources.processes.cause import Cause
from tests.resources import entries
from tests.resources.launchers.kubernetes_cluster import Cluster, kubeconfig
from tests.resources.launchers.test_contract import RUN

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    found = Cluster()
    config = str(kubeconfig(found, tmp_path))
    monkeypatch.setenv("KUBECONFIG", config)
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", config)
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
    )
    yield found
    for name in list(found.pods):
        found.delete(name)
    found.shutdown()


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_a_pod_that_the_kernel_ends_for_memory_is_told_from_one_that_was_killed(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.reason = "OOMKilled"
    folder = entries.job(tmp_path / "job", "is_killed")
    (tmp_path / "cluster.yaml").write_text(
        f"{{image: 'forge:1', claim: data, data: {tmp_path}, poll_seconds: 0.1}}", "utf-8"
    )
    settings = {"FORGE_LAUNCHER": "kubernetes", "FORGE_KUBERNETES": str(tmp_path / "cluster.yaml")}
    subprocess.run([sys.executable, "-c", RUN, str(folder)], env={**os.environ, **settings}, check=True)
    cause, words = json.loads((folder / "said").read_text("utf-8"))
    assert cause == Cause.OUT_OF_MEMORY and "memory_gb of the profile" in words


def test_of_pods_that_run_at_once_one_is_stopped_and_the_others_when_all_are_cancelled(
    cluster: Cluster, tmp_path: Path
) -> None:
    one, other = (entries.job(tmp_path / name, "waits") for name in ("one", "other"))
    launcher = KubernetesLauncher(image="forge:1", claim="data", data=str(tmp_path), poll_seconds=0.1)
    causes: dict[str, Cause] = {}

    @dg.asset
    def jobs(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        def run(folder: Path) -> None:
            try:
                launcher.run(context, folder)
            except JobFailed as failed:
                causes[folder.name] = failed.cause

        runs = [threading.Thread(target=run, args=(folder,)) for folder in (one, other)]
        for thread in runs:
            thread.start()
        _until(lambda: (one / "ready-0").exists() and (other / "ready-0").exists())
        launcher.stop(one)
        runs[0].join(60)
        assert causes == {"one": Cause.INTERRUPTED} and not (other / "asked").exists()
        launcher.cancel()
        runs[1].join(60)
        return dg.MaterializeResult()

    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([jobs], instance=instance)
    assert causes == {"one": Cause.INTERRUPTED, "other": Cause.INTERRUPTED}
    assert not cluster.chosen({}), "no pod is left"
