"""Loss of a model on reference completions: what training lowers, on rows that it did not see."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from forge_assets.training.interrupt import Interrupt
from forge_assets.training.job import EvaluateJob
from forge_assets.training.progress import Progress
from forge_assets.training.rows import read_rows
from forge_assets.training.weights import load_model, load_tokenizer, model_folder, with_adapter

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def evaluate(
    job: EvaluateJob, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt
) -> dict[str, Any]:
    """Write `result/losses.jsonl`: sample_id, loss (nats a completion token), tokens; and their mean over tokens.

    Raises:
        Interrupted: stopped early; an evaluation starts again from the beginning.
        ValueError: a row has no completion within `max_length`.
    """
    base = model_folder(paths[job.base])
    with interrupt.at_once():
        model = load_model(base, job.precision, job.quantisation)
        if job.adapter:
            model = with_adapter(model, paths[job.adapter] / "adapter")
        tokenizer = load_tokenizer(base)
    model.eval()
    rows = read_rows(paths[job.dataset])
    found: list[dict[str, Any]] = []
    progress.phase("evaluating", rows=len(rows))
    for start in range(0, len(rows), job.batch_size):
        interrupt.check()
        found += _losses(model, tokenizer, rows[start : start + job.batch_size], job.max_length)
        progress.metrics(evaluated=len(found), rows=len(rows))
    result = work / "result"
    result.mkdir(exist_ok=True)
    (result / "losses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))
    tokens = sum(row["tokens"] for row in found)
    loss = sum(row["loss"] * row["tokens"] for row in found) / tokens
    return {"rows": len(found), "tokens": tokens, "loss": loss, "perplexity": math.exp(loss)}


@torch.inference_mode()
def _losses(
    model: Any, tokenizer: PreTrainedTokenizerBase, rows: list[dict[str, Any]], most: int
) -> list[dict[str, Any]]:
    asked = [_ids(tokenizer, row["prompt"], True) for row in rows]
    whole = [_ids(tokenizer, row["prompt"] + row["completion"], False)[:most] for row in rows]
    for row, before, ids in zip(rows, asked, whole, strict=True):
        if len(before) >= len(ids):
            raise ValueError(f"sample {row['sample_id']}: no completion within max_length {most}: raise max_length")
    padded = tokenizer.pad({"input_ids": whole}, padding_side="right", return_tensors="pt").to(model.device)
    logits = model(**padded, use_cache=False).logits[:, :-1].float()
    nats = torch.nn.functional.cross_entropy(logits.transpose(1, 2), padded["input_ids"][:, 1:], reduction="none")
    found = []
    for row, before, ids, each in zip(rows, asked, whole, nats, strict=True):
        learned = each[len(before) - 1 : len(ids) - 1]
        found.append({"sample_id": row["sample_id"], "loss": float(learned.mean()), "tokens": len(learned)})
    return found


def _ids(tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, str]], ask: bool) -> list[int]:
    text = str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=ask))
    ids: list[int] = tokenizer(text, add_special_tokens=False).input_ids
    return ids
