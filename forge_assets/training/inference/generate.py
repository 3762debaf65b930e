"""Answer prompts in batches. Every answer is kept as soon as it ends, and what is kept is not asked again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import LogitsProcessorList, StoppingCriteriaList

from forge_assets.training.inference.answer_file import AnswerFile
from forge_assets.training.inference.constrained import HeldToSchema, Schemas
from forge_assets.training.inference.decoding import SeededDraw, UntilStopped
from forge_assets.training.jobs.spec import GenerateJob, Sampling
from forge_assets.training.models.loading import load_tuned
from forge_assets.training.runtime.progress import Progress
from forge_resources.processes.interrupt import Interrupt
from forge_resources.storage.json_lines import read_json_lines

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def generate(
    job: GenerateJob, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt
) -> dict[str, Any]:
    """Write `result/answers.jsonl`, one object per prompt with `sample_id` and `answer`.

    Raises:
        Interrupted: stopped early; the answers so far are kept.
    """
    with interrupt.at_once():
        model, tokenizer, lost = load_tuned(paths, job.base, job.adapter, job.precision, job.quantisation)
    prompts, result = paths[job.prompts], work / "result"
    measured = answer_prompts(model, tokenizer, prompts, job.sampling, result, progress, interrupt)
    return measured | {"merge_error": lost}


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

    Where a row has `schema`, a JSON Schema as text, its answer keeps to it as far as it goes: at the most tokens
    allowed it is cut like any other.

    What is drawn for a sample depends on its id and the seed alone, so an interrupted run gives the answers that an
    undisturbed one gives, as far as the arithmetic of a batch does not depend on its other rows.

    Returns:
        Answers, new tokens, seconds and tokens per second.

    Raises:
        Interrupted: stopped early; the answers that had ended are kept.
        ValueError: a schema cannot be followed.
    """
    result.mkdir(parents=True, exist_ok=True)
    rows = {row["sample_id"]: row for row in read_json_lines(prompts)}
    texts = {
        name: str(tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True))
        for name, row in rows.items()
    }
    wanted = {name: row["schema"] for name, row in rows.items() if row.get("schema")}
    schemas = Schemas(wanted, tokenizer, stop_tokens(model, tokenizer))
    kept = AnswerFile(result / "answers.jsonl")
    # Prompts that end alike ask for answers of like length: a batch runs as long as its longest answer.
    left = sorted(texts.keys() - kept.done, key=lambda name: (texts[name][-100:], len(texts[name]), name))
    batches = [left[i : i + sampling.batch_size] for i in range(0, len(left), sampling.batch_size)]
    model.eval()
    progress.phase("answering", answers=len(rows))
    tokens, started = 0, time.time()
    for batch in batches:
        interrupt.check()
        new = _answer(model, tokenizer, {name: texts[name] for name in batch}, sampling, schemas, kept, interrupt)
        tokens += new
        progress.metrics(answered=len(kept.done), answers=len(rows), new_tokens=new)
        progress.say(f"answered {len(kept.done)}/{len(rows)}")
    kept.put_in_order(list(rows))
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
    texts: dict[str, str],
    sampling: Sampling,
    schemas: Schemas,
    kept: AnswerFile,
    interrupt: Interrupt,
) -> int:
    """Answer one batch, keeping each answer as it ends; returns the number of new tokens."""
    names = list(texts)
    inputs = tokenizer(list(texts.values()), return_tensors="pt", padding=True, padding_side="left",
                       add_special_tokens=False).to(model.device)  # fmt: skip
    asked = inputs["input_ids"].shape[1]
    stops = stop_tokens(model, tokenizer)

    def ended(row: int, new: torch.Tensor) -> None:
        kept.keep(names[row], str(tokenizer.decode(new, skip_special_tokens=True)))

    until = UntilStopped(asked, stops, ended, interrupt)
    held = HeldToSchema(schemas.matchers(names), asked, stops)
    draw = [SeededDraw(names, asked, sampling)] if sampling.temperature > 0 else []
    with torch.inference_mode():
        output = model.generate(
            **inputs,
            do_sample=False,
            logits_processor=LogitsProcessorList([held, *draw]),
            stopping_criteria=StoppingCriteriaList([until]),
            max_new_tokens=sampling.max_new_tokens,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=stops,
        )
    interrupt.check()
    for row in range(len(names)):
        if row not in until.lengths:  # cut at the most tokens allowed
            until.lengths[row] = output.shape[1] - asked
            ended(row, output[row, asked:])
    return sum(until.lengths.values())


def stop_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Tokens that end an answer: the tokenizer's and those that the model's generation config names."""
    named = model.generation_config.eos_token_id
    listed = named if isinstance(named, list) else [named]
    return sorted({tokenizer.eos_token_id, *listed} - {None})
