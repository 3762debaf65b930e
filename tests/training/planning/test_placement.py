"""A training is placed so that it fits with its margin, learns the same, and is as fast as can be."""

from __future__ import annotations

from typing import Any

import pytest

from forge_assets.training.jobs.spec import GrpoJob, Lora, SftJob
from forge_assets.training.planning.memory import predict
from forge_assets.training.planning.memory_overhead import CUDA
from forge_assets.training.planning.placement import DoesNotFit, machine, place, resolve_loading
from forge_assets.training.planning.speed import training
from forge_resources.config.hardware import devices, multiplies_bfloat16
from forge_resources.config.profile import Hardware, Loading, load_profile
from tests.helpers import DIGEST, sft_job, shape_of

FREE = Loading()


def sft(**changes: Any) -> SftJob:
    return sft_job(**{"batch_size": 16, "max_length": 1024} | changes)


def gpus(name: str = "h100", count: int = 1, memory_gb: float = 80.0) -> Hardware:
    return Hardware(device="cuda", name=name, count=count, memory_gb=memory_gb)


CASES = [
    ("qwen3-8b", sft(), gpus()),
    ("qwen3-8b", sft(accumulation=3), gpus(count=4)),
    ("qwen3-32b", sft(), gpus()),
    ("qwen3-32b", sft(lora=None), gpus(count=8, memory_gb=85)),
    ("gpt-oss-120b", sft(lora=Lora(rank=8, alpha=8)), gpus("dgx-spark", memory_gb=115)),
    ("smollm2-135m-instruct", sft(batch_size=4, max_length=320), Hardware(device="cpu", memory_gb=8)),
]


@pytest.mark.parametrize(("model", "job", "hardware"), CASES)
def test_what_is_placed_fits_with_its_margin_and_learns_from_the_same_batches(
    model: str, job: SftJob, hardware: Hardware
) -> None:
    placed = place(job, shape_of(model), hardware, FREE)
    way = placed.job
    assert placed.prediction == predict(way, shape_of(model), machine(hardware.row))
    assert placed.prediction.safe <= hardware.memory_gb * 1e9
    assert way.batch_size * way.accumulation * way.processes == job.batch_size * job.accumulation
    assert SftJob.model_validate(way.model_dump()) == way
    untouched = job.model_dump(exclude=set(FREE.spec) | {"batch_size", "accumulation"})
    assert way.model_dump(exclude=set(FREE.spec) | {"batch_size", "accumulation"}) == untouched


def test_on_a_cpu_nothing_is_changed_that_fits() -> None:
    job = sft(batch_size=4, max_length=320)
    assert place(job, shape_of("smollm2-135m-instruct"), Hardware(device="cpu", memory_gb=8), FREE).job == job


@pytest.mark.parametrize("profile", ["cpu", "cpu-gemma", "tiny"])
def test_a_cpu_profile_runs_in_fp32_without_checkpoints_in_the_batches_it_says(profile: str) -> None:
    asked = load_profile(profile)
    found = resolve_loading(asked, shape_of(asked.teacher.model), shape_of(asked.student.model))
    for part, before in ((found.teacher, asked.teacher), (found.student, asked.student)):
        compute = before.loading.compute or ("bfloat16" if multiplies_bfloat16() else "float32")
        assert part.loading.spec == FREE.spec | {"compute": compute}
        assert (part.batch_size, part.accumulation) == (before.batch_size, before.accumulation)


def test_no_other_way_that_fits_is_faster() -> None:
    shape, hardware, job = shape_of("qwen3-8b"), gpus(), sft(batch_size=8, max_length=2048)
    placed = place(job, shape, hardware, FREE).job
    for rows in (1, 2, 4, 8):
        for again in (False, True):
            way = placed.model_copy(
                update={"batch_size": rows, "accumulation": 8 // rows, "gradient_checkpointing": again}
            )
            if predict(way, shape, CUDA).safe <= 80e9:
                assert (
                    training(placed, shape, hardware.row).seconds <= training(way, shape, hardware.row).seconds + 0.01
                )


def test_layers_are_computed_twice_only_where_their_activations_do_not_fit() -> None:
    roomy, tight = (
        place(sft(batch_size=1, max_length=2048), shape_of("qwen3-8b"), gpus(memory_gb=m), FREE).job
        for m in (80.0, 40.0)
    )
    assert (roomy.gradient_checkpointing, tight.gradient_checkpointing) == (False, True)


def test_weights_go_into_four_bits_only_where_sixteen_do_not_fit() -> None:
    assert place(sft(), shape_of("qwen3-8b"), gpus(), FREE).job.quantisation == "none"
    assert place(sft(), shape_of("qwen3-32b"), gpus(memory_gb=60), FREE).job.quantisation == "nf4"


def test_weights_that_are_trained_are_held_in_fp32() -> None:
    assert place(sft(lora=None), shape_of("qwen3-0.6b"), gpus(), FREE).job.precision == "float32"
    sharded = place(sft(lora=None), shape_of("qwen3-0.6b"), gpus(count=8), FREE).job
    assert (sharded.precision, sharded.sharding) == ("bfloat16", "full"), "FSDP holds them in fp32 itself"


def test_frozen_weights_are_copied_to_every_device_where_they_fit_and_sharded_where_not() -> None:
    small, large = (
        place(sft(), shape_of(model), gpus(count=8, memory_gb=60), Loading(quantisation="none")).job
        for model in ("qwen3-8b", "qwen3-32b")
    )
    assert (small.processes, small.sharding) == (8, "none")
    assert (large.processes, large.sharding) == (8, "full")


def test_as_many_devices_work_as_share_a_batch_evenly() -> None:
    assert place(sft(batch_size=6), shape_of("qwen3-8b"), gpus(count=4), FREE).job.processes == 3


@pytest.mark.parametrize(
    "fixed",
    [
        {"precision": "float32"},
        {"quantisation": "nf4"},
        {"gradient_checkpointing": True},
        {"processes": 2},
        {"sharding": "full"},
    ],
)
def test_what_the_profile_fixes_is_not_touched(fixed: dict[str, Any]) -> None:
    found = place(sft(), shape_of("qwen3-0.6b"), gpus(count=4), Loading(**fixed)).job
    assert {name: getattr(found, name) for name in fixed} == fixed


def test_a_group_of_grpo_answers_stays_whole() -> None:
    job = GrpoJob(
        base=DIGEST, adapter=DIGEST, questions=DIGEST, laws=DIGEST,
        learning_rate=1e-5, batch_size=4, accumulation=8, steps=5, group=8,
        max_prompt=512, max_new_tokens=256,
    )  # fmt: skip
    found = place(job, shape_of("qwen3-8b"), gpus(count=8), FREE).job
    assert GrpoJob.model_validate(found.model_dump()).group == 8


def test_a_refusal_says_what_would_make_it_fit() -> None:
    with pytest.raises(DoesNotFit) as caught:
        place(sft(lora=None, max_length=256), shape_of("qwen3-32b"), gpus(), FREE)
    said = str(caught.value)
    assert "80 GB are allowed: train an adapter instead of every weight" in said
    count = next(int(word) for word in said.split() if word.isdigit() and "such devices" in said.split(word)[1])
    assert place(sft(lora=None, max_length=256), shape_of("qwen3-32b"), gpus(count=count), FREE)
    with pytest.raises(DoesNotFit, match="as many of .*h200, b200"):
        place(sft(), shape_of("qwen3-32b"), gpus(memory_gb=60), Loading(quantisation="none"))
    assert place(sft(), shape_of("qwen3-32b"), gpus("h200", memory_gb=139), Loading(quantisation="none"))


def test_four_bits_of_gpt_oss_120b_fit_a_spark_and_sixteen_do_not() -> None:
    job, spark = sft(lora=Lora(rank=8, alpha=8), batch_size=8), gpus("dgx-spark", memory_gb=115)
    assert place(job, shape_of("gpt-oss-120b"), spark, FREE).job.quantisation == "nf4"
    with pytest.raises(DoesNotFit, match="hold the weights in nf4"):
        place(job, shape_of("gpt-oss-120b"), spark, Loading(quantisation="none"))


def test_every_device_of_the_table_says_how_its_memory_behaves() -> None:
    assert {name: machine(row).unified for name, row in devices().items()} == {
        "cpu": True, "dgx-spark": True, "h100": False, "h200": False, "b200": False,
    }  # fmt: skip
