"""Supervised fine-tuning with TRL: LoRA, QLoRA or every weight; resumes from its last whole checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import prepare_model_for_kbit_training
from transformers import PreTrainedModel
from trl import SFTConfig

from forge_assets.training.inference.generate import answer_prompts
from forge_assets.training.jobs.spec import SftJob
from forge_assets.training.models.adapters import for_answers, lora_config
from forge_assets.training.models.chat_template import check_rows
from forge_assets.training.models.citation_tokens import read_tokens
from forge_assets.training.models.fitting_rows import fitting
from forge_assets.training.models.loading import load_model, load_tokenizer, model_folder, to_answer, with_adapter
from forge_assets.training.models.packed_attention import attend_as_before
from forge_assets.training.runtime.progress import Progress
from forge_assets.training.trainers.arguments import common_arguments
from forge_assets.training.trainers.callback import Watch
from forge_assets.training.trainers.distributed import check_enough, end_together, ready
from forge_assets.training.trainers.faster_rows import FasterRows
from forge_assets.training.trainers.loop import run_to_end, save_result
from forge_assets.training.trainers.sft_trainer import CompletionTrainer
from forge_resources.processes.interrupt import Interrupt
from forge_resources.processes.ranks import is_sharded, rank
from forge_resources.storage.json_lines import read_json_lines


def train(job: SftJob, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt) -> dict[str, Any]:
    """Train, save `result/adapter` or `result/model`, and answer the probe's prompts if the job has one.

    Returns:
        What was measured: steps, tokens, seconds, final loss and how many rows were left out for their length.

    Raises:
        Interrupted: stopped early; a checkpoint holds everything done.
        FloatingPointError: the loss is no longer a number.
        ValueError: no row fits into `max_length`, or the template asks for an answer otherwise than it shows one.
    """
    base, arguments = model_folder(paths[job.base]), ready(job, _arguments(job, work))
    tokenizer, tokens = load_tokenizer(base), read_tokens(base)
    with interrupt.at_once():
        model = load_model(base, job.precision, job.quantisation)
    if job.quantisation != "none":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=job.gradient_checkpointing)
    given = read_json_lines(paths[job.dataset])
    check_rows(tokenizer, given[:2])
    rows, left_out = fitting(tokenizer, given, job.max_length, progress)
    watch = Watch(progress, interrupt)
    trainer = CompletionTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list([{"prompt": r["prompt"], "completion": r["completion"]} for r in rows]),
        processing_class=tokenizer,
        peft_config=lora_config(job.lora, model, tokens) if job.lora else None,
        weights={token.id: job.citation_weight for token in tokens},
        callbacks=[watch],
    )
    if tokens and job.lora is None and job.citation_rate != 1.0:
        trainer.add_callback(FasterRows(model, [token.id for token in tokens], job.citation_rate))
    check_enough(job, len(trainer.train_dataset))
    measured = run_to_end(trainer, job, work, progress, interrupt) | {"rows_left_out": left_out}
    attend_as_before(model)
    progress.phase("saving")
    result = save_result(trainer, tokenizer, tokens, job, work, adapter=job.lora is not None)
    if rank():
        return {}
    if job.probe:
        if is_sharded():
            trainer.model = trainer.model_wrapped = model = None  # the shards make room for the whole
            trainer.accelerator.free_memory()
            tuned = _read_back(job, base, result)
        else:
            tuned = for_answers(trainer.model).model if job.lora else trainer.model
        measured |= answer_prompts(
            to_answer(tuned, job),
            tokenizer,
            paths[job.probe.prompts],
            job.probe.sampling,
            result,
            progress,
            interrupt,
            tokens=tokens,
        )
    return measured


def _read_back(job: SftJob, base: Path, result: Path) -> PreTrainedModel:
    """The model just trained as one whole, for no process holds it all."""
    end_together()
    if job.lora is None:
        return load_model(result / "model", job.precision, job.quantisation)
    return with_adapter(load_model(base, job.precision, job.quantisation), result / "adapter").model


def _arguments(job: SftJob, work: Path) -> SFTConfig:
    packed = job.batching == "packed"
    return SFTConfig(
        **common_arguments(job, work, cuda=torch.cuda.is_available()),
        # Rows lie one behind the other, so nothing is padded; what is too long was left out, so nothing is cut.
        padding_free=True,
        packing=packed,
        max_length=job.max_length if packed else None,
    )
