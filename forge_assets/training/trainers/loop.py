"""A trainer's way from its last whole checkpoint to its last step and its saved weights, whatever it trains by."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerState

from forge_assets.training.jobs.spec import TrainingJob
from forge_assets.training.models.citation_tokens import CitationToken, write_tokens
from forge_assets.training.runtime.checkpoints import last_whole
from forge_assets.training.runtime.matrix_speed import matrix_gflops
from forge_assets.training.runtime.progress import Progress
from forge_assets.training.trainers.distributed import from_first, load_checkpoint, parameters_held, save_whole
from forge_resources.processes.interrupt import Interrupt
from forge_resources.processes.ranks import rank

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def run_to_end(trainer: Any, job: TrainingJob, work: Path, progress: Progress, interrupt: Interrupt) -> dict[str, Any]:
    """Train to `job.steps`.

    Returns:
        What was measured: steps, tokens, seconds, the machine's matrix products, first loss, mean of the last five.

    Raises:
        Interrupted: stopped early; a checkpoint holds everything done.
    """
    checkpoint = from_first(lambda: last_whole(work))
    speed = matrix_gflops()
    resuming = f", resuming from {checkpoint.name}" if checkpoint else ""
    progress.say(f"training {job.steps} steps{resuming}; float32 matrix products: {speed:.0f} GFLOP/s")
    before = int(checkpoint.name.split("-")[1]) if checkpoint else 0
    started = time.time()
    if checkpoint and before == job.steps:  # stopped after its last step: Trainer would do one more
        load_checkpoint(trainer, checkpoint)
        trainer.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    else:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    seconds = time.time() - started
    if trainer.state.global_step < job.steps:
        interrupt.check()
    losses = logged(trainer, "loss")
    tokens = int(trainer.state.num_input_tokens_seen)
    share = (job.steps - before) / job.steps
    return {
        "steps": trainer.state.global_step,
        "resumed_from_step": before,
        "parameters_held": parameters_held(trainer.model),
        "train_seconds": round(seconds, 2),
        "matrix_gflops": speed,
        "tokens": tokens,
        "tokens_per_second": round(tokens * share / seconds, 1) if seconds else None,
        "loss_first": losses[0] if losses else None,
        "loss_last": mean(losses[-5:]),
    }


def logged(trainer: Any, name: str) -> list[float]:
    """What the trainer logged under that name, in order of steps."""
    return [float(entry[name]) for entry in trainer.state.log_history if name in entry]


def mean(values: Sequence[float]) -> float | None:
    """None of no values."""
    return sum(values) / len(values) if values else None


def save_result(
    trainer: Any,
    tokenizer: PreTrainedTokenizerBase,
    tokens: Sequence[CitationToken],
    job: TrainingJob,
    work: Path,
    *,
    adapter: bool,
) -> Path:
    """Write `result/adapter`, or `result/model` with its tokenizer; every process calls it, the first writes.

    Args:
        tokens: the base model's citation tokens.

    Returns:
        The folder `result`.
    """
    result = work / "result"
    if rank() == 0:
        shutil.rmtree(result, ignore_errors=True)
    save_whole(trainer, result / ("adapter" if adapter else "model"), job.precision)
    if rank() == 0 and not adapter:
        tokenizer.save_pretrained(result / "model")
        write_tokens(result / "model", tokens)
    return result
