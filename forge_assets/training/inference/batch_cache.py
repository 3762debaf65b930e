"""Keys and values of a batch whose rows come and go: a row that ends makes room for one that waits.

Rows end at the same place and begin where their prompt does; what lies before a prompt is masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import Cache, DynamicLayer

ROOM = 64
"""Tokens that a layer makes room for at once: one at a time, every token would copy all that stand before it."""


class GrowingLayer(DynamicLayer):  # type: ignore[misc]
    """A layer's keys and values (rows x heads x tokens x width each), as views of buffers with room behind them."""

    _key_room: torch.Tensor
    _value_room: torch.Tensor

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Put new tokens behind those that are there; returns all keys and all values."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._hold(key_states, value_states)
            return self.keys, self.values
        before = self.keys.shape[2]
        length = before + key_states.shape[2]
        if length > self._key_room.shape[2]:
            self._hold(self.keys, self.values, length)
        self._key_room[:, :, before:length] = key_states
        self._value_room[:, :, before:length] = value_states
        self._show(length)
        return self.keys, self.values

    def keep(self, rows: torch.Tensor, skip: int) -> None:
        """Drop all other rows, and the first `skip` tokens."""
        self._hold(self.keys[rows, :, skip:], self.values[rows, :, skip:])

    def join(self, other: GrowingLayer) -> None:
        """Put the rows of another layer behind one's own, so that both end at the same place."""
        length = max(self.keys.shape[2], other.keys.shape[2])
        self._hold(
            torch.cat([_padded(self.keys, length), _padded(other.keys, length)]),
            torch.cat([_padded(self.values, length), _padded(other.values, length)]),
        )

    def _hold(self, keys: torch.Tensor, values: torch.Tensor, least: int = 0) -> None:
        room = max(least, keys.shape[2]) + ROOM
        self._key_room, self._value_room = (_with_room(held, room) for held in (keys, values))
        self._show(keys.shape[2])

    def _show(self, length: int) -> None:
        self.keys, self.values = self._key_room[:, :, :length], self._value_room[:, :, :length]


class BatchCache(Cache):  # type: ignore[misc]
    """The layers of a model, each with all tokens, also where the model sees only the last ones (masks say so)."""

    layers: list[GrowingLayer]

    def __init__(self) -> None:
        super().__init__(layer_class_to_replicate=GrowingLayer)

    def keep(self, rows: Sequence[int], skip: int) -> None:
        """Drop all other rows, and the first `skip` tokens of these, which are no row's."""
        for layer in self.layers:
            layer.keep(torch.tensor(rows, device=layer.keys.device), skip)

    def join(self, other: BatchCache) -> None:
        """Put the rows of another cache behind one's own."""
        for layer, more in zip(self.layers, other.layers, strict=True):
            layer.join(more)


def _with_room(held: torch.Tensor, room: int) -> torch.Tensor:
    made = held.new_empty(*held.shape[:2], room, held.shape[3])
    made[:, :, : held.shape[2]] = held
    return made


def _padded(held: torch.Tensor, length: int) -> torch.Tensor:
    return torch.nn.functional.pad(held, (0, 0, length - held.shape[2], 0))
