"""Ray's own words for how a job was lost, and a cluster that is not there; the rest is in test_contract.py."""

from __future__ import annotations

import pytest

from forge_resources.launchers.base import LauncherError
from forge_resources.launchers.ray import RayLauncher, cause_of_loss
from forge_resources.launchers.registry import launcher_from_environment
from forge_resources.processes.cause import Cause


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("OutOfMemoryError", Cause.OUT_OF_MEMORY),
        ("TaskCancelledError", Cause.INTERRUPTED),
        ("NodeDiedError", Cause.UNKNOWN),
    ],
)
def test_what_a_job_died_of_that_ray_lost_is_a_cause(error: str, cause: Cause) -> None:
    from ray import exceptions

    assert cause_of_loss(getattr(exceptions, error)("lost")) is cause


def test_a_cluster_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_LAUNCHER", "ray")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    launcher = launcher_from_environment()
    assert isinstance(launcher, RayLauncher)
    with pytest.raises(LauncherError, match="no Ray cluster at '127.0.0.1:1': start one"):
        launcher._connected()
