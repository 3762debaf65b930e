"""The shipped laws, one question about Germany, and what is looked for in English answers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.scoring.answer_text import plain_text
from forge_assets.scoring.exact_text import exact, without_digits
from tests import shipped

SILENCE = [
    {"level": "none", "said": ["no provision", "no duty", "no duties"]},
    {"level": "unsettled", "said": ["do not settle", "does not settle"]},
]
LEVEL_WORDS = [
    *({"level": level, "said": [level.replace("_", "-")]} for level in ("information", "consultation")),
    {"level": "co_determination", "said": ["co-determination"]},
    *SILENCE,
]

QUESTION = "We are in Germany, 120 employees, with a works council, and want software that monitors work. What is due?"

REFERENCE = """## Assessment
Co-determination: owed to the works council (Betriebsrat).
## Legal basis
- § 87 Abs. 1 Nr. 6 BetrVG: co-determination on technical devices
- § 90 Abs. 1 Nr. 3 BetrVG: information on planned work processes"""


def as_asked(row: dict[str, Any], laws: LawIndex) -> dict[str, Any]:
    """A composed sample with what its answer must say: its body, and each number with the word behind it.

    Columns that the sample has are kept.
    """
    text, countries = plain_text(row["response"]), row["jurisdictions"]
    spans = [found.span for found in parse(text, laws, countries[0] if len(countries) == 1 else None)]
    counted = {f"{n} {word}" for n, word in re.findall(r"\b(\d+) ([a-z]+)", exact(without_digits(text, spans)))}
    named = sorted(laws.bodies(text, laws.at_home(countries)), key=len)[-1:]
    due = [*(("body", each) for each in named), *(("threshold", each) for each in sorted(counted))]
    words = [{"level": level, "said": [level.replace("_", "-")]} for level in shipped.domain().ranks]
    wanted = {
        "expected_fields": [{"field": field, "said": [said]} for field, said in due],
        "level_words": [*words, *SILENCE],
        "output_schema": "",
    }
    return wanted | row


@pytest.fixture(scope="session")
def laws() -> LawIndex:
    return shipped.laws()


@pytest.fixture
def sample() -> dict[str, Any]:
    return {
        "sample_id": "one",
        "task_type": "legal_advisory",
        "system": "You advise on labour law.",
        "prompt": QUESTION,
        "jurisdictions": ["DE"],
        "response": REFERENCE,
        "sections": ["Assessment", "Legal basis"],
        "expected_citations": ["DE:betrvg:87:1:6", "DE:betrvg:90:1:3"],
        "expected_level": "co_determination",
        "expected_fields": [{"field": "body", "said": ["works council (Betriebsrat)", "Betriebsrat"]}],
        "level_words": LEVEL_WORDS,
        "output_schema": "",
    }
