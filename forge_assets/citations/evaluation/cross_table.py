"""Cross laws that are held with laws that are not, in every order, to test whose place is read as whose.

Every sentence has one place of a held law and one of a law that is not held, or of another held law. The numbers of
places stand in both laws' reach, so that a place which is given to the wrong law is read as real.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.citations.rendering import render
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.model import Framework, Law
from forge_assets.law.statutes import Statutes

_BLANK = "\u2400"
_NOWHERE = ("QVRG", "XyzVG", "KQL IX")
"""Names of no law, which look like one."""
HELD, OTHERS = 3, 8
"""Laws of a country that are taken, at most."""


@dataclass(frozen=True)
class CrossedText:
    """A sentence of two places, and the places of held laws in it."""

    country: str
    text: str
    keys: tuple[str, ...]
    kind: str
    """What is crossed: `other`, `held` or a name that is `nowhere` known; word order of both; what joins them."""


@dataclass(frozen=True)
class CrossedReading:
    """What the parser made of it."""

    case: CrossedText
    read: tuple[str, ...]
    wrongly_real: tuple[str, ...]
    """Places read as real or fabricated that the text does not cite."""

    @property
    def right(self) -> bool:
        """Whether exactly the places of held laws were read."""
        return self.read == self.case.keys


def crossed_texts(framework: Framework, statutes: Statutes) -> Iterator[CrossedText]:
    """Write every sentence of a country."""
    code, form = framework.jurisdiction, framework.citation
    held = [law for law in framework.laws if statutes.get(law.id)][:HELD]
    others = _spread([name for name in form.other_laws if _is_plain(name)], OTHERS)
    joins = [", ", "; ", *(f" {word} " for word in form.join[:1])]
    for law in held:
        place, second = _units(statutes[law.id])
        mine = _Cited(law, framework, place, (f"{code}:{law.id}:{place}",))
        named = [("other", name) for name in others] + [("nowhere", name) for name in _NOWHERE]
        rivals = [(what, _Cited(_named(law, name), framework, second, ())) for what, name in named]
        rivals += [
            ("held", _Cited(other, framework, unit, (f"{code}:{other.id}:{unit}",)))
            for other in held
            if other.id != law.id
            for unit in _units(statutes[other.id])[:1]
        ]
        for (what, rival), first, join, swapped in product(rivals, (False, True), joins, (False, True)):
            one, two = (rival, mine) if swapped else (mine, rival)
            text = f"{one.written(first)}{join}{two.written(first)}"
            kind = f"{what}, law {'first' if first else 'last'}, joined by {join.strip()!r}"
            yield CrossedText(code, text, one.keys + two.keys, kind)


def read_crossed(cases: Iterable[CrossedText], laws: LawIndex) -> list[CrossedReading]:
    """Parse every sentence."""
    found = []
    for case in cases:
        citations = [
            c for c in parse(case.text, laws) if c.status not in ("unheld", "ambiguous") and c.jurisdiction != "ZZ"
        ]
        read = tuple(str(c.key) for c in citations)
        wrong = tuple(str(c.key) for c in citations if str(c.key) not in case.keys and c.status != "unverifiable")
        found.append(CrossedReading(case, read, wrong))
    return found


@dataclass(frozen=True)
class _Cited:
    law: Law
    framework: Framework
    unit: str
    keys: tuple[str, ...]

    def written(self, law_first: bool) -> str:
        """The place in its country's form, the law's name before or behind it."""
        law, of = self.law, self.framework.citation.of
        known = self.framework.model_copy(update={"laws": (law.model_copy(update={"short": _BLANK}),)})
        text = render(CitationKey(self.framework.jurisdiction, law.id, self.unit), known)
        place, behind = text.replace(_BLANK, "").strip(), text.rstrip().endswith(_BLANK)
        *words, last = place.split(" ")
        if behind and words and last in of:
            return f"{law.short} {' '.join(words)}" if law_first else f"{place} {law.short}"
        return f"{law.short} {place}" if law_first else f"{place} {law.short}"


def _named(law: Law, name: str) -> Law:
    return law.model_copy(update={"id": "other", "short": name, "title": name, "english": name, "aliases": ()})


def _is_plain(name: str) -> bool:
    """Whether a name is cited as it stands: no oblique form and no bare year."""
    return len(name) > 1


def _spread(names: Sequence[str], count: int) -> list[str]:
    step = max(1, len(names) // count)
    return list(names[::step][:count])


def _units(units: Mapping[str, object]) -> tuple[str, str]:
    numbers = list(units)
    return numbers[len(numbers) // 2], numbers[len(numbers) // 3]
