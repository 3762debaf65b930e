"""What a domain pack says, as strict frozen models: the shape of the YAML files under `frameworks/<domain>/`.

Nothing here knows labour law: levels, facts, triggers and change types are names that the pack declares.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=80)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
JurisdictionCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
CitationKey = Annotated[str, Field(pattern=r"^[A-Z]{2}(:[^:\s]+){2,5}$")]


class Strict(BaseModel):
    """Frozen, and refuses a field it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Bound(Strict):
    """A test of one fact. `share_of` makes `min_share` a share (0 to 1) of another fact."""

    is_: bool | None = Field(default=None, alias="is")
    min: int | None = None
    max: int | None = None
    min_share: Annotated[float, Field(gt=0, le=1)] | None = None
    share_of: Name | None = None


Condition = dict[Name, Bound]
"""Fact name to bound; all must hold."""


class FactType(Strict):
    """A fact a scenario may state."""

    type: Literal["integer", "boolean"]
    label: Text


class ConditionalTrigger(Strict):
    """A trigger pulled only when a boolean fact is true."""

    fact: Name
    trigger: Name


class ChangeType(Strict):
    """What the employer means to do, and which legal triggers it pulls."""

    title: Text
    triggers: tuple[Name, ...]
    conditional_triggers: tuple[ConditionalTrigger, ...] = ()
    facts: tuple[Name, ...] = ()


class Domain(Strict):
    """`domain.yaml`: the vocabulary every jurisdiction of the pack shares."""

    domain: Name
    title: Text
    system_prompt: Text
    levels: tuple[Name, ...]
    """Obligation ladder, weakest first."""
    facts: dict[Name, FactType]
    triggers: dict[Name, Text]
    change_types: dict[Name, ChangeType]


class Law(Strict):
    """A statute the framework cites."""

    id: Name
    short: Text
    title: Text
    english: Text
    statute: Text
    """Path of the JSONL statute text, relative to the pack."""
    text_as_of: dt.date
    text_status: Literal["current", "outdated"] = "current"
    aliases: tuple[Text, ...] = ()


class Body(Strict):
    """An employee representation body."""

    id: Name
    name: Text
    english: Text
    min_employees: Annotated[int, Field(ge=1)] | None = None
    basis: CitationKey


class Provision(Strict):
    """One legal rule: where it stands, its words, when it applies."""

    id: Slug
    cite: CitationKey
    quote: Text
    """Verbatim, in the original language."""
    summary: Text
    """One English clause: what the employer owes."""
    level: Name
    body: Name
    triggers: tuple[Name, ...] = Field(min_length=1)
    applies_when: tuple[Condition, ...] = ()
    """Alternatives; one must hold. Empty: always."""
    deadline: Text | None = None
    consequence: Text | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


class EscalationStep(Strict):
    """One step of the path a dispute takes, in order."""

    step: Text
    basis: CitationKey


class Framework(Strict):
    """`jurisdictions/<code>.yaml`: one country's framework."""

    jurisdiction: JurisdictionCode
    name: Text
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    laws: tuple[Law, ...] = Field(min_length=1)
    bodies: tuple[Body, ...] = Field(min_length=1)
    provisions: tuple[Provision, ...] = Field(min_length=1)
    escalation: tuple[EscalationStep, ...] = Field(min_length=1)
