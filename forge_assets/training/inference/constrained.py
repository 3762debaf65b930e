"""Hold answers to a JSON Schema as they are decoded: at each position only tokens that keep to it are possible.

The schema is compiled and followed by llguidance (https://github.com/guidance-ai/llguidance). JSON is written without
spaces and with names in the schema's order, as the references are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from llguidance import LLMatcher
from llguidance.hf import from_tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transformers import PreTrainedTokenizerBase

    from forge_assets.training.inference.batch_decoding import Row

_COMPACT = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}


class Schemas:
    """The schemas of some samples, each compiled once for one tokenizer.

    Args:
        schemas: sample id to schema as text; samples that are answered freely are not there.
        stops: tokens that end an answer.

    Raises:
        ValueError: a schema cannot be followed; names its sample.
    """

    def __init__(self, schemas: Mapping[str, str], tokenizer: PreTrainedTokenizerBase, stops: Sequence[int]) -> None:
        self._schemas = schemas
        self._compiled: dict[str, LLMatcher] = {}
        self._open: dict[str, LLMatcher] = {}
        if not schemas:
            return
        tokens = from_tokenizer(tokenizer, eos_token=list(stops))
        for name, schema in schemas.items():
            if schema in self._compiled:
                continue
            try:
                matcher = LLMatcher(tokens, LLMatcher.grammar_from_json_schema(schema, overrides=_COMPACT))
            except ValueError as error:
                raise _unfit(name, str(error)) from error
            if matcher.is_error():
                raise _unfit(name, matcher.get_error())
            self._compiled[schema] = matcher

    def hold(self, scores: torch.Tensor, rows: Sequence[Row]) -> torch.Tensor:
        """Make every token impossible that breaks a row's schema; rows without one stay as they are.

        Called at every position of a row, from its first.

        Args:
            scores: rows x vocabulary.
        """
        held = {i: row for i, row in enumerate(rows) if row.name in self._schemas}
        if not held:
            return scores
        possible = torch.ones(scores.shape, dtype=torch.bool)
        for i, row in held.items():
            matcher = self._follow(row)
            mask = torch.frombuffer(bytearray(matcher.compute_logit_bias()), dtype=torch.uint8) > 0
            if matcher.is_error():
                raise RuntimeError(f"an answer could not be held to its schema: {matcher.get_error()}")
            possible[i] = False
            possible[i, : len(mask)] = mask[: scores.shape[1]]
        return scores.masked_fill(~possible.to(scores.device), -torch.inf)

    def holds(self, name: str) -> bool:
        """Whether a sample's answer follows a schema."""
        return name in self._schemas

    def _follow(self, row: Row) -> LLMatcher:
        """What may come next in a row."""
        if not row.new:
            self._open[row.name] = self._compiled[self._schemas[row.name]].deep_copy()
        else:
            self._open[row.name].consume_token(row.new[-1])
        return self._open[row.name]


def _unfit(name: str, why: str) -> ValueError:
    return ValueError(f"sample {name}: its schema cannot be followed: {why.splitlines()[0]}: mend `schema` of its row")
