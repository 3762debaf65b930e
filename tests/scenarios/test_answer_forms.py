"""An answer scores the same whatever the normal form of its letters and wherever its lines break."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import polars as pl
import pytest

from forge_assets.citations.law_index import LawIndex, law_index
from forge_assets.law.country import Country
from forge_assets.law.model import Domain
from forge_assets.scoring.reward import reward
from forge_assets.scoring.score import score
from tests.helpers import tiered

EACH = 6


@pytest.fixture(scope="module")
def laws(domain: Domain, countries: dict[str, Country]) -> LawIndex:
    return law_index(domain, list(countries.values()))


def _wrap(width: int, end: str = "\n", before: str = "") -> Callable[[str], str]:
    """Wrap each line, as an editor or a mail program does."""

    def wrap(answer: str) -> str:
        lines = [before + end.join(textwrap.wrap(line, width, subsequent_indent=before)) for line in answer.split("\n")]
        return end.join(lines)

    return wrap


def _measured(answer: str, row: dict[str, Any], laws: LawIndex) -> dict[str, float]:
    return score(answer, row, laws) | {f"reward/{part}": v for part, v in asdict(reward(answer, row, laws)).items()}


FORMS: dict[str, Callable[[str], str]] = {
    "NFD": lambda answer: unicodedata.normalize("NFD", answer),
    "72 columns": _wrap(72),
    "60 columns, CRLF": _wrap(60, "\r\n"),
    "72 columns, quoted": _wrap(72, before="> "),
    "NFD, 60 columns": lambda answer: _wrap(60)(unicodedata.normalize("NFD", answer)),
    "byte order mark": lambda answer: "\ufeff" + answer,
}


@pytest.mark.parametrize("form", tiered(FORMS))
def test_a_reference_answer_scores_the_same_in_every_form(samples: pl.DataFrame, laws: LawIndex, form: str) -> None:
    notes = samples.filter(pl.col("depth") == "note")
    chosen = notes.filter(pl.col("expected_citations").list.len() > 0).group_by("jurisdictions").head(EACH)
    differ = []
    for row in chosen.iter_rows(named=True):
        changed = FORMS[form](row["response"])
        before, after = (_measured(answer, row, laws) for answer in (row["response"], changed))
        if after != pytest.approx(before):
            differ.append((row["jurisdictions"], changed))
    assert chosen.height > 150
    assert not differ, differ[:5]
