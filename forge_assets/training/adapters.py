"""LoRA adapters as PEFT builds them, and models that answer through one."""

from __future__ import annotations

from pathlib import Path

from peft import LoraConfig, PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn
from transformers import PreTrainedModel

from forge_assets.training.experts import PROJECTIONS, all_at_once, experts_of, on_experts, one_by_one
from forge_assets.training.job import Lora


def lora_config(lora: Lora, model: PreTrainedModel) -> LoraConfig:
    """PEFT's configuration of an adapter for `model`; "all-linear" leaves out the output layer and routers.

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
        task_type="CAUSAL_LM",
    )
    one_by_one(model)
    return on_experts(config, model)


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
    return PeftModel.from_pretrained(model, str(folder), config=config, is_trainable=trainable)


def for_answers(model: PeftModel) -> PreTrainedModel:
    """Merge the adapter into its base, which answers faster; a quantised base would lose it to rounding and stays."""
    if getattr(model, "is_quantized", False):
        return model
    _untie(model)
    merged: PreTrainedModel = model.merge_and_unload()
    all_at_once(merged)
    return merged


def _untie(model: PeftModel) -> None:
    """Give an adapted output layer weights of its own: merged into shared ones, its adapter would change inputs too."""
    base: PreTrainedModel = model.get_base_model()
    head = base.get_output_embeddings()
    if not isinstance(head, BaseTunerLayer) or head.weight is not base.get_input_embeddings().weight:
        return
    own = head.get_base_layer()
    own.weight = nn.Parameter(own.weight.detach().clone(), requires_grad=False)
    base.config.tie_word_embeddings = False
