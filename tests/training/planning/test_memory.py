"""The memory prediction: the arithmetic it can be held to, and that it moves the right way with every choice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forge_assets.training.jobs.spec import EvaluateJob, GenerateJob, GrpoJob, Lora, Sampling, parse_job
from forge_assets.training.planning.memory import Planned, Prediction, predict
from forge_assets.training.planning.memory_overhead import CPU, CUDA, UNIFIED, Machine
from forge_assets.training.planning.model_shape import Shape
from tests.helpers import DIGEST, sft_job, shape_of

QV, HEAD = ("q_proj", "v_proj"), ("q_proj", "v_proj", "lm_head")
SMOLLM2, QWEN3, GPT_OSS = shape_of("smollm2-135m-instruct"), shape_of("qwen3-32b"), shape_of("gpt-oss-120b")


def grpo(**changes: Any) -> GrpoJob:
    defaults: dict[str, Any] = {
        "base": DIGEST, "adapter": DIGEST, "questions": DIGEST, "laws": DIGEST,
        "learning_rate": 1e-5, "batch_size": 4, "steps": 10,
        "group": 4, "max_prompt": 128, "max_new_tokens": 128,
    }  # fmt: skip
    return GrpoJob(**defaults | changes)


def generate(rows: int = 8, new: int = 64, **changes: Any) -> GenerateJob:
    return GenerateJob(base=DIGEST, prompts=DIGEST, sampling=Sampling(max_new_tokens=new, batch_size=rows), **changes)


def at(said: Prediction, moment: str) -> int:
    return sum(said.moments[moment].values())


@pytest.mark.parametrize("machine", [CPU, CUDA], ids=["cpu", "gpu"])
@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ({"batch_size": 2}, {"batch_size": 4}),
        ({"max_length": 128}, {"max_length": 256}),
        ({"lora": Lora(rank=8, alpha=8)}, {"lora": Lora(rank=64, alpha=8)}),
        ({"lora": Lora(rank=16, alpha=16)}, {"lora": Lora(rank=16, alpha=16, dropout=0.1)}),
        ({"lora": Lora(rank=16, alpha=16)}, {"lora": None}),
        ({"lora": Lora(rank=16, alpha=16, target_modules=QV)}, {"lora": Lora(rank=16, alpha=16)}),
        ({"lora": Lora(rank=16, alpha=16, target_modules=QV)}, {"lora": Lora(rank=16, alpha=16, target_modules=HEAD)}),
        ({"gradient_checkpointing": True}, {"gradient_checkpointing": False}),
        ({"precision": "bfloat16"}, {"precision": "float32"}),
        ({"quantisation": "nf4"}, {"quantisation": "int8"}),
        ({"lora": None, "accumulation": 1}, {"lora": None, "accumulation": 2}),
    ],
)
def test_what_saves_memory_lowers_the_prediction(smaller: Any, larger: Any, machine: Machine) -> None:
    low, high = (predict(sft_job(**changes), SMOLLM2, machine).peak for changes in (smaller, larger))
    assert machine.runtime < low < high


def test_eight_bits_are_less_than_sixteen_and_four_less_than_eight_on_a_gpu() -> None:
    job = sft_job(precision="bfloat16", batch_size=1)
    none, int8, nf4 = (
        predict(job.model_copy(update={"quantisation": q}), shape_of("qwen3-8b"), CUDA).peak
        for q in ("none", "int8", "nf4")
    )
    assert nf4 < int8 < none


@pytest.mark.parametrize("change", [{"steps": 1000}, {"learning_rate": 1.0}, {"seed": 5}, {"warmup_ratio": 0.5}])
def test_what_costs_no_memory_leaves_the_prediction_as_it_is(change: Any) -> None:
    assert predict(sft_job(**change), SMOLLM2, CPU) == predict(sft_job(), SMOLLM2, CPU)


def test_full_training_holds_weights_gradients_and_two_moments() -> None:
    said = predict(sft_job(lora=None, batch_size=1, max_length=16), replace(SMOLLM2, tied=False), CUDA)
    parameters = replace(SMOLLM2, tied=False).parameters
    parts = said.parts
    assert said.moment == "update"
    assert parts["weights"] == parts["optimizer"] // 2 == 4 * parameters
    assert 4 * parameters <= parts["gradients"] <= 4 * (parameters + SMOLLM2.embedding)


def test_of_a_model_in_four_bits_the_matrices_take_half_a_byte_and_the_rest_four() -> None:
    weights = predict(sft_job(quantisation="nf4", precision="bfloat16"), GPT_OSS, CUDA).moments["loss"]["weights"]
    rest = GPT_OSS.parameters - GPT_OSS.linear
    assert (weights - 4 * rest) / GPT_OSS.linear == pytest.approx(0.516, abs=0.001)


def test_by_default_logits_are_counted_at_every_position() -> None:
    worst, half = (
        predict(sft_job(), SMOLLM2, CUDA, completion=share).moments["loss"]["logits"] for share in (1.0, 0.5)
    )
    assert worst == 2 * half == 12 * 4 * 256 * SMOLLM2.vocabulary


def test_an_adapter_of_the_output_layer_is_as_long_as_the_vocabulary_and_multiplies_into_it_once_more() -> None:
    without, headed = (
        predict(sft_job(lora=Lora(rank=16, alpha=16, target_modules=t)), SMOLLM2, CUDA, completion=0.5).moments["loss"]
        for t in (QV, HEAD)
    )
    weights = 16 * (SMOLLM2.hidden + SMOLLM2.vocabulary)
    assert headed["adapter"] - without["adapter"] == 4 * weights
    assert headed["optimizer"] - without["optimizer"] == 8 * weights
    assert headed["logits"] - without["logits"] == 4 * (4 * 256 // 2) * SMOLLM2.vocabulary


@pytest.mark.parametrize(
    ("config", "rows", "length", "rank", "targets", "measured"),
    [
        ("llama-mid", 4, 192, 16, QV, 2.260),
        ("llama-mid", 4, 192, 16, HEAD, 2.807),
        ("gemma3", 2, 192, 16, QV, 2.203),
        ("gemma3", 2, 192, 16, HEAD, 3.315),
        ("qwen3", 2, 256, 32, HEAD, 2.627),
    ],
)
def test_the_prediction_holds_for_chosen_matrices_and_the_output_layer(
    config: str, rows: int, length: int, rank: int, targets: tuple[str, ...], measured: float
) -> None:
    """Measured as those of bench/memory.py, on its models of these names; GB resident at the peak."""
    kept = json.loads(Path(__file__).with_name("memory_measured.json").read_text("utf-8"))
    shape = Shape.parse(next(row["config"] for row in kept if row["name"].startswith(config)))
    lora = Lora(rank=rank, alpha=rank, target_modules=targets)
    said = predict(sft_job(lora=lora, batch_size=rows, max_length=length), shape, CPU)
    assert said.peak / 1.1 <= measured * 1e9 <= said.safe


def test_checkpoints_leave_a_layers_input_of_each_and_one_whole_layer() -> None:
    plain, again = (predict(sft_job(gradient_checkpointing=on), SMOLLM2, CUDA) for on in (False, True))
    tokens, inputs = 4 * 256, 4 * 256 * SMOLLM2.hidden * 4
    final = tokens * SMOLLM2.hidden * 4
    assert again.moments["loss"]["activations"] == SMOLLM2.layers * inputs + final
    layer = (plain.moments["loss"]["activations"] - final) / SMOLLM2.layers
    difference = again.moments["way back"]["activations"] - again.moments["loss"]["activations"]
    assert difference > layer


def test_sharded_over_eight_each_holds_an_eighth_in_fp32_and_a_gathered_layer() -> None:
    job = sft_job(
        lora=None, precision="bfloat16", batch_size=1, processes=8, sharding="full", gradient_checkpointing=True
    )
    parts = predict(job, QWEN3, CUDA).moments["loss"]
    assert parts["weights"] == parts["optimizer"] // 2 == 4 * QWEN3.parameters // 8
    gathered = 2 * (2 * QWEN3.layer + QWEN3.embedding + QWEN3.output)
    assert gathered <= parts["buffers"] <= 1.5 * gathered
    copies = job.model_copy(update={"sharding": "none"})
    assert predict(copies, QWEN3, CUDA).peak > 3 * predict(job, QWEN3, CUDA).peak


def test_a_thirty_two_billion_model_in_full_leaves_an_eighty_gigabyte_gpu_little() -> None:
    """It ran out of memory on eight at 20,000 tokens (simplescaling/s1 13), and runs on eight of 96 GB at 8,192."""
    job = sft_job(lora=None, precision="bfloat16", processes=8, sharding="full", gradient_checkpointing=True)
    short, long, reported = (
        predict(job.model_copy(update={"batch_size": rows, "max_length": length}), QWEN3, CUDA).peak / 1e9
        for rows, length in ((1, 1024), (1, 20_000), (2, 4096))
    )
    assert short < 80 < 85.5 < long
    assert reported == pytest.approx(81.85 * 1.0737, rel=0.15), "torchtitan's pull request 1690"


def test_a_reference_model_is_held_only_where_there_is_a_penalty() -> None:
    free, tied = (predict(grpo(adapter=None, beta=beta), SMOLLM2, CUDA) for beta in (0.0, 0.1))
    assert at(tied, "loss") - at(free, "loss") == 4 * SMOLLM2.parameters
    thin, tied = (predict(grpo(beta=beta), SMOLLM2, CUDA) for beta in (0.0, 0.1))
    assert at(tied, "loss") - at(thin, "loss") == 4 * SMOLLM2.adapter(32, experts=True), "the adapter again, no more"


def test_grpo_draws_all_answers_of_a_step_at_once() -> None:
    few, many = (
        predict(grpo(batch_size=4, accumulation=n), SMOLLM2, CUDA).moments["generation"]["cache"] for n in (1, 4)
    )
    assert many == 4 * few


def test_the_cache_holds_keys_and_values_of_every_token() -> None:
    parts = predict(generate(rows=8, new=64), SMOLLM2, CUDA, prompt=36).parts
    assert parts["cache"] == 2 * 8 * 100 * SMOLLM2.layers * SMOLLM2.key * 4


def test_a_sliding_layer_keeps_its_window_only() -> None:
    sliding = replace(SMOLLM2, window=50, sliding_layers=SMOLLM2.layers)
    long, longer = (predict(generate(new=n), sliding, CUDA, prompt=64).parts["cache"] for n in (64, 640))
    assert long == longer


def test_weights_of_another_type_than_the_file_are_read_beside_it() -> None:
    same, other = (predict(generate(precision=p), SMOLLM2, CPU).moments["loading"] for p in ("float32", "bfloat16"))
    assert other["buffers"] - same["buffers"] > 0.9 * 4 * SMOLLM2.parameters
    on_gpu, unified = (predict(generate(quantisation="nf4"), GPT_OSS, m).moments["loading"] for m in (CUDA, UNIFIED))
    assert unified["buffers"] > on_gpu["buffers"], "the file takes the same memory there"


@pytest.mark.parametrize(
    "job",
    [sft_job(), sft_job(lora=None), grpo(), generate(), EvaluateJob(base=DIGEST, dataset=DIGEST, batch_size=2)],
    ids=["sft", "full", "grpo", "generate", "evaluate"],
)
def test_the_peak_is_the_largest_moment_and_its_parts_add_up(job: Planned) -> None:
    said = predict(job, SMOLLM2, CPU)
    assert said.peak == sum(said.parts.values()) == max(at(said, moment) for moment in said.moments)
    assert said.safe == pytest.approx(said.peak * (1 + CPU.margin), abs=1)
    assert all(size >= 0 for parts in said.moments.values() for size in parts.values())


def test_the_prediction_holds_for_processes_that_were_measured() -> None:
    """Those of bench/results/memory-2026-11-25.md that no constant was chosen by: CPU, bytes resident at the peak."""
    rows = json.loads(Path(__file__).with_name("memory_measured.json").read_text("utf-8"))
    assert len(rows) >= 12
    for row in rows:
        job = parse_job(json.dumps(row["job"]))
        assert isinstance(job, Planned)
        said = predict(job, Shape.parse(row["config"]), CPU, prompt=row["prompt"])
        assert row["peak_rss_bytes"] <= said.safe, f"{row['name']}: more than the margin was missing"
        assert said.peak <= 1.35 * row["peak_rss_bytes"], row["name"]
