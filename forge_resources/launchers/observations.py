"""Show in Dagster how a job gets on while it runs: observations of the asset that is being materialised."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from forge_resources.storage.job_folder import JobFolder

LOOK_SECONDS = 1.0
PERIOD_SECONDS = 30.0
SHARE = 0.1
"""After the first observation, another comes when both this many seconds and this share of the job have passed."""

SHOWN = {
    "phase": "phase",
    "step": "step",
    "steps": "of steps",
    "evaluated": "evaluated",
    "rows": "of rows",
    "answered": "answered",
    "answers": "of answers",
    "loss": "loss",
    "reward": "reward",
    "tokens_per_second": "tokens per second",
    "step_seconds": "seconds per step",
    "rss_bytes": "resident bytes",
    "gpu_bytes": "GPU bytes",
}
"""Name in the stream to name in Dagster."""


@contextmanager
def watched(context: dg.AssetExecutionContext, folder: Path) -> Iterator[None]:
    """While the job in `folder` runs, log observations of the asset; the last one when it is over."""
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(context, JobFolder(folder), over), name=f"watch {folder.name[:12]}")
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _watch(context: dg.AssetExecutionContext, job: JobFolder, over: threading.Event) -> None:
    if (job.path / "metrics.jsonl").exists():
        job.refresh()  # what earlier attempts said is no news
    said = dict(job.values)
    said_at, said_of = -math.inf, -math.inf
    while not over.is_set():
        over.wait(LOOK_SECONDS)
        if (job.path / "metrics.jsonl").exists():
            job.refresh()
        done, whole = job.done_of()
        news = job.values.get("time") != said.get("time") and (done > 0 or over.is_set())
        due = time.monotonic() - said_at >= PERIOD_SECONDS and abs(done - said_of) >= SHARE * whole
        if news and (due or over.is_set()):
            context.log_event(_observation(context, job))
            said, said_at, said_of = dict(job.values), time.monotonic(), done


def _observation(context: dg.AssetExecutionContext, job: JobFolder) -> dg.AssetObservation:
    shown = {label: job.values[name] for name, label in SHOWN.items() if job.values.get(name) is not None}
    left = job.seconds_left()
    return dg.AssetObservation(
        asset_key=context.asset_key,
        partition=context.partition_key if context.has_partition_key else None,
        description=f"{job.title or job.kind}, job {job.path.name[:12]}",
        metadata=shown if left is None else {**shown, "seconds left": round(left)},
    )
