"""A quote is the law's own words, or those of the question, or it is false."""

from __future__ import annotations

from typing import Any

import pytest

from forge_assets.citations.law_index import LawIndex
from forge_assets.law.statutes import squeezed
from forge_assets.scoring.answer_text import plain_text
from forge_assets.scoring.quotes import quotes
from forge_assets.scoring.score import score
from tests import shipped

Sample = dict[str, Any]

TRUE = "Der Betriebsrat hat, soweit eine gesetzliche oder tarifliche Regelung nicht besteht"


def false(sample: Sample, laws: LawIndex, text: str) -> float:
    return score(text, sample, laws)["false_quotes"]


@pytest.mark.parametrize("marks", ["„“", "“”", "«»", "»«", '""', "„”", "””", '„"'])
def test_verbatim_words_are_true_in_any_marks_and_others_false(sample: Sample, laws: LawIndex, marks: str) -> None:
    assert false(sample, laws, f"It says {marks[0]}{TRUE}{marks[1]}, § 87 BetrVG.") == 0.0
    invented = TRUE.replace("nicht besteht", "besteht")
    assert false(sample, laws, f"It says {marks[0]}{invented}{marks[1]}, § 87 BetrVG.") == 1.0


@pytest.mark.parametrize(
    "written",
    [
        TRUE.replace("tarifliche", "tarif\u00adliche"),
        TRUE.replace(" ", "\u00a0"),
        TRUE.replace(" oder", "\noder"),
        TRUE[0].lower() + TRUE[1:] + ".",
        "Der Betriebsrat hat … in folgenden Angelegenheiten mitzubestimmen",
        "Der Betriebsrat hat, soweit [...] nicht besteht, ... mitzubestimmen",
    ],
)
def test_setting_and_words_left_out_are_no_fault(sample: Sample, laws: LawIndex, written: str) -> None:
    assert false(sample, laws, f"„{written}“") == 0.0


@pytest.mark.parametrize(
    "written",
    [
        "mitzubestimmen … Der Betriebsrat hat, soweit",
        "Der … Betriebsrat … mitzubestimmen … Angelegenheiten",
        "Der Betriebsrat hat, soweit eine gesetzliche … der Unternehmer den Wirtschaftsausschuss",
        "er Betriebsrat hat, soweit eine",
    ],
)
def test_parts_in_another_order_of_single_words_or_of_several_places_are_false(
    sample: Sample, laws: LawIndex, written: str
) -> None:
    assert false(sample, laws, f"„{written}“") == 1.0


def test_the_question_may_be_quoted_and_another_countrys_law_may_not(sample: Sample, laws: LawIndex) -> None:
    agreement = "The notice period of this agreement is three months to the end of a year."
    asked = sample | {"prompt": f"{sample['prompt']}\n\n{agreement}"}
    assert false(asked, laws, "Clause 9: “the notice period of this agreement is three months”.") == 0.0
    assert false(sample, laws, "Clause 9: “the notice period of this agreement is three months”.") == 1.0
    unit = next(iter(shipped.statutes()["FR"]["code_du_travail"].values()))
    words = " ".join(unit.text.split()[:9])
    assert false(sample, laws, f"«{words}»") == 1.0
    assert false(sample | {"jurisdictions": ["FR"]}, laws, f"«{words}»") == 0.0


def test_the_law_of_a_union_that_binds_the_country_may_be_quoted(sample: Sample, laws: LawIndex) -> None:
    unit = next(iter(next(iter(shipped.statutes()["EU"].values())).values()))
    assert false(sample, laws, f"“{' '.join(unit.text.split()[:9])}”") == 0.0


@pytest.mark.parametrize("text", ["the “works council” and “fully informed”", 'a 15" screen and a 17" one', "no quote"])
def test_names_terms_and_inches_are_no_quotes(text: str) -> None:
    assert quotes(text) == []


def test_every_quote_of_the_catalog_is_verbatim(laws: LawIndex, sample: Sample) -> None:
    count = 0
    for code, framework in shipped.frameworks().items():
        held = [p.quote for p in framework.provisions if p.quote and len(p.quote.split()) > 2 and "..." not in p.quote]
        lines = [f"- „{squeezed(words)}“" for words in held if not set(words) & set("„“”")]
        found = quotes(plain_text("\n".join(lines)))
        outside = [parts for parts in found if not laws.holds(parts, [code])]
        count += len(found)
        verified = score("\n".join(lines), sample | {"jurisdictions": [code]}, laws)["false_quotes"]
        assert (outside, verified) == ([], 0.0), code
    assert count > 500


def test_repeating_a_true_quote_hides_no_false_one_and_a_false_one_is_not_clean(sample: Sample, laws: LawIndex) -> None:
    text = sample["response"] + f"\n„{TRUE}“" * 9 + "\n„Der Betriebsrat darf alles verbieten“"
    found = score(text, sample, laws)
    assert found["false_quotes"] == 0.5
    assert found["clean"] == 0.5
