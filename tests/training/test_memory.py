"""The memory prediction moves the right way with everything that a profile or a trial can change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forge_assets.training.job import Lora, SftJob
from forge_assets.training.memory import RUNTIME_BYTES, Shape, predict

A = "a" * 64
SMOLLM2 = {
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_attention_heads": 9,
    "num_hidden_layers": 30,
    "num_key_value_heads": 3,
    "tie_word_embeddings": True,
    "vocab_size": 49152,
}


@pytest.fixture
def shape(tmp_path: Path) -> Shape:
    (tmp_path / "config.json").write_text(json.dumps(SMOLLM2))
    return Shape.of(tmp_path)


def _job(**changes: Any) -> SftJob:
    defaults: dict[str, Any] = {
        "base": A, "dataset": A, "lora": Lora(rank=16, alpha=16), "learning_rate": 1e-3,
        "batch_size": 4, "steps": 10, "max_length": 256,
    }  # fmt: skip
    return SftJob(**defaults | changes)


def test_the_parameters_of_smollm2_are_counted_from_its_config(shape: Shape) -> None:
    assert shape.parameters == pytest.approx(134_515_008, rel=0.001)


def test_the_parameters_counted_are_those_that_the_weights_have(tiny_model: Path) -> None:
    from forge_assets.training.weights import load_model

    real = load_model(tiny_model, "float32", "none").num_parameters()
    assert Shape.of(tiny_model).parameters == pytest.approx(real, rel=0.01)


def test_untied_embeddings_and_a_head_width_of_their_own_are_counted(tmp_path: Path, shape: Shape) -> None:
    (tmp_path / "config.json").write_text(json.dumps(SMOLLM2 | {"tie_word_embeddings": False}))
    assert Shape.of(tmp_path).parameters - shape.parameters == 576 * 49152
    (tmp_path / "config.json").write_text(json.dumps(SMOLLM2 | {"head_dim": 128}))
    assert Shape.of(tmp_path).parameters > shape.parameters


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ({"batch_size": 2}, {"batch_size": 4}),
        ({"max_length": 128}, {"max_length": 256}),
        ({"lora": Lora(rank=8, alpha=8)}, {"lora": Lora(rank=64, alpha=8)}),
        ({"lora": Lora(rank=16, alpha=16)}, {"lora": None}),
        ({"gradient_checkpointing": True}, {"gradient_checkpointing": False}),
        ({"precision": "bfloat16"}, {"precision": "float32"}),
        ({"quantisation": "int8"}, {"quantisation": "none"}),
        ({"quantisation": "nf4"}, {"quantisation": "int8"}),
    ],
)
def test_what_saves_memory_lowers_the_prediction(shape: Shape, smaller: Any, larger: Any) -> None:
    assert RUNTIME_BYTES < predict(_job(**smaller), shape) < predict(_job(**larger), shape)


@pytest.mark.parametrize("change", [{"accumulation": 8}, {"steps": 1000}, {"learning_rate": 1.0}, {"seed": 5}])
def test_what_costs_no_memory_leaves_the_prediction_as_it_is(shape: Shape, change: Any) -> None:
    assert predict(_job(**change), shape) == predict(_job(), shape)


def test_full_training_of_smollm2_holds_weights_gradients_and_two_moments(shape: Shape) -> None:
    least = predict(_job(lora=None, batch_size=1, max_length=16), shape) - RUNTIME_BYTES
    assert least == pytest.approx(16 * shape.parameters, rel=0.05)
