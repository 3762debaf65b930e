"""Which of the processes that train together this one is. All that runs alone is rank 0 of 1."""

from __future__ import annotations

import os
import socket
from pathlib import Path

FAILED = "failed"
"""Name of the file that the first rank to fail leaves in `work/`."""


def rank() -> int:
    """This process's number; rank 0 writes for all."""
    return int(os.environ.get("RANK", 0))


def world_size() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", 1))


def local_rank() -> int:
    """Number of the device of this machine that this process has."""
    return int(os.environ.get("LOCAL_RANK", 0))


def is_sharded() -> bool:
    """Whether Accelerate will spread the weights over the processes (FSDP)."""
    return os.environ.get("ACCELERATE_USE_FSDP") == "true"


def environments(processes: int) -> list[dict[str, str]]:
    """What each rank on this machine is told; nothing where a process is alone."""
    if processes == 1:
        return [{}]
    shared = {
        "WORLD_SIZE": str(processes),
        "LOCAL_WORLD_SIZE": str(processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        # They talk within the machine: a host name that does not resolve must not stop them.
        "GLOO_SOCKET_IFNAME": "lo",
    }
    return [shared | {"RANK": str(one), "LOCAL_RANK": str(one)} for one in range(processes)]


def first_to_fail(work: Path) -> bool:
    """Whether this rank is the first that ends with an error; those after it only miss the first one."""
    if world_size() == 1:
        return True
    try:
        (work / FAILED).touch(exist_ok=False)
    except (FileExistsError, FileNotFoundError):
        return False
    return True


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
