"""Training steps with the worker's allocator settings against glibc's defaults: tokens per second, page faults.

Run: python bench/allocator.py MODEL_FOLDER
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time

from forge_resources.launchers.base import ENVIRONMENT

STEPS = 10


def steps(folder: str) -> None:
    """Full-parameter steps at varying sequence length, as real batches have; prints one line."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    lengths = random.Random(0)
    tokens, started = 0, time.time()
    for step in range(STEPS + 2):
        if step == 2:
            tokens, started = 0, time.time()
        ids = torch.randint(5, 1000, (4, lengths.randint(110, 190)))
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        tokens += ids.numel()
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    print(f"{tokens / (time.time() - started):.1f} {faults}")


def main(folder: str) -> None:
    """Run both and print the ratio."""
    found = {}
    for name, settings in (("glibc defaults", {}), ("worker settings", ENVIRONMENT)):
        done = subprocess.run(
            [sys.executable, __file__, folder, "steps"],
            env={**os.environ, **settings},
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        rate, faults = done.stdout.split()
        found[name] = float(rate)
        print(f"{name}: {rate} tokens/s, {faults} page faults")
    print(f"ratio {found['worker settings'] / found['glibc defaults']:.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        steps(sys.argv[1])
    else:
        main(sys.argv[1])
