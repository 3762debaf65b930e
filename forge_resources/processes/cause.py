"""Why a job ended without a result, as a value: what a search may learn from, and what a person has to mend."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path


class Cause(StrEnum):
    """What a job died of. Written into `attempts.jsonl` by the worker, or told by its exit status."""

    OUT_OF_MEMORY = "out_of_memory"
    """An allocation failed, or the kernel killed it for memory."""
    DIVERGED = "diverged"
    """A loss, a gradient or an answer was no longer a number."""
    DISK_FULL = "disk_full"
    UNREADABLE = "unreadable"
    """Weights or data could not be read."""
    INTERRUPTED = "interrupted"
    """Asked to stop, or cancelled."""
    KILLED = "killed"
    """By SIGKILL that the kernel did not send for memory: a person, or another program."""
    UNKNOWN = "unknown"
    """Anything else: code, data or environment."""


BY_CONFIGURATION = frozenset({Cause.OUT_OF_MEMORY, Cause.DIVERGED})
"""What another configuration may not die of: the results of a trial. Everything else says nothing of it."""

OUT_OF_MEMORY_STATUS = 76
"""Exit status of a supervisor whose worker the kernel killed for memory."""


def out_of_memory_kills(file: Path = Path("/proc/vmstat")) -> int:
    """How many processes the kernel has killed for memory so far, in any container; 0 where it does not say."""
    try:
        counters = dict(line.split() for line in file.read_text("ascii").splitlines())
    except (OSError, ValueError):
        return 0
    return int(counters.get("oom_kill", 0))
