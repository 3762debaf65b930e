"""What a model leaves behind: memory and page cache after a worker process ended, and after unloading in one process.

Run: python bench/giveback.py [MODEL_FOLDER] [ROUNDS]

Each round loads the model, answers eight prompts and lets it go. Page cache is counted by fincore (util-linux) over the
model's weight files, which are dropped from it before every round.
"""

from __future__ import annotations

import ctypes
import gc
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from forge_assets.training.jobs.spec import GenerateJob, Sampling
from forge_assets.training.jobs.worker_entry import WORKER
from forge_assets.training.runtime.progress import Progress
from forge_assets.training.worker import page_cache
from forge_assets.training.worker.page_cache import WEIGHTS
from forge_resources.config.data_folder import PROJECT
from forge_resources.launchers.base import run_directly
from forge_resources.storage.launch_file import LaunchFile

BASE, PROMPTS = "b" * 64, "d" * 64
SAMPLING = Sampling(max_new_tokens=16, batch_size=8)
ROWS = [{"sample_id": str(i), "prompt": [{"role": "user", "content": f"What does section {i} say?"}]} for i in range(8)]


def main(model: Path, rounds: int) -> None:
    """Print both, in MB (10^6 bytes)."""
    with tempfile.TemporaryDirectory() as scratch:
        prompts = Path(scratch) / "prompts.jsonl"
        prompts.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
        for number in range(rounds):
            page_cache.drop([model])
            rss, cached = _in_worker(Path(scratch) / f"job{number}", model, prompts), _cached(model)
            print(f"worker process, round {number + 1}: {rss:.0f} MB resident, {cached:.0f} MB page cache", flush=True)
        for way in ("del and gc", "del, gc and malloc_trim"):
            here = [sys.executable, __file__, "--in-process", way, str(model), str(prompts), scratch, str(rounds)]
            subprocess.run(here, check=True)
        print(f"and once that process has ended: {_cached(model):.0f} MB page cache")


def _in_worker(folder: Path, model: Path, prompts: Path) -> float:
    """Resident MB of the whole process tree above what it was before, once the worker has ended."""
    folder.mkdir()
    job = GenerateJob(base=BASE, prompts=PROMPTS, sampling=SAMPLING)
    (folder / "job.json").write_text(job.model_dump_json(), "utf-8")
    LaunchFile("answers", {BASE: model, PROMPTS: prompts}, WORKER).write(folder)
    before = _resident()
    run_directly(folder)
    return _resident() - before


def _in_process(way: str, model: Path, prompts: Path, scratch: Path, rounds: int) -> None:
    """Load, answer and unload in this process; its imports are not counted."""
    from forge_assets.training.inference.generate import answer_prompts
    from forge_assets.training.models.loading import load_model, load_tokenizer
    from forge_resources.processes.interrupt import Interrupt

    interrupt = Interrupt()
    before = _resident()
    for number in range(rounds):
        page_cache.drop([model])
        folder = scratch / f"{way} {number}"
        folder.mkdir()
        loaded, tokenizer = load_model(model, "float32", "none"), load_tokenizer(model)
        answer_prompts(loaded, tokenizer, prompts, SAMPLING, folder / "result", Progress(folder, None), interrupt)
        held = _resident() - before
        del loaded, tokenizer
        gc.collect()
        if "trim" in way:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        left = _resident() - before
        print(
            f"in process, {way}, round {number + 1}: {held:.0f} MB resident while loaded, {left:.0f} MB after, "
            f"{_cached(model):.0f} MB page cache",
            flush=True,
        )


def _resident() -> float:
    """MB of this process and those it started."""
    here = psutil.Process()
    return sum(process.memory_info().rss for process in [here, *here.children(recursive=True)]) / 1e6


def _cached(model: Path) -> float:
    """MB of the model's weights in the page cache."""
    files = [str(file) for file in model.rglob("*") if file.suffix in WEIGHTS]
    listed = subprocess.run(
        ["fincore", "--bytes", "--noheadings", "--output", "RES", *files],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return sum(map(int, listed.stdout.split())) / 1e6


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in-process"]:
        _in_process(sys.argv[2], *map(Path, sys.argv[3:6]), int(sys.argv[6]))
    else:
        chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT / ".forge" / "models" / "smollm2-135m-instruct"
        main(chosen, int(sys.argv[2]) if len(sys.argv) > 2 else 2)
