"""A reinforced teacher replaces the tuned one only where it is better beyond noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from forge_assets.distillation.adoption import NOT_REINFORCED, REINFORCED, TUNED, adopt
from forge_assets.distillation.reinforcement import policy_job, question_rows
from forge_assets.scoring.reward import FIELDS
from forge_assets.training.jobs.spec import Lora, SftJob
from forge_resources.config.profile import Grpo, load_profile

A, B, C, D = (letter * 64 for letter in "abcd")


def _frames(
    before: Sequence[float], after: Sequence[float], scenarios: Sequence[int] | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scores of both models on as many samples, in no order, and the samples with their scenarios."""
    names = [f"sample-{i}" for i in range(len(before))]
    rows = [
        {"model": model, "sample_id": name, "metric": metric, "value": value if metric == "composite" else 1 - value}
        for model, values in ((TUNED, before), (REINFORCED, after))
        for name, value in zip(names, values, strict=True)
        for metric in ("composite", "level")
    ]
    where = [f"case-{i}" for i in (scenarios if scenarios is not None else range(len(names)))]
    return pl.DataFrame(rows).sample(fraction=1.0, shuffle=True, seed=3), pl.DataFrame(
        {"sample_id": names, "scenario_id": where}
    )


def test_a_gain_on_nearly_every_sample_is_adopted() -> None:
    before = np.linspace(0.3, 0.8, 30)
    after = before + np.where(np.arange(30) % 10 == 0, -0.02, 0.1)
    found = adopt(*_frames(before, after))
    assert found.adopted and found.low is not None and found.low > 0
    assert found.tuned == pytest.approx(before.mean()) and found.reinforced == pytest.approx(after.mean())
    assert found.reason.startswith("Reinforced: better beyond noise (+0.088 composite on 30 held-out samples of 30 ")


def test_the_same_answers_are_not_adopted() -> None:
    found = adopt(*_frames([0.2, 0.9, 0.5] * 10, [0.2, 0.9, 0.5] * 10))
    assert not found.adopted
    assert found.reason.startswith("Tuned: the reinforced teacher is not better beyond noise (+0.000 ")


def test_a_loss_is_not_adopted_however_clear() -> None:
    found = adopt(*_frames([0.9] * 30, [0.5] * 30))
    assert not found.adopted and found.p is not None and found.p < 0.01


def test_a_gain_within_noise_is_not_adopted() -> None:
    after = [0.5 + 0.4 * (-1) ** i + 0.02 for i in range(30)]
    found = adopt(*_frames([0.5] * 30, after))
    assert found.reinforced is not None and found.tuned is not None and found.reinforced > found.tuned
    assert not found.adopted


@pytest.mark.parametrize(("scenarios", "adopted"), [(30, True), (6, True), (5, False), (1, False)])
def test_many_samples_of_few_scenarios_prove_little(scenarios: int, adopted: bool) -> None:
    """Five scenarios that all gain come from coin tosses once in sixteen times, six once in thirty-two."""
    found = adopt(*_frames([0.5] * 30, [0.6] * 30, [i % scenarios for i in range(30)]))
    assert found.adopted is adopted


def test_noise_alone_is_adopted_about_as_often_as_the_level_allows() -> None:
    drawn = np.random.default_rng(5)
    trials = [adopt(*_frames(drawn.random(20), drawn.random(20))).adopted for _ in range(120)]
    assert sum(trials) / len(trials) <= 0.07


def test_models_that_answered_different_samples_are_not_compared() -> None:
    scores, samples = _frames([0.5] * 4, [0.6] * 4)
    with pytest.raises(ValueError, match="not scored on the same samples"):
        adopt(scores.filter(~((pl.col("model") == TUNED) & (pl.col("sample_id") == "sample-2"))), samples)
    with pytest.raises(ValueError, match="not scored on the same samples"):
        adopt(scores.filter(pl.col("model") == TUNED), samples)


def test_without_reinforcement_the_tuned_teacher_stays_and_the_reason_is_said() -> None:
    assert not NOT_REINFORCED.adopted and "reinforces nothing" in NOT_REINFORCED.reason


GRPO = Grpo(steps=5, group=4, batch_size=2, accumulation=4, learning_rate=1e-5, max_new_tokens=9, questions=3)


def _tuning(lora: Lora | None) -> SftJob:
    return SftJob(base=A, dataset=B, lora=lora, learning_rate=1e-3, batch_size=1, steps=2, precision="bfloat16")


def test_reinforcement_goes_on_from_what_was_tuned() -> None:
    profile, lora = load_profile("tiny"), Lora(rank=2, alpha=2)
    of_adapter = policy_job(profile, GRPO, _tuning(lora), C, questions=D, laws=D)
    of_weights = policy_job(profile, GRPO, _tuning(None), C, questions=D, laws=D)
    assert (of_adapter.base, of_adapter.adapter) == (A, C)
    assert (of_weights.base, of_weights.adapter) == (C, None)
    assert of_adapter.precision == "bfloat16" and of_adapter.group == 4
    assert of_adapter.max_prompt == profile.max_length


def test_questions_are_the_first_training_samples_with_what_the_reward_reads() -> None:
    columns = {name: ["x"] * 4 for name in (*FIELDS, "system", "prompt")} | {"sample_id": ["d", "b", "c", "a"]}
    sets = pl.DataFrame({"position": [3, 1, 2, 0], "role": ["train", "train", "train", "benchmark"]} | columns)
    rows = question_rows(sets, 2)
    assert [row["sample_id"] for row in rows] == ["b", "c"]
    assert set(rows[0]) == {*FIELDS, "prompt"}
    assert [message["role"] for message in rows[0]["prompt"]] == ["system", "user"]
