"""Rows come and go, and every answer is the one that the row gets alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from forge_assets.scoring.repetition import repeats, runs_in_a_loop
from forge_assets.training.inference.generate import LOOKED_EVERY, answer_prompts, stop_tokens
from forge_assets.training.jobs.spec import Sampling
from forge_assets.training.models.loading import load_tokenizer
from forge_assets.training.models.miniature import FAMILIES, build
from forge_assets.training.runtime.progress import Progress
from forge_resources.processes.interrupt import Interrupt

TEXT = Path(__file__).parents[3] / "LICENSE"
ROWS = [
    {"sample_id": f"q{i}", "prompt": [{"role": "user", "content": "What must we do? " + "It is Graz. " * (7 * i % 11)}]}
    for i in range(11)
]
Ask = Callable[..., dict[str, str]]


@pytest.fixture(
    scope="module",
    params=[pytest.param(f, marks=pytest.mark.slow if f in ("qwen3", "gpt_oss") else ()) for f in sorted(FAMILIES)],
)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A miniature of each family, with weights that end some answers soon."""
    folder = tmp_path_factory.mktemp(request.param)
    build(folder, [TEXT], layers=2, hidden=64, family=request.param)
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        torch.manual_seed(1)
        for parameter in model.parameters():
            parameter.add_(0.4 * torch.randn_like(parameter))
    return model, load_tokenizer(folder)


@pytest.fixture
def ask(tmp_path: Path, loaded: Any) -> Ask:
    model, tokenizer = loaded

    def answers(batch_size: int, **how: Any) -> dict[str, str]:
        prompts, result = tmp_path / "prompts.jsonl", tmp_path / f"result-{batch_size}-{len(how)}"
        prompts.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
        sampling = Sampling(**({"max_new_tokens": 60, "batch_size": batch_size} | how))
        answer_prompts(model, tokenizer, prompts, sampling, result, Progress(tmp_path, None), Interrupt())
        lines = (result / "answers.jsonl").read_text("utf-8").splitlines()
        return {row["sample_id"]: row["answer"] for row in map(json.loads, lines)}

    return answers


def test_a_batch_gives_the_answers_of_its_rows_alone(ask: Ask) -> None:
    """Drawn, so that answers are of many lengths and rows leave a batch at many places."""
    how = {"temperature": 1.3, "seed": 5}
    alone = ask(1, **how)
    assert len({len(answer) for answer in alone.values()}) > 2
    assert [ask(size, **how) for size in (3, 4, 11)] == [alone] * 3


def test_greedy_answers_are_those_of_transformers(ask: Ask, loaded: Any) -> None:
    model, tokenizer = loaded
    found = ask(4)
    for row in ROWS:
        given = tokenizer.apply_chat_template(
            row["prompt"], add_generation_prompt=True, return_dict=True, return_tensors="pt"
        )
        output = model.generate(**given, do_sample=False, max_new_tokens=60, eos_token_id=stop_tokens(model, tokenizer))
        whole = tokenizer.decode(output[0, given["input_ids"].shape[1] :], skip_special_tokens=True)
        answer = found[str(row["sample_id"])]
        assert answer == whole or (whole.startswith(answer) and repeats(answer, "")), "ends early in a loop alone"


def test_an_answer_that_only_repeats_itself_ends(ask: Ask, loaded: Any) -> None:
    _, tokenizer = loaded
    for answer in ask(11, max_new_tokens=900).values():
        earlier = tokenizer(answer, add_special_tokens=False).input_ids[: -2 * LOOKED_EVERY]
        assert not runs_in_a_loop(tokenizer.decode(earlier))
