"""Turn a quantised GGUF file into a safetensors folder that Transformers loads fast.

Run: python -m forge_assets.training.models.gguf MODEL.gguf FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path


def dequantise(gguf: Path, folder: Path) -> None:
    """Write fp32 safetensors, config and tokenizer of a GGUF model into `folder`.

    Raises:
        OSError: the file is no GGUF that Transformers can read.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    where = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    AutoTokenizer.from_pretrained(**where).save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    # Transformers refuses to save what it believes is still quantised.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)


if __name__ == "__main__":
    dequantise(Path(sys.argv[1]), Path(sys.argv[2]))
