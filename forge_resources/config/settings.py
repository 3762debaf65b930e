"""What the environment sets: every variable that a person may give, read in one place."""

from __future__ import annotations

import os

from pydantic import Field

from forge_resources.storage.strict import Strict


class Settings(Strict):
    """Variables by their aliases, as text; where one is used it is checked, and refused by its name.

    docs/operations.md lists them with what they mean. What is empty here has a default that depends on others.
    """

    profile: str = Field("cpu", alias="FORGE_PROFILE")
    data: str = Field("", alias="FORGE_DATA")
    pack: str = Field("", alias="FORGE_PACK")
    dagster: str = Field("", alias="FORGE_DAGSTER")
    studies: str = Field("", alias="FORGE_STUDIES")
    allow_hub: str = Field("", alias="FORGE_ALLOW_HUB")
    launcher: str = Field("local", alias="FORGE_LAUNCHER")
    kubernetes: str = Field("", alias="FORGE_KUBERNETES")
    ray_address: str = Field("auto", alias="RAY_ADDRESS")
    ray_cpus: str = Field("1", alias="FORGE_RAY_CPUS")
    ray_gpus: str = Field("0", alias="FORGE_RAY_GPUS")

    @property
    def hub_allowed(self) -> bool:
        """Whether base models may come from a model hub."""
        return self.allow_hub == "1"


VARIABLES = tuple(str(field.alias) for field in Settings.model_fields.values())


def read_settings() -> Settings:
    """Read the environment as it is now; an empty variable is no value."""
    return Settings.model_validate({name: value for name in VARIABLES if (value := os.environ.get(name))})
