"""What a schema promises: whatever the weights, the answer is JSON of it, as far as it goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from jsonschema import Draft202012Validator
from transformers import AutoModelForCausalLM

from forge_assets.training.inference.generate import answer_prompts
from forge_assets.training.jobs.spec import Sampling
from forge_assets.training.models.loading import load_tokenizer
from forge_assets.training.models.miniature import FAMILIES, build
from forge_assets.training.runtime.progress import Progress
from forge_resources.processes.interrupt import Interrupt

SITE = {
    "type": "object",
    "properties": {"employees": {"type": "integer", "minimum": 0, "maximum": 9999}, "council": {"type": "boolean"}},
    "additionalProperties": False,
}
SCHEMA = {
    "type": "object",
    "properties": {
        "change": {"enum": ["site_closure", "working_time"]},
        "facts": {"type": "object", "properties": {"AT": SITE, "DE": SITE}, "additionalProperties": False},
        "missing": {"type": "array", "items": {"enum": ["employees", "council"]}, "maxItems": 2},
    },
    "required": ["change", "facts", "missing"],
    "additionalProperties": False,
}
QUESTION = "In Austria we plan new shift times for 50 people; there is a works council. Does it have a say?"
Ask = Callable[..., dict[str, str]]


def questions(number: int, **more: object) -> list[dict[str, object]]:
    """Rows of a prompt dataset, of different lengths, so that a batch is padded."""
    return [
        {"sample_id": f"q{i}", "prompt": [{"role": "user", "content": QUESTION + " Please." * i}]} | more
        for i in range(number)
    ]


def held(number: int) -> list[dict[str, object]]:
    return questions(number, schema=json.dumps(SCHEMA))


@pytest.fixture
def ask(tmp_path: Path, tiny_model: Path) -> Ask:
    """Answer rows with the miniature; sample id to answer."""

    def answers(
        rows: list[dict[str, object]], folder: str = "result", model: Path = tiny_model, weights: int = 0, **how: Any
    ) -> dict[str, str]:
        prompts, result = tmp_path / "prompts.jsonl", tmp_path / folder
        prompts.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        sampling = Sampling(**({"max_new_tokens": 200, "batch_size": 4} | how))
        loaded = AutoModelForCausalLM.from_pretrained(model)
        with torch.no_grad():
            torch.manual_seed(weights)
            for parameter in loaded.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter) if weights else 0.0)
        progress, interrupt = Progress(tmp_path, None), Interrupt()
        answer_prompts(loaded, load_tokenizer(model), prompts, sampling, result, progress, interrupt)
        lines = (result / "answers.jsonl").read_text("utf-8").splitlines()
        return {row["sample_id"]: row["answer"] for row in map(json.loads, lines)}

    return answers


def assert_follows(answer: str) -> None:
    Draft202012Validator(SCHEMA).validate(json.loads(answer))
    assert answer == json.dumps(json.loads(answer), separators=(",", ":")), "written without spaces"


@pytest.mark.parametrize("temperature", [0.0, 1.5])
@pytest.mark.parametrize("weights", [0, 1, 2])
def test_random_weights_write_json_of_the_schema(ask: Ask, weights: int, temperature: float) -> None:
    answers = ask(held(6), weights=weights, temperature=temperature)
    assert len(answers) == 6
    for answer in answers.values():
        assert_follows(answer)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_is_held_to_it(ask: Ask, tmp_path: Path, family: str) -> None:
    folder = tmp_path / family
    build(folder, [Path(__file__).parents[3] / "LICENSE"], layers=2, hidden=32, family=family)
    for answer in ask(held(2), model=folder).values():
        assert_follows(answer)


def test_an_answer_cut_at_the_most_tokens_is_the_beginning_of_one(ask: Ask) -> None:
    whole = ask(held(3), "whole")
    cut = ask(held(3), "cut", max_new_tokens=8)
    assert all(whole[name].startswith(cut[name]) and cut[name] != whole[name] for name in cut)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_row_without_a_schema_answers_as_if_no_other_had_one(ask: Ask, temperature: float) -> None:
    free = questions(4)
    mixed = [row | ({"schema": json.dumps(SCHEMA)} if i % 2 else {}) for i, row in enumerate(free)]
    how: dict[str, Any] = {"temperature": temperature, "max_new_tokens": 60}
    alone, beside = ask(free, "alone", **how), ask(mixed, "beside", **how)
    assert [beside[name] == alone[name] for name in ("q0", "q2")] == [True, True]
    assert all(beside[name].startswith('{"change":"') for name in ("q1", "q3"))


def test_a_run_that_was_killed_goes_on_to_the_bytes_of_an_undisturbed_one(ask: Ask, tmp_path: Path) -> None:
    rows, how = held(5), {"temperature": 1.0, "batch_size": 2}
    ask(rows, "undisturbed", **how)
    whole = (tmp_path / "undisturbed" / "answers.jsonl").read_bytes()
    (tmp_path / "killed").mkdir()
    kept = tmp_path / "killed" / "answers.jsonl"
    kept.write_bytes(b"".join(whole.splitlines(keepends=True)[1:4])[:-9])  # the last line is torn
    ask(rows, "killed", **how)
    assert kept.read_bytes() == whole


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ("{", "EOF|expected"),
        ('{"type": "objekt"}', "Invalid type: objekt"),
        ('{"type": "array", "uniqueItems": true}', "uniqueItems"),
        ('{"$ref": "#/$defs/site"}', "does not exist"),
    ],
)
def test_a_schema_that_cannot_be_followed_is_refused_with_its_sample(
    ask: Ask, tmp_path: Path, schema: str, why: str
) -> None:
    rows = questions(3)
    rows[1]["schema"] = schema
    with pytest.raises(ValueError, match=rf"sample q1: its schema cannot be followed: .*({why}).*: mend `schema`"):
        ask(rows)
    assert not (tmp_path / "result" / "answers.jsonl").exists()
