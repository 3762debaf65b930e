"""Hold answers to the places that have a token, and to those of the countries asked about.

Where ordinary tokens would begin a place by hand, the number that would follow is made impossible. So no answer cites
a place that no token stands for. Whether the place that is cited applies is another question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from forge_assets.training.jobs.spec import Guard

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from forge_assets.training.inference.batch_decoding import Row
    from forge_assets.training.models.citation_tokens import CitationToken

_TAIL = 16
"""Tokens that are looked back at: more than the longest words before a number have."""
_PART = "\ufffd"
"""What a token decodes to that is a part of a character."""
_NUMBER_AT_END = re.compile(rf"\d[\s{_PART}]*[^\W\d_]{{0,4}}[.\s{_PART}]*$")
_NUMBER = re.compile(r"[\s(]*\d")


class CitationGuard:
    """Makes tokens impossible that would cite a place by hand, or one of a country that is not asked about.

    Args:
        tokens: the model's citation tokens.
        countries: sample id to the countries asked about; samples that are not there may cite every country.
    """

    def __init__(
        self,
        guard: Guard,
        tokenizer: PreTrainedTokenizerBase,
        tokens: Sequence[CitationToken],
        countries: Mapping[str, Sequence[str]],
    ) -> None:
        self._tokenizer = tokenizer
        self._countries = countries
        self._places = {token.id: frozenset(place.split(":")[0] for place in token.places) for token in tokens}
        texts = {i: tokenizer.decode([i]) for i in range(len(tokenizer)) if i not in self._places}
        self._opens = _words(guard.before, r"(?<!\w)(?:{})[\s\u00a0]*(?:[A-Z]\.?[\s\u00a0]*)?$")
        closes = _words(guard.after, r"[\s\u00a0]*(?:{})")
        whole = _words(guard.before, r"(?:^|.*\W)(?:{})[\s\u00a0]*\d")
        self._tokens = _ids(self._places)
        self._numbers = _ids(i for i, text in texts.items() if _NUMBER.match(text))
        # A part of a character's bytes may be the beginning of a sign, and a place may begin with one.
        after = {**texts, **{token.id: token.text for token in tokens}}
        self._after = _ids(i for i, text in after.items() if closes and (closes.match(text) or _PART in text))
        self._never = _ids(i for i, text in texts.items() if whole and whole.match(text))
        self._everywhere = frozenset(guard.everywhere)
        self._foreign: dict[frozenset[str], torch.Tensor] = {}

    def hold(self, scores: torch.Tensor, rows: Sequence[Row | None]) -> torch.Tensor:
        """Make impossible tokens -inf.

        Args:
            scores: rows x vocabulary.
            rows: None where an answer is held by something else.
        """
        scores = scores.clone()
        for i, row in enumerate(rows):
            if row is None:
                continue
            scores[i, self._never] = -torch.inf
            scores[i, self._outside(row.name)] = -torch.inf
            tail = str(self._tokenizer.decode(row.new[-_TAIL:], skip_special_tokens=True))
            opened = bool(self._opens and self._opens.search(tail))
            if opened or (row.new and row.new[-1] in self._places):
                scores[i, self._numbers] = -torch.inf
            if opened:
                scores[i, self._tokens] = -torch.inf
            if _NUMBER_AT_END.search(tail):
                scores[i, self._after] = -torch.inf
        return scores

    def _outside(self, name: str) -> torch.Tensor:
        """Tokens of places of other countries than a sample asks about."""
        if name not in self._countries:
            return _ids(())
        asked = self._everywhere.union(self._countries[name])
        if asked not in self._foreign:
            self._foreign[asked] = _ids(token for token, owners in self._places.items() if not owners & asked)
        return self._foreign[asked]


def _ids(found: Iterable[int]) -> torch.Tensor:
    return torch.tensor(list(found), dtype=torch.long)


def _words(words: Sequence[str], pattern: str) -> re.Pattern[str] | None:
    return re.compile(pattern.replace("{}", "|".join(map(re.escape, words))), re.IGNORECASE) if words else None
