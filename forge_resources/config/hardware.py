"""The table of devices that jobs run on, from `hardware.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, RootModel, model_validator

from forge_resources.config.strict_yaml import read_yaml, validate
from forge_resources.storage.strict import Strict

TABLE = Path(__file__).with_name("hardware.yaml")

Positive = Annotated[float, Field(gt=0)]


class Device(Strict, allow_inf_nan=False):
    """One row: see the head of `hardware.yaml` for the units."""

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


@cache
def multiplies_bfloat16() -> bool:
    """Whether this machine's processor has instructions for products of bfloat16 (AVX-512 BF16, AMX, or Arm's)."""
    try:
        said = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return False
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(said.split())


class _Table(RootModel[dict[str, Device]]):
    """The whole file."""


@cache
def devices(table: Path = TABLE) -> dict[str, Device]:
    """Name to device.

    Raises:
        SourceError: a row lacks a number or has one too many.
    """
    data, lines = read_yaml(table)
    return validate(_Table, table, data, lines).root
