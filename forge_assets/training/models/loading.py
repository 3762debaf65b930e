"""Load weights and tokenizers for a worker, in the precision and quantisation a job asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from forge_assets.training.jobs.spec import ModelFields, Precision, Quantisation, SftJob
from forge_assets.training.models.chat_template import settle
from forge_resources.processes.ranks import is_sharded, local_rank

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from forge_assets.training.models.adapters import Answering


def load_model(folder: Path, precision: Precision, quantisation: Quantisation) -> PreTrainedModel:
    """A causal language model on the accelerator if there is one, else on the CPU.

    Experts published in MXFP4 (gpt-oss) are turned into `precision`, or into NF4 one tensor at a time: there are no
    gradients through MXFP4 itself.

    Raises:
        OSError: `folder` holds no readable weights.
        ValueError: weights are missing, or cannot be had in that quantisation.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig, Mxfp4Config

    from forge_assets.training.models.experts import check_quantisation, one_by_one
    from forge_assets.training.models.quantization import nf4

    dtype = getattr(torch, precision)
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    published_in_mxfp4 = getattr(config, "quantization_config", {}).get("quant_method") == "mxfp4"
    kwargs: dict[str, Any] = {"config": config, "dtype": dtype, "local_files_only": True}
    if quantisation == "nf4":
        kwargs["quantization_config"] = nf4(config, dtype)
    elif quantisation == "int8":
        kwargs["quantization_config"] = BitsAndBytesConfig(load_in_8bit=True)
    elif published_in_mxfp4:
        kwargs["quantization_config"] = Mxfp4Config(dequantize=True)
    if torch.cuda.is_available() and not is_sharded():
        kwargs["device_map"] = {"": local_rank()}
    model, info = AutoModelForCausalLM.from_pretrained(folder, **kwargs, output_loading_info=True)
    if missing := sorted(info["missing_keys"]):  # Transformers would go on with random numbers in their place
        raise ValueError(f"{folder}: the checkpoint lacks {len(missing)} tensors of the model, {missing[0]} among them")
    if published_in_mxfp4:  # or an export would name experts as blocks, which they no longer are
        model._weight_conversions = None
    check_quantisation(model, quantisation)
    if quantisation == "nf4":
        one_by_one(model)
    return model


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a model folder, with a padding token and a template that asks for an answer as training does.

    Raises:
        ValueError: the tokenizer has no chat template, so prompts cannot be rendered as the model expects, or one
            that cannot be trained on.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if not tokenizer.chat_template:
        raise ValueError(f"{folder}: the tokenizer has no chat template: add chat_template.jinja to the model folder")
    settle(tokenizer, folder)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


class Tuned(NamedTuple):
    """A model that a job names by digests.

    Attributes:
        merge_error: what merging its adapter lost of the update, as a share; None: nothing was merged.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    merge_error: float | None = None


def with_adapter(model: PreTrainedModel, folder: Path) -> Answering:
    """A base model with a LoRA adapter for inference: merged where that loses next to nothing."""
    from forge_assets.training.models import adapters

    return adapters.for_answers(adapters.with_adapter(model, folder))


def load_tuned(paths: Mapping[str, Path], named: ModelFields) -> Tuned:
    """Model and tokenizer that a job names by digests, the adapter included; raises as the loaders above do."""
    folder = model_folder(paths[named.base])
    model = load_model(folder, named.precision, named.quantisation)
    if not named.adapter:
        return Tuned(to_answer(model, named), load_tokenizer(folder))
    answering = with_adapter(model, paths[named.adapter] / "adapter")
    return Tuned(to_answer(answering.model, named), load_tokenizer(folder), answering.merge_error)


def to_answer(model: PreTrainedModel, held: ModelFields | SftJob) -> PreTrainedModel:
    """A model in the precision that it answers in: one that was merged in float32 is rounded once, as a whole."""
    import torch

    if (held.precision, held.compute, held.quantisation) != ("float32", "bfloat16", "none"):
        return model
    rounded: PreTrainedModel = model.to(torch.bfloat16)
    return rounded


def model_folder(result: Path) -> Path:
    """Where a full model lies: a base model's folder itself, or `model/` inside a job's result."""
    return result / "model" if (result / "model").is_dir() else result
