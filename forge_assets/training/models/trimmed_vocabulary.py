"""Make a base model with fewer tokens: the most frequent ones, and all that its training texts are written with.

In a small model embedding and output layer are a quarter of the weights, and of the work of a step; of the 49,152
tokens of SmolLM2 some 3,000 occur in what a company teaches. A byte-pair tokenizer keeps its meaning with fewer
merges: words whose merges are all kept are written as before, every other text with more and shorter tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer

from forge_assets.training.jobs.spec import VocabularyJob
from forge_assets.training.models.citation_tokens import KERNEL_ROWS
from forge_assets.training.models.loading import load_tokenizer, model_folder
from forge_assets.training.models.vocabulary import copy_with_tables, set_config
from forge_assets.training.runtime.progress import Progress
from forge_resources.processes.interrupt import Interrupt
from forge_resources.storage.json_lines import read_json_lines

FILE = "tokenizer.json"


class Trimmed(NamedTuple):
    """A tokenizer with fewer tokens.

    Attributes:
        definition: what its `tokenizer.json` says.
        kept: ids that its tokens had before, in the order of their new ids.
    """

    definition: dict[str, Any]
    kept: list[int]


def trim_vocabulary(
    job: VocabularyJob, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt
) -> dict[str, Any]:
    """Write the base model with fewer tokens to `result/model`.

    Raises:
        Interrupted: stopped early; it starts again from the beginning.
        ValueError: the tokenizer is no byte-pair tokenizer of one file, or the model's embedding is not found.
    """
    base, model = model_folder(paths[job.base]), work / "result" / "model"
    texts = [row["text"] for row in read_json_lines(paths[job.words])]
    trimmed = trim_tokenizer(base, texts, job.merges)
    new = {old: index for index, old in enumerate(trimmed.kept)}
    rows = copy_with_tables(base, model, lambda table: _rows(table, trimmed.kept), interrupt)
    (model / FILE).write_text(json.dumps(trimmed.definition, ensure_ascii=False), "utf-8")
    for name in ("vocab.json", "merges.txt", "added_tokens.json"):  # the same said twice, and now wrong
        (model / name).unlink(missing_ok=True)
    _renumber(model / "tokenizer_config.json", new)
    for name in ("config.json", "generation_config.json"):
        _renumber(model / name, new)
    set_config(model / "config.json", vocab_size=rows)
    _check(base, model, texts)
    progress.say(f"{len(trimmed.kept)} tokens, {rows} rows")
    return {"tokens": len(trimmed.kept), "rows": rows}


def trim_tokenizer(folder: Path, texts: Sequence[str], merges: int) -> Trimmed:
    """Leave out all merges but the first so many, and those that the texts are written with.

    Raises:
        ValueError: the tokenizer is no byte-pair tokenizer of one file.
    """
    path = folder / FILE
    definition = json.loads(path.read_text("utf-8")) if path.exists() else {}
    model = definition.get("model", {})
    if model.get("type") != "BPE":
        raise ValueError(f"{path} is no byte-pair tokenizer, so its vocabulary cannot be cut: leave out `vocabulary`")
    pairs = [tuple(pair) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in model["merges"]]
    ids: dict[str, int] = model["vocab"]
    tokens = {number: token for token, number in ids.items()}
    made = {"".join(pair): rank for rank, pair in enumerate(pairs)}
    used = {token for found in Tokenizer.from_file(str(path)).encode_batch(texts) for token in found.ids}
    kept_merges = _with_parts(
        [*range(min(merges, len(pairs))), *_ranks(made, (tokens.get(t) for t in used))], pairs, made
    )
    kept = {ids[token] for token in ids if token not in made} | {ids["".join(pairs[rank])] for rank in kept_merges}
    order = sorted(kept | {token["id"] for token in definition["added_tokens"]})
    new = {old: index for index, old in enumerate(order)}
    model["vocab"] = {tokens[old]: index for old, index in new.items() if old in tokens}
    model["merges"] = [list(pairs[rank]) for rank in sorted(kept_merges)]
    for token in definition["added_tokens"]:
        token["id"] = new[token["id"]]
    for token in ((definition.get("post_processor") or {}).get("special_tokens") or {}).values():
        token["ids"] = [new[number] for number in token["ids"]]
    return Trimmed(definition, order)


def _ranks(made: Mapping[str, int], tokens: Iterable[str | None]) -> list[int]:
    return [made[token] for token in tokens if token is not None and token in made]


def _with_parts(ranks: Sequence[int], pairs: Sequence[tuple[str, ...]], made: Mapping[str, int]) -> set[int]:
    """Merges and all that make their parts."""
    kept: set[int] = set()
    waiting = list(ranks)
    while waiting:
        rank = waiting.pop()
        if rank not in kept:
            kept.add(rank)
            waiting += _ranks(made, pairs[rank])
    return kept


def _rows(table: torch.Tensor, kept: Sequence[int]) -> torch.Tensor:
    """Rows of the tokens that are kept, and zeros up to a multiple of what kernels like."""
    whole = torch.zeros(-(-len(kept) // KERNEL_ROWS) * KERNEL_ROWS, table.shape[1], dtype=table.dtype)
    whole[: len(kept)] = table[list(kept)]
    return whole


def _renumber(path: Path, new: Mapping[int, int]) -> None:
    """Write a file's token ids anew: fields that end in `_token_id`, and keys of `added_tokens_decoder`."""
    if not path.exists():
        return
    config = json.loads(path.read_text("utf-8"))
    for part in (config, config.get("text_config") or {}):
        for name, value in part.items():
            if name.endswith("_token_id"):
                part[name] = [new.get(v) for v in value] if isinstance(value, list) else new.get(value)
    if "added_tokens_decoder" in config:
        config["added_tokens_decoder"] = {str(new[int(k)]): v for k, v in config["added_tokens_decoder"].items()}
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _check(base: Path, model: Path, texts: Sequence[str]) -> None:
    before, after = load_tokenizer(base), load_tokenizer(model)
    for text in texts:
        pieces = [
            tokenizer.convert_ids_to_tokens(tokenizer(text, add_special_tokens=False).input_ids)
            for tokenizer in (before, after)
        ]
        if pieces[0] != pieces[1]:
            raise ValueError(f"{base}: {text!r} is not written with the same tokens in a smaller vocabulary")
