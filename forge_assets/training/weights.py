"""Load weights and tokenizers for a worker, in the precision and quantisation a job asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge_assets.training.job import Precision, Quantisation

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_model(folder: Path, precision: Precision, quantisation: Quantisation) -> PreTrainedModel:
    """A causal language model on the accelerator if there is one, else on the CPU.

    Raises:
        OSError: `folder` holds no readable weights.
    """
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    dtype = getattr(torch, precision)
    kwargs: dict[str, Any] = {"dtype": dtype, "local_files_only": True}
    if quantisation == "nf4":
        kwargs["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    elif quantisation == "int8":
        kwargs["quantization_config"] = BitsAndBytesConfig(load_in_8bit=True)
    if torch.cuda.is_available():
        kwargs["device_map"] = {"": 0}
    return AutoModelForCausalLM.from_pretrained(folder, **kwargs)


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a model folder, with a padding token.

    Raises:
        ValueError: the tokenizer has no chat template, so prompts cannot be rendered as the model expects.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if not tokenizer.chat_template:
        raise ValueError(f"{folder}: the tokenizer has no chat template: add chat_template.jinja to the model folder")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def with_adapter(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """Merge a LoRA adapter into its base for inference."""
    from peft import PeftModel

    merged: PreTrainedModel = PeftModel.from_pretrained(model, str(folder)).merge_and_unload()
    return merged


def model_folder(result: Path) -> Path:
    """Where a full model lies: a base model's folder itself, or `model/` inside a job's result."""
    return result / "model" if (result / "model").is_dir() else result
