"""How the next token of an answer is drawn, and when answers end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import torch
from transformers import LogitsProcessor, StoppingCriteria

from forge_assets.training.jobs.spec import Sampling
from forge_resources.processes.interrupt import Interrupt


class SeededDraw(LogitsProcessor):  # type: ignore[misc]
    """Draws with temperature and top-p by inverse transform; leaves one token possible.

    The number drawn depends on seed, sample and position alone, so neither the other rows of a batch nor an
    interruption change an answer.

    Args:
        names: sample id of each row.
        asked: tokens of the padded prompts.
    """

    def __init__(self, names: list[str], asked: int, sampling: Sampling) -> None:
        self._names = names
        self._asked = asked
        self._sampling = sampling

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Rows x vocabulary in and out."""
        position = input_ids.shape[1] - self._asked
        drawn = torch.tensor([self._uniform(name, position) for name in self._names], dtype=torch.float64)
        shares = torch.softmax(scores.double() / self._sampling.temperature, dim=-1)
        shares, order = shares.sort(dim=-1, descending=True, stable=True)
        below = shares.cumsum(dim=-1)
        shares[below - shares >= self._sampling.top_p] = 0.0
        below = shares.cumsum(dim=-1)
        at = torch.searchsorted(below, drawn.to(below.device)[:, None] * below[:, -1:], right=True)
        chosen = order.gather(1, at.clamp(max=shares.shape[1] - 1))
        return torch.full_like(scores, -torch.inf).scatter(1, chosen, 0.0)

    def _uniform(self, name: str, position: int) -> float:
        """A number in [0, 1)."""
        digest = hashlib.sha256(f"{self._sampling.seed}:{name}:{position}".encode()).digest()
        return float(int.from_bytes(digest[:8]) >> 11) / 2**53


class UntilStopped(StoppingCriteria):  # type: ignore[misc]
    """Tells of each row as it ends, and ends all of them when the job is asked to stop.

    Args:
        asked: tokens of the padded prompts.
        ended: called with the row and its new tokens, the stop token included.
    """

    def __init__(
        self, asked: int, stops: list[int], ended: Callable[[int, torch.Tensor], None], interrupt: Interrupt
    ) -> None:
        self._asked = asked
        self._stops = torch.tensor(stops)
        self._ended = ended
        self._interrupt = interrupt
        self.lengths: dict[int, int] = {}
        """Row to number of new tokens, of the rows that ended."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: object) -> torch.Tensor:
        """True for rows that are to stop."""
        stopped = torch.isin(input_ids[:, -1], self._stops.to(input_ids.device))
        for row in stopped.nonzero().flatten().tolist():
            if row not in self.lengths:
                new = input_ids[row, self._asked :]
                self.lengths[row] = len(new)
                self._ended(row, new)
        if self._interrupt.reason:
            stopped = torch.ones_like(stopped)
        return stopped
