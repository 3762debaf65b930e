"""Training rows that fit: a row is learned from whole or not at all, for a cut one teaches answers without an end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from forge_assets.training.runtime.progress import Progress

Row = dict[str, Any]


def fitting(
    tokenizer: PreTrainedTokenizerBase, rows: Sequence[Row], max_length: int, progress: Progress
) -> tuple[list[Row], int]:
    """Leave out the rows whose prompt and completion, end mark included, are longer than `max_length` tokens.

    Args:
        rows: `prompt` and `completion`, both chat messages.
        progress: told how many were left out, if any were.

    Returns:
        The rows that fit, in order, and how many do not.

    Raises:
        ValueError: none fits.
    """
    kept = [row for row in rows if len(row_tokens(tokenizer, row)) <= max_length]
    left_out = len(rows) - len(kept)
    mend = "raise max_length, or shorten prompts and answers"
    if not kept:
        raise ValueError(f"all {len(rows)} rows are longer than max_length {max_length} tokens: {mend}")
    if left_out:
        progress.say(
            f"{left_out} of {len(rows)} rows are longer than max_length {max_length} tokens and are left out: {mend}"
        )
    return kept, left_out


def row_tokens(tokenizer: PreTrainedTokenizerBase, row: Row) -> list[int]:
    """Tokens of a whole row as the chat template writes it."""
    ids: list[int] = tokenizer.apply_chat_template(row["prompt"] + row["completion"], return_dict=True)["input_ids"]
    return ids
