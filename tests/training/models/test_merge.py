"""An adapter answers with all that it learned: it is merged into its base only where rounding loses next to nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def _adapted(folder: Path, precision: Any, size: float, *, head: bool = False) -> Any:
    """A model whose adapter changes its weights by about `size` times a thousandth."""
    import torch
    from peft import get_peft_model

    from forge_assets.training.jobs.spec import Lora
    from forge_assets.training.models.adapters import lora_config
    from forge_assets.training.models.loading import load_model

    targets = ("q_proj", "down_proj", "lm_head") if head else "all-linear"
    model = load_model(folder, precision, "none")
    adapted = get_peft_model(model, lora_config(Lora(rank=8, alpha=8, target_modules=targets), model))
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            noise = torch.Generator().manual_seed(len(name))
            weight.data.normal_(std=0.01 * size, generator=noise)
    return adapted.eval()


def _logits(model: Any) -> Any:
    import torch

    tokens = torch.randint(10, 200, (2, 20), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return model(tokens).logits.float()


@pytest.mark.parametrize("size", [1.0, 0.1, 0.03])
@pytest.mark.parametrize("head", [False, True])
def test_in_bfloat16_the_model_answers_through_its_adapter(tiny_model: Path, size: float, head: bool) -> None:
    import torch

    from forge_assets.training.models.adapters import MOST_LOST, for_answers, merge_error

    adapted = _adapted(tiny_model, "bfloat16", size, head=head)
    assert merge_error(adapted) > MOST_LOST
    before = _logits(adapted)
    answering = for_answers(adapted)
    assert answering.merge_error is None
    torch.testing.assert_close(_logits(answering.model), before)


def test_the_smaller_the_update_the_more_of_it_a_merge_would_lose_and_that_is_what_is_said(tiny_model: Path) -> None:
    import torch

    from forge_assets.training.models.adapters import merge_error, merged

    said = []
    for size in (1.0, 0.1, 0.03):
        adapted = _adapted(tiny_model, "bfloat16", size)
        said.append(merge_error(adapted))
        update, base = {}, {}
        for name, part in adapted.named_modules():
            if hasattr(part, "get_delta_weight"):
                key = name.removeprefix("base_model.model.")
                update[key] = part.get_delta_weight("default").float()
                base[key] = part.get_base_layer().weight.detach().float().clone()
        weights = {name: part.weight for name, part in merged(adapted).named_modules() if name in update}
        lost = torch.cat([(weights[name].float() - base[name] - update[name]).flatten() for name in update])
        whole = torch.cat([part.flatten() for part in update.values()])
        assert said[-1] == pytest.approx(float(lost.norm() / whole.norm()), rel=1e-3)
    assert said[0] < said[1] < said[2] and said[2] > 0.2


@pytest.mark.parametrize("head", [False, True])
def test_in_float32_it_is_merged_and_loses_nothing_to_speak_of(tiny_model: Path, head: bool) -> None:
    import torch
    from peft import PeftModel

    from forge_assets.training.models.adapters import for_answers

    adapted = _adapted(tiny_model, "float32", 1.0, head=head)
    before = _logits(adapted)
    answering = for_answers(adapted)
    assert not isinstance(answering.model, PeftModel)
    assert answering.merge_error is not None and answering.merge_error < 1e-4
    torch.testing.assert_close(_logits(answering.model), before)


@pytest.mark.parametrize("size", [20.0, 1.0])
def test_the_update_of_experts_is_rounded_once_and_what_that_loses_is_said(tmp_path: Path, size: float) -> None:
    from peft.tuners.lora import LoraLayer

    from forge_assets.training.models.adapters import merge_error, merged
    from forge_assets.training.models.miniature import build

    build(tmp_path, [Path(__file__).parents[3] / "LICENSE"], layers=2, hidden=64, family="gpt_oss")
    adapted, found = _adapted(tmp_path, "bfloat16", size), []
    for part in (part for part in adapted.modules() if isinstance(part, LoraLayer)):
        a, b = (one["default"].weight.detach().double() for one in (part.lora_A, part.lora_B))
        name = getattr(part, "parameter_name", "weight")
        if name != "weight":  # experts of gpt-oss: experts x inputs x outputs
            a, b = a.reshape(4, -1, a.shape[1]), b.reshape(b.shape[0], -1, 4).permute(2, 0, 1)
        update = (b @ a if name == "weight" else (b @ a).transpose(1, 2)) * part.scaling["default"]
        module = part.get_base_layer()
        found.append((module, name, getattr(module, name).detach().double().clone(), update))
    said, lost, whole = merge_error(adapted), 0.0, 0.0
    merged(adapted)
    for module, name, before, update in found:
        stored, exact = getattr(module, name).detach().double(), before + update
        # Half of the last of a bfloat16's 8 bits, and of a float32's 24 before that.
        assert bool(((stored - exact).abs() <= 2.0**-8 * exact.abs() + 2.0**-22 * (before.abs() + update.abs())).all())
        lost += float((stored - exact).square().sum())
        whole += float(update.square().sum())
    assert said == pytest.approx((lost / whole) ** 0.5, rel=1e-3)
