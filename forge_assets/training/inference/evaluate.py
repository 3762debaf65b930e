"""Loss of a model on reference completions: what training lowers, on rows that it did not see."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from forge_assets.training.jobs.spec import EvaluateJob
from forge_assets.training.models.fitting_rows import fitting, row_tokens
from forge_assets.training.models.loading import load_tuned
from forge_assets.training.runtime.progress import Progress
from forge_resources.processes.interrupt import Interrupt
from forge_resources.storage.json_lines import read_json_lines

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def evaluate(
    job: EvaluateJob, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt
) -> dict[str, Any]:
    """Write `result/losses.jsonl`: sample_id, loss (nats a completion token), tokens; and their mean over tokens.

    Raises:
        Interrupted: stopped early; an evaluation starts again from the beginning.
        ValueError: no row fits into `max_length`; rows that do not are left out and counted, as in training.
    """
    with interrupt.at_once():
        model, tokenizer, lost = load_tuned(paths, job)
    model.eval()
    given = read_json_lines(paths[job.dataset])
    rows, left_out = fitting(tokenizer, given, job.max_length, progress)
    found: list[dict[str, Any]] = []
    progress.phase("evaluating", rows=len(rows))
    for start in range(0, len(rows), job.batch_size):
        interrupt.check()
        found += _losses(model, tokenizer, rows[start : start + job.batch_size])
        progress.metrics(evaluated=min(start + job.batch_size, len(rows)), rows=len(rows))
    result = work / "result"
    result.mkdir(exist_ok=True)
    (result / "losses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found), "utf-8")
    tokens = sum(row["tokens"] for row in found)
    loss = sum(row["loss"] * row["tokens"] for row in found) / tokens
    return {
        "rows": len(found),
        "rows_left_out": left_out,
        "tokens": tokens,
        "loss": loss,
        "perplexity": math.exp(loss),
        "merge_error": lost,
    }


@torch.inference_mode()
def _losses(model: Any, tokenizer: PreTrainedTokenizerBase, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = [(row["sample_id"], _asked(tokenizer, row["prompt"]), row_tokens(tokenizer, row)) for row in rows]
    batch = {"input_ids": [ids for _, _, ids in kept]}
    padded = tokenizer.pad(batch, padding_side="right", return_tensors="pt").to(model.device)
    logits = model(**padded, use_cache=False).logits[:, :-1].float()
    nats = torch.nn.functional.cross_entropy(logits.transpose(1, 2), padded["input_ids"][:, 1:], reduction="none")
    found = []
    for (name, asked, ids), each in zip(kept, nats, strict=True):
        learned = each[asked - 1 : len(ids) - 1]
        found.append({"sample_id": name, "loss": float(learned.mean()), "tokens": len(learned)})
    return found


def _asked(tokenizer: PreTrainedTokenizerBase, prompt: list[dict[str, str]]) -> int:
    """Tokens before the first of the completion."""
    return len(tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=True)["input_ids"])
