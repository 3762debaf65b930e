"""Choose the launcher: FORGE_LAUNCHER names one of `LAUNCHERS`; read when the code location loads."""

from __future__ import annotations

from forge_resources.config.settings import read_settings
from forge_resources.launchers.base import Launcher, LauncherError
from forge_resources.launchers.kubernetes import KubernetesLauncher
from forge_resources.launchers.local import LocalLauncher
from forge_resources.launchers.ray import RayLauncher

LAUNCHERS: dict[str, type[Launcher]] = {"local": LocalLauncher, "ray": RayLauncher, "kubernetes": KubernetesLauncher}


def launcher_from_environment() -> Launcher:
    """The launcher that FORGE_LAUNCHER names, `local` where it is not set.

    Raises:
        LauncherError: no such launcher, or one that needs a setting that is missing.
    """
    name = read_settings().launcher
    if name not in LAUNCHERS:
        raise LauncherError(f"FORGE_LAUNCHER={name}: no such launcher; choose one of {', '.join(LAUNCHERS)}")
    return LAUNCHERS[name].from_environment()
