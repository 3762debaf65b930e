"""How much memory a training job needs at its peak, from the model's config alone.

peak = runtime + weights + gradients + optimizer + activations + logits, in bytes:
  weights      parameters x bytes (0.5 for NF4 plus 6% for its constants, 1 for int8)
  gradients    trainable parameters x 4
  optimizer    trainable parameters x 8 (AdamW: two fp32 moments)
  activations  batch x length x layers x (34 x hidden + 5 x heads x length) x bytes / 2
               (Korthikanti et al. 2022, arXiv 2205.05198, eq. 2, at 2 bytes a value); one layer's share where
               gradients are checkpointed, plus the layer inputs
  logits       batch x length x vocabulary x 4, held four times (logits, their fp32 copy, softmax, gradient)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forge_assets.training.job import SftJob

RUNTIME_BYTES = 900_000_000
"""What a worker holds before it loads a model: Python, torch, transformers, trl."""


@dataclass(frozen=True)
class Shape:
    """The numbers of a model's config that memory depends on."""

    parameters: int
    layers: int
    hidden: int
    heads: int
    intermediate: int
    vocabulary: int

    @classmethod
    def of(cls, folder: Path) -> Shape:
        """Read `config.json` of a model folder (dense decoder with gated MLP; biases and norms are left out)."""
        config: dict[str, Any] = json.loads((folder / "config.json").read_text())
        hidden, layers, heads = config["hidden_size"], config["num_hidden_layers"], config["num_attention_heads"]
        head = config.get("head_dim") or hidden // heads
        attention = hidden * head * (2 * heads + 2 * (config.get("num_key_value_heads") or heads))
        mlp = 3 * hidden * config["intermediate_size"]
        embeddings = config["vocab_size"] * hidden * (1 if config.get("tie_word_embeddings") else 2)
        return cls(
            parameters=layers * (attention + mlp) + embeddings,
            layers=layers,
            hidden=hidden,
            heads=heads,
            intermediate=config["intermediate_size"],
            vocabulary=config["vocab_size"],
        )


def predict(job: SftJob, shape: Shape) -> int:
    """Peak bytes of a training job at its full sequence length."""
    width = 2 if job.precision == "bfloat16" else 4
    per_weight = {"none": float(width), "int8": 1.0, "nf4": 0.53}[job.quantisation]
    trainable = shape.parameters if job.lora is None else _lora_parameters(job.lora.rank, shape)
    tokens = job.batch_size * job.max_length
    per_layer = tokens * (34 * shape.hidden + 5 * shape.heads * job.max_length) * width / 2
    activations = per_layer * shape.layers
    if job.gradient_checkpointing:
        activations = per_layer + tokens * shape.hidden * width * shape.layers
    logits = 4 * tokens * shape.vocabulary * 4
    return int(RUNTIME_BYTES + shape.parameters * per_weight + trainable * 12 + activations + logits)


def _lora_parameters(rank: int, shape: Shape) -> int:
    """Adapters on every linear layer: rank x (inputs + outputs) of seven matrices."""
    return shape.layers * rank * (8 * shape.hidden + 3 * (shape.hidden + shape.intermediate))
