"""What every trainer is told alike: steps, rates, precision, checkpoints, seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forge_assets.training.jobs.spec import TrainingJob
from forge_assets.training.trainers.distributed import distributed_arguments


def common_arguments(job: TrainingJob, work: Path, *, cuda: bool) -> dict[str, Any]:
    """Arguments of `TrainingArguments` and its kin for a job whose checkpoints go to `work`."""
    return {
        "output_dir": str(work),
        "max_steps": job.steps,
        "per_device_train_batch_size": job.batch_size,
        "gradient_accumulation_steps": job.accumulation,
        "learning_rate": job.learning_rate,
        "lr_scheduler_type": job.scheduler,
        "warmup_steps": round(job.warmup_ratio * job.steps),
        "weight_decay": job.weight_decay,
        # TRL turns bf16 and checkpointing on by default: on a CPU without bf16 units that is 14 times slower.
        "bf16": "bfloat16" in (job.precision, job.compute),
        "gradient_checkpointing": job.gradient_checkpointing,
        "use_cpu": not cuda,
        # TRL adds the loss that balances experts, at the weight in the model's config: with a frozen router it only
        # disturbs, and a loss is then no longer comparable with that of an evaluation.
        "router_aux_loss_coef": 0.0,
        "include_num_input_tokens_seen": "all",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # it logs an average instead, and nobody learns that training diverged
        "save_strategy": "steps",
        "save_steps": job.checkpoint_every,
        "save_total_limit": 2,
        "seed": job.seed,
        "data_seed": job.seed,
        "report_to": "none",  # what goes to W&B is what goes to metrics.jsonl, see Progress
        "disable_tqdm": True,
        **distributed_arguments(job),
    }
