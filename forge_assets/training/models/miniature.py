"""Miniatures with random weights and a tokenizer trained on the spot, one for each family of models we train.

Run: python -m forge_assets.training.models.miniature FOLDER FAMILY LAYERS HIDDEN TEXT_FILE...
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

WINDOW = 32
"""Tokens that a layer with sliding attention sees."""


@dataclass(frozen=True)
class Family:
    """What distinguishes a family's tokenizer and config.

    `special` and `marks` are tokens of their own; decoding may leave out the special ones. `stops` end a generation
    as the family's generation config says. `template` is a file that TRL ships, or None for ChatML.
    """

    config: str
    special: tuple[str, ...]
    eos: str
    pad: str
    bos: str | None = None
    marks: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    template: str | None = None
    sliding: bool = False


FAMILIES = {
    "llama": Family(
        config="LlamaConfig",
        special=("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        eos="<|im_end|>",
        pad="<|endoftext|>",
        bos="<|im_start|>",
    ),
    "qwen3": Family(
        config="Qwen3Config",
        special=("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        eos="<|im_end|>",
        pad="<|endoftext|>",
        marks=("<think>", "</think>"),
        stops=("<|im_end|>", "<|endoftext|>"),
        template="qwen3.jinja",
    ),
    "gemma3": Family(
        config="Gemma3TextConfig",
        special=("<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"),
        eos="<eos>",
        pad="<pad>",
        bos="<bos>",
        stops=("<eos>", "<end_of_turn>"),
        template="gemma3.jinja",
        sliding=True,
    ),
    "gpt_oss": Family(
        config="GptOssConfig",
        special=("<|endoftext|>", "<|return|>", "<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|call|>"),
        eos="<|return|>",
        pad="<|endoftext|>",
        stops=("<|return|>", "<|endoftext|>", "<|call|>"),
        template="gptoss.jinja",
        sliding=True,
    ),
}


def build(folder: Path, texts: list[Path], layers: int, hidden: int, family: str = "llama") -> None:
    """Write the model and tokenizer; the same texts give the same weights."""
    import torch
    from transformers import AutoModelForCausalLM

    found = FAMILIES[family]
    tokenizer = _tokenizer(found, texts)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(_config(found, tokenizer, layers, hidden))
    if found.stops:
        model.generation_config.eos_token_id = tokenizer.convert_tokens_to_ids(list(found.stops))
    model.save_pretrained(folder)


def _tokenizer(family: Family, texts: list[Path]) -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1024, special_tokens=list(family.special), initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train([str(t) for t in texts], trainer)
    tokenizer.add_tokens([AddedToken(mark, special=False) for mark in family.marks])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=family.eos, pad_token=family.pad, bos_token=family.bos
    )
    shipped = resources.files("trl") / "chat_templates"
    fast.chat_template = CHATML if family.template is None else (shipped / family.template).read_text("utf-8")
    return fast


def _config(family: Family, tokenizer: Any, layers: int, hidden: int) -> Any:
    import transformers

    numbers: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "tie_word_embeddings": True,
    }
    if family.config != "GptOssConfig":  # whose rotary embeddings are scaled for a length of their own
        numbers["max_position_embeddings"] = 1024
    if family.config != "LlamaConfig":
        numbers["head_dim"] = hidden // 4
    if family.sliding:
        numbers["sliding_window"] = WINDOW
        numbers["layer_types"] = [("sliding_attention", "full_attention")[i % 2] for i in range(layers)]
    if family.config == "Gemma3TextConfig":
        numbers["query_pre_attn_scalar"] = hidden // 4
    if family.config == "GptOssConfig":
        numbers |= {"num_local_experts": 4, "num_experts_per_tok": 2, "tie_word_embeddings": False}
    return getattr(transformers, family.config)(**numbers)


if __name__ == "__main__":
    build(Path(sys.argv[1]), [Path(t) for t in sys.argv[5:]], int(sys.argv[3]), int(sys.argv[4]), sys.argv[2])
