"""What a job says when the disk is full, memory runs out, weights cannot be read or training diverges."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Any

import pytest

from forge_assets.training.jobs.spec import GenerateJob
from forge_resources.processes.cause import Cause
from tests.training.job_runs import BASE, GREEDY, Broken, Moment, Runs, after, dataset, lines, training, weights


def _reason(runner: Runs) -> str:
    """Why the only job of the runner failed, from its own account, which must be one line."""
    [folder] = [path.parent for path in runner.store.root.glob("artefacts/*/job.json")]
    attempt = lines(folder, "attempts.jsonl")[-1]
    assert attempt["outcome"] == "failed"
    assert not (folder / "result").exists() and not (folder / "record.json").exists()
    assert "\n" not in attempt["reason"]
    return str(attempt["reason"])


def _cause(runner: Runs) -> Cause:
    """The same as a value."""
    [file] = runner.store.root.glob("artefacts/*/attempts.jsonl")
    return Cause(lines(file.parent, file.name)[-1]["cause"])


def _limited(runner: Runs, job: Any, moment: Moment, kind: int, most: int) -> None:
    """Run a job whose process may from that moment take no more than `most` of something; it must fail."""
    with pytest.raises(Broken):
        runner.limit(job, moment, kind, most)


def test_a_full_disk_costs_the_steps_since_the_last_checkpoint_and_nothing_else(
    undisturbed: Runs, disturbed: Runs
) -> None:
    job = training(disturbed)
    _limited(disturbed, job, after("checkpoint", 6), resource.RLIMIT_FSIZE, 100_000)
    assert _reason(disturbed).startswith("the disk is full: ") and _cause(disturbed) == Cause.DISK_FULL
    done = disturbed.run(job)
    assert done.record["resumed_from_step"] >= 6
    assert weights(done) == weights(undisturbed.run(job))


def test_a_job_that_runs_out_of_memory_says_so_and_what_to_change(disturbed: Runs) -> None:
    sampling = GREEDY.model_copy(update={"max_new_tokens": 900, "batch_size": 1000})
    rows = [{"sample_id": str(i), "prompt": [{"role": "user", "content": "law " * 400}]} for i in range(1000)]
    job = GenerateJob(base=BASE, prompts=disturbed.jobs.dataset(rows), sampling=sampling)
    _limited(disturbed, job, lambda folder: bool(lines(folder, "metrics.jsonl")), resource.RLIMIT_AS, 2_000_000_000)
    assert _reason(disturbed).startswith("out of memory: ") and _cause(disturbed) == Cause.OUT_OF_MEMORY
    assert "smaller batch_size" in _reason(disturbed)


def test_weights_that_were_cut_off_are_named(disturbed: Runs, tiny_model: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in tiny_model.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    os.truncate(broken / "model.safetensors", 100_000)
    job = GenerateJob(base=BASE, prompts=dataset(disturbed), sampling=GREEDY)
    with pytest.raises(Broken):
        Runs(disturbed.store.root, broken, disturbed.workers).run(job)
    assert _reason(disturbed).startswith("weights cannot be read: ") and _cause(disturbed) == Cause.UNREADABLE
    assert disturbed.run(job).record["answers"] == 10, "with whole weights the same job is done"


def test_training_that_diverges_stops_at_once_and_says_what_to_change(disturbed: Runs) -> None:
    job = training(disturbed, learning_rate=1e30, scheduler="constant", warmup_ratio=0, steps=4)
    with pytest.raises(Broken):
        disturbed.run(job)
    assert _reason(disturbed) == "step 2: the loss or its gradient is no longer a number: lower the learning rate"
    assert _cause(disturbed) == Cause.DIVERGED


def test_where_no_row_fits_nothing_is_trained(disturbed: Runs) -> None:
    with pytest.raises(Broken):
        disturbed.run(training(disturbed, max_length=16))
    assert "all 10 rows are longer than max_length 16 tokens: raise max_length" in _reason(disturbed)


def test_what_a_failure_says_is_also_the_last_line_of_the_log(disturbed: Runs) -> None:
    with pytest.raises(Broken) as caught:
        disturbed.run(training(disturbed, max_length=16))
    assert str(caught.value).splitlines()[-1] == _reason(disturbed)
