"""Hold answers to a JSON Schema as they are decoded: at each position only tokens that keep to it are possible.

The schema is compiled and followed by llguidance (https://github.com/guidance-ai/llguidance). JSON is written without
spaces and with names in the schema's order, as the references are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from llguidance import LLMatcher
from llguidance.hf import from_tokenizer
from transformers import LogitsProcessor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transformers import PreTrainedTokenizerBase

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

    def matchers(self, names: Sequence[str]) -> list[LLMatcher | None]:
        """Build what follows an answer from its start, for each sample; None where it is free."""
        return [self._compiled[self._schemas[name]].deep_copy() if name in self._schemas else None for name in names]


def _unfit(name: str, why: str) -> ValueError:
    return ValueError(f"sample {name}: its schema cannot be followed: {why.splitlines()[0]}: mend `schema` of its row")


class HeldToSchema(LogitsProcessor):  # type: ignore[misc]
    """Makes every token impossible that breaks a row's schema; rows without one stay as they are.

    Args:
        matchers: what follows each row's answer, or None.
        asked: tokens of the padded prompts.
        stops: tokens that end an answer: what comes after is padding.
    """

    def __init__(self, matchers: Sequence[LLMatcher | None], asked: int, stops: Sequence[int]) -> None:
        self._open = {row: matcher for row, matcher in enumerate(matchers) if matcher is not None}
        self._asked = asked
        self._stops = frozenset(stops)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Rows x vocabulary in and out."""
        if input_ids.shape[1] > self._asked:
            last = input_ids[:, -1].tolist()
            self._open = {row: matcher for row, matcher in self._open.items() if last[row] not in self._stops}
            for row, matcher in self._open.items():
                matcher.consume_token(last[row])
        if not self._open:
            return scores
        possible = torch.ones(scores.shape, dtype=torch.bool)
        for row, matcher in self._open.items():
            mask = torch.frombuffer(bytearray(matcher.compute_logit_bias()), dtype=torch.uint8) > 0
            if matcher.is_error():
                raise RuntimeError(f"an answer could not be held to its schema: {matcher.get_error()}")
            possible[row] = False
            possible[row, : len(mask)] = mask[: scores.shape[1]]
        return scores.masked_fill(~possible.to(scores.device), -torch.inf)
