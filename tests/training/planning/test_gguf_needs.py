"""Memory and time of making GGUF files and of answering with them, beside what was measured."""

from __future__ import annotations

import pytest

from forge_assets.training.jobs.spec import GgufAnswersJob, GgufJob
from forge_assets.training.planning.gguf_needs import gguf_memory, gguf_work
from forge_assets.training.planning.model_shape import Shape

CUT = Shape(
    family="llama",
    layers=20,
    hidden=576,
    heads=9,
    kv_heads=3,
    head_dim=64,
    intermediate=1536,
    vocabulary=10249,
    tied=True,
)
"""The student of profile `cpu`, whose jobs were measured on 2026-12-01 (peak_rss_bytes of their records)."""
ANY = "0" * 64
MADE = GgufJob(base=ANY, published=ANY, golden=ANY, name="labour")


def answers(file: str, slots: int = 4) -> GgufAnswersJob:
    given = {"gguf": ANY, "file": file, "prompts": ANY, "max_new_tokens": 256, "context": 1024, "slots": slots}
    return GgufAnswersJob.model_validate(given)


@pytest.mark.parametrize(
    ("job", "measured"), [(MADE, 724e6), (answers("f16"), 696e6), (answers("q8_0"), 626e6), (answers("q4_k_m"), 606e6)]
)
def test_what_was_measured_is_within_the_prediction_and_its_margin(job: GgufJob, measured: float) -> None:
    predicted = gguf_memory(job, CUT, prompt=768)
    assert 0.85 * measured < predicted.peak
    assert measured < predicted.safe < 1.5 * measured


def test_more_slots_need_more_memory_and_less_time() -> None:
    one, many = answers("q8_0", 1), answers("q8_0", 16)
    assert gguf_memory(one, CUT, 320).peak < gguf_memory(many, CUT, 320).peak
    assert gguf_work(many, CUT, 132, 320).seconds < gguf_work(one, CUT, 132, 320).seconds
    assert gguf_work(one, CUT, 132, 320).tokens == 132 * 256
