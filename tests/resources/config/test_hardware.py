"""The table of devices is complete, consistent, and checked when it is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from forge_resources.config.hardware import TABLE, devices
from forge_resources.config.profile import Hardware, load_profile, profile_names
from forge_resources.config.strict_yaml import SourceError


def test_a_device_that_can_more_is_never_said_to_have_less() -> None:
    h100, h200, b200 = (devices()[name] for name in ("h100", "h200", "b200"))
    for less, more in ((h100, h200), (h200, b200)):
        assert less.memory_gb < more.memory_gb and less.bandwidth < more.bandwidth
        assert less.tflops <= more.tflops and less.link <= more.link and less.usd_hour <= more.usd_hour


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("tflops: 989, ", ""), "`h100.tflops` is missing: add it"),
        (("usable_gb: 84", "usable_gb: 840"), "`h100` is not accepted: usable_gb is more than memory_gb"),
        (("mfu: 0.40", "mfu: 40"), "`h100.mfu: 40` is not accepted: input should be less than or equal to 1"),
        (("usd_hour: 3.00", "usd_hour: 3:00"), "`h100.usd_hour: 3:00` is not accepted: input should be a valid number"),
        (("link: 900", "link: 0900"), "`h100.link: 0900` is not accepted: input should be a valid number"),
        (("fp8: true", "fp4: true"), "`dgx-spark.fp4` is not a known field: remove it or correct its name"),
    ],
)
def test_a_row_that_is_wrong_is_refused(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    wrong = tmp_path / "hardware.yaml"
    wrong.write_text(TABLE.read_text("utf-8").replace(*change))
    with pytest.raises(SourceError, match=said) as caught:
        devices(wrong)
    assert caught.value.path == wrong and caught.value.line > 8


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
