"""Training steps of our trainer against plain TRL `SFTTrainer`, same model, rows, seed and steps: tokens/s and loss.

The peer runs in fp32 without gradient checkpointing, as ours does: its defaults are far slower on a CPU. It runs twice,
with glibc's allocator as a plain script has it and with the worker's settings. Each runs in a process of its own.

Run: python bench/sft_step.py MODEL_FOLDER DATASET.jsonl [--steps 12] [--lora 16] [--profile]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from forge_resources.launchers.base import ENVIRONMENT

WARM = 2
RUNS = {"SFTTrainer": {}, "SFTTrainer, our allocator": ENVIRONMENT, "ours": ENVIRONMENT}


def main() -> None:
    """Print a line for each and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--lora", type=int, help="rank; without it every weight is trained")
    parser.add_argument("--max-length", type=int, default=320)
    parser.add_argument("--profile", action="store_true", help="also where the time of the last steps goes")
    parser.add_argument("--only", choices=RUNS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(measure(given)))
        return
    found = {}
    for name, settings in RUNS.items():
        command = [sys.executable, __file__, *sys.argv[1:], "--only", name]
        done = subprocess.run(command, env=os.environ | settings, stdout=subprocess.PIPE, encoding="utf-8", check=True)
        found[name] = json.loads(done.stdout.splitlines()[-1])
        told = found[name]
        print(
            f"{name:28s} {told['tokens_per_second']:7.1f} tokens/s {told['seconds']:6.2f} s/step  "
            f"loss {told['first']:.5f} -> {told['last']:.5f}",
            flush=True,
        )
        for part, share in told.get("profile", {}).items():
            print(f"    {share:5.1%} {part}")
    ours = found["ours"]["tokens_per_second"]
    for name in list(RUNS)[:2]:
        print(f"ours / {name}: {ours / found[name]['tokens_per_second']:.2f}")


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Seconds a step and tokens (padding not counted) a second after the first steps; first and last loss."""
    from datasets import Dataset
    from torch.profiler import ProfilerActivity, profile
    from trl import SFTConfig, SFTTrainer

    from forge_assets.training.jobs.spec import Lora, SftJob
    from forge_assets.training.models.adapters import lora_config
    from forge_assets.training.models.fitting_rows import row_tokens
    from forge_assets.training.models.loading import load_model, load_tokenizer
    from forge_assets.training.trainers.arguments import common_arguments
    from forge_assets.training.trainers.sft import _arguments
    from forge_assets.training.trainers.sft_trainer import CompletionTrainer
    from forge_resources.storage.json_lines import read_json_lines

    lora = Lora(rank=given.lora, alpha=given.lora) if given.lora else None
    job = SftJob(
        base="0" * 64,
        dataset="0" * 64,
        lora=lora,
        learning_rate=1e-3 if lora else 5e-4,
        batch_size=given.batch,
        steps=given.steps,
        max_length=given.max_length,
        checkpoint_every=10**6,
    )
    tokenizer = load_tokenizer(given.model)
    rows = [row for row in read_json_lines(given.dataset) if len(row_tokens(tokenizer, row)) <= job.max_length]
    with tempfile.TemporaryDirectory() as work:
        common = common_arguments(job, Path(work), cuda=False) | {"report_to": []}
        model = load_model(given.model, "float32", "none")
        named = {
            "model": model,
            "train_dataset": Dataset.from_list([{"prompt": r["prompt"], "completion": r["completion"]} for r in rows]),
            "processing_class": tokenizer,
            "peft_config": lora_config(lora, model) if lora else None,
        }
        if given.only == "ours":
            arguments = _arguments(job, Path(work))
            arguments.report_to = []
            trainer = CompletionTrainer(args=arguments, **named)
        else:
            trainer = SFTTrainer(args=SFTConfig(**common, max_length=job.max_length), **named)
        stamps, tokens, recorded = [], [], profile(activities=[ProfilerActivity.CPU])
        step = trainer.training_step

        def timed(model: Any, inputs: Any, *more: Any, **further: Any) -> Any:
            stamps.append(time.perf_counter())
            mask = inputs.get("attention_mask")
            tokens.append(int(mask.sum()) if mask is not None else inputs["input_ids"].numel())
            if given.profile and len(stamps) == given.steps - 3:
                recorded.start()
            return step(model, inputs, *more, **further)

        trainer.training_step = timed
        trainer.train()
        stamps.append(time.perf_counter())
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    end = given.steps - 4 if given.profile else given.steps
    seconds = stamps[end] - stamps[WARM]
    told = {
        "seconds": seconds / (end - WARM),
        "tokens_per_second": sum(tokens[WARM:end]) / seconds,
        "first": losses[0],
        "last": sum(losses[-5:]) / 5,
    }
    if given.profile:
        recorded.stop()
        events = recorded.key_averages()
        whole = sum(event.self_cpu_time_total for event in events)
        largest = sorted(events, key=lambda event: -event.self_cpu_time_total)[:12]
        told["profile"] = {event.key: event.self_cpu_time_total / whole for event in largest}
    return told


if __name__ == "__main__":
    main()
