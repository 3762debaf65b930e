"""Let the rows of new tokens learn at a rate of their own: they start from noise, all else from a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import TrainerCallback


class FasterRows(TrainerCallback):  # type: ignore[misc]
    """Multiplies what an optimizer step changes in some rows of the embedding, and of an output layer of its own.

    An optimizer has one rate for a tensor, and Adam's step does not depend on the size of a gradient: so the change
    itself is multiplied. It holds nothing from one step to the next.

    Args:
        rows: ids of the tokens.
        factor: of the change.
    """

    def __init__(self, model: Any, rows: Sequence[int], factor: float) -> None:
        inputs, head = model.get_input_embeddings().weight, model.get_output_embeddings()
        self._tables = [inputs] if head is None or head.weight is inputs else [inputs, head.weight]
        self._rows = torch.tensor(list(rows), device=inputs.device)
        self._factor = factor
        self._before: list[torch.Tensor] = []

    def on_pre_optimizer_step(self, *_: Any, **__: Any) -> None:
        """Remember the rows."""
        self._before = [table.detach()[self._rows].clone() for table in self._tables]

    @torch.no_grad()
    def on_optimizer_step(self, *_: Any, **__: Any) -> None:
        """Go further in the direction of the step."""
        for table, before in zip(self._tables, self._before, strict=True):
            table[self._rows] = before + self._factor * (table[self._rows] - before)
