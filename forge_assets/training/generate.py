"""Answer prompts in batches; goes on at the batch after the last one written."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from forge_assets.training.interrupt import Interrupt
from forge_assets.training.job import GenerateJob, Sampling
from forge_assets.training.progress import Progress
from forge_assets.training.weights import load_model, load_tokenizer, model_folder, with_adapter

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def generate(
    job: GenerateJob, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt
) -> dict[str, Any]:
    """Write `result/answers.jsonl`, one object per prompt with `sample_id` and `answer`.

    Raises:
        Interrupted: stopped early; the answers so far are kept.
    """
    base = model_folder(paths[job.base])
    model = load_model(base, job.precision, job.quantisation)
    if job.adapter:
        model = with_adapter(model, paths[job.adapter] / "adapter")
    tokenizer = load_tokenizer(base)
    return answer_prompts(model, tokenizer, paths[job.prompts], job.sampling, work / "result", progress, interrupt)


def answer_prompts(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Path,
    sampling: Sampling,
    result: Path,
    progress: Progress,
    interrupt: Interrupt,
) -> dict[str, Any]:
    """Answer every row of `prompts` (JSONL: sample_id, prompt as chat messages) into `result/answers.jsonl`.

    Sampling is seeded by batch, so an interrupted run gives the answers that an undisturbed one gives.

    Returns:
        Answers, new tokens, seconds and tokens per second.
    """
    result.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in prompts.read_text().splitlines()]
    texts = [tokenizer.apply_chat_template(r["prompt"], tokenize=False, add_generation_prompt=True) for r in rows]
    # Prompts that end alike ask for answers of like length: a batch runs as long as its longest answer.
    order = sorted(range(len(rows)), key=lambda i: (texts[i][-100:], len(texts[i]), rows[i]["sample_id"]))
    batches = [order[i : i + sampling.batch_size] for i in range(0, len(order), sampling.batch_size)]
    file = result / "answers.jsonl"
    done = _whole_batches(file, batches)
    model.eval()
    tokens, started = 0, time.time()
    for index, batch in enumerate(batches):
        if index < done:
            continue
        interrupt.check()
        answers, new = _answer(model, tokenizer, [texts[i] for i in batch], sampling, index)
        tokens += new
        with file.open("a") as stream:
            for i, answer in zip(batch, answers, strict=True):
                line = {"sample_id": rows[i]["sample_id"], "answer": answer}
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        progress.metrics(batch=index + 1, batches=len(batches), new_tokens=new)
        progress.say(f"answered {min((index + 1) * sampling.batch_size, len(rows))}/{len(rows)}")
    seconds = time.time() - started
    return {
        "answers": len(rows),
        "new_tokens": tokens,
        "generate_seconds": round(seconds, 2),
        "generate_tokens_per_second": round(tokens / seconds, 1) if seconds else None,
    }


def _answer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: list[str],
    sampling: Sampling,
    index: int,
) -> tuple[list[str], int]:
    seed = hashlib.sha256(f"{sampling.seed}:{index}".encode()).digest()
    torch.manual_seed(int.from_bytes(seed[:4]))
    inputs = tokenizer(texts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False)
    inputs = inputs.to(model.device)
    drawn: dict[str, Any] = {"do_sample": False}
    if sampling.temperature > 0:
        drawn = {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}
    with torch.inference_mode():
        output = model.generate(
            **inputs,
            **drawn,
            max_new_tokens=sampling.max_new_tokens,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    new = output[:, inputs["input_ids"].shape[1] :]
    stop = new == tokenizer.eos_token_id
    lengths = torch.where(stop.any(1), stop.int().argmax(1) + 1, new.shape[1])
    return tokenizer.batch_decode(new, skip_special_tokens=True), int(lengths.sum())


def _whole_batches(file: Path, batches: list[list[int]]) -> int:
    """How many batches are fully written; a half-written tail is cut off."""
    if not file.exists():
        return 0
    lines = file.read_text().splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    kept, done = 0, 0
    for batch in batches:
        if kept + len(batch) > len(whole):
            break
        kept += len(batch)
        done += 1
    file.write_text("".join(whole[:kept]))
    return done
