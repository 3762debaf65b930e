"""What the intervals and differences promise."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from forge_assets.benchmark.statistics import CROSS_BORDER, by_jurisdiction, by_task, differences, share_kept, summary


def long(values: dict[str, list[float]], metric: str = "composite") -> pl.DataFrame:
    """Scores of several models on samples 0, 1, 2, ..."""
    rows = [(m, f"{i:04d}", metric, v) for m, vs in values.items() for i, v in enumerate(vs)]
    return pl.DataFrame(rows, schema=["model", "sample_id", "metric", "value"], orient="row")


def width(frame: pl.DataFrame) -> float:
    return float(frame["high"][0] - frame["low"][0])


def test_the_interval_agrees_with_normal_theory_on_a_large_sample() -> None:
    values = np.random.default_rng(1).uniform(0, 1, 800)
    row = summary(long({"a": values.tolist()})).row(0, named=True)
    reach = 1.96 * values.std() / np.sqrt(len(values))
    assert row["mean"] == pytest.approx(values.mean())
    assert row["low"] == pytest.approx(values.mean() - reach, abs=0.002)
    assert row["high"] == pytest.approx(values.mean() + reach, abs=0.002)


def test_row_order_changes_nothing(scores: pl.DataFrame, samples: pl.DataFrame) -> None:
    mixed = summary(scores.sample(fraction=1.0, shuffle=True, seed=3), samples.reverse())
    assert mixed.equals(summary(scores, samples))


def test_models_come_in_reading_order(scores: pl.DataFrame) -> None:
    assert summary(scores)["model"].unique(maintain_order=True).to_list() == [
        "student_untuned",
        "teacher_untuned",
        "teacher_tuned",
        "student_tuned",
    ]


def test_pairing_finds_a_small_steady_gain_that_separate_intervals_hide() -> None:
    base = np.random.default_rng(2).uniform(0, 0.9, 60)
    scores = long({"new": (base + 0.05).tolist(), "old": base.tolist()})
    alone = summary(scores)
    assert alone.row(0, named=True)["low"] < alone.row(1, named=True)["high"]
    row = differences(scores, "new", "old").row(0, named=True)
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((0.05, 0.05, 0.05))
    assert row["p"] < 0.001


def test_p_of_five_gains_in_five_samples_is_two_in_thirty_two() -> None:
    row = differences(long({"new": [0.5, 0.6, 0.7, 0.8, 0.9], "old": [0.1] * 5}), "new", "old").row(0, named=True)
    assert row["p"] == pytest.approx(2 / 32, abs=0.01)


def test_equal_models_differ_by_nothing_that_was_seen_with_p_one() -> None:
    same = [0.2, 0.8] * 66
    row = differences(long({"new": same, "old": same}), "new", "old").row(0, named=True)
    assert (row["difference"], row["p"]) == (0, 1)
    assert (round(row["low"], 3), round(row["high"], 3)) == (-0.028, 0.028)


def test_what_no_answer_did_is_bounded_in_the_summary_and_in_the_share_kept() -> None:
    scores = long({"student_tuned": [0.0] * 132, "teacher_tuned": [1.0] * 132})
    rows = {row["model"]: row for row in summary(scores).iter_rows(named=True)}
    assert (rows["student_tuned"]["low"], round(rows["student_tuned"]["high"], 3)) == (0, 0.028)
    assert (round(rows["teacher_tuned"]["low"], 3), rows["teacher_tuned"]["high"]) == (0.972, 1)
    kept = share_kept(scores, "student_tuned", "teacher_tuned", metric=rows["student_tuned"]["metric"])
    assert kept is not None and kept.value == 0 and 0.028 < kept.high < 0.03


def test_swapping_model_and_baseline_turns_the_sign(scores: pl.DataFrame, samples: pl.DataFrame) -> None:
    there = differences(scores, "student_tuned", "student_untuned", samples)
    back = differences(scores, "student_untuned", "student_tuned", samples)
    assert there["difference"].to_list() == pytest.approx((-back["difference"]).to_list())
    assert there["low"].to_list() == pytest.approx((-back["high"]).to_list())


def test_copies_of_a_sample_in_one_scenario_add_no_certainty() -> None:
    values = np.random.default_rng(4).uniform(0, 1, 40)
    once = summary(long({"a": values.tolist()}))
    scores = long({"a": np.repeat(values, 9).tolist()})
    samples = pl.DataFrame(
        {"sample_id": [f"{i:04d}" for i in range(360)], "scenario_id": [f"{i // 9:03d}" for i in range(360)]}
    )
    assert width(summary(scores, samples)) == pytest.approx(width(once), rel=1e-6)
    assert width(summary(scores)) < width(once) / 2


def test_a_missing_answer_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="b has no composite on sample 0002"):
        summary(long({"a": [0.1, 0.2, 0.3], "b": [0.1, 0.2]}))


def test_a_metric_that_some_samples_have_is_averaged_over_those_and_leaves_the_others_as_they_were() -> None:
    whole = long({"student_tuned": [0.1, 0.2, 0.3, 0.9], "student_untuned": [0.1, 0.1, 0.2, 0.8]})
    some = long({"student_tuned": [1.0, 0.0], "student_untuned": [0.0, 0.0]}, metric="deadline")
    mixed = pl.concat([some, whole])
    means = summary(mixed)
    assert means.filter(pl.col("metric") == "composite").equals(summary(whole))
    assert means.filter(pl.col("metric") == "deadline").select("n", "mean").rows() == [(2, 0.0), (2, 0.5)]
    changes = differences(mixed, "student_tuned", "student_untuned")
    assert changes.filter(pl.col("metric") == "composite").equals(
        differences(whole, "student_tuned", "student_untuned")
    )
    assert changes.select("metric", "n", "difference").rows()[1] == ("deadline", 2, 0.5)
    assert share_kept(mixed, "student_untuned", "student_tuned") == share_kept(
        whole, "student_untuned", "student_tuned"
    )


def test_a_metric_that_one_model_alone_has_on_a_sample_is_refused_by_name() -> None:
    some = long({"a": [1.0, 0.0], "b": [0.0]}, metric="deadline")
    with pytest.raises(ValueError, match="b has no deadline on sample 0001"):
        summary(pl.concat([long({"a": [0.1, 0.2], "b": [0.1, 0.3]}), some]))


@pytest.mark.parametrize("hole", [None, float("nan")])
def test_a_score_that_is_no_number_is_refused(hole: float | None) -> None:
    scores = long({"a": [0.1, 0.2]}).with_columns(
        value=pl.when(pl.col("sample_id") == "0001").then(pl.lit(hole, pl.Float64)).otherwise("value")
    )
    with pytest.raises(ValueError, match="a has no composite on sample 0001"):
        summary(scores)


def test_a_score_given_twice_is_refused() -> None:
    scores = long({"a": [0.1, 0.2]})
    with pytest.raises(ValueError, match="scored twice: a on 0000"):
        summary(pl.concat([scores, scores.head(1)]))


def test_a_scored_sample_without_a_scenario_is_refused() -> None:
    samples = pl.DataFrame({"sample_id": ["0000"], "scenario_id": ["s"]})
    with pytest.raises(ValueError, match="sample 0001 was scored but is not in the samples table"):
        summary(long({"a": [0.1, 0.2]}), samples)


def test_a_difference_to_a_model_never_scored_names_those_that_were() -> None:
    with pytest.raises(ValueError, match=r"no scores of c: models scored are \['a', 'b'\]"):
        differences(long({"a": [0.1], "b": [0.2]}), "a", "c")


def test_the_share_kept_is_the_ratio_of_means_and_its_interval_is_paired() -> None:
    teacher = np.random.default_rng(5).uniform(0.2, 1, 50)
    kept = share_kept(long({"s": (teacher / 2).tolist(), "t": teacher.tolist()}), "s", "t")
    assert kept is not None
    assert (kept.value, kept.low, kept.high) == pytest.approx((0.5, 0.5, 0.5))


def test_nothing_is_kept_of_a_teacher_that_scores_nothing() -> None:
    assert share_kept(long({"s": [0.5, 0.5], "t": [0.0, 0.0]}), "s", "t") is None


def test_no_scores_give_an_empty_summary_of_the_same_columns() -> None:
    empty = summary(long({"a": [0.1]}).clear())
    assert empty.is_empty()
    assert empty.schema == summary(long({"a": [0.1]})).schema


def test_groups_split_the_benchmark_without_losing_a_sample(scores: pl.DataFrame, samples: pl.DataFrame) -> None:
    for frame, column in (
        (by_task(scores, samples), "task_type"),
        (by_jurisdiction(scores, samples), "jurisdiction"),
    ):
        sizes = frame.unique(subset=[column])["n"]
        assert sizes.sum() == samples.height


def test_samples_of_two_countries_stand_apart_and_last(scores: pl.DataFrame, samples: pl.DataFrame) -> None:
    groups = by_jurisdiction(scores, samples)
    assert groups["jurisdiction"].unique(maintain_order=True).to_list() == [
        "AT",
        "DE",
        "ES",
        "FR",
        CROSS_BORDER,
    ]
    two = samples.filter(pl.col("jurisdictions").list.len() == 2).height
    assert groups.filter(pl.col("jurisdiction") == CROSS_BORDER)["n"].unique().to_list() == [two]


def test_samples_that_nobody_was_scored_on_are_no_group(scores: pl.DataFrame, samples: pl.DataFrame) -> None:
    extra = samples.head(1).with_columns(sample_id=pl.lit("new"), task_type=pl.lit("unscored"))
    assert "unscored" not in by_task(scores, pl.concat([samples, extra]))["task_type"]
