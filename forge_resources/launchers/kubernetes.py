"""Run jobs as pods of a Kubernetes cluster: the same worker, in an image with this project, on a shared volume.

A pod is labelled with its job, so that a job whose launcher was killed is stopped before it is started again. Needs the
optional dependency group `kubernetes`, and FORGE_KUBERNETES naming a YAML file with the launcher's settings.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import dagster as dg
from pydantic import Field, PrivateAttr, StringConstraints, ValidationError, field_validator

from forge_resources.config.data_folder import data_folder
from forge_resources.config.settings import read_settings
from forge_resources.config.strict_yaml import SourceError, first_fault, line_of, nearest, read_yaml
from forge_resources.launchers.base import (
    MARGIN_SECONDS,
    WELL,
    Ending,
    JobFailed,
    Launcher,
    LauncherError,
    how_it_ended,
    messages,
    processes,
    supervised,
    worker_environment,
)
from forge_resources.monitoring.wandb import wandb_environment
from forge_resources.processes.cause import OUT_OF_MEMORY_STATUS, Cause

LABEL = "model-forge/job"
OUT_OF_MEMORY = "OOMKilled"
"""Kubernetes' reason for a container that the kernel ended for memory."""
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=63)]
Quantity = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$")]
"""An amount as Kubernetes writes it, e.g. 500m or 64Gi."""

REQUIRED = ("image", "claim")
TOLERATION = {"key": None, "value": None, "operator": "Exists Equal", "effect": "NoSchedule PreferNoSchedule NoExecute"}
"""Fields of a toleration, and the words that some of them are limited to."""


class KubernetesLauncher(Launcher):
    """Runs each job as a pod. Calls from several threads run at once.

    Attributes:
        image: with this project installed and `python` on its path.
        claim: the PersistentVolumeClaim that holds the data folder, here and in the pod.
        data: where it is mounted, the same path on both sides.
        cpu, memory: what a pod gets.
        gpus: NVIDIA GPUs for each process of a job.
        user: the user and group that the worker runs as; never root.
        context: of the kubeconfig; "" is the current one, or the service account within a cluster.
    """

    image: Annotated[str, StringConstraints(min_length=1)]
    claim: Name
    namespace: Name = "default"
    data: str = Field(default_factory=lambda: str(data_folder()))
    cpu: Quantity = "2"
    memory: Quantity = "8Gi"
    gpus: int = Field(default=0, ge=0, strict=True)
    user: int = Field(default=1000, ge=1, strict=True)
    service_account: Name = "default"
    pull_secrets: list[str] = Field(default_factory=list)
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: list[dict[str, str]] = Field(default_factory=list)
    context: str = ""
    poll_seconds: float = Field(default=5, gt=0, allow_inf_nan=False)
    _running: set[str] = PrivateAttr(default_factory=set)

    @field_validator("tolerations")
    @classmethod
    def _tolerable(cls, tolerations: list[dict[str, str]]) -> list[dict[str, str]]:
        for name, value in (item for toleration in tolerations for item in toleration.items()):
            words = TOLERATION.get(name, "")
            if words is not None and value not in words.split():
                raise ValueError(
                    f"{name}: {value}: a toleration has {', '.join(TOLERATION)}; {name} is one of: {words}"
                )
        return tolerations

    @classmethod
    def from_environment(cls) -> Self:
        """From the YAML file that FORGE_KUBERNETES names.

        Raises:
            LauncherError: no such file, or a field that is missing, unknown or wrong.
        """
        file = read_settings().kubernetes
        if not Path(file).is_file():
            raise LauncherError(
                f"FORGE_KUBERNETES={file}: no such file: name a YAML file with at least `image` and `claim`"
            )
        path = Path(file)
        try:
            given, lines = read_yaml(path)
            for name in given.keys() - cls.model_fields.keys():
                mend = nearest(name, cls.model_fields)
                raise SourceError(path, line_of(lines, (name,)), f"`{name}` is not a known field", mend)
            for name in REQUIRED:
                if name not in given:
                    raise SourceError(path, 1, f"`{name}` is missing", "add it: every cluster has its own")
            try:
                return cls(**given)
            except ValidationError as error:
                raise first_fault(error, path, given, lines) from error
        except SourceError as error:
            raise LauncherError(str(error)) from error

    def pod(self, folder: Path, ranks: int, environment: Mapping[str, str]) -> dict[str, Any]:
        """Spec of the pod that does the job in `folder` with `ranks` processes."""
        volumes: dict[str, tuple[str, dict[str, Any]]] = {
            "data": (self.data, {"persistentVolumeClaim": {"claimName": self.claim}}),
            "scratch": ("/tmp", {"emptyDir": {}}),
            # The 64 MiB that a container gets are not enough for processes that hand batches and gradients around.
            "shared-memory": ("/dev/shm", {"emptyDir": {"medium": "Memory"}}),
        }
        amounts = {"cpu": self.cpu, "memory": self.memory}
        if self.gpus:
            amounts["nvidia.com/gpu"] = str(self.gpus * ranks)
        return {
            "restartPolicy": "Never",  # whoever asks for the job again starts it again
            "terminationGracePeriodSeconds": round(self.grace_seconds) + 10,
            "serviceAccountName": self.service_account,
            "automountServiceAccountToken": False,
            "imagePullSecrets": [{"name": name} for name in self.pull_secrets],
            "nodeSelector": self.node_selector,
            "tolerations": self.tolerations,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": self.user,
                "runAsGroup": self.user,
                "fsGroup": self.user,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumes": [{"name": name, **source} for name, (_, source) in volumes.items()],
            "containers": [
                {
                    "name": "worker",
                    "image": self.image,
                    "command": supervised(folder, self.grace_seconds, "python"),
                    "env": [{"name": name, "value": value} for name, value in environment.items()],
                    "resources": {"requests": amounts, "limits": amounts},
                    "volumeMounts": [{"name": name, "mountPath": path} for name, (path, _) in volumes.items()],
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        }

    def _work(self, context: dg.AssetExecutionContext, folder: Path) -> Ending:
        try:
            from dagster_k8s import PipesK8sClient
            from dagster_k8s.client import DagsterK8sError, DagsterK8sUnrecoverableAPIError
            from kubernetes.client import ApiException
        except ImportError as error:
            raise LauncherError(
                "FORGE_LAUNCHER=kubernetes needs its clients: pip install -c constraints.txt '.[kubernetes]'"
            ) from error
        if not folder.is_relative_to(self.data):
            raise LauncherError(f"data: {self.data} does not hold {folder}: mount the data folder at its own path")
        client = PipesK8sClient(
            message_reader=messages(folder), kube_context=self.context or None, poll_interval=self.poll_seconds
        )
        _connect(self.context)
        label = _label(folder)
        self._end(label)
        self._running.add(label)
        environment = worker_environment() | wandb_environment(self.wandb_mode, folder) | {"HOME": "/tmp"}
        try:
            client.run(
                context=context,
                namespace=self.namespace,
                base_pod_meta={"labels": {LABEL: label}},
                base_pod_spec=self.pod(folder, processes(folder), environment),
                pod_wait_timeout=0,
                delete_pod_on_completion=False,  # its status says what it died of
            )
        except (DagsterK8sError, DagsterK8sUnrecoverableAPIError, ApiException) as error:
            return self._ending(label) or Ending(f"did not end well as a pod: {error}", Cause.UNKNOWN)
        finally:
            self._running.discard(label)
            self._end(label)
        return WELL

    def cancel(self) -> None:
        """Stop all jobs that run."""
        for label in list(self._running):
            self._end(label)

    def stop(self, folder: Path) -> None:
        """Delete the job's pod."""
        if (label := _label(folder)) in self._running:
            self._end(label)

    def _ending(self, label: str) -> Ending | None:
        """How a job's pod ended, by its status; None where that does not say."""
        from kubernetes.client import CoreV1Api

        pods = CoreV1Api().list_namespaced_pod(self.namespace, label_selector=f"{LABEL}={label}").items
        if not pods or pods[0].metadata.deletion_timestamp is not None:
            return Ending("was stopped by deleting its pod: run it again, and it goes on", Cause.INTERRUPTED)
        ends = [status.state.terminated for status in pods[0].status.container_statuses or []]
        if not ends or ends[0] is None or not ends[0].exit_code:
            return None
        return how_it_ended(OUT_OF_MEMORY_STATUS if ends[0].reason == OUT_OF_MEMORY else ends[0].exit_code)

    def _end(self, label: str) -> None:
        """Delete the pods of a job and wait until they are gone: their workers write a checkpoint meanwhile.

        Raises:
            JobFailed: a pod does not go.
        """
        from kubernetes.client import CoreV1Api

        cluster = CoreV1Api()
        chosen = {"namespace": self.namespace, "label_selector": f"{LABEL}={label}"}
        until = time.monotonic() + self.grace_seconds + MARGIN_SECONDS
        while pods := cluster.list_namespaced_pod(**chosen).items:
            if time.monotonic() > until:
                raise JobFailed(f"pod {pods[0].metadata.name} does not end: delete it, then run the job again")
            if any(pod.metadata.deletion_timestamp is None for pod in pods):
                cluster.delete_collection_namespaced_pod(**chosen)
            time.sleep(min(1.0, self.poll_seconds))


def _label(folder: Path) -> str:
    """What a job's pod is labelled with; Kubernetes allows no more than 63 characters."""
    return folder.name[:63]


def _connect(context: str) -> None:
    """Read how to reach the cluster: of the kubeconfig's context, or as a pod's service account, if this is in one."""
    from kubernetes import config

    if not context and "KUBERNETES_SERVICE_HOST" in os.environ:
        config.load_incluster_config()
    else:
        config.load_kube_config(context=context or None)
