"""Time is estimated from operations and bytes: it grows with both, and lands near figures that others published."""

from __future__ import annotations

from typing import Any

import pytest

from forge_assets.training.jobs.spec import GenerateJob, GrpoJob, Sampling, SftJob
from forge_assets.training.planning.model_shape import Shape
from forge_assets.training.planning.speed import generation, training
from forge_resources.config.hardware import devices
from tests.helpers import DIGEST, sft_job, shape_of

H100 = devices()["h100"]
QWEN25: dict[str, Any] = {"model_type": "qwen2", "vocab_size": 152064, "num_key_value_heads": 8}
PUBLISHED = {
    "Llama-3-8B": Shape.parse(
        {"model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096, "intermediate_size": 14336,
         "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256}
    ),
    "Qwen2.5-7B": Shape.parse(
        QWEN25 | {"num_hidden_layers": 28, "hidden_size": 3584, "intermediate_size": 18944,
                  "num_attention_heads": 28, "num_key_value_heads": 4}
    ),
    "Qwen2.5-32B": Shape.parse(
        QWEN25 | {"num_hidden_layers": 64, "hidden_size": 5120, "intermediate_size": 27648, "num_attention_heads": 40}
    ),
}  # fmt: skip


def sft(**changes: Any) -> SftJob:
    return sft_job(**{"max_length": 1024, "precision": "bfloat16"} | changes)


def per_second(job: SftJob, shape: Shape) -> float:
    """Tokens of each process."""
    work = training(job, shape, H100)
    return work.tokens / work.seconds / job.processes


@pytest.mark.parametrize(
    ("model", "job", "published"),
    [
        # NeMo Automodel, LoRA in bf16 at 4,096 tokens; the first gave the table its `mfu`.
        ("Llama-3-8B", sft(batch_size=1, max_length=4096), 12_473),
        ("Qwen2.5-7B", sft(batch_size=1, max_length=4096), 14_110),
        ("Qwen2.5-32B", sft(batch_size=1, max_length=4096, processes=8, gradient_checkpointing=True), 2_250),
    ],
)
def test_estimates_lie_near_what_others_measured(model: str, job: SftJob, published: float) -> None:
    assert per_second(job, PUBLISHED[model]) == pytest.approx(published, rel=0.35)


def test_every_weight_in_full_is_near_what_torchtitan_measured() -> None:
    job = sft(lora=None, batch_size=2, max_length=4096, processes=8, sharding="full", gradient_checkpointing=True)
    assert per_second(job, shape_of("qwen3-32b")) == pytest.approx(1874, rel=0.35)


@pytest.mark.parametrize(
    "slower",
    [{"lora": None}, {"gradient_checkpointing": True}, {"quantisation": "nf4"}, {"precision": "float32"},
     {"batch_size": 1, "accumulation": 4, "max_length": 256}],
)  # fmt: skip
def test_what_asks_for_more_operations_takes_longer_a_token(slower: dict[str, Any]) -> None:
    shape = shape_of("qwen3-8b")
    assert per_second(sft(**slower), shape) < per_second(sft(), shape)


def test_of_experts_only_the_chosen_cost_time() -> None:
    assert per_second(sft(), shape_of("gpt-oss-120b")) > 3 * per_second(sft(), shape_of("qwen3-32b"))


def test_more_answers_at_once_take_less_time_in_all() -> None:
    def seconds(rows: int) -> float:
        job = GenerateJob(base=DIGEST, prompts=DIGEST, sampling=Sampling(max_new_tokens=64, batch_size=rows))
        return generation(job, shape_of("qwen3-8b"), H100, 64, 256).seconds

    assert seconds(64) < seconds(8) < seconds(1)


def test_a_batch_that_is_not_filled_is_not_paid_for_twice() -> None:
    job = GenerateJob(base=DIGEST, prompts=DIGEST, sampling=Sampling(max_new_tokens=64, batch_size=64))
    few, one = (generation(job, shape_of("qwen3-8b"), H100, n, 256) for n in (20, 1))
    assert few.tokens == 20 * one.tokens
    assert one.seconds <= few.seconds < 20 * one.seconds


def test_grpo_pays_for_answers_before_it_trains_on_them() -> None:
    job = GrpoJob(
        base=DIGEST, adapter=DIGEST, questions=DIGEST, laws=DIGEST,
        learning_rate=1e-5, batch_size=4, steps=10, group=4, max_prompt=512,
        max_new_tokens=512, precision="bfloat16",
    )  # fmt: skip
    shape = shape_of("qwen3-8b")
    answers = GenerateJob(base=DIGEST, prompts=DIGEST, sampling=Sampling(max_new_tokens=512, batch_size=4))
    drawn = generation(answers, shape, H100, 40, 512).seconds
    assert training(job, shape, H100).seconds > drawn + training(sft(max_length=1024), shape, H100).seconds * 0.9
