"""One training step of our trainer against plain TRL `SFTTrainer` on the same model, data and seed: seconds and loss.

Run: python bench/sft_step.py MODEL_FOLDER DATASET.jsonl [STEPS]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from datasets import Dataset
from trl import SFTTrainer

from forge_assets.training.job import SftJob
from forge_assets.training.sft import CompletionTrainer, _arguments
from forge_assets.training.weights import load_model, load_tokenizer


def measure(trainer: type[Any], folder: Path, rows: Dataset, steps: int) -> tuple[float, float]:
    """Seconds per step without the first two, and the mean loss of the last five steps."""
    job = SftJob(
        base="0" * 64,
        dataset="0" * 64,
        lora=None,
        learning_rate=5e-4,
        batch_size=4,
        steps=steps,
        checkpoint_every=10**6,
    )
    with tempfile.TemporaryDirectory() as work:
        arguments = _arguments(job, Path(work))
        arguments.report_to = []
        run = trainer(
            model=load_model(folder, "float32", "none"),
            args=arguments,
            train_dataset=rows,
            processing_class=load_tokenizer(folder),
        )
        stamps: list[float] = []
        step = run.training_step

        def timed(*given: Any, **named: Any) -> Any:
            stamps.append(time.perf_counter())
            return step(*given, **named)

        run.training_step = timed
        run.train()
        stamps.append(time.perf_counter())
    losses = [entry["loss"] for entry in run.state.log_history if "loss" in entry]
    return (stamps[-1] - stamps[2]) / (len(stamps) - 3), sum(losses[-5:]) / 5


if __name__ == "__main__":
    model, data, steps = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 12
    parsed = [json.loads(line) for line in data.read_text().splitlines()]
    dataset = Dataset.from_list([{"prompt": r["prompt"], "completion": r["completion"]} for r in parsed])
    peer, peer_loss = measure(SFTTrainer, model, dataset, steps)
    ours, our_loss = measure(CompletionTrainer, model, dataset, steps)
    print(f"SFTTrainer {peer:.2f} s/step, loss {peer_loss:.5f}; ours {ours:.2f} s/step, loss {our_loss:.5f}")
    print(f"ratio {peer / ours:.2f}")
