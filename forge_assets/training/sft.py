"""Supervised fine-tuning with TRL: LoRA, QLoRA or every weight; resumes from its last whole checkpoint."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import torch
import wandb
from datasets import Dataset
from peft import prepare_model_for_kbit_training
from transformers import TrainerState
from trl import SFTConfig, SFTTrainer

from forge_assets.training.adapters import lora_config
from forge_assets.training.checkpoints import last_whole
from forge_assets.training.generate import answer_prompts
from forge_assets.training.interrupt import Interrupt
from forge_assets.training.job import SftJob
from forge_assets.training.progress import Progress
from forge_assets.training.watch import Watch
from forge_assets.training.weights import load_model, load_tokenizer, model_folder


class CompletionTrainer(SFTTrainer):  # type: ignore[misc]
    """SFTTrainer that computes logits only where the completion is predicted: the same loss for less work.

    TRL computes the vocabulary's logits, their entropy and accuracy for prompt tokens too; with a small model and a
    large vocabulary that is much of a step (bench/sft_step.py).
    """

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        labels = inputs["labels"]
        learned = (labels[:, 1:] != -100).any(dim=0).nonzero().squeeze(1)
        outputs = model(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            logits_to_keep=learned,
            use_cache=False,
        )
        targets = labels[:, learned + 1]
        total = torch.nn.functional.cross_entropy(
            outputs.logits.flatten(0, 1).float(), targets.flatten(), ignore_index=-100, reduction="sum"
        )
        count = (targets != -100).sum() if num_items_in_batch is None else num_items_in_batch
        loss = total / count
        return (loss, outputs) if return_outputs else loss


def train(job: SftJob, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt) -> dict[str, Any]:
    """Train, save `result/adapter` or `result/model`, and answer the probe's prompts if the job has one.

    Returns:
        What was measured: steps, tokens, seconds and final loss.

    Raises:
        Interrupted: stopped early; a checkpoint holds everything done.
        FloatingPointError: the loss is no longer a number.
    """
    base = model_folder(paths[job.base])
    tokenizer = load_tokenizer(base)
    model = load_model(base, job.precision, job.quantisation)
    if job.quantisation != "none":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=job.gradient_checkpointing)
    rows = [json.loads(line) for line in paths[job.dataset].read_text().splitlines()]
    watch = Watch(progress, interrupt)
    trainer = CompletionTrainer(
        model=model,
        args=_arguments(job, work),
        train_dataset=Dataset.from_list([{"prompt": r["prompt"], "completion": r["completion"]} for r in rows]),
        processing_class=tokenizer,
        peft_config=lora_config(job.lora) if job.lora else None,
        callbacks=[watch],
    )
    checkpoint = last_whole(work)
    progress.say(f"training {job.steps} steps" + (f", resuming from {checkpoint.name}" if checkpoint else ""))
    before = int(checkpoint.name.split("-")[1]) if checkpoint else 0
    started = time.time()
    if checkpoint and before == job.steps:  # stopped while it answered the probe: Trainer would do one step more
        trainer._load_from_checkpoint(str(checkpoint))
        trainer.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    else:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    seconds = time.time() - started
    wandb.finish()
    if trainer.state.global_step < job.steps:
        interrupt.check()
    losses = [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    if not all(loss == loss for loss in losses):  # NaN is not itself
        raise FloatingPointError("the training loss became NaN: lower the learning rate")
    result = work / "result"
    shutil.rmtree(result, ignore_errors=True)
    trainer.save_model(str(result / ("model" if job.lora is None else "adapter")))
    if job.lora is None:
        tokenizer.save_pretrained(result / "model")
    tokens = int(trainer.state.num_input_tokens_seen)
    share = (job.steps - before) / job.steps
    measured: dict[str, Any] = {
        "steps": trainer.state.global_step,
        "resumed_from_step": before,
        "train_seconds": round(seconds, 2),
        "tokens": tokens,
        "tokens_per_second": round(tokens * share / seconds, 1) if seconds else None,
        "loss_first": losses[0] if losses else None,
        "loss_last": sum(losses[-5:]) / len(losses[-5:]) if losses else None,
    }
    if job.probe:
        tuned = trainer.model.merge_and_unload() if job.lora else trainer.model
        measured |= answer_prompts(
            tuned, tokenizer, paths[job.probe.prompts], job.probe.sampling, result, progress, interrupt
        )
    return measured


def _arguments(job: SftJob, work: Path) -> SFTConfig:
    cuda = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(work),
        max_steps=job.steps,
        per_device_train_batch_size=job.batch_size,
        gradient_accumulation_steps=job.accumulation,
        learning_rate=job.learning_rate,
        lr_scheduler_type=job.scheduler,
        warmup_steps=round(job.warmup_ratio * job.steps),
        weight_decay=job.weight_decay,
        max_length=job.max_length,
        # TRL turns bf16 and checkpointing on by default: on a CPU without bf16 units that is 14 times slower.
        bf16=job.precision == "bfloat16",
        gradient_checkpointing=job.gradient_checkpointing,
        use_cpu=not cuda,
        # Batches of like length would hold one task each, in order of length: the model then forgets task by task.
        train_sampling_strategy="random",
        include_num_input_tokens_seen="all",
        logging_steps=1,
        logging_nan_inf_filter=False,  # it logs an average instead, and nobody learns that training diverged
        save_strategy="steps",
        save_steps=job.checkpoint_every,
        save_total_limit=2,
        seed=job.seed,
        data_seed=job.seed,
        report_to=["wandb"],
        run_name=work.parent.name[:12],
        disable_tqdm=True,
    )
