"""Training over two processes is the training that one process does with twice the batch size."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from forge_assets.training.jobs.runner import Finished
from forge_assets.training.jobs.spec import GenerateJob, Lora, Probe, SftJob
from forge_resources.processes.interrupt import INTERRUPTED
from tests.training.job_runs import BASE, GREEDY, ROWS, Broken, Runs, after, lines, training, values, weights

pytestmark = pytest.mark.slow
TWELVE = [{**row, "sample_id": str(i)} for i, row in enumerate([*ROWS, *ROWS[:2]])]
"""Three batches of four make an epoch."""
SPREAD: dict[str, dict[str, Any]] = {
    "one process": {"batch_size": 4},
    "copies": {"batch_size": 2, "processes": 2, "sharding": "none"},
    "shards": {"batch_size": 2, "processes": 2, "sharding": "full"},
}


def _training(runner: Runs, spread: str, **changes: Any) -> SftJob:
    return training(runner, **{"dataset": runner.jobs.dataset(TWELVE), "steps": 8} | SPREAD[spread] | changes)


@pytest.fixture(scope="module")
def trained(undisturbed: Runs) -> Iterator[dict[str, Finished]]:
    """The same training, three ways."""
    yield {spread: undisturbed.run(_training(undisturbed, spread)) for spread in SPREAD}


def _tensors(done: Finished) -> dict[str, Any]:
    from safetensors.torch import load

    return load(weights(done))


@pytest.mark.parametrize("spread", ["copies", "shards"])
def test_two_processes_train_to_the_losses_and_weights_of_one(trained: dict[str, Finished], spread: str) -> None:
    one, two = trained["one process"], trained[spread]
    assert [entry["loss"] for entry in two.losses()] == pytest.approx([e["loss"] for e in one.losses()], rel=1e-5)
    norms = [[step["grad_norm"] for step in done.steps()] for done in (one, two)]
    assert norms[1] == pytest.approx(norms[0], rel=1e-4)
    assert two.record["tokens"] == one.record["tokens"]
    expected, found = _tensors(one), _tensors(two)
    assert expected.keys() == found.keys()
    for name, weight in expected.items():
        assert weight.dtype == found[name].dtype
        assert weight.sub(found[name]).abs().max() < 1e-4, name


def test_sharded_weights_are_held_in_halves_and_saved_whole(trained: dict[str, Finished]) -> None:
    held = {spread: done.record["parameters_held"] for spread, done in trained.items()}
    assert held["copies"] == held["one process"]
    assert held["shards"] == pytest.approx(held["one process"] / 2, rel=0.01)
    files = {spread: sorted(file.name for file in done.result.rglob("*")) for spread, done in trained.items()}
    assert files["shards"] == files["one process"]


def test_one_process_speaks_for_all(trained: dict[str, Finished]) -> None:
    folder = trained["shards"].result.parent
    assert values(folder, "step") == list(range(1, 9))
    assert [attempt["outcome"] for attempt in lines(folder, "attempts.jsonl")] == ["finished"]
    assert not (folder / "work").exists()


def test_sharded_training_stops_on_all_processes_and_goes_on_as_if_it_had_not(
    trained: dict[str, Finished], disturbed: Runs
) -> None:
    job = _training(disturbed, "shards")
    status, folder = disturbed.break_off(job, after("step", 4), signal.SIGTERM)  # only one process is told
    assert status == INTERRUPTED
    assert [attempt["outcome"] for attempt in lines(folder, "attempts.jsonl")] == ["interrupted"]
    stopped_at = values(folder, "step")[-1]
    done = disturbed.run(job)
    assert done.record["resumed_from_step"] == stopped_at
    assert weights(done) == weights(trained["shards"])


def test_training_that_lost_a_process_goes_on_from_its_last_checkpoint(
    trained: dict[str, Finished], disturbed: Runs
) -> None:
    job = _training(disturbed, "copies")
    status, _ = disturbed.break_off(job, after("step", 5), signal.SIGKILL)
    assert status == -signal.SIGKILL
    done = disturbed.run(job)
    assert done.record["resumed_from_step"] >= 3
    assert weights(done) == weights(trained["copies"])


def test_a_sharded_training_answers_with_the_whole_model(undisturbed: Runs) -> None:
    prompts = undisturbed.jobs.dataset(TWELVE)
    lora, probe = Lora(rank=4, alpha=8), Probe(prompts=prompts, sampling=GREEDY)
    done = undisturbed.run(_training(undisturbed, "shards", lora=lora, learning_rate=2e-2, probe=probe))
    asked = GenerateJob(base=BASE, adapter=done.identity, prompts=prompts, sampling=GREEDY)
    untuned = GenerateJob(base=BASE, prompts=prompts, sampling=GREEDY)
    assert done.answers() == undisturbed.run(asked).answers() != undisturbed.run(untuned).answers()


def test_an_error_is_told_once_whichever_process_has_it(disturbed: Runs) -> None:
    job = _training(disturbed, "shards", learning_rate=1e30, scheduler="constant", warmup_ratio=0)
    with pytest.raises(Broken, match="no longer a number: lower the learning rate"):
        disturbed.run(job)
    [folder] = (disturbed.store.root / "artefacts").iterdir()
    [attempt] = lines(folder, "attempts.jsonl")
    assert attempt["outcome"] == "failed" and "lower the learning rate" in attempt["reason"]


def test_rows_that_do_not_fill_a_batch_are_refused(disturbed: Runs) -> None:
    with pytest.raises(Broken, match="3 rows are fewer than a batch over 2 processes"):
        disturbed.run(_training(disturbed, "copies", dataset=disturbed.jobs.dataset(TWELVE[:3])))


def test_a_job_of_two_processes_is_not_trained_by_one(undisturbed: Runs) -> None:
    from forge_assets.training.trainers.distributed import distributed_arguments

    with pytest.raises(ValueError, match="the job is for 2 processes and runs in 1: start it by"):
        distributed_arguments(_training(undisturbed, "copies"))
