"""The table of devices is complete, consistent, and checked when it is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from forge_resources.hardware import TABLE, devices
from forge_resources.profile import Hardware, load_profile, profile_names


def test_a_device_that_can_more_is_never_said_to_have_less() -> None:
    h100, h200, b200 = (devices()[name] for name in ("h100", "h200", "b200"))
    for less, more in ((h100, h200), (h200, b200)):
        assert less.memory_gb < more.memory_gb and less.bandwidth < more.bandwidth
        assert less.tflops <= more.tflops and less.link <= more.link and less.usd_hour <= more.usd_hour


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("tflops: 989, ", ""), "tflops"),
        (("usable_gb: 84", "usable_gb: 840"), "usable_gb is more than memory_gb"),
        (("mfu: 0.40", "mfu: 40"), "mfu"),
        (("fp8: true", "fp4: true"), "fp4"),
    ],
)
def test_a_row_that_is_wrong_is_refused(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    wrong = tmp_path / "hardware.yaml"
    wrong.write_text(TABLE.read_text().replace(*change))
    with pytest.raises(ValidationError, match=said):
        devices(wrong)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"device": "cuda", "memory_gb": 80}, "name 'cpu' is no cuda of hardware.yaml: choose from dgx-spark, h100"),
        ({"device": "cuda", "memory_gb": 80, "name": "h1000"}, "'h1000' is no cuda"),
        ({"device": "cuda", "memory_gb": 100, "name": "h100"}, "more than the 85.5 GB of a h100"),
    ],
)
def test_a_profile_names_a_device_that_there_is_and_asks_for_no_more_than_it_has(given: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Hardware.model_validate(given)


def test_every_profile_names_a_row() -> None:
    assert {load_profile(name).hardware.name for name in profile_names()} <= set(devices())
