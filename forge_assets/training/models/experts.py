"""Expert weights of mixture-of-experts models: held in 4 bits, and adapted with LoRA, one expert at a time.

Transformers multiplies all experts of a layer at once, which asks for the whole layer in full precision; PEFT adds
the adapter to the weights, which asks for it a second time and for its gradient. Here an expert's weights are made
from their 4 bits when its tokens come by and again on the way back, and the adapter stays two thin matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import bitsandbytes as bnb
import torch
from peft import LoraConfig
from peft.tuners.lora import layer as peft_layer
from transformers import PreTrainedModel
from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS

from forge_assets.training.jobs.spec import Quantisation

ONE_BY_ONE = "one_by_one"
"""Name under which Transformers knows `experts_forward`."""

PROJECTIONS = ("gate_up_proj", "down_proj")


def experts_of(model: PreTrainedModel) -> list[Any]:
    """The modules that hold the weights of several experts in one tensor, as Transformers has them."""
    return [module for module in model.modules() if hasattr(module, "is_transposed") and hasattr(module, "down_proj")]


def one_by_one(model: PreTrainedModel) -> None:
    """Let a model that has experts compute them with `experts_forward`."""
    if experts_of(model):
        ALL_EXPERTS_FUNCTIONS.register(ONE_BY_ONE, experts_forward)
        model.set_experts_implementation(ONE_BY_ONE)


def all_at_once(model: PreTrainedModel) -> None:
    """Undo `one_by_one`, for weights in full precision without an adapter: Transformers' kernels are faster."""
    if experts_of(model):
        model.set_experts_implementation(None)


def pack(module: Any, name: str, weights: torch.Tensor) -> torch.nn.Parameter:
    """Quantise a projection of all experts to NF4 with double quantisation, expert by expert.

    4 bits a weight, 8 for the maximum of each 64 weights and 32 for each 256 of those: 0.516 bytes a weight
    (Dettmers et al. 2023, arXiv 2305.14314, section 3).

    Args:
        weights: experts x inputs x outputs, or experts x outputs x inputs, as the module has it.

    Returns:
        The packed bytes, one row an expert; what is needed to unpack them is kept in the module.
    """
    rows: list[torch.Tensor] = []
    states: list[Any] = []
    for expert in weights:
        matrix = expert.t() if module.is_transposed else expert  # outputs x inputs, as the kernels want it
        packed, state = bnb.functional.quantize_4bit(
            matrix.contiguous(), quant_type="nf4", compress_statistics=True, blocksize=64
        )
        if states:  # the tables are the same for all
            state.code, state.state2.code = states[0].code, states[0].state2.code
        rows.append(packed.flatten())
        states.append(state)
    module.packed = {**getattr(module, "packed", {}), name: states}
    return torch.nn.Parameter(torch.stack(rows), requires_grad=False)


def bytes_of(module: Any) -> int:
    """Bytes that an experts module holds for its two projections."""
    held = sum(int(getattr(module, name).nbytes) for name in PROJECTIONS)
    for states in getattr(module, "packed", {}).values():
        held += sum(s.absmax.nbytes + s.state2.absmax.nbytes + s.offset.nbytes for s in states)
        held += states[0].code.nbytes + states[0].state2.code.nbytes
    return held


def experts_forward(
    self: Any, hidden_states: torch.Tensor, top_k_index: torch.Tensor, top_k_weights: torch.Tensor
) -> torch.Tensor:
    """Tokens x width in and out; each token goes through its top-k experts, given with their weights (tokens x k)."""
    k = top_k_index.shape[-1]
    chosen, order = top_k_index.flatten().sort(stable=True)
    counts = torch.bincount(chosen, minlength=self.num_experts).tolist()
    parts = torch.split(hidden_states[order // k], counts)
    outputs = torch.cat([_expert(self, e, part) for e, part in enumerate(parts) if len(part)])
    outputs = outputs * top_k_weights.flatten()[order, None]
    back = torch.empty_like(order)
    back[order] = torch.arange(len(order), device=order.device)
    return outputs[back].view(-1, k, outputs.shape[-1]).sum(dim=1).to(hidden_states.dtype)


def _expert(module: Any, expert: int, tokens: torch.Tensor) -> torch.Tensor:
    gated = module._apply_gate(_project(module, "gate_up_proj", expert, tokens))
    return _project(module, "down_proj", expert, gated)


def _project(module: Any, name: str, expert: int, tokens: torch.Tensor) -> torch.Tensor:
    out: torch.Tensor
    weights = getattr(module, name)[expert]
    if states := getattr(module, "packed", {}).get(name):
        state = states[expert]
        out = bnb.matmul_4bit(tokens.to(state.dtype), weights, state)  # which autocast does not see
    else:
        out = torch.nn.functional.linear(tokens, weights.t() if module.is_transposed else weights)
    if module.has_bias:
        out = out + getattr(module, f"{name}_bias")[expert].to(out.dtype)
    if wrapper := getattr(module, "adapters", {}).get(name):
        out = out + wrapper.update_of(expert, tokens).to(out.dtype)
    return out


class ParamWrapper(peft_layer.ParamWrapper):  # type: ignore[misc]
    """PEFT's LoRA on a projection of all experts, with the same weights on disk.

    PEFT looks for the class by this name. Where PEFT would refuse dropout, this leaves it to the other layers.
    """

    def __init__(self, base_layer: torch.nn.Module, adapter_name: str, *, config: LoraConfig, **given: Any) -> None:
        super().__init__(base_layer, adapter_name, config=replace(config, lora_dropout=0.0), **given)

    def get_param(self) -> torch.Tensor:
        """The projection; for packed weights a stand-in with their shape and type."""
        module = self.get_base_layer()
        found: torch.Tensor = super().get_param()
        if states := getattr(module, "packed", {}).get(self.parameter_name):
            outputs, inputs = states[0].shape
            shape = (inputs, outputs) if module.is_transposed else (outputs, inputs)
            # `expand` takes one number's memory.
            return torch.empty((), dtype=states[0].dtype, device=found.device).expand(len(states), *shape)
        return found

    def get_delta_weight(self, adapter_name: str, *args: Any, **given: Any) -> torch.Tensor:
        """The update of all experts, in the adapter's type: PEFT rounds it to the weights', and their sum again."""
        down, up = self.lora_A[adapter_name].weight, self.lora_B[adapter_name].weight
        a, b = down.view(self.num_experts, -1, down.shape[1]), up.view(up.shape[0], -1, self.num_experts)
        order = "e i o" if self.get_base_layer().is_transposed else "e o i"
        return torch.einsum(f"o r e, e r i -> {order}", b, a).mul_(self.scaling[adapter_name])

    def update_of(self, expert: int, tokens: torch.Tensor) -> torch.Tensor:
        """What the adapters add to an expert's output: scaling x B A tokens."""
        total = tokens.new_zeros(())
        for name in self.active_adapters:
            down, up = self.lora_A[name].weight, self.lora_B[name].weight
            a = down.view(self.num_experts, -1, down.shape[1])[expert]
            b = up.view(up.shape[0], -1, self.num_experts)[..., expert]
            total = (
                total
                + torch.nn.functional.linear(torch.nn.functional.linear(tokens.to(a.dtype), a), b)
                * (self.scaling[name])
            )
        return total

    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        if self.disable_adapters or self.merged:
            return self.base_layer(x, *args, **kwargs)  # type: ignore[no-any-return]
        with self._shown():
            return self.base_layer(x, *args, **kwargs)  # type: ignore[no-any-return]

    @contextmanager
    def _shown(self) -> Iterator[None]:
        """While the experts compute, they find this wrapper."""
        module = self.get_base_layer()
        before = getattr(module, "adapters", {})
        # Not through Module.__setattr__, which would make the wrapper a part of what it wraps.
        module.__dict__["adapters"] = {**before, self.parameter_name: self}
        try:
            yield
        finally:
            module.__dict__["adapters"] = before


def on_experts(config: LoraConfig, model: PreTrainedModel) -> LoraConfig:
    """Have PEFT build its expert adapters with `ParamWrapper`."""
    config._register_custom_module({type(module): ParamWrapper for module in experts_of(model)})
    return config


def check_quantisation(model: PreTrainedModel, quantisation: Quantisation) -> None:
    """Refuse a quantisation that does not reach the weights of experts.

    Raises:
        ValueError: 8 bits are asked for, which bitsandbytes has for linear layers alone, and experts are none.
    """
    if quantisation == "int8" and experts_of(model):
        raise ValueError("quantisation int8 does not reach the weights of experts, which are most of this model: nf4")
