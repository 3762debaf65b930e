"""What a job's folder says of the job while it runs and afterwards, and the locks by which only one does the job."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import psutil

from forge_resources.storage.atomic import atomic
from forge_resources.storage.file_sums import Changed, fault, names, read_sealed, sealed, sums
from forge_resources.storage.json_lines import JsonLines

SILENT_SECONDS = 600
"""After so long without a line, a worker on another machine is taken for dead."""
COUNTED = (("answered", "answers"), ("evaluated", "rows"), ("step", "steps"))
"""What counts how far a job is, and to where; the first of them that it speaks of."""
CALLER_LOCK, WORKER_LOCK = ".caller.lock", ".worker.lock"
"""Held by the process that wants the job done, and by all processes that do it."""
_REWARD = "reward/"


def reward_metric(part: str) -> str:
    """Name the mean of one part of the reward as it stands in the stream of a job that trains by reward."""
    return f"{_REWARD}{part}"


def reward_part(metric: str) -> str | None:
    """The part of the reward that a name in the stream is of; None: it is of none."""
    return metric.removeprefix(_REWARD) if metric.startswith(_REWARD) else None


def write_record(folder: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Write `record.json` whole or not at all: the facts, SHA-256 and size of every file of `result/`, and a seal.

    Returns:
        The record as it was written.
    """
    result = folder / "result"
    record = sealed({**facts, "files": sums(result, names(result))})
    with atomic(folder / "record.json") as draft:
        draft.write_text(json.dumps(record, indent=1), "utf-8")
    return record


def read_record(folder: Path) -> dict[str, Any] | None:
    """What `write_record` wrote; None where it did not yet.

    Raises:
        Changed: the record is not as it was written.
    """
    try:
        return read_sealed(folder / "record.json")
    except FileNotFoundError:
        return None


def finished(folder: Path) -> dict[str, Any] | None:
    """The record of a finished job whose record and result are as they were written; None where it is not finished.

    Reads the whole result, once in a process.

    Raises:
        Changed: a file is not as it was written; the message names it.
    """
    record = read_record(folder)
    if record is not None and (found := fault(folder / "result", record["files"], names(folder / "result"))):
        raise Changed(found)
    return record


def attempts(folder: Path) -> list[dict[str, Any]]:
    """How a job's attempts ended that ended by themselves; a line that was cut off says nothing."""
    return JsonLines(folder / "attempts.jsonl").new()


class JobFolder:
    """One job's folder, as it was when `refresh` was last called.

    Attributes:
        title: what the job is for.
        spec: the job's spec; empty while it was not written yet.
        values: the last value of everything that the present attempt has put into the stream, by name.
        sums: `tokens` trained on and `new_tokens` answered, over all attempts.
        attempts: how often it was started.
        ended: how the attempts ended that ended by themselves, each a line of `attempts.jsonl`.
        finished: whether there is a record.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.title = ""
        self.spec: dict[str, Any] = {}
        self.values: dict[str, Any] = {}
        self.sums = {"tokens": 0, "new_tokens": 0}
        self.attempts = 0
        self.ended: list[dict[str, Any]] = []
        self.finished = False
        self._began = self._from = 0.0
        self._stream = JsonLines(path / "metrics.jsonl")
        self._launched = 0.0

    @property
    def kind(self) -> str:
        """What the worker does, as in sft or generate."""
        return str(self.spec.get("kind", "unknown"))

    def refresh(self, *, stream: bool = True) -> None:
        """Read what was written since the last time; without `stream` only what the job is and how it ended."""
        launch = self.path / "launch.json"
        launched = launch.stat().st_mtime
        if launched != self._launched:
            self.title = json.loads(launch.read_text("utf-8")).get("title", "")
            self.spec = json.loads((self.path / "job.json").read_text("utf-8"))
            self._launched = launched
        for line in self._stream.new() if stream else ():
            self._take(line)
        try:
            record = read_record(self.path)
        except Changed:  # the next who wants the job has it done again
            record = None
        self.finished = record is not None
        if record is not None:
            self.attempts = record["attempts"]
        self.ended = attempts(self.path)

    def state(self) -> str:
        """Finished, interrupted or failed; killed where a worker is gone without a word; running; or starting."""
        if self.finished:
            return "finished"
        if self.ended and self.ended[-1]["time"] >= self.values.get("began", 0):
            return str(self.ended[-1]["outcome"])
        if not self.attempts:
            return "starting"
        return "running" if self._alive() else "killed"

    def done_of(self) -> tuple[float, float]:
        """How much of how much is done: answers once it answers, rows evaluated or steps; 0 of 0 before one knows."""
        done, whole = next((pair for pair in COUNTED if pair[1] in self.values), COUNTED[-1])
        return float(self.values.get(done) or 0), float(self.values.get(whole) or 0)

    def seconds_left(self) -> float | None:
        """Seconds to the last step or answer, at the pace of this attempt; None before there is a pace."""
        done, whole = self.done_of()
        made = done - self._from
        if made <= 0:
            return None
        return max(0.0, (whole - done) * (float(self.values["time"]) - self._began) / made)

    def last_sign(self) -> float:
        """Unix time at which something was last written about the job."""
        files = (self.path / name for name in ("record.json", "attempts.jsonl", "metrics.jsonl", "launch.json"))
        return max(file.stat().st_mtime for file in files if file.exists())

    def _take(self, line: dict[str, Any]) -> None:
        if "attempt" in line:
            self.attempts = line["attempt"]
            self.values = {"began": line["time"], "steps": self.spec.get("steps")}
        if "phase" in line:
            self._began, self._from = line["time"], float(line.get("from_step") or 0)
        if "answered" in line and "answered" not in self.values:
            self._began, self._from = line["time"], float(line["answered"])
        self.values |= line
        for name in self.sums:
            self.sums[name] += line.get(name) or 0

    def _alive(self) -> bool:
        if self.values["host"] != socket.gethostname():
            return time.time() - float(self.values["time"]) < SILENT_SECONDS
        try:
            return bool(psutil.Process(self.values["pid"]).create_time() <= self.values["began"] + 1)
        except psutil.NoSuchProcess:
            return False
