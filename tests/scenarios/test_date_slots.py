"""Dates in answers: a slot filled column by column gives the day that the law's terms give."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from forge_assets.law.terms import moved
from forge_assets.scenarios.prompts.slots import fill_slots


@pytest.mark.parametrize("offset", ["-30d", "+30d", "-5b", "+5b", "-10b", "-2w", "-1m", "+1m", "-12m", "-14m"])
def test_a_slot_gives_the_day_that_a_term_gives(offset: str) -> None:
    days = [dt.date(2026, 12, 1) + dt.timedelta(days=i) for i in range(800)]
    rows = pl.DataFrame({"date": [day.isoformat() for day in days], "answer_language": ["en"] * len(days)})
    filled = fill_slots([f"{{@date{offset}}}"], [0] * len(days), rows, {"en": "{y}-{m}-{d}"})
    wanted = [moved(day, offset) for day in days]
    assert filled == [f"{day.year}-{day.month}-{day.day}" for day in wanted]
