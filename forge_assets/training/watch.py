"""What happens between training steps, for every trainer: metrics, whole checkpoints, and stopping when asked to."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from forge_assets.training.checkpoints import seal
from forge_assets.training.interrupt import Interrupt
from forge_assets.training.progress import Progress


class Watch(TrainerCallback):  # type: ignore[misc]
    """Streams metrics, marks whole checkpoints, and stops with a checkpoint when asked to."""

    def __init__(self, progress: Progress, interrupt: Interrupt) -> None:
        self._progress = progress
        self._interrupt = interrupt
        self._at = time.time()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self._interrupt.reason:
            control.should_save = True
            control.should_training_stop = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        seal(Path(str(args.output_dir)) / f"checkpoint-{state.global_step}")

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        if not logs or "loss" not in logs:
            return
        if not (math.isfinite(logs["loss"]) and math.isfinite(logs.get("grad_norm") or 0.0)):
            raise FloatingPointError(
                f"step {state.global_step}: the loss or its gradient is no longer a number: lower the learning rate"
            )
        now = time.time()
        seconds, self._at = now - self._at, now
        self._progress.metrics(
            step=state.global_step,
            loss=logs["loss"],
            grad_norm=logs.get("grad_norm"),
            learning_rate=logs.get("learning_rate"),
            seconds=round(seconds, 3),
        )
        if state.global_step % 10 == 0 or state.global_step == state.max_steps:
            self._progress.say(
                f"step {state.global_step}/{state.max_steps}: loss {logs['loss']:.3f}, {seconds:.1f} s/step"
            )
