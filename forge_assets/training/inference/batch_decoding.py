"""Decode many prompts at once: a row that ends leaves the batch, and one that waits takes its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch

from forge_assets.training.inference.batch_cache import BatchCache

SLACK = 8
"""One in so many rows of a batch may have ended before the rest is copied together: a copy costs some tokens' time."""


@dataclass
class Row:
    """A prompt and what was answered so far, both as token ids."""

    name: str
    prompt: list[int]
    new: list[int] = field(default_factory=list)
    ended: bool = False


Choose = Callable[[torch.Tensor, Sequence[Row]], Sequence[int]]
"""Of scores (rows x vocabulary, float32) and their rows the next token of each row; it may end rows."""


@torch.inference_mode()
def decode(model: Any, rows: Iterable[Row], size: int, choose: Choose) -> None:
    """Give every row its new tokens, at most `size` rows at a time.

    Args:
        rows: without new tokens; taken as there is room for them.
        choose: appends nothing; a row that it marks as ended gets the token returned for it, and no further one.
    """
    waiting, batch = iter(rows), _Batch(model)
    scores = batch.join(list(islice(waiting, size)))
    while batch.rows:
        live = [i for i, row in enumerate(batch.rows) if not row.ended]
        chosen = choose(scores[live], [batch.rows[i] for i in live])
        for i, token in zip(live, chosen, strict=True):
            batch.rows[i].new.append(token)
        left = [i for i in live if not batch.rows[i].ended]
        room = len(batch.rows) - len(left) >= max(1, size // SLACK) or not left
        if room:
            batch.keep(left)
        scores = batch.step() if batch.rows else scores[:0]
        if room and (more := list(islice(waiting, size - len(batch.rows)))):
            scores = torch.cat([scores, batch.join(more)])


class _Batch:
    """Rows that are decoded together, with the keys and values of their tokens."""

    def __init__(self, model: Any) -> None:
        self.rows: list[Row] = []
        self._model = model
        self._cache = BatchCache()
        self._seen = torch.zeros(0, 0, dtype=torch.long, device=model.device)
        """Rows x tokens held: 1 where a token is the row's, 0 before its prompt."""

    def join(self, rows: list[Row]) -> torch.Tensor:
        """Read the prompts of more rows; returns the scores of their first token."""
        if not rows:
            return torch.zeros(0, 0)
        length, device = max(len(row.prompt) for row in rows), self._model.device
        ids = torch.tensor([[0] * (length - len(row.prompt)) + row.prompt for row in rows], device=device)
        seen = torch.tensor([[0] * (length - len(row.prompt)) + [1] * len(row.prompt) for row in rows], device=device)
        cache = BatchCache()
        scores = self._forward(ids, seen, (seen.cumsum(1) - 1).clamp(min=0), cache)
        if self.rows:
            self._cache.join(cache)
            longest = max(length, self._seen.shape[1])
            pad = torch.nn.functional.pad
            self._seen = torch.cat([pad(each, (longest - each.shape[1], 0)) for each in (self._seen, seen)])
        else:
            self._cache, self._seen = cache, seen
        self.rows += rows
        return scores

    def keep(self, kept: list[int]) -> None:
        """Drop all other rows, and what lies before every prompt of these."""
        self.rows = [self.rows[i] for i in kept]
        if not kept:
            return
        seen = self._seen[kept]
        skip = int((seen.cumsum(1).sum(0) == 0).sum())
        self._cache.keep(kept, skip)
        self._seen = seen[:, skip:]

    def step(self) -> torch.Tensor:
        """Read the last new token of every row; returns the scores of the next."""
        device = self._model.device
        ids = torch.tensor([[row.new[-1]] for row in self.rows], device=device)
        places = torch.tensor([[len(row.prompt) + len(row.new) - 1] for row in self.rows], device=device)
        self._seen = torch.nn.functional.pad(self._seen, (0, 1), value=1)
        return self._forward(ids, self._seen, places, self._cache)

    def _forward(self, ids: torch.Tensor, seen: torch.Tensor, places: torch.Tensor, cache: BatchCache) -> torch.Tensor:
        outputs = self._model(
            input_ids=ids,
            attention_mask=seen,
            position_ids=places,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        scores: torch.Tensor = outputs.logits[:, -1].float()
        return scores
