"""The table of devices that jobs run on, from `hardware.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

TABLE = Path(__file__).with_name("hardware.yaml")

Positive = Annotated[float, Field(gt=0)]


class Device(BaseModel):
    """One row: see the head of `hardware.yaml` for the units."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: Literal["cpu", "cuda"]
    memory_gb: Positive
    usable_gb: Positive
    bandwidth: Positive
    tflops: Positive
    bf16: bool
    fp8: bool
    link: Annotated[float, Field(ge=0)]
    unified: bool = False
    """Whether the host's memory is the device's."""
    mfu: Annotated[float, Field(gt=0, le=1)]
    step_ms: Annotated[float, Field(ge=0)]
    usd_hour: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _usable(self) -> Device:
        if self.usable_gb > self.memory_gb:
            raise ValueError("usable_gb is more than memory_gb")
        return self


_ROWS: TypeAdapter[dict[str, Device]] = TypeAdapter(dict[str, Device])


@cache
def devices(table: Path = TABLE) -> dict[str, Device]:
    """Name to device.

    Raises:
        pydantic.ValidationError: a row lacks a number or has one too many.
    """
    raw: Any = yaml.safe_load(table.read_text())
    return _ROWS.validate_python(raw)
