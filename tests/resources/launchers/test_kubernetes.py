"""The pod of a job, held against Kubernetes' own schema, and what a cluster's settings may not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from forge_resources.launchers.base import LauncherError
from forge_resources.launchers.kubernetes import KubernetesLauncher
from forge_resources.launchers.registry import launcher_from_environment

FOLDER = Path("/forge/artefacts") / ("a" * 64)
SETTINGS = """
image: registry.example/forge:1
claim: forge-data
namespace: forge
data: /forge
gpus: 1
cpu: "8"
memory: 64Gi
node_selector: {nvidia.com/gpu.product: NVIDIA-H100}
tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]
pull_secrets: [registry]
"""


@pytest.fixture
def launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KubernetesLauncher:
    return _launcher(SETTINGS, tmp_path, monkeypatch)


def _launcher(settings: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> KubernetesLauncher:
    file = folder / "cluster.yaml"
    file.write_text(settings, "utf-8")
    monkeypatch.setenv("FORGE_LAUNCHER", "kubernetes")
    monkeypatch.setenv("FORGE_KUBERNETES", str(file))
    found = launcher_from_environment()
    assert isinstance(found, KubernetesLauncher)
    return found


def _pod(launcher: KubernetesLauncher, ranks: int = 1) -> dict[str, Any]:
    """The pod as it is sent to the cluster."""
    from dagster_k8s.pipes import build_pod_body
    from kubernetes.client import ApiClient

    body = build_pod_body(
        pod_name="job",
        image=None,
        command=None,
        env_vars={"DAGSTER_PIPES_CONTEXT": "of the run"},
        base_pod_meta={"labels": {"model-forge/job": "a" * 63}},
        base_pod_spec=launcher.pod(FOLDER, ranks, {"HF_HUB_OFFLINE": "1"}),
    )
    sent: dict[str, Any] = ApiClient().sanitize_for_serialization(body)
    return {"apiVersion": "v1", "kind": "Pod", **sent}


def test_the_pod_is_one_that_kubernetes_takes(launcher: KubernetesLauncher) -> None:
    assert kubernetes_validate.validate(_pod(launcher), kubernetes_validate.latest_version(), strict=True)


def test_the_validation_would_notice_a_misspelt_field(launcher: KubernetesLauncher) -> None:
    pod = _pod(launcher)
    pod["spec"]["terminationGraceSeconds"] = 70
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)


def test_the_pod_works_on_the_job_in_the_shared_folder(launcher: KubernetesLauncher) -> None:
    spec = _pod(launcher)["spec"]
    [container] = spec["containers"]
    assert container["command"] == ["python", "-m", "forge_resources.processes.supervisor", str(FOLDER), "60"]
    assert {"name": "data", "mountPath": "/forge"} in container["volumeMounts"]
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "forge-data"}} in spec["volumes"]
    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    assert environment == {"HF_HUB_OFFLINE": "1", "DAGSTER_PIPES_CONTEXT": "of the run"}


def test_each_process_of_a_job_gets_its_gpu(launcher: KubernetesLauncher) -> None:
    [container] = _pod(launcher, ranks=8)["spec"]["containers"]
    assert container["resources"]["limits"] == {"cpu": "8", "memory": "64Gi", "nvidia.com/gpu": "8"}


def test_the_pod_may_do_nothing_that_a_worker_need_not(launcher: KubernetesLauncher) -> None:
    spec = _pod(launcher)["spec"]
    [container] = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] > 0
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_a_pod_that_is_deleted_has_time_for_its_checkpoint(launcher: KubernetesLauncher) -> None:
    spec = _pod(launcher)["spec"]
    assert spec["terminationGracePeriodSeconds"] > launcher.grace_seconds
    assert spec["restartPolicy"] == "Never"


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ("claim: forge-data", "1: `image` is missing: add it: every cluster has its own"),
        ("image: forge:1", "1: `claim` is missing: add it: every cluster has its own"),
        ("{image: '', claim: forge-data}", "1: `image: ` is not accepted: string should have at least 1 character"),
        ("image: forge:1\nclaim: Forge Data", "2: `claim: Forge Data` is not accepted: string should match"),
        ("image: forge:1\nclaim: forge-data\nmemory: 64 GB", "3: `memory: 64 GB` is not accepted: string should match"),
        ("image: forge:1\nclaim: forge-data\nuser: 0", "3: `user: 0` is not accepted: input should be greater than or"),
        ("image: forge:1\nclaim: forge-data\ngpus: true", "3: `gpus: true` is not accepted: input should be a valid"),
        ("image: forge:1\nclaim: forge-data\ngpu: 1", "3: `gpu` is not a known field: did you mean `gpus`"),
        ("image: forge:1\nclaim: forge-data\nuser: 7\nuser: 8", "4: `user` is given twice: keep one of them"),
        (
            "image: forge:1\nclaim: forge-data\nuser: 0512",
            "3: `user: 0512` is not accepted: input should be a valid int",
        ),
        (
            "image: forge:1\nclaim: forge-data\ntolerations:\n  - {key: gpu, effect: Never}",
            "3: `tolerations` is not accepted: effect: Never: .* one of: NoSchedule PreferNoSchedule NoExecute",
        ),
        ("image", "1: the file is not a mapping"),
    ],
)
def test_wrong_settings_are_refused_by_file_line_and_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, complaint: str
) -> None:
    with pytest.raises(LauncherError, match=f"cluster.yaml:{complaint}"):
        _launcher(settings, tmp_path, monkeypatch)


def test_a_registry_secret_called_no_stays_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _launcher("image: forge:1\nclaim: forge-data\npull_secrets: [NO]", tmp_path, monkeypatch)
    assert found.pull_secrets == ["NO"]


def test_settings_that_are_not_there_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_LAUNCHER", "kubernetes")
    monkeypatch.delenv("FORGE_KUBERNETES", raising=False)
    with pytest.raises(LauncherError, match="name a YAML file with at least `image` and `claim`"):
        launcher_from_environment()
