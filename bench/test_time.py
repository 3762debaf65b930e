"""Whether the default tier of tests was quick enough: 6 minutes of a machine as fast as the one it was measured on.

Run: python -m bench.test_time SECONDS

A slower machine gets as much more time as it takes longer for a loop of Python on each core, and for matrices.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # as the tests, and the same on any number of cores

import numpy as np

LIMIT_SECONDS = 360
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=float, help="that the tests took")
    took, found = parser.parse_args().seconds, measured()
    slower = max(1.0, *(found[name] / REFERENCE[name] for name in REFERENCE))
    limit = LIMIT_SECONDS * slower
    speed = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in found.items())
    said = f"the default tier took {took:.0f} s; at most {limit:.0f} s on this machine ({speed})"
    if took > limit:
        raise SystemExit(f"{said}: mark what takes longest `slow`, and leave a witness of its guarantee")
    print(said)


if __name__ == "__main__":
    main()
