"""NF4 while weights are loaded, experts included, from any checkpoint: one tensor is in full precision at a time."""

from __future__ import annotations

from typing import Any

import torch
from transformers import BitsAndBytesConfig, PreTrainedConfig, PreTrainedModel
from transformers.core_model_loading import ConversionOps, WeightConverter
from transformers.integrations.mxfp4 import Mxfp4Dequantize
from transformers.quantizers.auto import register_quantization_config, register_quantizer
from transformers.quantizers.quantizer_bnb_4bit import Bnb4BitHfQuantizer
from transformers.quantizers.quantizers_utils import get_module_from_name
from transformers.utils.quantization_config import QuantizationMethod

from forge_assets.training.models.experts import PROJECTIONS, pack

METHOD = "nf4_with_experts"


@register_quantization_config(METHOD)
class Nf4Config(BitsAndBytesConfig):  # type: ignore[misc]
    """NF4 with double quantisation, computing in `dtype`.

    Args:
        from_mxfp4: the checkpoint holds its experts as MXFP4 blocks and scales, as gpt-oss is published.
    """

    def __init__(self, dtype: torch.dtype, from_mxfp4: bool) -> None:
        super().__init__(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
        )
        self.quant_method = METHOD
        self.from_mxfp4 = from_mxfp4


class _Pack(ConversionOps):  # type: ignore[misc]
    """Packs a projection of all experts as it arrives; leaves other tensors to bitsandbytes."""

    def __init__(self, linear: ConversionOps) -> None:
        self._linear = linear

    def convert(self, input_dict: dict[str, Any], model: Any = None, **given: Any) -> dict[str, Any]:
        done = {}
        for name, value in input_dict.items():
            module, projection = get_module_from_name(model, name)
            if projection in PROJECTIONS:
                done[name] = pack(module, projection, value[0] if isinstance(value, list) else value)
            else:
                done |= self._linear.convert({name: value}, model=model, **given)
        return done


@register_quantizer(METHOD)
class Nf4Quantizer(Bnb4BitHfQuantizer):  # type: ignore[misc]
    """Transformers' own for linear layers, and `pack` for experts."""

    def param_needs_quantization(self, model: PreTrainedModel, param_name: str, **given: Any) -> bool:
        module, name = get_module_from_name(model, param_name)
        if hasattr(module, "is_transposed") and name in PROJECTIONS:
            return True
        return bool(super().param_needs_quantization(model, param_name, **given))

    def get_quantize_ops(self) -> ConversionOps:
        return _Pack(super().get_quantize_ops())

    def get_weight_conversions(self) -> list[WeightConverter]:
        if not self.quantization_config.from_mxfp4:
            return []
        return [
            WeightConverter([f"{name}_blocks", f"{name}_scales"], name, [Mxfp4Dequantize(self)]) for name in PROJECTIONS
        ]

    def _process_model_after_weight_loading(self, model: PreTrainedModel, **given: Any) -> PreTrainedModel:
        model.quantization_method = QuantizationMethod.BITS_AND_BYTES  # as other libraries know such a model
        return super()._process_model_after_weight_loading(model, **given)


def nf4(config: PreTrainedConfig, dtype: torch.dtype) -> Nf4Config:
    """How to load the model of `config` in 4 bits; takes out of `config` how its checkpoint is quantised.

    Raises:
        ValueError: the checkpoint is quantised in a way that cannot be turned into NF4.
    """
    given = getattr(config, "quantization_config", None)
    if given is None:
        return Nf4Config(dtype, from_mxfp4=False)
    if given["quant_method"] != "mxfp4":
        raise ValueError(f"config.json: a checkpoint quantised as {given['quant_method']} cannot be loaded as nf4")
    del config.quantization_config
    return Nf4Config(dtype, from_mxfp4=True)
