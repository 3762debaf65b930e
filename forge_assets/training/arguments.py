"""What every trainer is told alike: steps, rates, precision, checkpoints, seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forge_assets.training.job import TrainingJob


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
        "bf16": job.precision == "bfloat16",
        "gradient_checkpointing": job.gradient_checkpointing,
        "use_cpu": not cuda,
        "include_num_input_tokens_seen": "all",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # it logs an average instead, and nobody learns that training diverged
        "save_strategy": "steps",
        "save_steps": job.checkpoint_every,
        "save_total_limit": 2,
        "seed": job.seed,
        "data_seed": job.seed,
        "report_to": ["wandb"],
        "run_name": work.parent.name[:12],
        "disable_tqdm": True,
    }
