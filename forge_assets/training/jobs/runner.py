"""Ask for jobs and datasets by content: what was done before and is as it was made is not done again.

Everything a job rests on or gives is proven here, in the process that wants the job, before the worker starts and
before a result is handed on; the worker does not hash its inputs again. Only here a result that was changed can be made
again, every job passes here wherever its worker runs, a file is hashed once for all jobs of a process, and on one
machine the worker then loads from the page cache what was just hashed.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from forge_assets.training.jobs.curve import Judge, Watch, curve
from forge_assets.training.jobs.spec import Job, identity, parse_job
from forge_assets.training.jobs.worker_entry import WORKER
from forge_resources.config.model_registry import changed_file
from forge_resources.launchers.base import JobFailed, JobStopped
from forge_resources.storage.atomic import atomic
from forge_resources.storage.canonical_json import canonical
from forge_resources.storage.file_sums import Changed, fault, sha256
from forge_resources.storage.job_folder import CALLER_LOCK, WORKER_LOCK, finished
from forge_resources.storage.json_lines import read_json_lines
from forge_resources.storage.launch_file import LaunchFile
from forge_resources.storage.locks import locked
from forge_resources.storage.store import Store
from forge_resources.storage.tables import TABLES

LOG = logging.getLogger("forge")
"""Also seen in Dagster's runs, see `dagster.yaml`."""
ANSWERS = "answers.jsonl"
_UNTOLD = "and its job.json does not say how to make it: materialise what comes before this asset"


class Launch(Protocol):
    """Runs the job in a folder to its end and returns its record."""

    def __call__(self, folder: Path) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Finished:
    """A job's outcome. `identity` names its result in later jobs."""

    identity: str
    result: Path
    record: Mapping[str, Any]

    def losses(self) -> list[dict[str, float]]:
        """step and loss of every training step, once also where a killed worker's steps were done again."""
        return [{"step": step["step"], "loss": step["loss"]} for step in self.steps()]

    def steps(self) -> list[dict[str, Any]]:
        """What `metrics.jsonl` says of every training step, in order, each as it was done last."""
        return curve(self.result.parent)

    def answers(self) -> list[dict[str, Any]]:
        """Rows of `answers.jsonl`: sample_id, answer, and what else `AnswerFile` says of one.

        Raises:
            Changed: they are not those that the job gave.
        """
        if found := fault(self.result, {ANSWERS: self.record["files"][ANSWERS]}):
            raise Changed(f"{found}: run again, and the job is done again")
        return read_json_lines(self.result / ANSWERS)


class JobRunner:
    """The job side of a store.

    Args:
        environment: digest of the libraries that workers compute with.
        bases: digest to folder of the base models in use.
        stop: asks the job in a folder to stop, from another thread than the one that `launch` runs it in.
    """

    def __init__(
        self,
        store: Store,
        environment: str,
        bases: Mapping[str, Path],
        launch: Launch,
        stop: Callable[[Path], None] | None = None,
    ) -> None:
        self._store = store
        self._environment = environment
        self._bases = dict(bases)
        self._launch = launch
        self._stop = stop
        self._asked: dict[str, None] = {}

    @property
    def asked(self) -> tuple[str, ...]:
        """Identities of the jobs that were run here or taken from the store, in order."""
        return tuple(self._asked)

    def identity(self, job: Job) -> str:
        """What names the job here: its folder, and its result in later jobs."""
        return identity(job, self._environment)

    def steps(self, identity: str) -> list[dict[str, Any]]:
        """As `Finished.steps`, of the job with that identity."""
        return curve(self._store.artefact(identity))

    def curve(self, job: Job) -> list[dict[str, Any]]:
        """As `Finished.steps`, also of a job that runs, failed or was stopped; empty where it did no step."""
        return self.steps(self.identity(job))

    def dataset(self, rows: Iterable[Mapping[str, Any]]) -> str:
        """Keep rows as canonical JSON lines and return the file's SHA-256, which is its name."""
        lines = b"".join(canonical(row) + b"\n" for row in rows)
        name = hashlib.sha256(lines).hexdigest()
        path = self._dataset(name)
        there = path.exists()
        if not there or sha256(path) != name:
            if there:
                LOG.warning("%s was changed, and is written again", path)
            with atomic(path) as draft:
                draft.write_bytes(lines)
        return name

    def run(self, job: Job, title: str, watch: Watch | None = None) -> Finished:
        """The result of a job, from the store if it was finished before and is as it was made.

        Whoever else wants the same job meanwhile, also in another process, waits and finds it done.

        Args:
            watch: sees every line of the training curve in order, each step once, also those of earlier attempts, and
                gives a reason to stop, or "" to go on. What the worker did after the step of the reason changes
                nothing, unless it was the end: a job that has its record is finished, and in a later call not watched.

        Raises:
            JobStopped: `watch` gave a reason. The worker is gone, its checkpoints were removed, the curve stays.
            JobFailed: the worker ended without a result; calling again resumes it.
            FileNotFoundError: the job names weights or data that this store does not hold.
            Changed: the job names weights or data that were changed since, and that cannot be made again here.
            ValueError: `watch` is given, but this runner has no `stop`.
        """
        if watch is not None and self._stop is None:
            raise ValueError("watch: a runner without `stop` cannot end a job: give one to JobRunner")
        name = self.identity(job)
        folder = self._store.artefact(name)
        record, found = _finished(folder)
        if record is None:
            folder.mkdir(parents=True, exist_ok=True)
            with locked(folder / CALLER_LOCK):
                record, found = _finished(folder)
                if found:
                    LOG.warning("job %s (%s): %s: it is done again", name[:12], title, found)
                    _discard(folder)
                record = record or self._do(job, title, folder, watch)
        done = Finished(name, folder / "result", record)
        self._enter(title, job, done)
        self._asked[name] = None
        return done

    def _do(self, job: Job, title: str, folder: Path, watch: Watch | None) -> dict[str, Any]:
        """Have the job done; its record."""
        with atomic(folder / "job.json") as draft:  # others look at the folder meanwhile
            draft.write_text(job.model_dump_json(indent=1), "utf-8")
        paths = {ref: self._resolve(ref) for ref in _references(job.model_dump(mode="json"))}
        LaunchFile(title, paths, WORKER).write(folder)
        if watch is None or self._stop is None:
            return self._launch(folder)
        judge, failed = Judge(folder, watch), None
        if not judge.look():  # at what earlier attempts did
            try:
                with judge.looking(partial(self._stop, folder)):
                    return self._launch(folder)
            except JobFailed as error:
                failed = error
            if not judge.look():  # at what was done since the last look
                raise failed
        with locked(folder / WORKER_LOCK):
            if (folder / "work").exists():
                shutil.rmtree(folder / "work")
        raise JobStopped(judge.reason, judge.step) from failed

    def _enter(self, title: str, job: Job, done: Finished) -> None:
        record, steps = done.record, done.steps()
        waited = sum(step["data_seconds"] for step in steps)
        spent = waited + sum(step["step_seconds"] for step in steps)
        row = {
            **{name: record.get(name) for name in TABLES["ops.jobs"].columns},
            "title": title,
            "peak_memory_bytes": record["peak_rss_bytes"],
            "peak_gpu_bytes": max((step["gpu_bytes"] for step in steps if "gpu_bytes" in step), default=None),
            "data_share": waited / spent if spent else None,
            "tokens_per_second": record.get("tokens_per_second") or record.get("generate_tokens_per_second"),
            "asked_at": time.time(),
            "spec": job.model_dump_json(),
        }
        self._store.write("ops.jobs", pl.DataFrame([row], schema=TABLES["ops.jobs"].schema), done.identity)
        if steps:
            columns = TABLES["ops.steps"].schema
            rows = [{name: step.get(name) for name in columns} | {"identity": done.identity} for step in steps]
            self._store.write("ops.steps", pl.DataFrame(rows, schema=columns), done.identity)

    def _dataset(self, name: str) -> Path:
        return self._store.root / "datasets" / f"{name}.jsonl"

    def _resolve(self, reference: str) -> Path:
        """Where what a digest names lies, as it was made; a job's result that was changed is made again."""
        base, data, folder = self._bases.get(reference), self._dataset(reference), self._store.artefact(reference)
        if base is not None and base.exists():
            if found := changed_file(base):
                raise Changed(f"{found}: run again, and the model is made ready again")
            return base
        if data.exists():
            if sha256(data) != reference:
                raise Changed(f"{data} was changed: materialise the asset that asks for it again, which writes it")
            return data
        record, found = _finished(folder)
        if found:
            return self._again(folder, found)
        if record is not None:
            return folder / "result"
        raise FileNotFoundError(f"nothing is stored under {reference[:12]}: materialise what comes before this asset")

    def _again(self, folder: Path, found: str) -> Path:
        """Have a finished job done again, for its result was changed."""
        try:
            job = parse_job((folder / "job.json").read_text("utf-8"))
            title = LaunchFile.read(folder).title
        except (OSError, ValueError) as error:
            raise Changed(f"{found}, {_UNTOLD}") from error
        if self.identity(job) != folder.name:
            raise Changed(f"{found}, {_UNTOLD}")
        return self.run(job, title).result


def _finished(folder: Path) -> tuple[dict[str, Any] | None, str]:
    """A finished job's record, where it and the result are as they were written, or else what was changed."""
    try:
        return finished(folder), ""
    except Changed as found:
        return None, str(found)


def _discard(folder: Path) -> None:
    """Remove a finished job's result and record; the result first, for without a record it would be taken up."""
    with locked(folder / WORKER_LOCK):
        if (folder / "result").exists():
            shutil.rmtree(folder / "result")
        (folder / "record.json").unlink(missing_ok=True)


def _references(value: Any) -> set[str]:
    """Every digest inside a spec."""
    if isinstance(value, dict):
        return set().union(*(_references(v) for v in value.values()))
    if isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef"):
        return {value}
    return set()
