"""LoRA adapters as PEFT builds them."""

from __future__ import annotations

from peft import LoraConfig

from forge_assets.training.job import Lora


def lora_config(lora: Lora) -> LoraConfig:
    """PEFT's configuration of an adapter."""
    modules = lora.target_modules
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=modules if isinstance(modules, str) else list(modules),
        task_type="CAUSAL_LM",
    )
