"""The same question has the same identity everywhere; another question has another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from forge_assets.training.jobs import spec as module
from forge_assets.training.jobs.spec import (
    CutJob,
    EvaluateJob,
    ExportJob,
    GenerateJob,
    GgufAnswersJob,
    GgufJob,
    GrpoJob,
    Guard,
    Job,
    Lora,
    Probe,
    Sampling,
    SftJob,
    TokensJob,
    VocabularyJob,
    identity,
    parse_job,
)
from forge_assets.training.worker.main import WORK

A, B = "a" * 64, "b" * 64
SAMPLING = Sampling(max_new_tokens=8, batch_size=2, temperature=0.5, top_p=0.9, seed=1)
JOBS: dict[str, Job] = {
    "sft": SftJob(
        base=A,
        dataset=A,
        lora=Lora(rank=4, alpha=8),
        learning_rate=1e-3,
        batch_size=2,
        steps=4,
        processes=2,
        probe=Probe(prompts=A, sampling=SAMPLING),
    ),
    "generate": GenerateJob(
        base=A, adapter=A, prompts=A, sampling=SAMPLING, guard=Guard(before=("Art.",), after=("pykälä",))
    ),
    "grpo": GrpoJob(
        base=A,
        adapter=A,
        questions=A,
        laws=A,
        learning_rate=1e-5,
        batch_size=6,
        accumulation=2,
        steps=4,
        processes=2,
        group=2,
        max_new_tokens=8,
    ),
    "evaluate": EvaluateJob(base=A, adapter=A, dataset=A, batch_size=2),
    "export": ExportJob(base=A, adapter=A),
    "cut": CutJob(base=A, texts=A, remove=1),
    "tokens": TokensJob(base=A, citations=A),
    "vocabulary": VocabularyJob(base=A, words=A, merges=8),
    "gguf": GgufJob(base=A, adapter=A, published=A, golden=A, name="a"),
    "gguf_answers": GgufAnswersJob(gguf=A, file="f16", prompts=A, max_new_tokens=8, context=64),
}
OTHERS: dict[str, Any] = {
    "precision": "bfloat16",
    "compute": "bfloat16",
    "before": ["§"],
    "after": ["§"],
    "everywhere": ["EU"],
    "quantisation": "nf4",
    "scheduler": "linear",
    "sharding": "full",
    "batching": "packed",
    "target_modules": ["q_proj"],
    "file": "q8_0",
}


def _other(name: str, value: Any) -> Any:
    """A value that the field may have, and that is not `value`."""
    if name in OTHERS:
        return OTHERS[name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return B
    return value / 2 if isinstance(value, float) and value else value + 1 if isinstance(value, int) else 0.25


def _changes(value: BaseModel, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every field of a spec, nested ones too, with another value."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for name in type(value).model_fields:
        inner = getattr(value, name)
        if isinstance(inner, BaseModel):
            found += _changes(inner, (*path, name))
        elif name != "kind":
            found.append(((*path, name), _other(name, inner)))
    return found


KINDS = {kind.model_fields["kind"].default for kind in get_args(get_args(Job)[0])}
CASES = [(kind, path, value) for kind, job in JOBS.items() for path, value in _changes(job)]


def test_every_kind_of_job_has_a_worker_a_place_in_the_guide_and_is_tried_here() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "ml.md").read_text("utf-8")
    assert WORK.keys() == KINDS, "WORK of forge_assets/training/worker/main.py"
    assert {kind for kind in KINDS if f"\n| `{kind}` |" in guide} == KINDS, "the table of jobs in docs/ml.md"
    assert JOBS.keys() == KINDS, "JOBS of this file"


def test_what_a_worker_does_is_a_function_that_there_is() -> None:
    for place, function in WORK.values():
        source = Path(__file__).parents[3].joinpath(*place.split(".")).with_suffix(".py")
        assert f"\ndef {function}(" in source.read_text("utf-8")


@pytest.mark.parametrize(("kind", "path", "value"), CASES, ids=[f"{k}.{'.'.join(p)}" for k, p, _ in CASES])
def test_every_field_is_part_of_the_identity(kind: str, path: tuple[str, ...], value: Any) -> None:
    spec = JOBS[kind].model_dump(mode="json")
    inner = spec
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    other = type(JOBS[kind]).model_validate(spec)
    assert identity(other, "environment") != identity(JOBS[kind], "environment")


def test_environment_and_code_version_are_part_of_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    job = JOBS["cut"]
    before = identity(job, "environment")
    assert identity(job, "other environment") != before
    monkeypatch.setattr(module, "CODE_VERSION", module.CODE_VERSION + 1)
    assert identity(job, "environment") != before


@pytest.mark.parametrize("kind", JOBS)
def test_a_job_read_back_from_its_file_is_the_same_job(kind: str) -> None:
    again = parse_job(JOBS[kind].model_dump_json(indent=1))
    assert again == JOBS[kind]
    assert identity(again, "environment") == identity(JOBS[kind], "environment")


def test_a_default_that_is_spelled_out_does_not_change_the_identity() -> None:
    short = SftJob(base=A, dataset=A, lora=None, learning_rate=1e-3, batch_size=2, steps=4)
    spelled = SftJob.model_validate(short.model_dump())
    assert identity(short, "environment") == identity(spelled, "environment")


def test_a_process_elsewhere_gives_the_same_identity(tmp_path: Path) -> None:
    code = (
        "from forge_assets.training.jobs.spec import *; import sys;"
        "print(identity(parse_job(sys.stdin.read()), 'environment'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=JOBS["sft"].model_dump_json(),
        capture_output=True,
        encoding="utf-8",
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "7", "FORGE_DATA": str(tmp_path)},
    )
    assert done.stdout.strip() == identity(JOBS["sft"], "environment")


@pytest.mark.parametrize("place", ["/data/models/tiny", "models/tiny", "A" * 64, "a" * 63])
def test_weights_are_named_by_digest_and_never_by_place(place: str) -> None:
    with pytest.raises(ValidationError, match="base"):
        CutJob(base=place, texts=A, remove=1)


def test_a_spec_refuses_fields_it_does_not_know_and_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="output_dir"):
        parse_job(f'{{"kind": "cut", "base": "{A}", "texts": "{A}", "remove": 1, "output_dir": "/tmp"}}')
    with pytest.raises(ValidationError, match="kind"):
        parse_job('{"kind": "dream"}')
    job = JOBS["cut"]
    with pytest.raises(ValidationError, match="frozen"):
        job.remove = 2  # type: ignore[union-attr]


def test_quantised_weights_are_not_trained_without_an_adapter() -> None:
    with pytest.raises(ValidationError, match="nf4 weights cannot be trained: give `lora`, or no quantisation"):
        SftJob(base=A, dataset=A, lora=None, learning_rate=1e-3, batch_size=2, steps=4, quantisation="nf4")


def test_a_round_of_completions_holds_whole_groups() -> None:
    with pytest.raises(ValidationError, match="must be a multiple of group"):
        GrpoJob.model_validate(JOBS["grpo"].model_dump() | {"group": 5})


@pytest.mark.parametrize("changes", [{"processes": 1}, {"processes": 2, "quantisation": "nf4"}])
def test_shards_without_processes_or_of_quantised_weights_are_refused(changes: dict[str, Any]) -> None:
    spec = JOBS["sft"].model_dump() | {"sharding": "full"} | changes
    with pytest.raises(ValueError, match='sharding "full" needs `processes` of 2 or more'):
        SftJob.model_validate(spec)
