"""Tell the language of a question by the words that the pack's wordings have in each."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from forge_assets.scenarios.pack.files import Pack

_WORD = re.compile(r"[^\W\d_]+")


class Languages:
    """The words of each language of a pack."""

    def __init__(self, pack: Pack) -> None:
        owners: dict[str, set[str]] = defaultdict(set)
        for code, language in pack.languages.items():
            texts = [*_texts(language.model_dump())]
            texts += _texts(pack.plain[code].model_dump()) if code in pack.plain else []
            for word in {word for text in texts for word in _WORD.findall(text.casefold())}:
                owners[word].add(code)
        self._owners = owners
        self._many = len(pack.languages)

    def tell(self, text: str) -> str | None:
        """The language that most of a text's words are of, the rarer ones counting more; None where none leads."""
        scores: dict[str, float] = defaultdict(float)
        for word in _WORD.findall(text.casefold()):
            owners = self._owners.get(word, set())
            for code in owners:
                scores[code] += math.log(1 + self._many / len(owners)) / len(owners)
        best = sorted(scores.items(), key=lambda found: -found[1])
        if not best or (len(best) > 1 and best[0][1] == best[1][1]):
            return None
        return best[0][0]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
