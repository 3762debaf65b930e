"""One process, one job: read the spec, do it, write the result whole or not at all, exit.

Run: python -m forge_assets.training.worker.main JOB_FOLDER

The folder holds `job.json` (the spec) and `launch.json` (see `LaunchFile`). The worker adds
`metrics.jsonl` while it runs, `work/` for checkpoints, then `result/` and last `record.json`. Exit status 75 means
interrupted with a checkpoint written: the same call goes on from there.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from dagster_pipes import PipesContext, open_dagster_pipes

from forge_assets.training.jobs.spec import Job, Training, parse_job
from forge_assets.training.runtime.checkpoints import remove_torn
from forge_assets.training.runtime.progress import Progress
from forge_assets.training.worker import page_cache
from forge_assets.training.worker.diagnosis import cause_of, explain_failure
from forge_resources.monitoring.wandb import Tracker
from forge_resources.processes.interrupt import INTERRUPTED, Interrupt, Interrupted
from forge_resources.processes.ranks import first_to_fail, rank, world_size
from forge_resources.storage.launch_file import LaunchFile

WORK = {
    "sft": ("forge_assets.training.trainers.sft", "train"),
    "grpo": ("forge_assets.training.trainers.grpo", "train"),
    "generate": ("forge_assets.training.inference.generate", "generate"),
    "evaluate": ("forge_assets.training.inference.evaluate", "evaluate"),
    "export": ("forge_assets.training.inference.export", "export"),
    "tokens": ("forge_assets.training.models.vocabulary", "add_citation_tokens"),
    "vocabulary": ("forge_assets.training.models.trimmed_vocabulary", "trim_vocabulary"),
    "gguf": ("forge_assets.training.gguf.export", "export"),
    "gguf_answers": ("forge_assets.training.gguf.answers", "answer"),
    "cut": ("forge_assets.training.inference.layer_pruning", "cut"),
}
"""Kind of job to the module and function that does it; imported when it is needed, for torch is heavy."""


def main(folder: Path) -> int:
    """Run the job in `folder`; returns the exit status."""
    if "DAGSTER_PIPES_CONTEXT" not in os.environ or rank():
        return _run(folder, None)
    with open_dagster_pipes() as pipes:
        return _run(folder, pipes)


def _run(folder: Path, pipes: PipesContext | None) -> int:
    interrupt = Interrupt()
    job = parse_job((folder / "job.json").read_text("utf-8"))
    paths = LaunchFile.read(folder).paths
    work = folder / "work"
    work.mkdir(exist_ok=True)
    if rank() == 0 and (folder / "result").exists() and not (work / "result").exists():
        os.replace(folder / "result", work / "result")  # killed before its record: what is there is not made again
    progress = _progress(folder, pipes, job)
    started = time.time()
    try:
        progress.start(job.kind)
        interrupt.check()
        measured = _do(job, paths, work, progress, interrupt)
        if rank() == 0:
            _finish(folder, job, progress, started, measured)
    except Interrupted as reason:
        progress.attempt(started, "interrupted", str(reason))
        return INTERRUPTED
    except Exception as error:
        if interrupt.reason and world_size() > 1:  # what is missing is another rank, which was first to stop
            progress.attempt(started, "interrupted", interrupt.reason)
            return INTERRUPTED
        if not first_to_fail(work):
            return 1
        traceback.print_exc()
        remove_torn(work)  # on a full disk, also the room to write what follows
        said = explain_failure(error)
        print(said, flush=True)
        progress.attempt(started, "failed", said, cause_of(error))
        return 1
    page_cache.drop(path for path in paths.values() if path.is_dir())
    return 0


def _finish(folder: Path, job: Job, progress: Progress, started: float, measured: dict[str, Any]) -> None:
    """Put the result in its place, then say so; the checkpoints go last, for until then they are needed."""
    shutil.rmtree(folder / "result", ignore_errors=True)
    os.replace(folder / "work" / "result", folder / "result")
    progress.attempt(started, "finished", "")
    progress.record(job.kind, measured)
    shutil.rmtree(folder / "work")


def _progress(folder: Path, pipes: PipesContext | None, job: Job) -> Progress:
    if rank():
        from forge_assets.training.runtime.progress import Follower

        return Follower(folder, None)
    tracker = Tracker(folder.name, job.model_dump(mode="json")) if isinstance(job, Training) else None
    return Progress(folder, pipes, tracker)


def _do(job: Job, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt) -> dict[str, Any]:
    """Hand the job to the module that does its kind."""
    module, function = WORK[job.kind]
    done: dict[str, Any] = getattr(importlib.import_module(module), function)(job, paths, work, progress, interrupt)
    return done


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
