"""Models with experts are adapted everywhere but in their router, and stay what they are in 4 bits."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forge_assets.training.jobs.spec import GenerateJob, Lora, Probe, Quantisation, SftJob
from forge_assets.training.models.miniature import build
from tests.helpers import tiered
from tests.training.job_runs import BASE, GREEDY, Runs, Workers, after, dataset, training, values, weights

LORA = Lora(rank=4, alpha=8)
TEXT = Path(__file__).parents[3] / "LICENSE"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gpt-oss of random weights: two layers, four experts, two of them for each token."""
    made = tmp_path_factory.mktemp("experts") / "gpt-oss"
    build(made, [TEXT], layers=2, hidden=64, family="gpt_oss")
    return made


@pytest.fixture
def runner(folder: Path, tmp_path: Path, workers: Workers) -> Runs:
    return Runs(tmp_path, folder, workers)


Load = Callable[..., Any]


@pytest.fixture(scope="module")
def load(folder: Path) -> Load:
    from forge_assets.training.models.loading import load_model

    def model(quantisation: Quantisation = "none", precision: Any = "float32", where: Path = folder) -> Any:
        return load_model(where, precision, quantisation)

    return model


@pytest.fixture(scope="module")
def tokens() -> Any:
    import torch

    return torch.randint(10, 900, (2, 40), generator=torch.Generator().manual_seed(0))


def _logits(model: Any, tokens: Any) -> Any:
    import torch

    with torch.no_grad():
        return model.eval()(tokens).logits


def _adapted(model: Any, lora: Lora = LORA) -> Any:
    """The model with an adapter of random numbers."""
    import torch
    from peft import get_peft_model

    from forge_assets.training.models.adapters import lora_config

    adapted = get_peft_model(model, lora_config(lora, model))
    torch.manual_seed(1)
    for weight in adapted.parameters():
        if weight.requires_grad:
            weight.data.normal_(std=0.1)
    return adapted


def _unpacked(module: Any, name: str) -> Any:
    """A projection of all experts, as its 4 bits say."""
    import bitsandbytes as bnb
    import torch

    packed, states = getattr(module, name), module.packed[name]
    found = [bnb.functional.dequantize_4bit(row, state) for row, state in zip(packed, states, strict=True)]
    return torch.stack([matrix.t() if module.is_transposed else matrix for matrix in found])


def test_experts_in_4_bits_take_an_eighth_of_their_bytes(load: Load) -> None:
    from forge_assets.training.models.experts import bytes_of, experts_of

    for whole, packed in zip(experts_of(load()), experts_of(load("nf4")), strict=True):
        count = whole.gate_up_proj.numel() + whole.down_proj.numel()
        assert bytes_of(whole) == 4 * count
        assert 0.5 <= bytes_of(packed) / count < 0.54


def test_experts_in_4_bits_are_as_near_as_4_bits_can_be(load: Load) -> None:
    """The widest gap of NF4 is the one from -1 to -0.696, so no weight is off by more than half of it.

    In units of the largest of its 64, which itself is held in 8 bits (Dettmers et al. 2023, appendix E).
    """
    from forge_assets.training.models.experts import experts_of

    for whole, packed in zip(experts_of(load()), experts_of(load("nf4")), strict=True):
        for name in ("gate_up_proj", "down_proj"):
            weights = getattr(whole, name).detach().transpose(1, 2).reshape(-1, 64)
            found = _unpacked(packed, name).transpose(1, 2).reshape(-1, 64)
            largest = weights.abs().amax(dim=1, keepdim=True)
            assert bool(((weights - found).abs() <= (0.152 + 0.02) * largest).all())
            assert float((weights - found).norm() / weights.norm()) < 0.11


@pytest.mark.parametrize("adapter", [False, True])
def test_4_bits_compute_what_the_same_weights_in_full_compute(load: Load, tokens: Any, adapter: bool) -> None:
    import torch

    from forge_assets.training.models.experts import all_at_once, experts_of

    packed, whole = load("nf4"), load("nf4")
    for module in experts_of(whole):
        for name in ("gate_up_proj", "down_proj"):
            setattr(module, name, torch.nn.Parameter(_unpacked(module, name), requires_grad=False))
        del module.packed
    all_at_once(whole)
    if adapter:
        packed, whole = _adapted(packed), _adapted(whole)
    torch.testing.assert_close(_logits(packed, tokens), _logits(whole, tokens))


def test_an_adapter_on_experts_is_pefts_own(load: Load, tokens: Any, tmp_path: Path) -> None:
    """Same loss, same gradients, and PEFT loads what we saved."""
    import torch
    from peft import PeftModel

    ours = _adapted(load())
    ours.save_pretrained(tmp_path)
    theirs = PeftModel.from_pretrained(load(), tmp_path, is_trainable=True)
    gradients = []
    for model in (ours, theirs):
        loss = model(tokens, labels=tokens).loss
        loss.backward()
        gradients.append({name: w.grad for name, w in model.named_parameters() if w.requires_grad})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        assert float(gradient.abs().max()) > 0
        torch.testing.assert_close(gradient, gradients[1][name], msg=name)


def test_router_and_output_layer_are_not_adapted(load: Load) -> None:
    names = [name for name, weight in _adapted(load()).named_parameters() if weight.requires_grad]
    parts = {name.partition("layers.")[2].split(".", 1)[1].partition(".lora")[0] for name in names}
    attention = {f"self_attn.{name}_proj" for name in "qkvo"}
    assert parts == attention | {"mlp.experts", "mlp.experts.base_layer"}
    without = _adapted(load(), Lora(rank=4, alpha=8, experts=False))
    assert not any("experts" in name for name, weight in without.named_parameters() if weight.requires_grad)


def test_experts_of_another_family_are_held_and_adapted_alike(load: Load, tokens: Any, tmp_path: Path) -> None:
    """Qwen 3's have no biases, their weights lie the other way round, and PEFT takes its router for a linear layer."""
    import torch
    from transformers import AutoModelForCausalLM, Qwen3MoeConfig

    torch.manual_seed(0)
    config = Qwen3MoeConfig(
        vocab_size=1024, hidden_size=64, intermediate_size=64, moe_intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=16, num_experts=4, num_experts_per_tok=2,
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    packed, whole = load("nf4", where=tmp_path), load(where=tmp_path)
    expected = _logits(whole, tokens)
    assert float((_logits(packed, tokens) - expected).norm() / expected.norm()) < 0.25
    adapted = [name for name, weight in _adapted(packed).named_parameters() if weight.requires_grad]
    assert any("experts" in name for name in adapted) and not any(".gate." in name for name in adapted)


def test_dropout_is_left_to_the_layers_that_can_have_it(load: Load) -> None:
    import torch

    model = _adapted(load(), Lora(rank=4, alpha=8, dropout=0.5))
    dropped = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Dropout)]
    assert dropped and all("self_attn" in name for name in dropped)


@pytest.mark.parametrize("quantisation", ["none", "nf4"])
def test_a_stored_adapter_gives_the_model_that_was_trained(
    load: Load, tokens: Any, tmp_path: Path, quantisation: Quantisation
) -> None:
    import torch

    from forge_assets.training.models.loading import with_adapter

    trained = _adapted(load(quantisation))
    trained.save_pretrained(tmp_path)
    again = with_adapter(load(quantisation), tmp_path).model
    torch.testing.assert_close(_logits(again, tokens), _logits(trained, tokens))
    assert not torch.allclose(_logits(again, tokens), _logits(load(quantisation), tokens), atol=1e-2)


@pytest.mark.slow
def test_every_adapter_learns_through_4_bits_and_checkpointing(runner: Runs) -> None:
    """In bfloat16, as large models are trained."""
    from safetensors.torch import load as read

    given = {"quantisation": "nf4", "gradient_checkpointing": True, "precision": "bfloat16", "lora": LORA}
    faster = {"learning_rate": 2e-2, "warmup_ratio": 0}
    moved = read(weights(runner.run(training(runner, **given, **faster, steps=1))))
    assert all(float(weight.abs().max()) > 0 for name, weight in moved.items() if "lora_B" in name)
    assert sum("experts" in name for name in moved) == 2 * 2 * 2
    done = runner.run(training(runner, **given, **faster))
    assert done.record["loss_last"] < done.record["loss_first"] - 0.2
    stored = {"base": BASE, "adapter": done.identity, "quantisation": "nf4", "precision": "bfloat16"}
    answers = runner.run(GenerateJob(**stored, prompts=dataset(runner), sampling=GREEDY)).answers()
    assert len(answers) == 10


@pytest.mark.slow
def test_4_bit_training_that_was_killed_ends_with_the_same_weights_and_answers(
    runner: Runs, folder: Path, tmp_path: Path, workers: Workers
) -> None:
    other = Runs(tmp_path / "undisturbed", folder, workers)
    probe = Probe(prompts=dataset(runner), sampling=GREEDY)
    job = training(runner, quantisation="nf4", lora=LORA, learning_rate=2e-2, steps=7, probe=probe)
    runner.break_off(job, after("step", 5), signal.SIGKILL)
    done, expected = runner.run(job), other.run(job)
    assert done.record["resumed_from_step"] >= 3
    assert weights(done) == weights(expected)
    stored = GenerateJob(base=BASE, adapter=done.identity, quantisation="nf4", prompts=probe.prompts, sampling=GREEDY)
    assert done.answers() == expected.answers() == runner.run(stored).answers()


def test_experts_published_in_mxfp4_load_in_full_and_in_4_bits(
    folder: Path, load: Load, tokens: Any, tmp_path: Path
) -> None:
    import torch

    from forge_assets.training.models.experts import experts_of

    published = _as_mxfp4(folder, tmp_path / "published")
    whole, packed = load(where=published), load("nf4", where=published)
    assert not getattr(whole, "is_quantized", False), "it can be trained"
    for full, small in zip(experts_of(whole), experts_of(packed), strict=True):
        assert set(full.down_proj.unique().abs().tolist()) <= {0, 0.125, 0.25, 0.375, 0.5, 0.75, 1.0, 1.5}
        for name in ("gate_up_proj", "down_proj"):
            assert getattr(small, name).dtype == torch.uint8
            weights = getattr(full, name).detach()
            assert float((_unpacked(small, name) - weights).norm() / weights.norm()) < 0.11
    assert bool(_logits(packed, tokens).isfinite().all())
    whole.save_pretrained(tmp_path / "exported")
    again = load(where=tmp_path / "exported")
    torch.testing.assert_close(_logits(again, tokens), _logits(whole, tokens))


def test_a_checkpoint_that_lacks_weights_is_refused(folder: Path, load: Load, tmp_path: Path) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.experts.down_proj"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    for quantisation in ("none", "nf4"):
        with pytest.raises(ValueError, match=r"lacks 1 tensors of the model, model.layers.1.mlp.experts.down_proj"):
            load(quantisation, where=tmp_path)


def _as_mxfp4(folder: Path, to: Path) -> Path:
    """The model with experts as gpt-oss is published: blocks of 32 weights in 4 bits, and an exponent for each."""
    import shutil

    import torch
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, to, dirs_exist_ok=True)
    tensors = load_file(folder / "model.safetensors")
    dice = torch.Generator().manual_seed(0)
    for name in [name for name in tensors if name.endswith(("experts.gate_up_proj", "experts.down_proj"))]:
        experts, inputs, outputs = tensors.pop(name).shape
        blocks = torch.randint(0, 256, (experts, outputs, inputs // 32, 16), dtype=torch.uint8, generator=dice)
        tensors[f"{name}_blocks"] = blocks
        tensors[f"{name}_scales"] = torch.full(blocks.shape[:-1], 127 - 2, dtype=torch.uint8)
    save_file(tensors, to / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["quantization_config"] = {"quant_method": "mxfp4", "modules_to_not_convert": []}
    (to / "config.json").write_text(json.dumps(config), "utf-8")
    return to


def test_8_bits_that_would_leave_experts_out_are_refused(load: Load) -> None:
    with pytest.raises(ValueError, match="int8 does not reach the weights of experts"):
        load("int8")


METHODS: dict[str, dict[str, Any]] = {
    "LoRA": {"lora": LORA},
    "QLoRA": {"lora": LORA, "quantisation": "nf4"},
    "8 bits and LoRA": {"lora": LORA, "quantisation": "int8"},
    "every weight": {"lora": None, "learning_rate": 5e-3},
}


@pytest.mark.parametrize("method", tiered(METHODS))
def test_a_way_of_training_lowers_the_loss_and_what_it_stores_answers(undisturbed: Runs, method: str) -> None:
    given: dict[str, Any] = {"learning_rate": 2e-2, "scheduler": "constant", "warmup_ratio": 0} | METHODS[method]
    job: SftJob = training(undisturbed, **given)
    done = undisturbed.run(job)
    assert done.record["loss_last"] < done.record["loss_first"] - 0.2
    assert len(values(done.result.parent, "loss")) == job.steps
    base = {"base": BASE, "adapter": done.identity} if job.lora else {"base": done.identity}
    asked = GenerateJob(**base, prompts=job.dataset, sampling=GREEDY, quantisation=job.quantisation)
    assert len(undisturbed.run(asked).answers()) == 10
