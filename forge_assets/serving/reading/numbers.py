"""Tell what the numbers of a question count, by the words that stand beside them in the pack's wordings."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from forge_assets.scenarios.pack.language import Language, PlanWording
from forge_assets.scenarios.pack.plain import Plain, Saying

_NUMBER = re.compile(
    r"(?<![\w.,/:§-])(\d{1,3}(?:[.,'\u00a0\u202f ]\d{3})+|\d{1,7})(?![\w%:/]|[.,]\d|\s?(?:%|\u20ac|EUR))"
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_WORD = re.compile(r"[^\W\d_]+|[.;!?\n()\u2013\u2014]|\d[\d.,]*")
_STOPS = frozenset(".;!?\n()\u2013\u2014")
_NEAR = 3
"""Words to each side that tell what a number counts."""
_STEM = 6
_USUAL = 4.0
"""Nats by which a fact that every question states is likelier."""
_SURE = 1.0
"""Nats by which one reading must be likelier than the next."""


class Numbers:
    """What the numbers of one language's questions count.

    Args:
        usual: facts that every question on some change states: a number is rather one of these.
    """

    def __init__(self, language: Language, plain: Plain | None, usual: Iterable[str]) -> None:
        self._usual = frozenset(usual)
        self._seen: dict[str, Counter[str]] = defaultdict(Counter)
        self._texts: Counter[str] = Counter()
        for name, text in _wordings(language, plain):
            for slot in re.finditer(r"\{(\w+)\}", text):
                owner = name if slot[1] == "n" else slot[1]
                if owner:
                    filled = re.sub(r"\{\w+\}", "7", text[: slot.start()]), re.sub(r"\{\w+\}", "7", text[slot.end() :])
                    self._seen[owner].update(set(_beside(*filled)))
                    self._texts[owner] += 1
        self._numeric = {name for name, _ in _wordings(language, plain) if name}

    def read(self, text: str, skip: Sequence[tuple[int, int]]) -> dict[str, int]:
        """Read the facts that a question's numbers state; a fact that two numbers may state is left out.

        Args:
            skip: spans of citations, whose numbers count nothing.
        """
        found: dict[str, set[int]] = defaultdict(set)
        for number in _NUMBER.finditer(text):
            inside = any(start <= number.start() < end for start, end in skip)
            if inside or _YEAR.fullmatch(number[1]):
                continue
            name = self._counted(text[: number.start()], text[number.end() :])
            if name is not None:
                found[name].add(int(re.sub(r"\D", "", number[1])))
        return {name: values.pop() for name, values in found.items() if len(values) == 1}

    def _counted(self, before: str, after: str) -> str | None:
        beside = set(_beside(before, after))
        known = {one for one in beside if sum(seen[one] for seen in self._seen.values()) >= 3}
        if not any(one.startswith(("R0", "R1", "L0")) for one in known):
            return None
        scores = sorted(
            (
                (_USUAL * (name in self._usual) + self._fit(name, known), name)
                for name in self._seen
                if name in self._numeric
            ),
            reverse=True,
        )
        if not scores or (len(scores) > 1 and scores[0][0] - scores[1][0] < _SURE):
            return None
        return scores[0][1]

    def _fit(self, name: str, known: Iterable[str]) -> float:
        seen, texts = self._seen[name], self._texts[name]
        return sum(math.log(seen[one] / texts + 0.02) for one in known)


def _beside(before: str, after: str) -> Iterator[str]:
    for side, words in (("L", _WORD.findall(before[-80:])[::-1]), ("R", _WORD.findall(after[:80]))):
        for at, word in enumerate(words[:_NEAR]):
            if word in _STOPS:
                break
            stem = "0" if word[0].isdigit() else word.casefold()[:_STEM]
            yield f"{side}{at} {stem}"
            yield f"{side} {stem}"


def _wordings(language: Language, plain: Plain | None) -> Iterable[tuple[str, str]]:
    for name, fact in language.facts.items():
        if isinstance(fact, PlanWording):
            yield from ((name, text) for text in (*fact.listed, *fact.told))
    if plain is None:
        return
    for name, saying in plain.facts.items():
        if isinstance(saying, Saying):
            yield from ((name, text) for text in (*saying.said, *saying.brief))
    for one in plain.together:
        yield from (("", text) for text in (*one.said, *one.brief))
