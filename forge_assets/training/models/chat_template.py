"""Chat templates that put before an answer what training put before it, and the mark that ends an answer.

Many templates write more before a finished answer than they write to ask for one: Qwen 3 an empty block of thought,
gpt-oss the channel. A model trained on such rows answers `<think></think>` or `final` first. Here the request for an
answer ends where the answer begins, in training, in generation and in every model that is delivered.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    Messages = list[dict[str, str]]

ANSWER = "\N{LOZENGE}answer\N{LOZENGE}"
"""Stands for an answer while a template is looked at."""

NO_DATE = "{%- macro strftime_now(format) -%}2026-01-01{%- endmacro -%}"
"""Templates that write today's date (gpt-oss, Llama 3.1) would give a job other tokens on every day."""


def settle(tokenizer: PreTrainedTokenizerBase, folder: object) -> None:
    """Let the tokenizer's template ask for an answer as training shows it, and its end-of-sequence be the answer's.

    Args:
        folder: where it was loaded from, for error messages.

    Raises:
        ValueError: the template renders the prompt otherwise once it is answered, or ends an answer with no token.
    """
    template = str(tokenizer.get_chat_template())
    if "strftime_now" in template and not template.startswith(NO_DATE):
        template = NO_DATE + template
    tokenizer.chat_template = template
    prompt = [{"role": "user", "content": "?"}]
    whole = _rendered(tokenizer, [*prompt, {"role": "assistant", "content": ANSWER}])
    asked = _rendered(tokenizer, prompt, add_generation_prompt=True)
    before, found, after = whole.partition(ANSWER)
    if not found or not before.startswith(asked):
        raise ValueError(
            f"{folder}: the chat template renders {asked!r} to ask for an answer, but {whole!r} once it is given: "
            "mend chat_template.jinja so that the first is the beginning of the second"
        )
    if before != asked:
        opening = json.dumps(before[len(asked) :])
        tokenizer.chat_template = f"{template}{{% if add_generation_prompt %}}{{{{ {opening} }}}}{{% endif %}}"
    tokenizer.eos_token = _end(tokenizer, after, folder)


def check_rows(tokenizer: PreTrainedTokenizerBase, rows: list[dict[str, Any]]) -> None:
    """Look at rows with `prompt` and `completion`, both chat messages.

    Raises:
        ValueError: the tokens that ask for a completion are not the first tokens of the row it is learned from.
    """
    for row in rows:
        asked = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=True).input_ids
        whole = tokenizer.apply_chat_template(row["prompt"] + row["completion"], return_dict=True).input_ids
        if whole[: len(asked)] != asked:
            same = next((i for i, (a, b) in enumerate(zip(asked, whole, strict=False)) if a != b), len(whole))
            raise ValueError(
                f"chat template: a prompt ends {tokenizer.decode(asked[same:])!r} when an answer is asked for, but "
                f"training would show {tokenizer.decode(whole[same : same + 20])!r} there: the model would learn "
                "another beginning than it is given. Mend the template, or take out of the completions what it reads "
                "as something else: thoughts, or a line break at the start"
            )


def _rendered(tokenizer: PreTrainedTokenizerBase, messages: Messages, **options: bool) -> str:
    return str(tokenizer.apply_chat_template(messages, tokenize=False, **options))


def _end(tokenizer: PreTrainedTokenizerBase, after: str, folder: object) -> str:
    """The token that the template writes after an answer."""
    for token in tokenizer(after, add_special_tokens=False).input_ids:
        if token in tokenizer.added_tokens_decoder:
            return str(tokenizer.convert_ids_to_tokens(token))
    raise ValueError(
        f"{folder}: the chat template writes {after!r} after an answer, which is no special token: a model trained on "
        "it would not know when to stop. Add the tokenizer's end-of-turn token to chat_template.jinja"
    )
