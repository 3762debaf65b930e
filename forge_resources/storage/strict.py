"""Base of all models that are read from files: specs, records, profiles, law."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Refuse a field that is not known, and any change after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True)
