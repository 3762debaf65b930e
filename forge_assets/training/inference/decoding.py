"""How the next token of each answer is chosen: greedily, or drawn with temperature and top-p."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch

from forge_assets.training.inference.batch_decoding import Row
from forge_assets.training.jobs.spec import Sampling


def choose(scores: torch.Tensor, rows: Sequence[Row], sampling: Sampling) -> list[int]:
    """Choose the next token of every row.

    A token is drawn by inverse transform from a number that depends on seed, sample and position alone, so neither the
    other rows of a batch nor an interruption change an answer.

    Args:
        scores: rows x vocabulary; -inf where a token is impossible.
    """
    if not sampling.temperature:
        greedy: list[int] = scores.argmax(dim=-1).tolist()
        return greedy
    drawn = torch.tensor([_uniform(sampling.seed, row.name, len(row.new)) for row in rows], dtype=torch.float64)
    shares = torch.softmax(scores.double() / sampling.temperature, dim=-1)
    shares, order = shares.sort(dim=-1, descending=True, stable=True)
    below = shares.cumsum(dim=-1)
    shares[below - shares >= sampling.top_p] = 0.0
    below = shares.cumsum(dim=-1)
    at = torch.searchsorted(below, drawn.to(below.device)[:, None] * below[:, -1:], right=True)
    chosen: list[int] = order.gather(1, at.clamp(max=shares.shape[1] - 1)).flatten().tolist()
    return chosen


def _uniform(seed: int, name: str, position: int) -> float:
    """A number in [0, 1)."""
    digest = hashlib.sha256(f"{seed}:{name}:{position}".encode()).digest()
    return float(int.from_bytes(digest[:8]) >> 11) / 2**53
