"""Judge what an answer cites: each citation with its verdict, and the statute's own words, their date and status."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from forge_assets.citations.citation import Citation
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.citations.verdict import Situation, Verdict, asked, judge, situation_of
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.engine import Facts
from forge_assets.law.statutes import NO_PARAGRAPH, subdivisions
from forge_assets.serving.library import Library
from forge_resources.storage.strict import Strict

Shown = Literal[
    "required",
    "relevant",
    "not_applicable",
    "real",
    "not_in_force",
    "repealed",
    "other_country",
    "invented",
    "unheld",
    "ambiguous",
    "unverifiable",
]
_SHOWN: dict[Verdict, Shown] = {"wrong_country": "other_country", "fabricated": "invented"}
UNDECIDED = ("unheld", "ambiguous", "unverifiable")
LONGEST = 3000
"""Letters of a place's text that are shown."""


class ShownCitation(Strict):
    """A citation of an answer, as it is shown; `start` and `end` count code points of the answer."""

    text: str
    start: int
    end: int
    key: str | None
    verdict: Shown
    words: str | None
    """The statute's own words at the place; None where they are not held."""
    law: str | None
    as_of: str | None
    """The day of whose law the text is."""
    status: str | None
    """Whether the text is `current`, `outdated`, or of a place that is `repealed`."""


class Judged(Strict):
    """What was found in an answer; `unchecked` says in words what nobody looked up."""

    citations: tuple[ShownCitation, ...]
    seen: int
    judged: int
    unchecked: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether a citation is not one that the question is answered by."""
        good = ("required", "relevant", "real")
        return any(one.verdict not in good for one in self.citations)


@dataclass(frozen=True)
class Judge:
    """Judges texts on one question.

    Attributes:
        countries: asked about.
        situation: None: no kind of change is known, so places are real or not, and no more can be told.
    """

    index: LawIndex
    countries: tuple[str, ...]
    situation: Situation | None

    @classmethod
    def of(
        cls, library: Library, countries: Sequence[str], change: str | None, facts: Facts, on: dt.date | None = None
    ) -> Judge:
        """Prepare to judge answers on a change in some countries.

        Raises:
            KeyError: there is no such country or change.
        """
        situation = None
        if change is not None and countries:
            held = library.frameworks(countries)
            situation = situation_of(library.domain, held, change, dict.fromkeys(countries, facts), on)
        return cls(library.laws.index, tuple(countries), situation)

    def parse(self, text: str) -> list[Citation]:
        """Find the citations of a text."""
        return parse(text, self.index, self.countries[0] if len(self.countries) == 1 else None)

    def invented(self, text: str) -> str | None:
        """The first citation of a text that no law held has, as written."""
        return next((one.text for one in self.parse(text) if one.status == "fabricated"), None)

    def judge(self, text: str) -> Judged:
        """Judge every citation of an answer."""
        shown = tuple(map(self._shown, self.parse(text)))
        undecided = [one for one in shown if one.verdict in UNDECIDED]
        unchecked = [f"{one.text}: {_WHY[one.verdict]}" for one in undecided]
        unchecked.append("what the answer says beside its citations: deadlines, numbers, who has a say")
        if self.situation is None and shown:
            unchecked.append("whether the places cited apply: no kind of change is known")
        return Judged(citations=shown, seen=len(shown), judged=len(shown) - len(undecided), unchecked=tuple(unchecked))

    def _shown(self, citation: Citation) -> ShownCitation:
        verdict = judge(citation, self.situation).verdict
        if self.situation is None and self.countries and verdict in ("real", "repealed"):
            home = asked(self.index.at_home(self.countries), ())
            verdict = "wrong_country" if judge(citation, home).verdict == "wrong_country" else verdict
        law = self.index.laws.get((citation.key.jurisdiction, citation.key.law))
        status: str | None = None
        if law is not None:
            status = "outdated" if citation.key.unit in law.law.outdated_units else law.law.text_status
            status = "repealed" if citation.status == "repealed" else status
        return ShownCitation(
            text=citation.text,
            start=citation.span[0],
            end=citation.span[1],
            key=str(citation.key) if law is not None else None,
            verdict=_SHOWN.get(verdict) or verdict,  # type: ignore[arg-type]
            words=statute_words(self.index, citation.key),
            law=f"{law.law.short}: {law.law.english}" if law is not None else None,
            as_of=law.law.text_as_of.isoformat() if law is not None else None,
            status=status,
        )


_WHY: Mapping[str, str] = {
    "unheld": "the text of the law is not held",
    "ambiguous": "which law is meant was guessed",
    "unverifiable": "no law is named, or an excerpt may lack the place",
}


def statute_words(index: LawIndex, key: CitationKey) -> str | None:
    """The text held of a place, cut where it is long; None where it is not held."""
    law = index.laws.get((key.jurisdiction, key.law))
    unit = law.units.get(key.unit) if law is not None else None
    if unit is None:
        return None
    text = unit.squeezed
    if key.paragraph:
        part = subdivisions(unit).get(key.paragraph)
        if part is None or (key.point and key.point not in part.points):
            return None
        text = part.points[key.point] if key.point else part.text
        text = unit.squeezed if key.paragraph == NO_PARAGRAPH and not key.point else text
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()} […]"
