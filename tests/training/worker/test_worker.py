"""What a worker makes, and what is left when it is killed, stopped and called again.

Real worker processes on the miniature model, forked from the fork server as in a Dagster run.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from forge_assets.training.jobs.spec import CutJob, EvaluateJob, ExportJob, GenerateJob, Probe, Sampling
from forge_resources.processes.interrupt import INTERRUPTED
from tests.helpers import tiered
from tests.training.job_runs import (
    BASE,
    DRAWN,
    GREEDY,
    KINDS,
    ROWS,
    STEPS,
    Broken,
    Runs,
    after,
    dataset,
    lines,
    training,
    values,
    weights,
)


@pytest.mark.parametrize("kind", KINDS)
def test_training_lowers_the_loss(undisturbed: Runs, kind: str) -> None:
    done = undisturbed.run(training(undisturbed, **KINDS[kind]))
    record = done.record
    assert record["loss_last"] < record["loss_first"] - 0.2
    assert (record["steps"], record["resumed_from_step"], record["attempts"]) == (STEPS, 0, 1)
    assert record["tokens"] > 0 and record["peak_rss_bytes"] > 1e8
    left = (path.name for path in done.result.parent.iterdir())
    assert sorted(name for name in left if name != "wandb" and not name.startswith(".")) == [
        "attempts.jsonl", "job.json", "launch.json", "log.txt", "metrics.jsonl", "record.json", "result",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_training_that_was_killed_ends_with_the_same_weights(undisturbed: Runs, disturbed: Runs, kind: str) -> None:
    job = training(disturbed, **KINDS[kind])
    status, folder = disturbed.break_off(job, after("step", 8), signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert not (folder / "result").exists()
    done, expected = disturbed.run(job), undisturbed.run(job)
    assert done.record["resumed_from_step"] >= 6, "it went on instead of starting again"
    assert done.record["steps"] == STEPS
    assert [entry["step"] for entry in done.losses()] == list(range(1, STEPS + 1))
    assert done.losses() == expected.losses()
    assert weights(done) == weights(expected)


def test_training_that_is_asked_to_stop_writes_a_checkpoint_first(undisturbed: Runs, disturbed: Runs) -> None:
    job = training(disturbed)
    status, folder = disturbed.break_off(job, after("step", 7), signal.SIGTERM)
    assert status == INTERRUPTED
    stopped_at = values(folder, "step")[-1]
    assert stopped_at < STEPS
    [attempt] = lines(folder, "attempts.jsonl")
    assert (attempt["outcome"], attempt["reason"]) == ("interrupted", "SIGTERM")
    done = disturbed.run(job)
    assert (done.record["resumed_from_step"], done.record["attempts"]) == (stopped_at, 2)
    assert done.record["peak_rss_bytes"] >= max(values(folder, "peak_rss_bytes")), "the peak of both attempts"
    steps = values(folder, "step")
    assert steps == list(range(1, STEPS + 1)), "no step is done twice"
    assert weights(done) == weights(undisturbed.run(job))


def test_a_trained_model_that_is_stopped_while_it_answers_is_not_trained_further(
    undisturbed: Runs, disturbed: Runs
) -> None:
    probe = Probe(prompts=dataset(disturbed), sampling=DRAWN)
    job = training(disturbed, **KINDS["LoRA"], probe=probe)
    dataset(undisturbed)
    status, folder = disturbed.break_off(job, after("answered", 2), signal.SIGTERM)
    assert status == INTERRUPTED
    done, expected = disturbed.run(job), undisturbed.run(job)
    assert values(folder, "step") == list(range(1, STEPS + 1))
    assert done.record["steps"] == STEPS
    assert done.record["loss_last"] == expected.record["loss_last"]
    assert weights(done) == weights(expected)
    assert done.answers() == expected.answers()


@pytest.mark.parametrize("what", tiered(["model.safetensors", "optimizer.pt", "trainer_state.json"]))
def test_a_checkpoint_that_was_damaged_is_passed_over(undisturbed: Runs, disturbed: Runs, what: str) -> None:
    job = training(disturbed)
    _, folder = disturbed.break_off(job, after("checkpoint", 9), signal.SIGKILL)
    newest = max((folder / "work").glob("checkpoint-*/seal.json"), key=lambda seal: int(seal.parent.name[11:])).parent
    with (newest / what).open("r+b") as stream:
        stream.truncate((newest / what).stat().st_size - 1)
    done = disturbed.run(job)
    assert done.record["resumed_from_step"] == int(newest.name[11:]) - 3
    assert f"{newest.name} is not whole" in (folder / "log.txt").read_text("utf-8")
    assert weights(done) == weights(undisturbed.run(job))


def test_a_checkpoint_that_was_not_written_to_its_end_is_passed_over(undisturbed: Runs, disturbed: Runs) -> None:
    job = training(disturbed)
    _, folder = disturbed.break_off(job, after("step", 8), signal.SIGKILL)
    (folder / "work" / "checkpoint-12").mkdir()
    (folder / "work" / "checkpoint-12" / "model.safetensors").write_bytes(b"half of the w")
    done = disturbed.run(job)
    assert done.record["resumed_from_step"] in (6, 9)
    assert weights(done) == weights(undisturbed.run(job))


def test_answers_after_an_interruption_are_those_of_an_undisturbed_run(undisturbed: Runs, disturbed: Runs) -> None:
    job = GenerateJob(base=BASE, prompts=dataset(disturbed), sampling=DRAWN)
    dataset(undisturbed)
    status, folder = disturbed.break_off(job, after("answered", 3), signal.SIGTERM)
    assert status == INTERRUPTED
    file = folder / "work" / "result" / "answers.jsonl"
    before = file.read_text("utf-8")
    assert 3 <= len(before.splitlines()) < 10
    file.write_text(before + '{"sample_id": "9", "answ', "utf-8")  # as a kill in mid-write leaves it
    done, expected = disturbed.run(job), undisturbed.run(job)
    assert done.answers() == expected.answers()
    assert [answer["sample_id"] for answer in done.answers()] == [row["sample_id"] for row in ROWS]
    assert len({answer["answer"] for answer in done.answers()}) > 5, "answers are drawn"
    counts = values(folder, "answered")
    assert counts == list(range(1, 11)), "no prompt is answered twice"


@pytest.mark.slow
def test_an_answer_that_ended_is_kept_though_its_batch_had_not(undisturbed: Runs, disturbed: Runs) -> None:
    long = Sampling(max_new_tokens=2000, batch_size=10, temperature=3.0, seed=5)
    job = GenerateJob(base=BASE, prompts=dataset(disturbed), sampling=long)

    def one_ended(folder: Path) -> bool:
        return bool(lines(folder / "work" / "result", "answers.jsonl"))

    status, folder = disturbed.break_off(job, one_ended, signal.SIGTERM)
    assert status == INTERRUPTED
    kept = lines(folder / "work" / "result", "answers.jsonl")
    assert 0 < len(kept) < 10
    done = disturbed.run(job)
    assert [answer for answer in done.answers() if answer in kept] == sorted(kept, key=lambda a: int(a["sample_id"]))


def test_a_job_that_was_killed_before_its_record_was_written_keeps_its_answers(disturbed: Runs) -> None:
    job = GenerateJob(base=BASE, prompts=dataset(disturbed), sampling=DRAWN)
    done = disturbed.run(job)
    (done.result.parent / "record.json").unlink()
    assert disturbed.run(job).answers() == done.answers()
    assert values(done.result.parent, "answered") == list(range(1, 11)), "no prompt is answered twice"


def test_a_drawn_answer_does_not_depend_on_its_batch(undisturbed: Runs) -> None:
    prompts = dataset(undisturbed)
    alone, together = (
        undisturbed.run(GenerateJob(base=BASE, prompts=prompts, sampling=DRAWN.model_copy(update={"batch_size": size})))
        for size in (1, 7)
    )
    assert alone.answers() == together.answers()


def test_a_probe_answers_as_the_stored_adapter_does(undisturbed: Runs) -> None:
    prompts = dataset(undisturbed)
    probed = undisturbed.run(training(undisturbed, **KINDS["LoRA"], probe=Probe(prompts=prompts, sampling=GREEDY)))
    stored = {"prompts": prompts, "sampling": GREEDY, "base": BASE}
    tuned = undisturbed.run(GenerateJob(**stored, adapter=probed.identity))
    untuned = undisturbed.run(GenerateJob(**stored))
    assert probed.answers() == tuned.answers()
    assert [a["sample_id"] for a in tuned.answers()] != [] and tuned.answers() != untuned.answers()


def test_a_cut_model_has_fewer_layers_and_answers(undisturbed: Runs) -> None:
    data = dataset(undisturbed)
    cut = undisturbed.run(CutJob(base=BASE, texts=data, remove=2))
    found = json.loads((cut.result / "influence.json").read_text("utf-8"))
    config = json.loads((cut.result / "model" / "config.json").read_text("utf-8"))
    assert (config["num_hidden_layers"], found["removed"], cut.record["removed"]) == (2, [1, 2], [1, 2])
    assert len(found["influence"]) == 4 and all(0 < value < 2 for value in found["influence"])
    answers = undisturbed.run(GenerateJob(base=cut.identity, prompts=data, sampling=GREEDY)).answers()
    assert {answer["sample_id"] for answer in answers} == {row["sample_id"] for row in ROWS}


def test_a_cut_removes_the_inner_layers_of_least_influence(undisturbed: Runs) -> None:
    cut = undisturbed.run(CutJob(base=BASE, texts=dataset(undisturbed), remove=1))
    influence = json.loads((cut.result / "influence.json").read_text("utf-8"))["influence"]
    assert cut.record["removed"] == [min((1, 2), key=lambda layer: influence[layer])]


def test_a_cut_that_leaves_too_little_fails_with_the_reason(disturbed: Runs) -> None:
    with pytest.raises(Broken, match="cannot remove 3 of 4 layers: first and last are kept"):
        disturbed.run(CutJob(base=BASE, texts=dataset(disturbed), remove=3))


def test_training_that_diverges_fails_and_says_what_to_change(disturbed: Runs) -> None:
    with pytest.raises(Broken, match="step 2: the loss or its gradient is no longer a number: lower the learning rate"):
        disturbed.run(training(disturbed, learning_rate=1e30, scheduler="constant", warmup_ratio=0, steps=4))


def test_an_exported_model_answers_as_its_base_with_the_adapter(undisturbed: Runs) -> None:
    tuned = undisturbed.run(training(undisturbed, **KINDS["LoRA"]))
    whole = undisturbed.run(ExportJob(base=BASE, adapter=tuned.identity))
    asked = {"prompts": dataset(undisturbed), "sampling": GREEDY}
    adapted = undisturbed.run(GenerateJob(base=BASE, adapter=tuned.identity, **asked))
    assert undisturbed.run(GenerateJob(base=whole.identity, **asked)).answers() == adapted.answers()
    assert not list(whole.result.glob("**/adapter*"))


def test_the_loss_on_what_was_taught_is_that_of_training_and_batches_do_not_change_it(undisturbed: Runs) -> None:
    tuned = undisturbed.run(training(undisturbed))
    data = dataset(undisturbed)
    before, after_one, after_four = (
        undisturbed.run(EvaluateJob(base=base, dataset=data, batch_size=size)).record["loss"]
        for base, size in ((BASE, 4), (tuned.identity, 1), (tuned.identity, 4))
    )
    assert before == pytest.approx(tuned.record["loss_first"], abs=0.2)
    assert after_four == pytest.approx(after_one, rel=1e-5)
    assert after_four < before - 0.2


def test_a_line_separator_within_a_text_ends_no_row(undisturbed: Runs) -> None:
    rows = [{"sample_id": "a", "prompt": [{"role": "user", "content": "§ 87\u2028Abs. 1\x85 BetrVG"}]}]
    prompts = undisturbed.jobs.dataset(rows)
    done = undisturbed.run(GenerateJob(base=BASE, prompts=prompts, sampling=GREEDY))
    assert [answer["sample_id"] for answer in done.answers()] == ["a"]


@pytest.mark.parametrize("batching", tiered(["rows", "packed"]))
def test_rows_that_are_too_long_are_left_out_and_counted_and_none_is_cut(disturbed: Runs, batching: str) -> None:
    """What is trained is what a dataset without them trains, to the byte."""
    from forge_assets.training.models.fitting_rows import row_tokens
    from forge_assets.training.models.loading import load_tokenizer

    tokenizer = load_tokenizer(disturbed.model)
    lengths = [len(row_tokens(tokenizer, row)) for row in ROWS]
    most = sorted(lengths)[6]
    short = disturbed.jobs.dataset(row for row, length in zip(ROWS, lengths, strict=True) if length <= most)
    given = {"max_length": most, "steps": 4, "batching": batching}
    whole = disturbed.run(training(disturbed, **given))
    assert whole.record["rows_left_out"] == sum(length > most for length in lengths) > 0
    assert "are left out: raise max_length" in (whole.result.parent / "log.txt").read_text("utf-8")
    without = disturbed.run(training(disturbed, dataset=short, **given))
    assert without.record["rows_left_out"] == 0
    assert weights(whole) == weights(without)


def test_the_loss_of_rows_that_are_too_long_is_left_out_and_counted(disturbed: Runs) -> None:
    from forge_assets.training.models.fitting_rows import row_tokens
    from forge_assets.training.models.loading import load_tokenizer

    tokenizer = load_tokenizer(disturbed.model)
    most = sorted(len(row_tokens(tokenizer, row)) for row in ROWS)[4]
    job = EvaluateJob(base=BASE, dataset=dataset(disturbed), batch_size=3, max_length=most)
    done = disturbed.run(job)
    told = [json.loads(line) for line in (done.result / "losses.jsonl").read_text("utf-8").splitlines()]
    fit = [row["sample_id"] for row in ROWS if len(row_tokens(tokenizer, row)) <= most]
    assert [row["sample_id"] for row in told] == fit
    assert done.record["rows_left_out"] == len(ROWS) - len(fit) > 0
