"""Tell what a piece of a question says, by how the pack's wordings say it (naive Bayes over beginnings of words)."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property

from forge_assets.scenarios.pack.language import Language, PlanWording, YesNo
from forge_assets.scenarios.pack.plain import Plain, Saying, YesNoSaying

Label = tuple[str, ...]
"""`("change", name)`, `("fact", name, "true")`, `("number", name)`, or `NOTHING`."""
NOTHING: Label = ("nothing",)
_WORD = re.compile(r"[^\W\d_]+|\d+")
_SLOT = re.compile(r"\{(\w+)\}")
_STEM = 6
"""Letters of a word that count: endings differ from case to case."""
_WHOLE = 13
"""Letters of a word that tell it from others of the same beginning."""
_LONG = 10
"""Letters from which on a word may be one of several put together, whose parts count as well."""

_DENIED = 5.0
"""Nats by which a text with a word that denies may sound as if it did not: `nothing happens without a council`."""
_SIDES = ("true", "false")
_OFTEN, _OWN = 0.2, 0.6
"""A word names a fact that a share of its wordings have, and that a share of the word's uses are for."""


def features(text: str) -> Iterator[str]:
    """List what counts of a text: beginnings of its words, parts of long ones, and pairs of neighbours."""
    before = ""
    for word in _WORD.findall(text.casefold()):
        stem = "0" if word[0].isdigit() else word[:_STEM]
        yield stem
        if len(word) > _STEM:
            yield word[:_WHOLE]
        if before:
            yield f"{before} {stem}"
        before = stem
        if len(word) >= _LONG:
            yield from (f"~{word[at : at + _STEM - 1]}" for at in range(len(word) - _STEM + 2))


class Teller:
    """Says what a piece of text most likely states.

    Args:
        said: each label's wordings.
    """

    def __init__(self, said: Iterable[tuple[Label, str]]) -> None:
        counts: dict[Label, Counter[str]] = defaultdict(Counter)
        self._texts: Counter[Label] = Counter()
        for label, text in said:
            self._texts[label] += 1
            counts[label].update(set(features(text)))
        self._size = len(frozenset().union(*counts.values())) or 1
        self._counts = dict(counts)
        self._totals = {label: sum(found.values()) for label, found in counts.items()}
        self._known = frozenset().union(*counts.values())

    def tell(self, text: str) -> list[tuple[Label, float]]:
        """List labels with the nats by which each is likelier than that nothing is stated; the likeliest first."""
        found = [one for one in set(features(text)) if one in self._known]
        scores = {label: sum(self._weight(label, one) for one in found) for label in self._counts}
        nothing = scores.get(NOTHING, 0.0)
        return sorted(((label, score - nothing) for label, score in scores.items()), key=lambda told: -told[1])

    def names(self, label: Label, text: str) -> bool:
        """Whether a text has a word that wordings of a fact have often and those of others hardly ever."""
        fact = [one for one in self._counts if one[:2] == label[:2]]
        texts = sum(self._texts[one] for one in fact)
        whole = {word[:_WHOLE] for word in _WORD.findall(text.casefold()) if len(word) != _STEM}
        for one in whole & self._known:
            here = sum(self._counts[label][one] for label in fact)
            everywhere = sum(found[one] for found in self._counts.values())
            if here >= _OFTEN * texts and here >= _OWN * everywhere:
                return True
        return False

    def side(self, name: str, text: str) -> float:
        """Nats by which a yes/no fact rather holds than not, where a text is about it.

        A word that denies settles it. Else words that are missing count, too: who does not say `no` says that it holds
        (Bernoulli naive Bayes over the words that a tenth of either side's wordings have).
        """
        holds, not_so = ("fact", name, "true"), ("fact", name, "false")
        if holds not in self._counts or not_so not in self._counts:
            return math.inf if holds in self._counts else -math.inf
        here, score = set(features(text)), 0.0
        if here & self._denials:
            told = sum(self._weight(holds, one) - self._weight(not_so, one) for one in here & self._known)
            return -math.inf if told < _DENIED else 0.0
        for feature in self._counts[holds].keys() | self._counts[not_so].keys():
            yes, no = (self._counts[side][feature] / self._texts[side] for side in (holds, not_so))
            if max(yes, no) >= 0.1:
                yes, no = (0.96 * share + 0.02 for share in (yes, no))
                score += math.log(yes / no) if feature in here else math.log((1 - yes) / (1 - no))
        return score

    @cached_property
    def _denials(self) -> frozenset[str]:
        """Words that wordings of what is not so have, of several facts, and those of what is hardly ever."""
        sides = {value: [one for one in self._counts if one[0] == "fact" and one[2] == value] for value in _SIDES}
        found = set()
        for word in self._known:
            if " " in word or word.startswith("~"):
                continue
            yes, no = (sum(self._counts[one][word] for one in sides[value]) for value in _SIDES)
            if sum(self._counts[one][word] > 0 for one in sides["false"]) >= 3 and no >= 8 * yes:
                found.add(word)
        return frozenset(found)

    def _weight(self, label: Label, feature: str) -> float:
        return math.log((self._counts[label][feature] + 0.1) / (self._totals[label] + 0.1 * self._size))


def wordings(language: Language, plain: Plain | None) -> Iterator[tuple[Label, str]]:
    """List the wordings of a language, each with what it states."""
    for name, alternatives in language.changes.items():
        for text in (text for each in alternatives for text in (*each.listed, *each.told)):
            yield ("change", name), _bare(text)
    for name, fact in language.facts.items():
        yield from _stated(name, fact)
    for texts in (language.asides, language.premises, *language.questions.values()):
        yield from ((NOTHING, _bare(text)) for text in texts)
    if plain is None:
        return
    for name, said in plain.changes.items():
        for group in (said.said, said.brief):
            yield from ((("change", name), _bare(text)) for text in (*group.any, *group.ours, *group.theirs))
    for name, saying in plain.facts.items():
        yield from _stated(name, saying)
    for one in plain.together:
        for text in (*one.said, *one.brief):
            if one.change:
                yield ("change", one.change), _bare(text)
            for name, value in one.facts.items():
                yield ("fact", name, str(value).lower()), _bare(text)
    for person in plain.people.values():
        for text in person.opens:
            yield (("fact", person.needs, "true") if person.needs else NOTHING), _bare(text)
    for asked in plain.questions.values():
        yield from ((NOTHING, _bare(text)) for text in (*asked.any, *asked.ours, *asked.theirs))
    for text in (*plain.greetings, *plain.thanks, *plain.asides, *plain.where.said, *plain.place_says):
        yield NOTHING, _bare(text)


def _stated(name: str, fact: YesNo | PlanWording | YesNoSaying | Saying) -> Iterator[tuple[Label, str]]:
    if isinstance(fact, YesNo | YesNoSaying):
        for value, side in (("true", fact.if_true), ("false", fact.if_false)):
            yield from ((("fact", name, value), _bare(text)) for text in _texts(side))
    else:
        yield from ((("number", name), _bare(text)) for text in _texts(fact))


def _texts(side: PlanWording | Saying) -> tuple[str, ...]:
    if isinstance(side, PlanWording):
        return (*side.listed, *side.told)
    return (*side.said, *side.brief)


def _bare(text: str) -> str:
    """A wording with its numbers as `0`, and without its other slots."""
    return _SLOT.sub(lambda found: "0" if found[1] in ("n", "employees", "affected") else " ", text)
