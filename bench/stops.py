"""Seconds from SIGTERM to the end of a worker on a real model, in each phase of each kind of job.

Run: python -m bench.stops MODEL_FOLDER DATASET.jsonl [--questions QUESTIONS.jsonl --laws LAWS.jsonl]

The rows have sample_id, prompt and completion as chat messages, as in `<data>/datasets`. Questions and laws are those
of a GRPO job, which bench/grpo.py leaves there too; without them GRPO is left out.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from forge_assets.training.jobs.spec import EvaluateJob, GenerateJob, GrpoJob, Job, Lora, Probe, Sampling, SftJob
from forge_resources.presentation.markdown import markdown
from forge_resources.processes.interrupt import INTERRUPTED
from forge_resources.storage.json_lines import read_json_lines
from tests.training.job_runs import BASE, Moment, Runs, Workers, lines, values

Data = dict[str, str]
"""Which rows, to their digest."""


def main() -> None:
    """Print a row a phase."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--laws", type=Path)
    given = parser.parse_args()
    files = {"rows": given.dataset, "questions": given.questions, "laws": given.laws}
    rows = {name: read_json_lines(file) for name, file in files.items() if file}
    found, workers, root = [], Workers(threads=os.cpu_count() or 1), Path(tempfile.mkdtemp())
    for phase, (moment, spec) in PHASES.items():
        if "GRPO" in phase and len(rows) < len(files):
            continue
        runner = Runs(root / phase.replace(" ", "-"), given.model, workers)
        job = spec({name: runner.jobs.dataset(found) for name, found in rows.items()})
        at: list[float] = []

        def reached(folder: Path, moment: Moment = moment, at: list[float] = at) -> bool:
            if moment(folder):
                at.append(time.perf_counter())
            return bool(at)

        status, folder = runner.break_off(job, reached, signal.SIGTERM)
        seconds = time.perf_counter() - at[0]
        assert status == INTERRUPTED, (folder / "log.txt").read_text("utf-8")
        steps, kept = values(folder, "step"), lines(folder / "work" / "result", "answers.jsonl")
        saved = sorted(int(path.name[11:]) for path in (folder / "work").glob("checkpoint-*"))
        found.append({"stopped while": phase, "seconds": round(seconds, 2), "steps done": max(steps, default=0),
                      "newest checkpoint": max(saved, default=0), "answers kept": len(kept)})  # fmt: skip
        print(found[-1], flush=True)
    workers.close()
    print(markdown(pl.DataFrame(found)))


def _sft(data: Data, steps: int, probe: bool = False) -> Job:
    return SftJob(
        base=BASE, dataset=data["rows"], lora=Lora(rank=16, alpha=16), learning_rate=1e-3, batch_size=4, steps=steps,
        max_length=320, checkpoint_every=2, probe=Probe(prompts=data["rows"], sampling=SAMPLING) if probe else None,
    )  # fmt: skip


def _grpo(data: Data) -> Job:
    return GrpoJob(
        base=BASE, adapter=None, questions=data["questions"], laws=data["laws"], learning_rate=1e-6, batch_size=4,
        accumulation=4, group=8, steps=20, max_prompt=320, max_new_tokens=96, checkpoint_every=1,
    )  # fmt: skip


def _after(seconds: float, moment: Moment) -> Moment:
    """That long after a moment, so that the work that follows it is under way."""
    since: list[float] = []

    def reached(folder: Path) -> bool:
        if not since and moment(folder):
            since.append(time.perf_counter())
        return bool(since) and time.perf_counter() - since[0] >= seconds

    return reached


def _in_phase(name: str) -> Moment:
    return lambda folder: name in values(folder, "phase")


def _step(count: int) -> Moment:
    return lambda folder: count in values(folder, "step")


def _writes(folder: Path) -> bool:
    """A checkpoint is being written."""
    return any(not (path / "seal.json").exists() for path in (folder / "work").glob("checkpoint-*"))


SAMPLING = Sampling(max_new_tokens=192, batch_size=44, temperature=0.7, seed=1)
PHASES: dict[str, tuple[Moment, Callable[[Data], Job]]] = {
    "loading weights": (_after(0.3, _in_phase("loading")), lambda data: _sft(data, 50)),
    "a training step": (_after(1.0, _step(2)), lambda data: _sft(data, 50)),
    "writing a checkpoint": (_writes, lambda data: _sft(data, 50)),
    "answers of a trial": (_after(5.0, _step(2)), lambda data: _sft(data, 2, probe=True)),
    "generating": (
        _after(5.0, _in_phase("loading")),
        lambda data: GenerateJob(base=BASE, prompts=data["rows"], sampling=SAMPLING),
    ),
    "evaluating": (
        _after(5.0, _in_phase("loading")),
        lambda data: EvaluateJob(base=BASE, dataset=data["rows"], batch_size=8),
    ),
    "GRPO, answering": (_after(5.0, _step(1)), _grpo),
}

if __name__ == "__main__":
    main()
