"""Structure, level and ROUGE as a reader would judge them."""

from __future__ import annotations

import pytest
from rouge_score import rouge_scorer  # type: ignore[import-untyped]

from forge_assets.scoring.answer_text import level_named, rouge, structure
from tests.scoring.conftest import LEVEL_WORDS

SECTIONS = ["Assessment", "Legal basis"]


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        ("## Assessment\nDuty owed.\n## Legal basis\n- § 1 BGB", 1.0),
        ("# **Assessment**\nDuty owed.\n\n### LEGAL BASIS:\ntext", 1.0),
        ("## Assessment\n## Legal basis\n", 0.0),
        ("## Assessment\n...\n## Legal basis\n-\n", 0.0),
        ("## Assessment\nDuty owed.\n## Legal basis\n", 0.5),
        ("## Legal basis\ntext\n## Assessment\ntext", 0.5),
        ("Assessment\nDuty owed.\nLegal basis\ntext", 0.0),
        ("Duty owed.", 0.0),
    ],
)
def test_structure_counts_filled_sections_in_order(answer: str, share: float) -> None:
    assert structure(answer, SECTIONS) == share


def test_repeating_headings_in_every_order_does_not_pay() -> None:
    spam = "## Legal basis\ntext\n## Assessment\ntext\n" * 4
    assert structure(spam, SECTIONS) <= 0.25


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        ("## Duty\nCo-determination: owed to the works council.", "co_determination"),
        ("codetermination applies, not information", "co_determination"),
        ("Information: consultation follows", "information"),
        ("## Information\nConsultation is owed", "consultation"),
        ("No provision in the catalogue applies.", "none"),
        ("No provision on consultation", "none"),
        ("Hello", None),
        ("misinformation", None),
    ],
)
def test_the_first_level_under_the_headings_counts(answer: str, level: str | None) -> None:
    assert level_named(answer, LEVEL_WORDS) == level


def test_naming_every_level_earns_only_the_first() -> None:
    assert level_named("information, consultation, co-determination", LEVEL_WORDS) == "information"


@pytest.mark.parametrize(
    "text",
    ["Ο εργοδότης ενημερώνει το συμβούλιο", "Работодателят информира", "Betriebsräte müssen zustimmen"],
)
def test_rouge_of_a_text_with_itself_is_one_in_every_script(text: str) -> None:
    assert rouge(text, text) == pytest.approx((1.0, 1.0, 1.0))


def test_words_are_not_split_at_umlauts() -> None:
    assert rouge("räte", "r te")[0] == 0.0


def test_rouge_agrees_with_the_library_on_plain_english() -> None:
    answer, reference = "the works council must agree before the start", "the council must agree in time"
    plain = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"]).score(reference, answer)
    assert rouge(answer, reference) == pytest.approx([plain[k].fmeasure for k in ("rouge1", "rouge2", "rougeL")])
