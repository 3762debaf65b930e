"""How the student is asked for as GGUF files."""

from __future__ import annotations

from forge_assets.delivery.making import gguf_job
from forge_assets.training.jobs.model_ref import ModelRef

BASE, ADAPTER = "a" * 64, "c" * 64


def test_an_adapter_is_merged_in_float32_and_whole_weights_stay_as_they_are() -> None:
    held = {"base": BASE, "precision": "bfloat16", "compute": "bfloat16"}
    merged = gguf_job(ModelRef.model_validate({**held, "adapter": ADAPTER}), BASE, BASE, "labour")
    assert (merged.precision, merged.adapter) == ("float32", ADAPTER)
    assert gguf_job(ModelRef.model_validate(held), BASE, BASE, "labour").precision == "bfloat16"
