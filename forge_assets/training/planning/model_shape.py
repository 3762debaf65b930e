"""The numbers of a model's config.json that its memory and its time depend on; nothing is loaded."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

FAMILIES = ("llama", "mistral", "qwen2", "qwen3", "gemma3_text", "gpt_oss")
"""`model_type`s whose layers this knows; checked against Transformers' own modules in tests."""

HEAD_DIM = {"qwen3": 128, "gemma3_text": 256, "gpt_oss": 64}
"""Width of a head where config.json leaves it out; elsewhere `hidden_size / num_attention_heads`."""

SLIDING_EVERY = {"gemma3_text": 6, "gpt_oss": 2}
"""Of so many layers one sees everything and the others a window, where config.json does not list `layer_types`."""


ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")
HEAD = "lm_head"
"""The output layer, as all these families name it."""


class UnknownShape(ValueError):
    """A config.json of a kind that cannot be planned; the message says what is missing."""


@dataclass(frozen=True)
class Shape:
    """A decoder with grouped-query attention and a gated MLP, or experts in its place. Counts are of numbers."""

    family: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocabulary: int
    tied: bool
    """Whether the output layer is the embedding."""
    experts: int = 0
    top_k: int = 0
    window: int | None = None
    """Tokens back that a sliding layer sees."""
    sliding_layers: int = 0
    attention_bias: bool = False
    stored_bytes: float = 2.0
    """Bytes of a weight in the checkpoint."""

    @classmethod
    def of(cls, folder: Path) -> Shape:
        """Read `config.json` of a model folder.

        Raises:
            UnknownShape: a family whose layers this does not know, or a number is missing.
        """
        try:
            return cls.parse(json.loads((folder / "config.json").read_text("utf-8")))
        except UnknownShape as error:
            raise UnknownShape(f"{folder / 'config.json'}: {error}") from error

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> Shape:
        """From the content of a config.json; Gemma 3 may have it under `text_config`.

        Raises:
            UnknownShape: as for `of`.
        """
        config = config.get("text_config") or config
        family = config.get("model_type")
        if family not in FAMILIES:
            raise UnknownShape(f"model_type {family!r} cannot be planned; known are {', '.join(FAMILIES)}")
        try:
            layers, hidden, heads = (config[k] for k in ("num_hidden_layers", "hidden_size", "num_attention_heads"))
            return cls(
                family=family,
                layers=layers,
                hidden=hidden,
                heads=heads,
                kv_heads=config.get("num_key_value_heads") or heads,
                head_dim=config.get("head_dim") or HEAD_DIM.get(family) or hidden // heads,
                intermediate=config["intermediate_size"],
                vocabulary=config["vocab_size"],
                tied=config.get("tie_word_embeddings", family == "gemma3_text"),
                experts=config.get("num_local_experts") or 0,
                top_k=config.get("num_experts_per_tok") or 0,
                window=config.get("sliding_window"),
                sliding_layers=_sliding(config, family, layers),
                attention_bias=config.get("attention_bias", family in ("qwen2", "gpt_oss")),
                stored_bytes=_stored(config),
            )
        except KeyError as error:
            raise UnknownShape(f"{error.args[0]} is missing") from error

    @property
    def query(self) -> int:
        """Width of a token's queries."""
        return self.heads * self.head_dim

    @property
    def key(self) -> int:
        """Width of a token's keys, and of its values."""
        return self.kv_heads * self.head_dim

    @property
    def norms(self) -> int:
        """Norms over the hidden width in a layer."""
        return 4 if self.family == "gemma3_text" else 2

    @property
    def head_norms(self) -> bool:
        """Whether queries and keys are normed."""
        return self.family in ("qwen3", "gemma3_text")

    @property
    def sinks(self) -> bool:
        """Whether each head has a sink; Transformers answers such models without a fused kernel."""
        return self.family == "gpt_oss"

    @property
    def attention(self) -> int:
        """Weights of a layer's four projections."""
        return 2 * self.hidden * (self.query + self.key)

    @property
    def mlp(self) -> int:
        """Weights of a layer's MLP, of all experts where it has them."""
        return 3 * self.hidden * self.intermediate * max(1, self.experts)

    @property
    def small(self) -> int:
        """A layer's norms, biases, sinks and router."""
        count = self.norms * self.hidden + (2 * self.head_dim if self.head_norms else 0)
        if self.attention_bias:
            # Qwen 2 has none on the way out.
            count += self.query + 2 * self.key + (0 if self.family == "qwen2" else self.hidden)
        if self.experts:
            count += self.experts * (self.hidden + 1 + 2 * self.intermediate + self.hidden)
        return count + (self.heads if self.sinks else 0)

    @property
    def embedding(self) -> int:
        """Weights of the embedding; the output layer has as many."""
        return self.vocabulary * self.hidden

    @property
    def output(self) -> int:
        """Weights of the output layer that are its own."""
        return 0 if self.tied else self.embedding

    @property
    def linear(self) -> int:
        """Weights of all layers' matrices: what is quantised and what LoRA adapts."""
        return self.layers * (self.attention + self.mlp)

    @property
    def parameters(self) -> int:
        """All weights."""
        return self.linear + self.layers * self.small + self.embedding + self.output + self.hidden

    @property
    def active(self) -> int:
        """Weights that one token is multiplied with: chosen experts only, output layer included, embedding not."""
        mlp = self.mlp * self.top_k // self.experts if self.experts else self.mlp
        return self.layers * (self.attention + mlp) + self.embedding

    @property
    def layer(self) -> int:
        """Weights of one layer."""
        return self.attention + self.mlp + self.small

    @property
    def largest_matrix(self) -> int:
        """Weights of the largest quantised matrix; of one expert where there are experts."""
        gate_up = 2 if self.experts else 1
        return max(gate_up * self.hidden * self.intermediate, self.hidden * self.query)

    def targets(self, modules: Collection[str] | Literal["all-linear"]) -> frozenset[str]:
        """Names of the matrices that LoRA is put on; "all-linear" is every one of a layer, not the output layer.

        Experts are no modules of their own: `Lora.experts` says whether they are adapted.

        Raises:
            ValueError: a name that no matrix of this model has.
        """
        known = ATTENTION if self.experts else ATTENTION + MLP
        if isinstance(modules, str):
            return frozenset(known)
        if unknown := sorted(set(modules) - {*known, HEAD}):
            raise ValueError(
                f"target_modules: {unknown[0]!r} is no matrix of this {self.family} model: "
                f"choose from {', '.join(known)}, {HEAD}"
            )
        return frozenset(modules)

    def adapter(self, rank: int, experts: bool, modules: Collection[str] | Literal["all-linear"] = "all-linear") -> int:
        """Weights of LoRA: rank x (inputs + outputs) of each matrix in `modules`, for each expert where `experts`.

        Raises:
            ValueError: see `targets`.
        """
        h, i = self.hidden, self.intermediate
        sides = {
            "q_proj": h + self.query,
            "k_proj": h + self.key,
            "v_proj": h + self.key,
            "o_proj": self.query + h,
            "gate_proj": h + i,
            "up_proj": h + i,
            "down_proj": i + h,
        }
        targets = self.targets(modules)
        layer = sum(sides[name] for name in targets - {HEAD})
        if self.experts and experts:
            layer += self.experts * (2 * h + 3 * i)
        return rank * (self.layers * layer + (h + self.vocabulary if HEAD in targets else 0))


def _sliding(config: Mapping[str, Any], family: str, layers: int) -> int:
    """Layers that see a window only."""
    if config.get("layer_types"):
        return sum(kind == "sliding_attention" for kind in config["layer_types"])
    every = SLIDING_EVERY.get(family)
    if every is None or not config.get("sliding_window"):
        return 0
    return layers - layers // every


def _stored(config: Mapping[str, Any]) -> float:
    """MXFP4 is 4 bits a weight and 8 for each 32 (OCP Microscaling Formats 1.0)."""
    if (config.get("quantization_config") or {}).get("quant_method") == "mxfp4":
        return 0.5 + 1 / 32
    return 4.0 if (config.get("dtype") or config.get("torch_dtype")) == "float32" else 2.0
