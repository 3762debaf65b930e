"""Jobs through the Kubernetes launcher, against a stand-in for the cluster's API that runs pods as processes here.

It knows the six calls that the launcher and Dagster's client make. No real cluster has been tried.
"""

# No postponed annotations here: Dagster reads those of the asset.

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import dagster as dg
import pytest
import yaml

from forge_assets.training.jobs.spec import GenerateJob, Sampling
from forge_assets.training.jobs.worker_entry import WORKER
from forge_resources.launchers.base import JobFailed
from forge_resources.launchers.kubernetes import KubernetesLauncher
from forge_resources.storage.launch_file import LaunchFile

pytestmark = pytest.mark.slow
BASE, PROMPTS = "b" * 64, "d" * 64


class Cluster(ThreadingHTTPServer):
    """Pods, and the process that each is."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Api)
        self.pods: dict[str, tuple[dict[str, Any], subprocess.Popen[bytes]]] = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def create(self, pod: dict[str, Any]) -> dict[str, Any]:
        [container] = pod["spec"]["containers"]
        environment = {entry["name"]: entry["value"] for entry in container["env"]}
        command = [sys.executable, *container["command"][1:]]
        path = {name: os.environ[name] for name in ("PATH", "OMP_NUM_THREADS") if name in os.environ}
        process = subprocess.Popen(command, env=path | environment, start_new_session=True)
        self.pods[pod["metadata"]["name"]] = (pod, process)
        return self.shown(pod, process)

    def shown(self, pod: dict[str, Any], process: subprocess.Popen[bytes]) -> dict[str, Any]:
        code = process.poll()
        ended = {"exitCode": code, "reason": "Completed" if code == 0 else "Error"}
        state = {"running": {}} if code is None else {"terminated": ended}
        status = {"name": "worker", "ready": code is None, "restartCount": 0, "image": "i", "imageID": "i"}
        return {**pod, "status": {"phase": "Running", "containerStatuses": [{**status, "state": state}]}}

    def delete(self, name: str) -> bool:
        """Whether there was such a pod."""
        self.chosen({})
        if name not in self.pods:
            return False
        pod, process = self.pods[name]
        pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        process.terminate()
        return True

    def chosen(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        """Pods by label or name; those deleted and ended are no more."""
        found = []
        for name, (pod, process) in list(self.pods.items()):
            if "deletionTimestamp" in pod["metadata"] and process.poll() is not None:
                del self.pods[name]
                continue
            labels = [f"{key}={value}" for key, value in pod["metadata"]["labels"].items()]
            names = [f"metadata.name={name}"]
            if {*query.get("labelSelector", []), *query.get("fieldSelector", [])} <= {*labels, *names}:
                found.append(self.shown(pod, process))
        return found


class Api(BaseHTTPRequestHandler):
    server: Cluster

    def do_GET(self) -> None:
        self._answer(
            {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": self.server.chosen(self._query())}
        )

    def do_POST(self) -> None:
        self._answer(self.server.create(json.loads(self.rfile.read(int(self.headers["Content-Length"])))))

    def do_DELETE(self) -> None:
        name = urlparse(self.path).path.rpartition("/pods")[2].strip("/")
        names = [name] if name else [pod["metadata"]["name"] for pod in self.server.chosen(self._query())]
        found = [self.server.delete(one) for one in names]
        self._answer({"kind": "Status", "apiVersion": "v1"}, 200 if all(found) else 404)

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def _query(self) -> dict[str, list[str]]:
        return parse_qs(urlparse(self.path).query)

    def _answer(self, body: dict[str, Any], code: int = 200) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    found = Cluster()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{found.server_port}"}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "users": [{"name": "me", "user": {}}],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config), "utf-8")
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield found
    for name in list(found.pods):
        found.delete(name)
    found.shutdown()


def _job(folder: Path, model: Path, answers: int) -> Path:
    folder.mkdir()
    rows = [{"sample_id": str(i), "prompt": [{"role": "user", "content": f"§ {i} BetrVG?"}]} for i in range(answers)]
    (folder.parent / f"{folder.name}.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
    )
    job = GenerateJob(base=BASE, prompts=PROMPTS, sampling=Sampling(max_new_tokens=8, batch_size=1))
    (folder / "job.json").write_text(job.model_dump_json(), "utf-8")
    LaunchFile(folder.name, {BASE: model, PROMPTS: folder.parent / f"{folder.name}.jsonl"}, WORKER).write(folder)
    return folder


def _answered(folder: Path) -> bool:
    file = folder / "metrics.jsonl"
    return file.exists() and "answered" in file.read_text("utf-8")


def test_jobs_run_as_pods_and_stop_with_what_they_had(cluster: Cluster, tmp_path: Path, tiny_model: Path) -> None:
    short = _job(tmp_path / "short", tiny_model, 3)
    long, other = (_job(tmp_path / name, tiny_model, 5000) for name in ("long", "other"))
    settings = {"image": "forge:1", "claim": "data", "data": str(tmp_path), "poll_seconds": 0.2}
    chosen = KubernetesLauncher(**settings)
    ended: list[Any] = []
    left: list[str] = []

    @dg.asset
    def jobs(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        def cancel_when_one_is_done() -> None:
            until = time.monotonic() + 180
            while not ((short / "record.json").exists() and _answered(long) and _answered(other)):
                assert time.monotonic() < until, "it did not happen"
                time.sleep(0.1)
            chosen.stop(other)
            time.sleep(5)  # the short one's pod is to end by itself
            left.extend(pod["metadata"]["labels"]["model-forge/job"] for pod in cluster.chosen({}))
            chosen.cancel()

        stopper = threading.Thread(target=cancel_when_one_is_done)
        stopper.start()
        ended.extend(chosen.run_many(context, [short, long, other]))
        stopper.join()
        return dg.MaterializeResult()

    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([jobs], instance=instance)
    done, *stopped = ended
    assert done["answers"] == 3
    assert all(isinstance(one, JobFailed) for one in stopped)
    for folder in (long, other):
        [attempt] = [json.loads(line) for line in (folder / "attempts.jsonl").read_text("utf-8").splitlines()]
        assert attempt["outcome"] == "interrupted"
    assert left == ["long"], "stopping one job left the others alone"
    assert not cluster.chosen({}), "no pod is left"
