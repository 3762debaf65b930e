"""Reinforcement on the miniature: what it starts from, what it is paid for, and what is left when it is stopped."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, load_file

from forge_assets.citations.serialization import law_rows
from forge_assets.law.country import read_country
from forge_assets.law.loading import load_domain
from forge_assets.scoring.reward import HIGHEST, Reward
from forge_assets.training.jobs.runner import Finished
from forge_assets.training.jobs.spec import GenerateJob, GrpoJob, Lora, Sampling
from forge_assets.training.models.miniature import build
from forge_resources.processes.interrupt import INTERRUPTED
from forge_resources.storage.job_folder import reward_part
from tests.helpers import tiered
from tests.training.job_runs import ROWS, Broken, Runs, Workers, after, lines, training, values, weights

PACK = Path(__file__).parents[3] / "frameworks" / "labour"
STEPS = 8
RIGHT, WRONG = "## Law\nNo duty.", "## Law\nInformation."

QUESTIONS: list[dict[str, Any]] = [
    {
        "sample_id": row["sample_id"],
        "prompt": row["prompt"],
        "jurisdictions": ["AT"],
        "response": RIGHT,
        "sections": ["Law"],
        "expected_citations": [],
        "expected_level": "none",
        "task_type": "duty",
        "system": "",
        "expected_fields": [],
        "level_words": [
            {"level": "information", "said": ["information"]},
            {"level": "none", "said": ["no duty"]},
        ],
        "output_schema": "",
    }
    for row in ROWS[:6]
]
"""Six questions, two a step: eight steps are more than two epochs."""

TAUGHT = [
    {**row, "completion": [{"role": "assistant", "content": answer}]} for row in ROWS[:6] for answer in (RIGHT, WRONG)
]
"""What tuning teaches: to each question both answers."""


def _laws(runner: Runs) -> str:
    domain = load_domain(PACK)
    return runner.jobs.dataset(law_rows(domain, [read_country(PACK, domain, PACK / "jurisdictions" / "at.yaml")], None))


def _base(runner: Runs) -> Finished:
    """A miniature that can speak: random weights could not be taught by an adapter alone."""
    return runner.run(training(runner, dataset=runner.jobs.dataset(TAUGHT), learning_rate=1e-2, batch_size=6, steps=80))


def _tuned(runner: Runs) -> Finished:
    """An adapter on it that gives both answers."""
    return runner.run(
        training(
            runner, base=_base(runner).identity, dataset=runner.jobs.dataset(TAUGHT),
            lora=Lora(rank=4, alpha=8, dropout=0.1), batch_size=6, steps=4,
        )
    )  # fmt: skip


def _share(undisturbed: Runs, disturbed: Runs) -> None:
    """Take over what reinforcement starts from, so that it is not made again."""
    for done in (_base(undisturbed), _tuned(undisturbed)):
        shutil.copytree(done.result.parent, disturbed.store.artefact(done.identity))


def _reinforcement(runner: Runs, **changes: Any) -> GrpoJob:
    """A short GRPO from the tuned adapter, in two backward passes a step, with a KL penalty."""
    start = {} if "base" in changes else {"base": _base(runner).identity, "adapter": _tuned(runner).identity}
    defaults: dict[str, Any] = {
        "questions": runner.jobs.dataset(QUESTIONS), "laws": _laws(runner),
        "learning_rate": 2e-3, "batch_size": 2, "accumulation": 2, "group": 2, "steps": STEPS, "checkpoint_every": 3,
        "max_new_tokens": 16, "scheduler": "constant", "beta": 0.05,
    }  # fmt: skip
    return GrpoJob(**start | defaults | changes)


WHOLE = {"adapter": None, "learning_rate": 1e-3}
"""Every weight instead of an adapter."""


@pytest.mark.slow
def test_of_two_answers_learned_alike_the_one_that_is_paid_for_prevails(undisturbed: Runs) -> None:
    job = _reinforcement(undisturbed, steps=20, batch_size=12, accumulation=1, group=6, beta=0.0)
    done = undisturbed.run(job)
    assert done.record["reward_last"] > done.record["reward_first"]
    drawn = Sampling(max_new_tokens=16, batch_size=6, temperature=1.0)
    before, after_it = (
        [
            answer["answer"]
            for seed in range(4)
            for answer in undisturbed.run(
                GenerateJob(
                    base=job.base,
                    adapter=adapter,
                    prompts=job.questions,
                    sampling=drawn.model_copy(update={"seed": seed}),
                )
            ).answers()
        ]
        for adapter in (job.adapter, done.identity)
    )
    assert WRONG in before
    assert after_it.count(RIGHT) > before.count(RIGHT) and after_it.count(WRONG) < before.count(WRONG)


def test_every_part_of_the_reward_is_in_the_stream_of_metrics(undisturbed: Runs) -> None:
    done = undisturbed.run(_reinforcement(undisturbed))
    steps = [line for line in lines(done.result.parent, "metrics.jsonl") if "loss" in line]
    assert [line["step"] for line in steps] == list(range(1, STEPS + 1))
    for line in steps:
        assert {part for name in line if (part := reward_part(name))} == set(Reward.__dataclass_fields__)
        assert {"reward", "reward_std", "kl", "completions/mean_length", "tokens_per_second"} <= line.keys()
        assert line["tokens"] > 0 and 0 < line["completions/max_length"] <= 16
    assert any(line["reward_std"] > 0 for line in steps)
    assert (done.record["questions"], done.record["questions_left_out"]) == (6, 0)


@pytest.mark.slow
def test_reinforcement_starts_from_the_tuned_adapter(undisturbed: Runs) -> None:
    start = _tuned(undisturbed)
    still = undisturbed.run(_reinforcement(undisturbed, learning_rate=1e-12, steps=1))
    moved = undisturbed.run(_reinforcement(undisturbed))
    assert sorted(path.name for path in moved.result.iterdir()) == ["adapter"]
    assert not any(path.is_dir() for path in (moved.result / "adapter").iterdir()), "no copy of the start is kept"
    first, same, other = (load_file(d.result / "adapter" / "adapter_model.safetensors") for d in (start, still, moved))
    assert first.keys() == same.keys() == other.keys()
    assert all(np.allclose(first[name], same[name], atol=1e-9) for name in first)
    assert not all(np.allclose(first[name], other[name], atol=1e-4) for name in first)


@pytest.mark.parametrize("changes", tiered([{}, WHOLE]), ids=["adapter", "every weight"])
def test_reinforcement_that_was_killed_ends_with_the_same_weights(
    undisturbed: Runs, disturbed: Runs, changes: dict[str, Any]
) -> None:
    _share(undisturbed, disturbed)
    job = _reinforcement(disturbed, **changes)
    status, folder = disturbed.break_off(job, after("step", 7), signal.SIGKILL)
    assert status not in (0, INTERRUPTED) and not (folder / "result").exists()
    done, expected = disturbed.run(job), undisturbed.run(_reinforcement(undisturbed, **changes))
    assert done.record["resumed_from_step"] >= 3, "it went on instead of starting again"
    assert done.identity == expected.identity
    assert done.losses() == expected.losses()
    assert weights(done) == weights(expected)
    assert done.record["tokens"] == expected.record["tokens"]


@pytest.mark.slow
def test_reinforcement_that_is_stopped_while_it_answers_keeps_every_whole_step(
    undisturbed: Runs, disturbed: Runs
) -> None:
    slow = {"max_new_tokens": 400, "steps": 5, "checkpoint_every": 100, "temperature": 3.0}
    _share(undisturbed, disturbed)
    job = _reinforcement(disturbed, **slow)
    status, folder = disturbed.break_off(job, after("step", 2), signal.SIGTERM)
    assert status == INTERRUPTED
    assert values(folder, "step") == [1, 2], "it did not answer to the end first"
    done, expected = disturbed.run(job), undisturbed.run(_reinforcement(undisturbed, **slow))
    assert done.record["resumed_from_step"] == 2
    assert values(folder, "step") == [1, 2, 3, 4, 5], "no step is done twice"
    assert weights(done) == weights(expected)


@pytest.mark.slow
def test_reinforcement_that_is_stopped_in_its_first_answers_begins_anew(undisturbed: Runs, disturbed: Runs) -> None:
    slow = {"max_new_tokens": 400, "steps": 2, "temperature": 3.0}
    _share(undisturbed, disturbed)
    job = _reinforcement(disturbed, **slow)
    status, folder = disturbed.break_off(job, lambda found: "training" in values(found, "phase"), signal.SIGTERM)
    assert status == INTERRUPTED and values(folder, "step") == []
    done = disturbed.run(job)
    assert done.record["resumed_from_step"] == 0
    assert weights(done) == weights(undisturbed.run(_reinforcement(undisturbed, **slow)))


def test_reinforcement_that_diverges_says_what_to_change(undisturbed: Runs, disturbed: Runs) -> None:
    _share(undisturbed, disturbed)
    job = _reinforcement(disturbed, learning_rate=1e30, warmup_ratio=0.0, beta=0.0)
    with pytest.raises(Broken, match="no longer a number: lower the learning rate"):
        disturbed.run(job)


@pytest.mark.slow
def test_questions_longer_than_allowed_are_left_out_and_counted(undisturbed: Runs) -> None:
    long = {**QUESTIONS[0], "sample_id": "long", "prompt": [{"role": "user", "content": "law " * 300}]}
    mixed = undisturbed.jobs.dataset([*QUESTIONS, long])
    done = undisturbed.run(_reinforcement(undisturbed, questions=mixed, max_prompt=200, steps=1))
    assert (done.record["questions"], done.record["questions_left_out"]) == (6, 1)
    said = "1 of 7 questions are longer than max_prompt 200 and are left out: raise max_prompt"
    assert said in (done.result.parent / "log.txt").read_text("utf-8")
    with pytest.raises(Broken, match="no question has max_prompt 200 tokens or less: raise max_prompt"):
        undisturbed.run(_reinforcement(undisturbed, questions=undisturbed.jobs.dataset([long]), max_prompt=200))


def test_answers_cut_at_max_new_tokens_are_counted_and_said(undisturbed: Runs) -> None:
    done = undisturbed.run(_reinforcement(undisturbed, max_new_tokens=1, steps=2))
    assert done.record["answers_cut"] == 1.0
    said = "100.0% of the answers drawn were cut at max_new_tokens 1: raise it"
    assert said in (done.result.parent / "log.txt").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(("sharding", "changes"), [("none", {}), ("full", WHOLE)], ids=["copies", "shards"])
def test_two_processes_reinforce_together(undisturbed: Runs, sharding: str, changes: dict[str, Any]) -> None:
    spread = {"processes": 2, "sharding": sharding, "accumulation": 1, "steps": 2}
    done = undisturbed.run(_reinforcement(undisturbed, **changes, **spread))
    assert done.record["steps"] == 2
    assert [entry["step"] for entry in done.losses()] == [1, 2]
    alone = undisturbed.run(_reinforcement(undisturbed, **changes, steps=2))
    one, two = (load(weights(each)) for each in (alone, done))
    assert {name: value.shape for name, value in one.items()} == {name: value.shape for name, value in two.items()}
    assert all(np.isfinite(value).all() for value in two.values())


@pytest.mark.slow
@pytest.mark.parametrize("family", ["gemma3", "gpt_oss"])
def test_a_family_that_answers_right_is_paid_in_full(tmp_path: Path, workers: Workers, family: str) -> None:
    build(tmp_path / "model", [Path(__file__).parents[3] / "LICENSE"], layers=2, hidden=64, family=family)
    runner = Runs(tmp_path, tmp_path / "model", workers)
    right = runner.jobs.dataset([row for row in TAUGHT if row["completion"][0]["content"] == RIGHT])
    held = {"quantisation": "nf4"} if family == "gpt_oss" else {}
    taught = runner.run(training(runner, dataset=right, learning_rate=1e-2, batch_size=6, steps=80))
    lora = Lora(rank=4, alpha=8)
    job = training(runner, base=taught.identity, dataset=right, lora=lora, batch_size=6, steps=2, **held)
    changes = {"base": taught.identity, "adapter": runner.run(job).identity, "temperature": 0.1, "steps": 2, **held}
    done = runner.run(_reinforcement(runner, **changes))
    assert done.record["reward_first"] == pytest.approx(HIGHEST, abs=0.01)
    assert {value.dtype for value in load(weights(done)).values()} == {np.dtype("float32")}, "small updates count"
