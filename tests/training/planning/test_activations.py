"""What a layer keeps for its way back is what autograd is seen to save."""

from __future__ import annotations

from typing import Any

import pytest

from forge_assets.training.jobs.spec import Lora
from forge_assets.training.planning.activations import Step, layer_bytes
from forge_assets.training.planning.model_shape import Shape

ROW, ROWS, LAYERS = 96, 2, 6
BASE: dict[str, Any] = {
    "num_hidden_layers": LAYERS, "hidden_size": 128, "intermediate_size": 320, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 48, "vocab_size": 64, "tie_word_embeddings": True,
}  # fmt: skip
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": BASE | {"model_type": "llama"},
    "qwen3": BASE | {"model_type": "qwen3"},
    "gemma3": BASE | {"model_type": "gemma3_text", "sliding_window": 32},
    "gpt-oss": BASE | {
        "model_type": "gpt_oss", "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 32,
    },
}  # fmt: skip


def saved(config: dict[str, Any], lora: Lora | None, precision: str) -> float:
    """Bytes that a forward pass keeps, parameters and one logit left out."""
    import torch
    from peft import get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    from forge_assets.training.models.adapters import lora_config
    from forge_assets.training.models.packed_attention import attend_by_rows

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config), dtype=getattr(torch, precision))
    attend_by_rows(model)
    model = get_peft_model(model, lora_config(lora, model)) if lora else model
    model.train()
    own = {p.untyped_storage().data_ptr() for p in (*model.parameters(), *model.buffers())}
    kept: dict[int, int] = {}
    alive = []

    def note(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # or its place is given to another
        return tensor

    tokens, ends = ROW * ROWS, torch.arange(0, ROW * ROWS + 1, ROW, dtype=torch.int32)
    given = {"cu_seq_lens_q": ends, "cu_seq_lens_k": ends, "max_length_q": ROW, "max_length_k": ROW}
    with (
        torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"),
    ):
        model(
            input_ids=torch.arange(tokens)[None] % 64,
            position_ids=torch.arange(tokens)[None] % ROW,
            logits_to_keep=torch.tensor([tokens - 1]),
            use_cache=False,
            **given,
        )
    return sum(kept.values())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    "lora", [None, Lora(rank=8, alpha=8), Lora(rank=8, alpha=8, dropout=0.1)], ids=["every weight", "lora", "dropout"]
)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_layer_keeps_what_is_counted(family: str, lora: Lora | None, precision: str) -> None:
    shape = Shape.parse(FAMILIES[family])
    step = Step(tokens=ROW * ROWS, row=ROW, width=4 if precision == "float32" else 2, lora=lora, mask_bytes=4)
    counted = LAYERS * layer_bytes(shape, step)
    assert counted == pytest.approx(saved(FAMILIES[family], lora, precision), rel=0.06)


TARGETS = [("q_proj", "v_proj"), ("o_proj", "down_proj"), ("k_proj", "gate_proj", "up_proj")]


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("targets", TARGETS, ids="+".join)
def test_a_matrix_without_an_adapter_keeps_no_input(targets: tuple[str, ...], dropout: float) -> None:
    lora = Lora(rank=8, alpha=8, dropout=dropout, target_modules=targets)
    counted = LAYERS * layer_bytes(Shape.parse(FAMILIES["llama"]), Step(ROW * ROWS, ROW, 4, lora, 4))
    assert counted == pytest.approx(saved(FAMILIES["llama"], lora, "float32"), rel=0.06)
