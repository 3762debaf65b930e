"""Write a GGUF file of a model that says what it is told to: llama.cpp runs it as any other.

Its only layer does nothing, and its output layer leads from each token to the next of a script. The last word of a
question chooses the script.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import gguf
import numpy as np

TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}"
"""Ends with the question, so that its last word is what the model goes on from."""
_SURE = 30.0


def write_parrot(path: Path, scripts: Mapping[str, Sequence[str]]) -> None:
    """Write the model.

    Args:
        scripts: last word of a question to the pieces of what is answered; no piece stands in two places.
    """
    bytes_as_letters = _letters_of_bytes()
    pieces = [*scripts, *(piece for script in scripts.values() for piece in script)]
    assert len(set(pieces)) == len(pieces), "a piece stands in two places"
    tokens = ["<end>", *bytes_as_letters, "\u0120\u0120", *pieces]
    kinds = [gguf.TokenType.CONTROL, *[gguf.TokenType.NORMAL] * 257, *[gguf.TokenType.USER_DEFINED] * len(pieces)]
    size = -(-len(tokens) // 64) * 64
    number = {token: i for i, token in enumerate(tokens)}
    following = np.zeros((len(tokens), size), np.float32)
    following[0, :258] = _SURE / 2 / size**0.5  # whatever else a question ends with ends the answer
    for word, script in scripts.items():
        for before, after in zip((word, *script), (*script, "<end>"), strict=True):
            following[number[after], number[before]] = _SURE / size**0.5
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("parrot")
    writer.add_context_length(8192)
    writer.add_embedding_length(size)
    writer.add_block_count(1)
    writer.add_feed_forward_length(64)
    writer.add_head_count(size // 64)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(64)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(["\u0120 \u0120"])
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)
    embedding = np.zeros((len(tokens), size), np.float32)
    embedding[np.arange(len(tokens)), np.arange(len(tokens))] = 1
    nothing = {
        "attn_q": (size, size),
        "attn_k": (64, size),
        "attn_v": (64, size),
        "attn_output": (size, size),
        "ffn_gate": (64, size),
        "ffn_up": (64, size),
        "ffn_down": (size, 64),
    }
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output.weight", following)
    writer.add_tensor("output_norm.weight", np.ones(size, np.float32))
    for name, shape in nothing.items():
        writer.add_tensor(f"blk.0.{name}.weight", np.zeros(shape, np.float32))
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{name}.weight", np.ones(size, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _letters_of_bytes() -> list[str]:
    """The letter that a byte-level tokenizer has for each byte (`bytes_to_unicode` of GPT-2)."""
    shown = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) if byte in shown else chr(256 + hidden.index(byte)) for byte in range(256)]
