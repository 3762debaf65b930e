"""What happens between training steps, for every trainer: metrics, whole checkpoints, and stopping when asked to."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from forge_assets.training.runtime.checkpoints import seal
from forge_assets.training.runtime.progress import Progress
from forge_assets.training.trainers.distributed import agreed, together
from forge_resources.processes.interrupt import Interrupt
from forge_resources.processes.ranks import rank

SAY_EVERY = 10.0
"""Seconds between two lines for people, or a step where that takes longer."""


class Watch(TrainerCallback):  # type: ignore[misc]
    """Streams metrics, marks whole checkpoints, and stops with a checkpoint when asked to.

    Every number that the trainer logs at a step goes into the stream under the trainer's name for it. Added are
    `tokens` of the step, `step_seconds` from its first batch to its loss, `data_seconds` waited for its batches before
    that, and `tokens_per_second` over both.
    """

    def __init__(self, progress: Progress, interrupt: Interrupt) -> None:
        self._progress = progress
        self._interrupt = interrupt
        self._free = self._began = time.perf_counter()
        self._tokens = 0
        self._said = 0.0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._progress.phase("training", from_step=state.global_step, steps=state.max_steps)
        self._free = self._said = time.perf_counter()
        self._tokens = int(state.num_input_tokens_seen)

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        # The trainer fetches all batches of a step before it begins the step.
        self._began = time.perf_counter()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        control.should_save |= self._to_stop(control)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        together()
        if rank() == 0:
            seal(Path(str(args.output_dir)) / f"checkpoint-{state.global_step}")
        now = time.perf_counter()
        self._progress.metrics(checkpoint=state.global_step, checkpoint_seconds=round(now - self._free, 4))
        self._free = now
        self._to_stop(control)

    def _to_stop(self, control: TrainerControl) -> bool:
        """Stop training if any of its processes was asked to; whether it was."""
        self._interrupt.reason = agreed(self._interrupt.reason)
        if self._interrupt.reason:
            control.should_training_stop = True
        return bool(self._interrupt.reason)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        if not logs or "loss" not in logs:
            return
        if not (math.isfinite(logs["loss"]) and math.isfinite(logs.get("grad_norm") or 0.0)):
            raise FloatingPointError(
                f"step {state.global_step}: the loss or its gradient is no longer a number: lower the learning rate"
            )
        now = time.perf_counter()  # the loss was fetched: a GPU is done with the step
        seen = int(state.num_input_tokens_seen)
        tokens, self._tokens = seen - self._tokens, seen
        self._progress.metrics(
            **{name: value for name, value in logs.items() if isinstance(value, int | float)}
            | {
                "step": state.global_step,
                "tokens": tokens,
                "tokens_per_second": round(tokens / (now - self._free), 1),
                "step_seconds": round(now - self._began, 4),
                "data_seconds": round(self._began - self._free, 4),
            }
        )
        if now - self._said >= SAY_EVERY or state.global_step == state.max_steps:
            self._said, left = now, (state.max_steps - state.global_step) * (now - self._free)
            self._progress.say(
                f"step {state.global_step}/{state.max_steps}: loss {logs['loss']:.3f}, {now - self._free:.1f} s/step, "
                f"some {left:.0f} s left"
            )
        self._free = time.perf_counter()
