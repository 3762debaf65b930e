"""Prove before anything is asked that the guard holds: a server may take a broken grammar and say nothing."""

from __future__ import annotations

import re

from forge_assets.serving.grammar import going_on
from forge_assets.serving.model.process import ModelError, ModelProcess

_PUSH = 100.0
"""Added to the score of every digit: a model that may give one gives one."""


class GuardError(ModelError):
    """The guard does not hold, so nothing is served."""


def prove_guard(model: ModelProcess, grammar: str, opening: str, root: str) -> None:
    """Push the model to write a number behind a word that opens places, with the guard and without it.

    Args:
        grammar: the guard of answers.
        opening: a text that has begun to cite a place by hand.
        root: the grammar's first rule for what goes on from there.

    Raises:
        GuardError: the grammar is not taken, a number stands there under the guard, or none does without it.
    """
    digits = {model.tokens(digit)[-1] for digit in "0123456789"}
    asked = {
        "prompt": f"The law says so in {opening}",
        "n_predict": 4,
        "temperature": 0,
        "logit_bias": [[token, _PUSH] for token in sorted(digits)],
        "cache_prompt": False,
    }
    free = str(model.post("/completion", asked)["content"])
    if not re.match(r"\s*\d", free):
        raise GuardError(f"the guard could not be tested: pushed towards digits, the model wrote {free!r}")
    try:
        held = str(model.post("/completion", asked | {"grammar": going_on(grammar, root)})["content"])
        model.post("/completion", asked | {"grammar": grammar, "n_predict": 1})
    except ModelError as error:
        raise GuardError(f"the guard's grammar is not taken, so nothing is served: {error}") from error
    if re.match(r"[\s(]*\d", held):
        raise GuardError(f"the guard does not hold: behind {opening!r} the model wrote {held!r}, so nothing is served")
