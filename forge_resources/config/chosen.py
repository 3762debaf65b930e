"""What the environment chooses: the domain pack and the profile."""

from __future__ import annotations

from pathlib import Path

from forge_resources.config.data_folder import PROJECT
from forge_resources.config.settings import read_settings


def pack_folder() -> Path:
    """Return the domain pack: FORGE_PACK, or the labour pack of the project.

    Raises:
        ValueError: there is no pack.
    """
    folder = Path(read_settings().pack or PROJECT / "frameworks" / "labour").resolve()
    if not (folder / "domain.yaml").is_file():
        raise ValueError(f"FORGE_PACK={folder}: no domain.yaml there: name the folder of a domain pack")
    return folder


def profile_name() -> str:
    """FORGE_PROFILE, or `cpu`."""
    return read_settings().profile
