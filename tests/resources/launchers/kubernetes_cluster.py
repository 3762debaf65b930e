"""A stand-in for a Kubernetes cluster's API that runs pods as processes here.

It knows the calls that the launcher and Dagster's client make. No real cluster has been tried.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import yaml


class Cluster(ThreadingHTTPServer):
    """Pods, and the process that each is.

    Attributes:
        reason: what pods end for, where it is not their exit status that says so.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Api)
        self.pods: dict[str, tuple[dict[str, Any], subprocess.Popen[bytes]]] = {}
        self.reason = ""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def create(self, pod: dict[str, Any]) -> dict[str, Any]:
        [container] = pod["spec"]["containers"]
        environment = {entry["name"]: entry["value"] for entry in container["env"]}
        command = [sys.executable, *container["command"][1:]]
        path = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "OMP_NUM_THREADS") if name in os.environ}
        process = subprocess.Popen(command, env=path | environment, start_new_session=True)
        self.pods[pod["metadata"]["name"]] = (pod, process)
        return self.shown(pod, process)

    def shown(self, pod: dict[str, Any], process: subprocess.Popen[bytes]) -> dict[str, Any]:
        code = process.poll()
        ended = {"exitCode": code, "reason": self.reason or ("Completed" if code == 0 else "Error")}
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
    """Answers for it."""

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


def kubeconfig(cluster: Cluster, folder: Path) -> Path:
    """A file that says how to reach it."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{cluster.server_port}"}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "users": [{"name": "me", "user": {}}],
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump(config), "utf-8")
    return folder / "kubeconfig"
