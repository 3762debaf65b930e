"""What a job writes about itself: a stream of metrics and phases, its attempts, and the record that says it is done."""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from dagster_pipes import PipesContext

from forge_resources.monitoring.wandb import Tracker
from forge_resources.processes.cause import Cause
from forge_resources.processes.interrupt import Interrupted
from forge_resources.processes.ranks import rank
from forge_resources.storage.job_folder import attempts, write_record
from forge_resources.storage.json_lines import JsonLines, drop_torn_tail


class Progress:
    """Writes into the job's folder, to Dagster where the job was started from there, and to W&B where it trains.

    Args:
        folder: the job's folder; its name is the job's identity.
        tracker: W&B run of the job; None: the job has none.
    """

    def __init__(self, folder: Path, pipes: PipesContext | None, tracker: Tracker | None = None) -> None:
        self._folder = folder
        self._pipes = pipes
        self._tracker = tracker
        self._stream = folder / "metrics.jsonl"
        self._since = time.perf_counter()

    def start(self, kind: str) -> None:
        """Open an attempt: the line `loading`, which says who works on the job now, and how often it was started."""
        for file in (self._stream, self._folder / "attempts.jsonl"):
            drop_torn_tail(file)
        attempt = _started(JsonLines(self._stream).new()) + 1
        self.phase("loading", kind=kind, attempt=attempt, pid=os.getpid(), host=socket.gethostname())

    def phase(self, name: str, **values: Any) -> None:
        """Say what the job does from here on: loading, training, evaluating, answering, saving."""
        self._write({"phase": name, **values})

    def metrics(self, **values: Any) -> None:
        """Append one line to `metrics.jsonl`, with the time, the memory held now and the rate of `new_tokens`."""
        if "new_tokens" in values:
            values["tokens_per_second"] = round(values["new_tokens"] / (time.perf_counter() - self._since), 1)
        values |= memory()
        self._write(values)
        self._track(lambda tracker: tracker.log(values))

    def say(self, text: str) -> None:
        """One line to the log, seen in the Dagster run."""
        print(text, flush=True)
        if self._pipes:
            self._pipes.log.info(text)

    def attempt(self, started: float, outcome: str, reason: str, cause: Cause | None = None) -> None:
        """Append what became of this process to `attempts.jsonl`.

        Args:
            cause: what it died of, where it failed.
        """
        now = time.time()
        line = {
            "time": round(now, 3),
            "pid": os.getpid(),
            "seconds": round(now - started, 2),
            "outcome": outcome,
            "reason": reason,
            **({"cause": cause} if cause else {}),
        }
        with (self._folder / "attempts.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        self._track(lambda tracker: tracker.finish(outcome == "finished"))

    def record(self, kind: str, measured: dict[str, Any]) -> None:
        """Write `record.json`, last and atomically: a job with a record is finished.

        The result was just written and is hashed from the page cache.
        """
        ended, lines = attempts(self._folder), JsonLines(self._stream).new()
        facts = {
            "identity": self._folder.name,
            "kind": kind,
            "attempts": max(_started(lines), len(ended)),
            "seconds": round(sum(a["seconds"] for a in ended), 2),
            **measured,
            # Also of attempts that were killed: what a job needs does not depend on whether somebody stopped it.
            "peak_rss_bytes": max([peak_memory(), *(line.get("peak_rss_bytes", 0) for line in lines)]),
        }
        record = write_record(self._folder, facts)
        if self._pipes:
            self._pipes.report_custom_message(record)

    def _write(self, values: dict[str, Any]) -> None:
        with self._stream.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"time": round(time.time(), 3), **values}) + "\n")
        self._since = time.perf_counter()

    def _track(self, do: Callable[[Tracker], None]) -> None:
        """Whatever is wrong with W&B costs its run and not the job's."""
        if self._tracker is None:
            return
        try:
            do(self._tracker)
        except Interrupted:
            raise
        except Exception as error:
            self._tracker = None
            self.say(f"W&B failed, the job goes on without it: {type(error).__name__}: {error}")


def _started(lines: list[dict[str, Any]]) -> int:
    """How often the job was started, those killed included."""
    return sum("attempt" in line for line in lines)


def peak_memory() -> int:
    """Most bytes that this process has held resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def memory() -> dict[str, int]:
    """Bytes that this process holds: resident now and at most so far, and the most that it has held of a GPU."""
    held = {"rss_bytes": int(psutil.Process().memory_info().rss), "peak_rss_bytes": peak_memory()}
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        held["gpu_bytes"] = int(torch.cuda.max_memory_allocated())
    return held


class Follower(Progress):
    """Progress of ranks other than 0, which speaks for all: only what made the job fail is written."""

    def start(self, kind: str) -> None:
        """Nothing."""

    def phase(self, name: str, **values: Any) -> None:
        """Nothing."""

    def metrics(self, **values: Any) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def attempt(self, started: float, outcome: str, reason: str, cause: Cause | None = None) -> None:
        """Write what went wrong on this rank."""
        if outcome == "failed":
            super().attempt(started, outcome, f"process {rank()}: {reason}")
