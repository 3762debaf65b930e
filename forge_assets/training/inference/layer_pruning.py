"""Make a smaller model from a larger one by removing the layers that change the hidden state least.

Block influence is 1 minus the cosine between a layer's input and output hidden states, averaged over tokens of
training text (Men et al. 2024, "ShortGPT", arXiv 2403.03853). The first and the last layer are kept.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from forge_assets.training.jobs.spec import CUT_TEXTS, CutJob
from forge_assets.training.models.citation_tokens import read_tokens, write_tokens
from forge_assets.training.models.loading import load_model, load_tokenizer, model_folder
from forge_assets.training.runtime.progress import Progress
from forge_resources.processes.interrupt import Interrupt
from forge_resources.storage.json_lines import read_json_lines


def cut(job: CutJob, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt) -> dict[str, Any]:
    """Write the smaller model to `result/model` and every layer's influence to `result/influence.json`.

    Raises:
        ValueError: the model has too few layers to lose that many.
    """
    base = model_folder(paths[job.base])
    tokenizer = load_tokenizer(base)
    model = load_model(base, "float32", "none")
    layers = model.model.layers
    if job.remove > len(layers) - 2:
        raise ValueError(f"cannot remove {job.remove} of {len(layers)} layers: first and last are kept")
    rows = read_json_lines(paths[job.texts])[:CUT_TEXTS]
    influence = block_influence(model, tokenizer, [r["prompt"] + r["completion"] for r in rows], interrupt)
    inner = sorted(range(1, len(layers) - 1), key=lambda i: influence[i])
    removed = sorted(inner[: job.remove])
    kept = [layer for i, layer in enumerate(layers) if i not in removed]
    for index, layer in enumerate(kept):
        layer.self_attn.layer_idx = index  # the key/value cache is addressed by it
    model.model.layers = torch.nn.ModuleList(kept)
    model.config.num_hidden_layers = len(kept)
    if getattr(model.config, "layer_types", None):
        model.config.layer_types = [t for i, t in enumerate(model.config.layer_types) if i not in removed]
    result = work / "result"
    shutil.rmtree(result, ignore_errors=True)
    model.save_pretrained(result / "model")
    tokenizer.save_pretrained(result / "model")
    write_tokens(result / "model", read_tokens(base))
    (result / "influence.json").write_text(json.dumps({"influence": influence, "removed": removed}), "utf-8")
    parameters = model.num_parameters()
    progress.say(f"removed layers {removed}; {parameters / 1e6:.0f}M parameters left")
    return {"removed": removed, "parameters": parameters}


def block_influence(model: Any, tokenizer: Any, texts: list[list[dict[str, str]]], interrupt: Interrupt) -> list[float]:
    """Mean of 1 - cosine(input, output) over tokens, per layer, in layer order."""
    total = torch.zeros(len(model.model.layers), dtype=torch.float64)
    tokens = 0
    for messages in texts:
        interrupt.check()
        text = tokenizer.apply_chat_template(messages, tokenize=False)
        ids = tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids.to(model.device)
        with torch.inference_mode():
            states = model(input_ids=ids, output_hidden_states=True, use_cache=False).hidden_states
        for i in range(len(total)):
            # The last entry has the final norm applied, which keeps direction only roughly; that layer is kept anyway.
            cosine = torch.nn.functional.cosine_similarity(states[i], states[i + 1], dim=-1)
            total[i] += float((1 - cosine).sum())
        tokens += ids.shape[1]
    return [float(x) / tokens for x in total]
