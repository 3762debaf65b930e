"""What a job writes about itself: a metrics stream, its attempts, and the record that says it is finished."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from dagster_pipes import PipesContext


class Progress:
    """Writes into the job's folder, and to Dagster where the job was started from there."""

    def __init__(self, folder: Path, pipes: PipesContext | None) -> None:
        self._folder = folder
        self._pipes = pipes

    def metrics(self, **values: Any) -> None:
        """Append one line to `metrics.jsonl`."""
        with (self._folder / "metrics.jsonl").open("a") as stream:
            stream.write(json.dumps({"time": round(time.time(), 3), **values}) + "\n")

    def say(self, text: str) -> None:
        """One line to the log, seen in the Dagster run."""
        print(text, flush=True)
        if self._pipes:
            self._pipes.log.info(text)

    def attempt(self, started: float, outcome: str, reason: str) -> None:
        """Append what became of this process to `attempts.jsonl`."""
        line = {"pid": os.getpid(), "seconds": round(time.time() - started, 2), "outcome": outcome, "reason": reason}
        with (self._folder / "attempts.jsonl").open("a") as stream:
            stream.write(json.dumps(line) + "\n")

    def record(self, kind: str, measured: dict[str, Any]) -> None:
        """Write `record.json`, last and atomically: a job with a record is finished."""
        attempts = [json.loads(line) for line in (self._folder / "attempts.jsonl").read_text().splitlines()]
        record = {
            "identity": self._folder.name,
            "kind": kind,
            "attempts": len(attempts),
            "seconds": round(sum(a["seconds"] for a in attempts), 2),
            **measured,
        }
        draft = self._folder / ".record.json"
        draft.write_text(json.dumps(record, indent=1))
        os.replace(draft, self._folder / "record.json")
        if self._pipes:
            self._pipes.report_custom_message(record)
