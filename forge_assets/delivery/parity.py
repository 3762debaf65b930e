"""Compare greedy answers of two programs with the same weights, token by token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

PARITY_QUESTIONS = 32
"""Of the benchmark, answered by Transformers in float32 too; those that must follow a schema are left out."""
NEAR_TIE = 0.1
"""Nats: where the likeliest token is not further ahead of the next one, another order of additions may change it."""


class Parity(NamedTuple):
    """How many answers are the same.

    Attributes:
        near_ties: of those that are not, how many part where the two likeliest tokens are nearly alike.
    """

    answers: int
    same: int
    near_ties: int

    @property
    def share(self) -> float:
        """Answers that are the same, or part at a near tie."""
        return (self.same + self.near_ties) / self.answers if self.answers else 1.0


Tokens = Sequence[tuple[str, float]]
"""Texts of an answer's tokens, and how far ahead of the next likeliest each was, in nats."""


def compare(wanted: Mapping[str, str], found: Mapping[str, str], tokens: Mapping[str, Tokens]) -> Parity:
    """Compare answers by sample.

    Args:
        tokens: of the answers in `found`.
    """
    same = near = 0
    for name, text in wanted.items():
        if text.strip() == found[name].strip():
            same += 1
        elif _ahead(text.strip(), tokens[name]) <= NEAR_TIE:
            near += 1
    return Parity(len(wanted), same, near)


def _ahead(wanted: str, tokens: Tokens) -> float:
    """How far ahead the first token was that the other answer does not have; its end counts as one."""
    read = ""
    for text, ahead in tokens:
        read = (read + text).lstrip() if not read else read + text
        if not wanted.startswith(read.rstrip() if len(read) > len(wanted) else read):
            return ahead
    return tokens[-1][1] if tokens else float("inf")
