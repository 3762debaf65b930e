"""One token for each place of law that is taught: its content is the place's canonical written form.

A citation is then one decision with one probability, and no string of ordinary tokens that can go wrong at each of
them. The tokens are ordinary added ones, not special: they print, also after a conversion to GGUF.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from pydantic import TypeAdapter

from forge_resources.storage.strict import Strict

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

FILE = "citation_tokens.json"
"""Beside the tokenizer of a model that has such tokens."""

KERNEL_ROWS = 64
"""Matrix kernels like sizes in multiples of it: the embedding is padded to one."""


class CitationToken(Strict):
    """A token and the places that its text is the written form of, as citation keys."""

    id: int
    text: str
    places: tuple[str, ...]


_TOKENS = TypeAdapter(tuple[CitationToken, ...])


def read_tokens(folder: Path) -> tuple[CitationToken, ...]:
    """Read the citation tokens of a model folder; none where it has none."""
    path = folder / FILE
    return _TOKENS.validate_json(path.read_bytes()) if path.exists() else ()


def write_tokens(folder: Path, tokens: Sequence[CitationToken]) -> None:
    """Write them beside a tokenizer; nothing where there are none."""
    if tokens:
        lines = [json.dumps(token.model_dump(mode="json"), ensure_ascii=False) for token in tokens]
        (folder / FILE).write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")


def add_tokens(
    tokenizer: PreTrainedTokenizerBase, written: Sequence[tuple[str, tuple[str, ...]]]
) -> tuple[CitationToken, ...]:
    """Give a tokenizer a token for each text.

    Args:
        written: texts and the places that they are the written form of.

    Raises:
        ValueError: a text is a token already, or does not come back as it was written.
    """
    from tokenizers import AddedToken

    texts, before = [text for text, _ in written], len(tokenizer)
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=False) for text in texts])
    ids = tokenizer.convert_tokens_to_ids(texts)
    if ids != list(range(before, before + len(texts))):
        known = next(text for text, token in zip(texts, ids, strict=True) if token < before)
        raise ValueError(f"{known!r} is a token of the model already: leave it out of the citation tokens")
    for text in texts:
        if tokenizer.decode(tokenizer(text, add_special_tokens=False).input_ids) != text:
            raise ValueError(f"the tokenizer does not give {text!r} back: it changes text as it reads it")
    return tuple(
        CitationToken(id=token, text=text, places=places) for token, (text, places) in zip(ids, written, strict=True)
    )


def rows_with_tokens(
    table: torch.Tensor, parts: Sequence[Sequence[int]], before: int, noise: float, draw: torch.Generator
) -> torch.Tensor:
    """Build an embedding, or an output layer, with a row for each new token.

    A row starts at the mean of the rows of the tokens that it stands for, plus normal noise with the deviation that
    each dimension has over the vocabulary: rows that start alike, as those of neighbouring paragraphs would, are slow
    to part. Behind them are rows of zeros, up to a multiple of `KERNEL_ROWS`.

    Args:
        table: vocabulary x width.
        parts: of each new token the tokens that its text was before.
        before: tokens before the new ones; rows behind them are padding.
        noise: factor of the deviation.
    """
    used = table[:before].float()
    mean = torch.stack([used[list(part)].mean(0) for part in parts])
    new = mean + noise * used.std(0) * torch.randn(mean.shape, generator=draw)
    whole = torch.zeros(-(-(before + len(parts)) // KERNEL_ROWS) * KERNEL_ROWS, table.shape[1], dtype=table.dtype)
    whole[:before] = table[:before]
    whole[before : before + len(parts)] = new.to(table.dtype)
    return whole
