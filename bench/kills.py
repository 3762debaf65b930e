"""SIGKILL at random moments of jobs on the miniature; their results against those of undisturbed runs, byte for byte.

Each job is started, killed after a random share of the time that it takes undisturbed, started again, and so on; the
last start is left alone.

Run: python -m bench.kills [--kills 100] [--seed 0]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl

from forge_assets.training.jobs.spec import GenerateJob, Job, Probe, Sampling, identity
from forge_assets.training.models.miniature import build
from forge_resources.presentation.markdown import markdown
from tests.training.job_runs import BASE, DRAWN, ENVIRONMENT, KINDS, Runs, Workers, dataset, training, values

STARTS = 5
"""Kills of one job before it is left alone."""


def main() -> None:
    """Print the digests, and in which phases the kills fell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    drawn, workers, root = random.Random(given.seed), Workers(), Path(tempfile.mkdtemp())
    build(root / "tiny", [Path("LICENSE")], layers=4, hidden=64)
    rows, phases, equal = [], Counter[str](), 0
    for kind, spec in JOBS.items():
        alone = Runs(root / kind / "undisturbed", root / "tiny", workers)
        began = time.perf_counter()
        wanted = _digest(alone.run(spec(alone)).result)
        seconds = time.perf_counter() - began
        killed, found, runs = 0, set(), 0
        while killed < given.kills / len(JOBS):
            runs += 1
            runner = Runs(root / kind / str(runs), root / "tiny", workers)
            job = spec(runner)
            for _ in range(STARTS):
                killed += _kill(runner, job, drawn.uniform(0, seconds), phases)
            found.add(_digest(runner.run(job).result))
        equal += found == {wanted}
        rows.append({"job": kind, "kills": killed, "runs": runs, "undisturbed": wanted[:16],
                     "after the kills": ", ".join(sorted(name[:16] for name in found))})  # fmt: skip
        print(rows[-1], flush=True)
    workers.close()
    print(markdown(pl.DataFrame(rows)))
    print("killed while:", dict(phases))
    print(f"{equal} of {len(rows)} kinds of job gave the same bytes every time")


def _kill(runner: Runs, job: Job, after: float, phases: Counter[str]) -> int:
    """1 if the worker was still at work then and was killed."""
    folder = runner.store.artefact(identity(job, ENVIRONMENT))
    if (folder / "record.json").exists():
        return 0
    due = time.perf_counter() + after
    try:
        status, _ = runner.break_off(job, lambda _: time.perf_counter() >= due, signal.SIGKILL)
    except ProcessLookupError:  # it had ended
        runner.workers.wait()
        return 0
    if status != -signal.SIGKILL:
        return 0
    named = values(folder, "phase")
    torn = any(not (path / "seal.json").exists() for path in (folder / "work").glob("checkpoint-*"))
    phases["writing a checkpoint" if torn else named[-1] if named else "starting"] += 1
    return 1


def _digest(result: Path) -> str:
    """SHA-256 over weights and answers."""
    whole = hashlib.sha256()
    for file in sorted([*result.rglob("*.safetensors"), *result.rglob("answers.jsonl")]):
        whole.update(file.read_bytes())
    return whole.hexdigest()


JOBS: dict[str, Callable[[Runs], Job]] = {
    "every weight": lambda runner: training(runner, steps=40),
    "LoRA, then answers": lambda runner: training(
        runner, steps=40, **KINDS["LoRA"], probe=Probe(prompts=dataset(runner), sampling=DRAWN)
    ),
    "answers": lambda runner: GenerateJob(
        base=BASE,
        prompts=dataset(runner),
        sampling=Sampling(max_new_tokens=200, batch_size=3, temperature=1.2, top_p=0.95, seed=1),
    ),
}

if __name__ == "__main__":
    os.environ["WANDB_MODE"] = "disabled"
    main()
