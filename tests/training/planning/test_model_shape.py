"""What is read from a config.json is what Transformers builds from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forge_assets.training.jobs.spec import Lora
from forge_assets.training.planning.model_shape import Shape, UnknownShape
from forge_resources.config.model_registry import ModelLibrary

COMMON: dict[str, Any] = {
    "num_hidden_layers": 6, "hidden_size": 96, "intermediate_size": 160, "num_attention_heads": 6,
    "num_key_value_heads": 2, "vocab_size": 300,
}  # fmt: skip
CONFIGS: dict[str, dict[str, Any]] = {
    "llama": COMMON | {"model_type": "llama", "tie_word_embeddings": False},
    "llama tied": COMMON | {"model_type": "llama", "tie_word_embeddings": True},
    "mistral": COMMON | {"model_type": "mistral"},
    "qwen2": COMMON | {"model_type": "qwen2"},
    "qwen3": COMMON | {"model_type": "qwen3", "head_dim": 24},
    "gemma3": COMMON | {"model_type": "gemma3_text", "head_dim": 32, "sliding_window": 16},
    "gpt-oss": COMMON | {"model_type": "gpt_oss", "head_dim": 16, "num_local_experts": 4, "num_experts_per_tok": 2},
}


@pytest.mark.parametrize("name", CONFIGS)
def test_the_weights_counted_are_those_that_transformers_builds(name: str) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(**CONFIGS[name])
    with torch.device("meta"):
        built = AutoModelForCausalLM.from_config(config)
    written = Shape.parse(json.loads(config.to_json_string(use_diff=False)))
    assert written.parameters == Shape.parse(CONFIGS[name]).parameters == built.num_parameters()
    assert written.sliding_layers == sum(kind == "sliding_attention" for kind in getattr(config, "layer_types", []))


@pytest.mark.parametrize(
    ("name", "lora"),
    [
        ("qwen3", Lora(rank=4, alpha=4)),
        ("qwen3", Lora(rank=4, alpha=4, target_modules=("q_proj", "v_proj"))),
        ("llama", Lora(rank=3, alpha=3, target_modules=("o_proj", "k_proj", "up_proj", "lm_head"))),
        ("llama tied", Lora(rank=4, alpha=4, target_modules=("gate_proj", "down_proj", "lm_head"))),
        ("gpt-oss", Lora(rank=4, alpha=4)),
        ("gpt-oss", Lora(rank=7, alpha=7, experts=False)),
        ("gpt-oss", Lora(rank=4, alpha=4, target_modules=("q_proj", "lm_head"))),
    ],
)
def test_the_adapter_counted_is_the_one_that_peft_builds(name: str, lora: Lora) -> None:
    from peft import get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    from forge_assets.training.models.adapters import lora_config

    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**CONFIGS[name]))
    adapted = get_peft_model(model, lora_config(lora, model))
    built = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    assert Shape.parse(CONFIGS[name]).adapter(lora.rank, lora.experts, lora.target_modules) == built


def test_a_target_that_is_no_matrix_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"target_modules: 'query' is no matrix of this llama model: choose from q_pr"):
        Shape.parse(CONFIGS["llama"]).adapter(4, True, ("q_proj", "query"))
    with pytest.raises(ValueError, match=r"'up_proj' is no matrix of this gpt_oss"):
        Shape.parse(CONFIGS["gpt-oss"]).adapter(4, True, ("up_proj",))


@pytest.mark.parametrize(
    ("model", "billions"),
    # As their model cards say.
    [("gpt-oss-120b", 116.83), ("gpt-oss-20b", 20.91), ("qwen3-32b", 32.8), ("qwen3-8b", 8.2), ("qwen3-0.6b", 0.6)],
)
def test_models_of_the_registry_have_the_size_that_is_published(model: str, billions: float, tmp_path: Path) -> None:
    assert Shape.parse(ModelLibrary(tmp_path).config(model)).parameters / 1e9 == pytest.approx(billions, rel=0.01)


def test_of_gpt_oss_a_token_meets_four_experts_only(tmp_path: Path) -> None:
    shape = Shape.parse(ModelLibrary(tmp_path).config("gpt-oss-120b"))
    assert shape.active / 1e9 == pytest.approx(5.13, rel=0.01), "the model card's active parameters"


def test_a_text_model_inside_another_is_found() -> None:
    assert Shape.parse({"model_type": "gemma3", "text_config": CONFIGS["gemma3"]}) == Shape.parse(CONFIGS["gemma3"])


def test_a_family_that_is_not_known_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(COMMON | {"model_type": "mamba"}), "utf-8")
    with pytest.raises(UnknownShape, match=r"config.json: model_type 'mamba' cannot be planned; known are llama"):
        Shape.of(tmp_path)


def test_a_number_that_is_missing_is_named(tmp_path: Path) -> None:
    config = {k: v for k, v in CONFIGS["llama"].items() if k != "vocab_size"}
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(UnknownShape, match=r"config.json: vocab_size is missing"):
        Shape.of(tmp_path)
