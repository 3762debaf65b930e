"""Convert a model folder into one GGUF file in half precision, by llama.cpp's own converter."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path


def convert(folder: Path, published: Path, target: Path, name: str) -> None:
    """Write a model with its tokenizer and chat template as one GGUF file (f16).

    llama.cpp knows how a tokenizer splits text by a name, which its converter finds from what the tokenizer makes of
    one text. A vocabulary that was trimmed or given tokens makes something else of it, but splits as before: its name
    is that of the published model that it came from.

    Args:
        folder: safetensors, config and tokenizer.
        published: folder of the published model that the tokenizer came from.
        name: of the model, for whoever lists it.

    Raises:
        ValueError: a family of models or a tokenizer that llama.cpp does not know.
    """
    os.environ.setdefault("TQDM_DISABLE", "1")
    import gguf
    import torch
    from conversion import ModelBase, ModelType, get_model_architecture, get_model_class
    from transformers import AutoTokenizer

    logging.getLogger("hf-to-gguf").setLevel(logging.WARNING)
    logging.getLogger("gguf.gguf_writer").setLevel(logging.WARNING)
    family = get_model_architecture(ModelBase.load_hparams(folder, False), ModelType.TEXT)
    try:
        made_by = get_model_class(family)
    except NotImplementedError as error:
        raise ValueError(f"{folder}: llama.cpp has no models of the family {family}: serve it with vLLM") from error
    with torch.inference_mode():
        model = made_by(folder, gguf.LlamaFileType.MOSTLY_F16, target, model_name=name)
        splits = model.get_vocab_base_pre

        def as_published(_: object) -> str:
            try:
                return str(splits(AutoTokenizer.from_pretrained(published, local_files_only=True)))
            except NotImplementedError as error:
                if _splits_as_gpt2(published / "tokenizer.json"):
                    return "gpt-2"
                raise ValueError(f"{published}: llama.cpp does not know how this tokenizer splits text") from error

        model.get_vocab_base_pre = as_published
        try:
            model.write()
        except FileNotFoundError as error:
            raise ValueError(f"{folder}: llama.cpp's converter misses a file: {error}") from error


def _splits_as_gpt2(path: Path) -> bool:
    """Whether a tokenizer is byte-level with GPT-2's own pattern and nothing before it."""
    definition = json.loads(path.read_text("utf-8")) if path.exists() else {}
    given = definition.get("pre_tokenizer") or {}
    plain = given.get("type") == "ByteLevel" and given.get("use_regex", True) and not given.get("add_prefix_space")
    return bool(plain) and not definition.get("normalizer")
