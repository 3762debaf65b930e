"""How fast the machine multiplies matrices, measured beside a training: times of two machines compare only with it."""

from __future__ import annotations

import time

SIZE, PRODUCTS = 1024, 8


def matrix_gflops() -> float:
    """Measure billions of float32 operations a second of square matrix products, the best of a few.

    A tenth of a second on two cores. Draws nothing at random: what is trained afterwards is the same with it.
    """
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    one = torch.full((SIZE, SIZE), 0.5, device=device)
    seconds = []
    for _ in range(PRODUCTS):
        if device == "cuda":
            torch.cuda.synchronize()
        began = time.perf_counter()
        torch.mm(one, one)
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return round(2 * SIZE**3 / min(seconds) / 1e9, 1)
