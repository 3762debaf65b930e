"""What raises and lowers a score, and what a model cannot gain by gaming it."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forge_assets.citations.law_index import LawIndex
from forge_assets.scoring.metrics import METRICS
from forge_assets.scoring.score import score, score_frame
from forge_resources.storage.tables import TABLES

Sample = dict[str, Any]


def test_the_reference_itself_scores_one(sample: Sample, laws: LawIndex) -> None:
    found = score(sample["response"], sample, laws)
    assert found["composite"] == pytest.approx(1.0)
    assert (found["fabricated_rate"], found["wrong_country_rate"], found["unverifiable_rate"]) == (0, 0, 0)


def test_the_written_form_of_a_citation_does_not_matter(sample: Sample, laws: LawIndex) -> None:
    text = "See Section 87(1) no. 6 of the Works Constitution Act (BetrVG) and §90(1) No. 3 BetrVG."
    assert score(text, sample, laws)["citation_f1"] == 1.0


def test_stuffing_real_citations_lowers_precision_and_the_composite(sample: Sample, laws: LawIndex) -> None:
    honest = sample["response"]
    stuffed = honest + "".join(f"\n- § {n} BetrVG" for n in (1, 74, 75, 76, 80, 92, 95, 99, 102, 111))
    before, after = score(honest, sample, laws), score(stuffed, sample, laws)
    assert after["citation_recall"] == 1.0
    assert after["citation_precision"] == pytest.approx(2 / 12)
    assert after["composite"] < before["composite"] - 0.2


def test_repeating_a_right_citation_gains_nothing(sample: Sample, laws: LawIndex) -> None:
    once = score("§ 87 Abs. 1 Nr. 6 BetrVG", sample, laws)
    often = score("§ 87 Abs. 1 Nr. 6 BetrVG\n" * 50, sample, laws)
    assert once["citation_f1"] == often["citation_f1"] == pytest.approx(2 / 3)


def test_a_vaguer_citation_than_asked_for_is_no_match(sample: Sample, laws: LawIndex) -> None:
    assert score("§ 87 BetrVG and § 90 BetrVG", sample, laws)["citation_f1"] == 0.0


def test_an_invented_paragraph_is_fabricated_and_not_clean(sample: Sample, laws: LawIndex) -> None:
    invented = sample["response"].replace("§ 90 Abs. 1 Nr. 3", "§ 987")
    found = score(invented, sample, laws)
    assert found["fabricated_rate"] == 0.5
    assert found["citation_precision"] == 0.5


def test_the_same_rule_of_another_country_is_wrong_country(sample: Sample, laws: LawIndex) -> None:
    found = score("§ 96 Abs. 1 Z 3 ArbVG and § 87 Abs. 1 Nr. 6 BetrVG", sample, laws)
    assert found["wrong_country_rate"] == 0.5
    assert found["fabricated_rate"] == 0.0


def test_a_law_we_hold_no_text_of_is_unverifiable_and_of_no_country(sample: Sample, laws: LawIndex) -> None:
    found = score("§ 26 Abs. 1 XyzGG", sample, laws)
    assert found["unverifiable_rate"] == 1.0
    assert (found["fabricated_rate"], found["wrong_country_rate"]) == (0.0, 0.0)


def test_a_comparison_may_cite_both_its_countries(sample: Sample, laws: LawIndex) -> None:
    both = sample | {"jurisdictions": ["AT", "DE"]}
    assert score("§ 96 Abs. 1 Z 3 ArbVG, § 87 Abs. 1 Nr. 6 BetrVG", both, laws)["wrong_country_rate"] == 0.0


@pytest.mark.parametrize("answer", ["", " \n\t "])
def test_a_blank_answer_scores_nothing_even_where_nothing_applies(sample: Sample, laws: LawIndex, answer: str) -> None:
    assert score(answer, sample, laws)["composite"] == 0.0
    nothing = sample | {"expected_citations": [], "expected_level": "none"}
    assert score(answer, nothing, laws)["composite"] == 0.0


def test_chatter_without_citations_earns_no_credit_for_being_clean(sample: Sample, laws: LawIndex) -> None:
    assert score("I cannot help with that.", sample, laws)["composite"] < 0.05


def test_rightly_citing_nothing_is_a_full_match(sample: Sample, laws: LawIndex) -> None:
    text = "## Assessment\nNo provision in the catalogue applies: 9 employees.\n## Legal basis\nNone."
    nothing = sample | {
        "response": text,
        "expected_citations": [],
        "expected_level": "none",
        "expected_fields": [{"field": "threshold", "said": ["9 employees"]}],
    }
    assert score(text, nothing, laws)["composite"] == pytest.approx(1.0)
    cited = score(text.replace("None.", "§ 87 Abs. 1 Nr. 6 BetrVG"), nothing, laws)
    assert cited["citation_f1"] == 0.0


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(answer=st.text(alphabet=st.sampled_from("§ 8790Abs.1Nr6BetrVG\n#- Co-determinationä"), max_size=200))
def test_any_text_scores_from_zero_to_one(sample: Sample, laws: LawIndex, answer: str) -> None:
    assert all(0.0 <= value <= 1.0 for value in score(answer, sample, laws).values())


def test_a_frame_of_answers_gives_one_row_a_metric(sample: Sample, laws: LawIndex) -> None:
    answers = pl.DataFrame({"model": ["good", "bad"], "sample_id": ["one", "one"], "answer": [sample["response"], "?"]})
    frame = score_frame(answers, pl.DataFrame([sample]), laws)
    assert frame.schema == TABLES["benchmark.scores"].schema
    assert (
        frame.group_by("model", maintain_order=True).agg("metric")["metric"].to_list()
        == [[name for name, metric in METRICS.items() if metric.defined(sample)]] * 2
    )
    assert {"deadline", "intake_exact"}.isdisjoint(frame["metric"]) and {"body", "fields"} <= set(frame["metric"])
    composite = dict(frame.filter(pl.col("metric") == "composite").select("model", "value").iter_rows())
    assert composite["good"] == pytest.approx(1.0)
    assert composite["bad"] < 0.05


def test_no_answers_give_an_empty_frame_with_its_columns(sample: Sample, laws: LawIndex) -> None:
    none = pl.DataFrame(schema={"model": pl.String, "sample_id": pl.String, "answer": pl.String})
    assert score_frame(none, pl.DataFrame([sample]), laws).schema == TABLES["benchmark.scores"].schema


def test_an_answer_to_an_unknown_sample_is_refused(sample: Sample, laws: LawIndex) -> None:
    answers = pl.DataFrame({"model": ["m"], "sample_id": ["unheard"], "answer": ["x"]})
    with pytest.raises(KeyError, match="unheard"):
        score_frame(answers, pl.DataFrame([sample]), laws)
