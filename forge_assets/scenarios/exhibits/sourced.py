"""Check what a marked answer says of an exhibit: words of its language's file, or values as that file writes them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from forge_assets.scenarios.exhibits.values import AGREED, WORDED
from forge_assets.scenarios.pack.exhibits import SLOT, Exhibits

_BARE = re.compile(r"\{\w+\}|[\d.,:/\s-]+(?:г\.)?")
"""A slot of the row, a date, or a number alone."""


class ExhibitWords:
    """The words of one language's exhibits, as pieces of answers."""

    def __init__(self, words: Exhibits) -> None:
        self._join = words.join
        self._words = set(_literals(words))
        self._entries = {entry for entries in words.lists.values() for entry in entries}
        self._entries |= {*words.agreement.others.values(), words.agreement.side}
        said = [
            text for unit in words.units.values() for text in (*unit.said, *(f for t in unit.but.values() for f in t))
        ]
        self._units = [re.compile(re.escape(text).replace(r"\{n\}", r"\d(?:[\d., ]*\d)?")) for text in set(said)]

    def bear_out(self, source: str, text: str, bodies: Collection[str]) -> bool:
        """Test whether the file, or one of some names of bodies, bears out a piece."""
        if source == WORDED:
            return text in self._words
        if source != AGREED:
            return False
        if _BARE.fullmatch(text) or text in bodies or all(part in self._entries for part in text.split(self._join)):
            return True
        amount = re.sub(r"\b[A-Z]{3}\b", "{currency}", text)
        return any(unit.fullmatch(amount) for unit in self._units)


def _literals(words: Exhibits) -> Iterator[str]:
    agreement, system = words.agreement, words.system
    templates = [agreement.line, system.line, *agreement.parties]
    templates += [text for texts in agreement.findings.values() for text in texts]
    for clause in (*agreement.clauses.values(), *system.lines.values()):
        templates += [clause.title, *clause.summary]
    for template in templates:
        yield from SLOT.split(template)[::3]
    yield from agreement.others.values()
    yield from agreement.topics.values()
