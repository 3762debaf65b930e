"""LoRA adapters as PEFT builds them, and models that answer through one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel
from peft.tuners.lora import LoraLayer
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.other import TrainableTokensWrapper
from torch import nn
from transformers import PreTrainedModel

from forge_assets.training.jobs.spec import Lora
from forge_assets.training.models.citation_tokens import CitationToken
from forge_assets.training.models.experts import (
    PROJECTIONS,
    ParamWrapper,
    all_at_once,
    experts_of,
    on_experts,
    one_by_one,
)


def lora_config(lora: Lora, model: PreTrainedModel, tokens: Sequence[CitationToken] = ()) -> LoraConfig:
    """PEFT's configuration of an adapter for `model`; "all-linear" leaves out the output layer and routers.

    Args:
        tokens: the model's citation tokens, whose rows are trained whole.

    Raises:
        ValueError: a target module that the model does not have.
    """
    modules = lora.target_modules if isinstance(lora.target_modules, str) else list(lora.target_modules)
    experts = bool(experts_of(model))
    if experts and modules == "all-linear":
        modules = _linear(model)  # for some models PEFT would read it as routers too, and double the experts' rank
    if isinstance(modules, list):
        _check(modules, model)
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=modules,
        target_parameters=[f"experts.{name}" for name in PROJECTIONS] if experts and lora.experts else None,
        trainable_token_indices=_token_rows(model, tokens),
        task_type="CAUSAL_LM",
    )
    one_by_one(model)
    return on_experts(config, model)


def _token_rows(model: PreTrainedModel, tokens: Sequence[CitationToken]) -> dict[str, list[int]] | None:
    """Rows of the embedding, and of an output layer of its own, by the name of the layer."""
    if not tokens:
        return None
    rows = [token.id for token in tokens]
    inputs, head = model.get_input_embeddings(), model.get_output_embeddings()
    names = {id(part): name.rpartition(".")[2] for name, part in model.named_modules()}
    apart = head is not None and head.weight is not inputs.weight
    return {names[id(part)]: rows for part in ([inputs, head] if apart else [inputs])}


def _check(modules: list[str], model: PreTrainedModel) -> None:
    """Refuse names that PEFT would pass over as long as one other is found."""
    found = {name.rpartition(".")[2] for name, part in model.named_modules() if isinstance(part, nn.Linear)}
    if missing := sorted(set(modules) - found):
        raise ValueError(f"target_modules: the model has no {missing[0]}: choose from {', '.join(sorted(found))}")


def _linear(model: PreTrainedModel) -> list[str]:
    """Last parts of the names of linear layers, the output layer aside."""
    last = model.get_output_embeddings()
    found = [name for name, part in model.named_modules() if isinstance(part, nn.Linear) and part is not last]
    return sorted({name.rpartition(".")[2] for name in found})


def with_adapter(model: PreTrainedModel, folder: Path, *, trainable: bool = False) -> PeftModel:
    """A base model seen through the adapter in `folder`."""
    one_by_one(model)
    config = on_experts(LoraConfig.from_pretrained(str(folder)), model)
    adapted: PeftModel = PeftModel.from_pretrained(model, str(folder), config=config, is_trainable=trainable)
    for part in adapted.modules():
        if isinstance(part, TrainableTokensWrapper) and getattr(part.original_module, "bias", None) is None:
            part.bias = None  # the wrapper shows `weight` alone, and TRL's GRPO reads both of an output layer
    return adapted


MOST_LOST = 0.01
"""Share of an adapter's update that a merge may lose to rounding. In float32 it is 1e-7, in bfloat16 6% and more."""


@dataclass(frozen=True)
class Answering:
    """A model to answer with.

    Attributes:
        merge_error: what merging the adapter lost of its update, as a share; None: it was not merged.
    """

    model: PreTrainedModel
    merge_error: float | None = None


def for_answers(model: PeftModel) -> Answering:
    """Merge the adapter into its base, which answers faster, where that loses next to nothing of it.

    A quantised base, or one in bfloat16, would lose much of a small update to rounding: it answers through the adapter.
    """
    if getattr(model, "is_quantized", False):
        return Answering(model)
    lost = merge_error(model)
    return Answering(merged(model), lost) if lost <= MOST_LOST else Answering(model)


def merged(model: PeftModel) -> PreTrainedModel:
    """The base with the adapter's update added to its weights, computed in float32 and rounded once."""
    _untie(model)
    for name, part in model.named_parameters():
        if "lora_" in name:  # or PEFT would round the update before it is added, and the sum again
            part.data = part.data.float()
    whole: PreTrainedModel = model.merge_and_unload()
    all_at_once(whole)
    return whole


@torch.no_grad()
def merge_error(model: PeftModel) -> float:
    """Share of an adapter's update that is lost when the sum with the weights is stored in their precision.

    The norm of (stored - weights - update) over that of the update, Frobenius, over all adapted weights, one at a time.
    """
    lost = whole = 0.0
    for layer in (part for part in model.modules() if isinstance(part, LoraLayer)):
        weights = layer.get_param() if isinstance(layer, ParamWrapper) else layer.get_base_layer().weight
        for name in layer.active_adapters:
            if name not in layer.lora_A:
                continue
            for part in (layer.lora_A[name], layer.lora_B[name]):
                part.weight.data = part.weight.data.float()
            update = layer.get_delta_weight(name).float()
            base = weights.detach().float().to(update.device)
            stored = (base + update).to(weights.dtype).float()
            lost += float((stored - base - update).double().square().sum())
            whole += float(update.double().square().sum())
    return (lost / whole) ** 0.5 if whole else 0.0


def _untie(model: PeftModel) -> None:
    """Give an adapted output layer weights of its own: merged into shared ones, its adapter would change inputs too."""
    base: PreTrainedModel = model.get_base_model()
    head = base.get_output_embeddings()
    if not isinstance(head, BaseTunerLayer) or head.weight is not base.get_input_embeddings().weight:
        return
    own = head.get_base_layer()
    own.weight = nn.Parameter(own.weight.detach().clone(), requires_grad=False)
    base.config.tie_word_embeddings = False
