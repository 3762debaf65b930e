"""Run the default tier of tests, and refuse one that takes more than 7 minutes of a machine as it was measured on.

Run: python -m bench.test_time COMMAND [ARGUMENT...]

A slower machine gets as much more time as it takes longer for a loop of Python on two cores, and for matrices. Of the
time that passes, the share counts that the command had of what the machine was busy with: neighbours are not its fault.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # as the tests, and the same on any number of cores

import numpy as np

LIMIT_SECONDS = 420
REFERENCE = {"python": 0.42, "matrix": 1.65}
"""Seconds that `measured` says on 2 cores of AMD EPYC (AVX-512), nothing else running, 2026-11-30."""


def _loop(_: int) -> int:
    total = 0
    for number in range(12_000_000):
        total += number & 7
    return total


def measured() -> dict[str, float]:
    """Seconds of a loop of Python on two processes at once, and of ten products of 2048 x 2048 in float32."""
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_loop, range(2)))
        began = time.perf_counter()
        list(pool.map(_loop, range(2)))
        python = time.perf_counter() - began
    matrix = np.ones((2048, 2048), np.float32)
    matrix @ matrix
    began = time.perf_counter()
    for _ in range(10):
        matrix @ matrix
    return {"python": python, "matrix": time.perf_counter() - began}


def _busy_seconds() -> float:
    """CPU seconds that the machine was not idle, all cores, since it was started; what a host took away counts too."""
    user, nice, system, _, _, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text("utf-8").splitlines()[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    command, found = sys.argv[1:], measured()
    if not command:
        raise SystemExit(__doc__)
    began, busy, own = time.monotonic(), _busy_seconds(), _own_seconds()
    status = subprocess.run(command).returncode
    wall, busy, own = time.monotonic() - began, _busy_seconds() - busy, _own_seconds() - own
    share = min(1.0, own / busy) if busy > 0 else 1.0
    slower = max(1.0, *(found[name] / REFERENCE[name] for name in REFERENCE))
    speed = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in found.items())
    print(
        f"{' '.join(command)}: {wall:.0f} s, {share:.0%} of what the machine was busy with; "
        f"at most {LIMIT_SECONDS * slower:.0f} s count ({speed})"
    )
    if status:
        raise SystemExit(status)
    if wall * share > LIMIT_SECONDS * slower:
        raise SystemExit("too slow: mark what takes longest `slow`, and leave a witness of its guarantee")


if __name__ == "__main__":
    main()
