"""The contract of a launcher: it runs a job's processes and sees them to their end; assets do not know where.

How to write one
================
A launcher brings one command to a machine, waits for it, and says how it ended. Subclass `Launcher`, enter the class
in `registry.py`, and give `tests/resources/launchers/test_contract.py` a way to run it there: the tests are the
contract.

**What is there.** The job's folder, at the same path on this machine and on the one that does the job: it is shared,
and is all that goes back and forth. `job.json` is the spec (`processes(folder)` says for how many ranks room is
needed), `launch.json` says what they run. The worker writes `metrics.jsonl`, `attempts.jsonl`, the result and last
`record.json`.

**`_work(context, folder)`** runs `supervised(folder, grace)` to its end, with `worker_environment()` and what
`_session` yields in its environment, and returns an `Ending`: `how_it_ended(status)` where there is an exit status,
else words and a `Cause` of its own, as of a lost node. `run` turns that into the record or JobFailed: it looks at the
record first, then at what the worker said in `attempts.jsonl`, and only then at the `Ending`. `_work` raises only
what is no end of a job: LauncherError for a setting that must be mended; OSError and JobFailed where it could not get
as far as an end. If an interrupt is raised in it (a cancelled run), it stops the job, waits until it is gone, and
raises it again.

**`_session(context, folder)`** opens a Dagster Pipes session, through which the worker's reports reach the run.
Needed wherever the launcher starts the command by itself; not where a Pipes client of Dagster does that (Kubernetes),
for the client opens its own. There `messages(folder)` is the reader to give to it.

**Who holds the job's locks.** Whoever wants the job holds `CALLER_LOCK` (JobRunner). Supervisor and ranks hold
`WORKER_LOCK`: where an earlier attempt is not gone yet, the supervisor waits. A launcher holds none.

**Who ends the ranks.** The supervisor, and nobody else: on SIGTERM, on SIGINT, and when the process that started it
is gone it asks the ranks for a checkpoint, kills those that are there after `grace` seconds, and whatever they had
started. So a launcher sends SIGTERM to the supervisor, waits `grace_seconds + MARGIN_SECONDS` for it, and kills it
then.

**`stop(folder)`** asks one job to stop and is called from another thread than `run`; a job that this launcher does
not run is left alone. **`cancel()`** stops all. Both may be called at any time. **`from_environment()`** reads the
settings, and raises LauncherError for one that is wrong, when the code location loads and not when a job is to run.
Fields that are not settings are `PrivateAttr`s: Dagster makes a launcher anew for each run.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import dagster as dg
from pydantic import Field

from forge_resources.config.settings import read_settings
from forge_resources.launchers.observations import watched
from forge_resources.monitoring.wandb import wandb_environment
from forge_resources.processes import supervisor
from forge_resources.processes.cause import OUT_OF_MEMORY_STATUS, Cause
from forge_resources.processes.interrupt import GRACE_SECONDS, INTERRUPTED
from forge_resources.storage.job_folder import attempts, read_record

MARGIN_SECONDS = 30
"""How much longer than its grace a cancelled job may take to be gone."""

ENVIRONMENT = {
    # One heap of huge pages that is kept between steps, or steps spend their time in page faults (bench/allocator.py).
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "268435456",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
    "PYTHONIOENCODING": "utf-8",
}
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}


class JobFailed(Exception):
    """A job ended without a result; the message has the worker's reason, or the last lines of its log.

    Attributes:
        cause: what it died of.
    """

    def __init__(self, reason: str, cause: Cause = Cause.UNKNOWN) -> None:
        super().__init__(reason)
        self.cause = cause


class JobStopped(Exception):
    """A job was ended before it was done because its training curve gave a reason to; it is not meant to go on.

    Attributes:
        step: the training step at which the reason was given; the worker may have done more.
    """

    def __init__(self, reason: str, step: int = 0) -> None:
        super().__init__(reason)
        self.step = step


class Ending(NamedTuple):
    """How a job's processes ended.

    Attributes:
        words: to follow "job 0123456789ab"; empty where they ended well.
        cause: None where they ended well.
    """

    words: str
    cause: Cause | None


WELL = Ending("", None)


class LauncherError(Exception):
    """A launcher that cannot be used as it is configured; the message names the setting and the mend."""


class Launcher(dg.ConfigurableResource, ABC):  # type: ignore[type-arg]
    """Runs jobs. What differs is where: see the subclasses, and `registry.py` for how one is chosen.

    Attributes:
        wandb_mode: `offline`, `online` or `disabled`.
        grace_seconds: how long a cancelled worker may take to write its checkpoint before it is killed.
    """

    wandb_mode: str = "offline"
    grace_seconds: float = Field(default=GRACE_SECONDS, gt=0)

    @classmethod
    def from_environment(cls) -> Self:
        """As the variables of the environment describe it."""
        return cls()

    def run(self, context: dg.AssetExecutionContext, folder: Path) -> dict[str, Any]:
        """Run the job in `folder` to its end and return its record.

        Raises:
            JobFailed: the job crashed or was killed; calling again resumes from its last checkpoint.
        """
        log = folder / "log.txt"
        start = log.stat().st_size if log.exists() else 0
        known = len(_failures(folder))
        try:
            with watched(context, folder):
                ended = self._work(context, folder)
        except (JobFailed, OSError):
            # Written last: with it the job is done, whatever became of launcher and processes.
            if (record := read_record(folder)) is None:
                raise
            return record
        record = read_record(folder)
        if record is None:
            job, failures = f"job {folder.name[:12]}", _failures(folder)[known:]
            if failures:
                last = failures[-1]
                raise JobFailed(f"{job} failed: {last['reason']}; log: {log}", Cause(last["cause"]))
            words, tail = ended.words or "left no record", _tail(log, start)
            ends = f"; {log} ends:\n{tail}" if tail else ""
            raise JobFailed(f"{job} {words}{ends}", ended.cause or Cause.UNKNOWN)
        return record

    @abstractmethod
    def cancel(self) -> None:
        """Stop all jobs that run, as they are when their run is cancelled."""

    @abstractmethod
    def stop(self, folder: Path) -> None:
        """Ask the job in `folder` to stop, from another thread than the one that runs it; other jobs go on.

        Its `run` raises JobFailed when the worker is gone, or returns where the job was done before that. A job that
        this launcher does not run is left alone.
        """

    @abstractmethod
    def _work(self, context: dg.AssetExecutionContext, folder: Path) -> Ending:
        """Run the job's supervisor to its end, and say how it ended."""

    @contextmanager
    def _session(self, context: dg.AssetExecutionContext, folder: Path) -> Iterator[dict[str, str]]:
        """Open a Pipes session through the job's folder, which worker and launcher share; yields what the worker adds
        to its environment."""
        with dg.open_pipes_session(
            context=context, context_injector=dg.PipesEnvContextInjector(), message_reader=messages(folder)
        ) as session:
            yield {**wandb_environment(self.wandb_mode, folder), **session.get_bootstrap_env_vars()}


def worker_environment() -> dict[str, str]:
    """What every worker needs in its environment: memory allocation, and no look at the hub unless it is allowed."""
    return ENVIRONMENT | ({} if read_settings().hub_allowed else OFFLINE)


def messages(folder: Path) -> dg.PipesMessageReader:
    """Reads what the worker of the job in `folder` reports while it runs."""
    return dg.PipesFileMessageReader(str(folder / ".messages"))


def processes(folder: Path) -> int:
    """How many processes the job in `folder` asks for."""
    return int(json.loads((folder / "job.json").read_text("utf-8")).get("processes", 1))


def supervised(folder: Path, grace: float = GRACE_SECONDS, python: str = sys.executable) -> list[str]:
    """Command that does the job in `folder`."""
    return [python, "-m", supervisor.__name__, str(folder), str(grace)]


def how_it_ended(status: int) -> Ending:
    """A supervisor's exit status (negative, or 128 and more: killed by that signal) in words and as a cause."""
    status = status if status <= 128 else 128 - status
    if status == OUT_OF_MEMORY_STATUS:
        return Ending(
            "was killed by the kernel, out of memory. Use a smaller batch_size with more accumulation, "
            "gradient_checkpointing or quantisation; memory_gb of the profile is the envelope",
            Cause.OUT_OF_MEMORY,
        )
    if status == -signal.SIGKILL:
        return Ending(
            "was killed (SIGKILL), and not by the kernel for memory: run it again, and it goes on", Cause.KILLED
        )
    if status == INTERRUPTED:
        words = "was asked to stop from outside and wrote what it had: run it again, and it goes on from there"
        return Ending(words, Cause.INTERRUPTED)
    return Ending(f"ended with status {status}", Cause.UNKNOWN) if status else WELL


def run_directly(folder: Path) -> dict[str, Any]:
    """Run a job outside Dagster, for scripts in `bench/`: the same environment.

    Raises:
        subprocess.CalledProcessError: the worker ended without a result.
    """
    environment = {**os.environ, **worker_environment(), **wandb_environment("offline", folder)}
    subprocess.run(supervised(folder), env=environment, check=True)
    record = read_record(folder)
    if record is None:
        raise FileNotFoundError(f"{folder}: the supervisor ended well and left no record.json")
    return record


def _failures(folder: Path) -> list[dict[str, Any]]:
    """The attempts that failed, with reason and cause as their workers said."""
    return [attempt for attempt in attempts(folder) if attempt["outcome"] == "failed"]


def _tail(log: Path, start: int) -> str:
    """The last lines that this attempt wrote."""
    if not log.exists():
        return ""
    with log.open("rb") as stream:
        stream.seek(start)
        return "\n".join(stream.read().decode(errors="replace").splitlines()[-15:])
