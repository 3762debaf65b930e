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


def out_of_memory_kills(root: Path = Path("/")) -> int:
    """How many processes the kernel has killed for memory so far; 0 where it does not say.

    Counted in this process's control group where that has a count (version 2), else on the whole machine.
    """
    own = _read(root / "proc/self/cgroup").partition("0::/")[2].partition("\n")[0]
    groups = root / "sys/fs/cgroup"
    # A container may see its group's name as it is outside, and the group itself as the root.
    for file in (groups / own / "memory.events", groups / "memory.events", root / "proc/vmstat"):
        for line in _read(file).splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0


def _read(file: Path) -> str:
    try:
        return file.read_text("ascii")
    except (OSError, ValueError):
        return ""
