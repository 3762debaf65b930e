"""What the environment chooses: the domain pack and the profile."""

from __future__ import annotations

from pathlib import Path

from forge_resources.config.data_folder import PROJECT
from forge_resources.config.settings import read_settings


def pack_folder() -> Path:
    """The domain pack: FORGE_PACK, or the labour pack of the project."""
    return Path(read_settings().pack or PROJECT / "frameworks" / "labour").resolve()


def profile_name() -> str:
    """FORGE_PROFILE, or `cpu`."""
    return read_settings().profile
