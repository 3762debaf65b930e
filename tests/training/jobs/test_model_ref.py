"""A trained model is named by what it answers with."""

from __future__ import annotations

import pytest

from forge_assets.training.jobs.model_ref import ModelRef
from forge_assets.training.jobs.spec import Lora, SftJob

BASE, TRAINED, DATA = "a" * 64, "b" * 64, "d" * 64


@pytest.mark.parametrize(
    ("lora", "quantisation", "named"),
    [
        (Lora(rank=2, alpha=2), "nf4", {"base": BASE, "adapter": TRAINED, "quantisation": "nf4"}),
        (None, "none", {"base": TRAINED, "quantisation": "none"}),
    ],
    ids=["adapter", "weights"],
)
def test_a_trained_model_is_an_adapter_on_its_base_or_new_weights(
    lora: Lora | None, quantisation: str, named: dict[str, str]
) -> None:
    held = {"learning_rate": 1e-4, "batch_size": 1, "steps": 1, "precision": "bfloat16", "quantisation": quantisation}
    job = SftJob(base=BASE, dataset=DATA, lora=lora, **held)
    found = ModelRef.of_training(job, TRAINED)
    assert found.spec == {"adapter": None, "precision": "bfloat16", "compute": "float32"} | named
    assert found.untrained(BASE).spec == found.spec | {"base": BASE, "adapter": None}
