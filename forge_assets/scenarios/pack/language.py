"""Define the wordings of one language, `languages/<code>.yaml`, as a strict frozen model; split its templates."""

from __future__ import annotations

import datetime as dt
import re
from functools import cached_property
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from forge_assets.law.model import JurisdictionCode, Name, Text
from forge_resources.storage.strict import Strict

ENGLISH = "en"
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
OPTIONAL = ("extra", "plan_facts", "close")
"""Parts of a frame that may come out empty; the space beside them goes with them."""
_SLOT = re.compile(r"\{(\w+)\}")


class CountryName(Strict):
    """A country's name, alone and within a sentence."""

    name: Text
    in_: Text = Field(alias="in")


class PlanWording(Strict):
    """Alternatives for a list and alternatives as sentences."""

    listed: Texts
    told: Texts


class YesNo(Strict):
    """Words for a fact that holds or fails."""

    if_true: PlanWording
    if_false: PlanWording


class Asker(Strict):
    """Who asks, and the fact without which there is no such person."""

    needs: Name | None = None
    opens: Texts


class Several(Strict):
    """Words for a question on several countries."""

    numbers: Annotated[tuple[Text, ...], Field(min_length=3, max_length=3)]
    """Two, three, four."""
    last: Text
    """What stands before the last of a list: `and`."""
    seats: Texts
    """Where the central management of the group sits; with `{country}` or `{in_country}`."""


class Closings(Strict):
    """What a question says of the form of the answer, each kind empty where a language has no words for it."""

    sections: tuple[Text, ...] = ()
    """With {sections}: the headings, in the language of the question."""
    note: tuple[Text, ...] = ()
    advice: tuple[Text, ...] = ()
    memo: tuple[Text, ...] = ()
    english: tuple[Text, ...] = ()
    """Asks for an answer in English."""
    english_sections: tuple[Text, ...] = ()
    """The same, with {sections}: the English headings."""

    @field_validator("sections", "english_sections")
    @classmethod
    def _lists(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            if _SLOT.findall(text) != ["sections"]:
                raise ValueError(f"`{text}` lacks {{sections}}: write it where the headings are listed")
        return texts


class Language(Strict):
    """All pieces of a question in one language."""

    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    countries: dict[JurisdictionCode, CountryName]
    date: Text
    sectors: dict[Name, Text]
    facts: dict[Name, YesNo | PlanWording]
    changes: dict[Name, Annotated[tuple[PlanWording, ...], Field(min_length=1)]]
    askers: dict[Name, Asker] = Field(min_length=1)
    asides: Texts
    premises: Texts
    repealed: Texts
    neighbours: Texts
    dates: Texts
    questions: dict[Name, Texts]
    closings: Closings
    frames: dict[Name, Texts]
    compared: dict[Name, Texts] = Field(default_factory=dict)
    several: Several | None = None
    """Needed where there are frames to compare countries."""

    @cached_property
    def names(self) -> dict[str, str]:
        """Country code to name."""
        return {code: place.name for code, place in self.countries.items()}

    @cached_property
    def within(self) -> dict[str, str]:
        """Country code to the name within a sentence."""
        return {code: place.in_ for code, place in self.countries.items()}

    @field_validator("frames")
    @classmethod
    def _whole(cls, frames: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for register, alternatives in frames.items():
            for frame in alternatives:
                slots = set(_SLOT.findall(frame))
                for wanted in ("company", "sector", "facts", "plan", "extra", "question", "close"):
                    if not slots & {wanted, f"{wanted}_told"}:
                        raise ValueError(f"a frame of {register} lacks {{{wanted}}}")
                if not slots & {"country", "in_country"}:
                    raise ValueError(f"a frame of {register} lacks {{country}}")
                if odd := slots - PARTS:
                    raise ValueError(f"a frame of {register} has the unknown part {{{min(odd)}}}")
        return frames

    @model_validator(mode="after")
    def _compares(self) -> Language:
        if self.compared and self.several is None:
            raise ValueError("`compared` has frames, and `several` with the words for them is missing")
        for register, alternatives in self.compared.items():
            for frame in alternatives:
                slots = set(_SLOT.findall(frame))
                for wanted in ("company", "sites", "plan", "plan_facts", "extra", "question", "close"):
                    if not slots & {wanted, f"{wanted}_told"}:
                        raise ValueError(f"a frame of {register} under `compared` lacks {{{wanted}}}")
                if odd := slots - COMPARED_PARTS:
                    raise ValueError(f"a frame of {register} under `compared` has the unknown part {{{min(odd)}}}")
        return self


PARTS = {
    "open",
    "country",
    "in_country",
    "company",
    "sector",
    "facts",
    "facts_told",
    "plan",
    "plan_told",
    "extra",
    "question",
    "close",
}
"""What a frame may be made of."""
COMPARED_PARTS = {
    "open",
    "company",
    "sector",
    "countries",
    "countries_told",
    "count",
    "sites",
    "sites_told",
    "plan",
    "plan_told",
    "plan_facts",
    "extra",
    "question",
    "close",
}
"""What a frame that compares countries may be made of."""


def written_date(pattern: str, day: dt.date) -> str:
    """Write a date by a language's pattern, e.g. `{d}.{m}.{y}`."""
    return pattern.format(d=day.day, m=day.month, y=day.year)


def split_template(template: str) -> list[tuple[str, str]]:
    """Split a template into (literal, slot) pairs; the last slot is empty. The space before an optional slot, or
    after one that opens a line, is its own."""
    for name in OPTIONAL:
        template = re.sub(rf"(?<=[^\n]) \{{{name}\}}", f"{{{name}}}", template)
    found, end = [], 0
    for match in _SLOT.finditer(template):
        found.append((template[end : match.start()], match[1]))
        end = match.end()
    return [*found, (template[end:], "")]
