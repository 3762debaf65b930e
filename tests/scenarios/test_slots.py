"""What differs by row is put into texts that many rows share."""

from __future__ import annotations

import polars as pl
import pytest

from forge_assets.scenarios.prompts.slots import fill_slots

ROWS = pl.DataFrame(
    {
        "company": ["Mikravia", "Tavorello"],
        "employees": [29, 400],
        "affected": [3, 40],
        "date": ["2027-03-31", "2028-03-01"],
        "answer_language": ["en", "de"],
    }
)
DATES = {"en": "{d}/{m}/{y}", "de": "{d}.{m}.{y}"}


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("{company}: {employees}.", "Mikravia: 29.", "Tavorello: 400."),
        ("{=50-employees} short", "21 short", "-350 short"),
        ("{=employees-affected+1} left", "27 left", "361 left"),
        ("{%affected/employees}", "10.3%", "10%"),
        ("on {@date}", "on 31/3/2027", "on 1.3.2028"),
        ("by {@date-30d}", "by 1/3/2027", "by 31.1.2028"),
        ("by {@date-2w}", "by 17/3/2027", "by 16.2.2028"),
        ("by {@date-1m}", "by 28/2/2027", "by 1.2.2028"),
        ("nothing to fill", "nothing to fill", "nothing to fill"),
    ],
)
def test_a_slot_is_filled_with_what_the_row_says(text: str, first: str, second: str) -> None:
    assert fill_slots([text], [0, 0], ROWS, DATES) == [first, second]


def test_each_row_has_its_own_text() -> None:
    assert fill_slots(["{company}", "no {affected}"], [1, 0], ROWS, DATES) == ["no 3", "Tavorello"]


def test_a_slot_that_no_column_fills_is_refused() -> None:
    with pytest.raises(pl.exceptions.ColumnNotFoundError, match="turnover"):
        fill_slots(["{turnover}"], [0, 0], ROWS, DATES)
