"""Nothing is made of a file that is not as it was written: it is made again, or refused by name."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import dagster as dg
import pytest

from forge_assets.training.jobs.runner import Finished, JobRunner
from forge_assets.training.jobs.spec import CutJob, GenerateJob, Job
from forge_resources.config.data_folder import PROJECT
from forge_resources.config.model_registry import ModelLibrary
from forge_resources.storage.file_sums import Changed
from forge_resources.storage.store import Store
from tests.helpers import tiered
from tests.training.job_runs import (
    BASE,
    DRAWN,
    ENVIRONMENT,
    GREEDY,
    KINDS,
    ROWS,
    Runs,
    after,
    dataset,
    lines,
    training,
    weights,
)


def _flip(file: Path, at: int, count: int = 1) -> None:
    content = bytearray(file.read_bytes())
    content[at : at + count] = bytes(byte ^ 1 for byte in content[at : at + count])
    file.write_bytes(content)


def _attempts(done: Finished) -> int:
    return len(lines(done.result.parent, "attempts.jsonl"))


def _damage_record(folder: Path) -> None:
    (folder / "record.json").write_bytes((folder / "record.json").read_bytes()[:40])


def _raise_a_figure(folder: Path) -> None:
    record = (folder / "record.json").read_text("utf-8")
    (folder / "record.json").write_text(record.replace('"answers": 10', '"answers": 90'), "utf-8")


DAMAGES = {
    "a byte of the answers": lambda folder: _flip(folder / "result" / "answers.jsonl", 40),
    "a cut record": _damage_record,
    "a figure in the record": _raise_a_figure,
    "an empty record": lambda folder: (folder / "record.json").write_bytes(b""),
    "no result": lambda folder: shutil.rmtree(folder / "result"),
    "a file that the job did not write": lambda folder: (folder / "result" / "answers.bin").write_bytes(b"pickle"),
}
NAMED = dict(zip(DAMAGES, [
    "answers.jsonl was changed", "record.json was changed", "record.json was changed", "record.json was changed",
    "answers.jsonl is gone", "answers.bin was added",
], strict=True))  # fmt: skip


@pytest.mark.parametrize("damage", tiered(DAMAGES, 2))
def test_a_result_that_was_changed_is_made_again(
    disturbed: Runs, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    job = GenerateJob(base=BASE, prompts=dataset(disturbed), sampling=DRAWN)
    done = disturbed.run(job)
    before = done.answers()
    DAMAGES[damage](done.result.parent)
    again = disturbed.run(job)
    assert again.answers() == before
    assert _attempts(again) == 2
    assert [path.name for path in again.result.iterdir()] == ["answers.jsonl"]
    [said] = caplog.messages
    assert NAMED[damage] in said and said.endswith("it is done again")
    disturbed.run(job)
    assert _attempts(again) == 2, "a result that is whole is not made again"


def test_answers_that_change_after_they_were_proven_are_not_read(disturbed: Runs) -> None:
    done = disturbed.run(GenerateJob(base=BASE, prompts=dataset(disturbed), sampling=DRAWN))
    _flip(done.result / "answers.jsonl", 40)
    with pytest.raises(Changed, match=r"answers\.jsonl was changed: run again"):
        done.answers()


def _adapted(runner: Runs) -> tuple[Finished, Job]:
    made = runner.run(training(runner, **KINDS["LoRA"]))
    return made, GenerateJob(base=BASE, adapter=made.identity, prompts=dataset(runner), sampling=GREEDY)


def _cut(runner: Runs) -> tuple[Finished, Job]:
    made = runner.run(CutJob(base=BASE, texts=dataset(runner), remove=1))
    return made, GenerateJob(base=made.identity, prompts=dataset(runner), sampling=GREEDY)


@pytest.mark.parametrize("make", tiered([_cut, _adapted]), ids=["cut model", "adapter"])
def test_weights_of_an_earlier_job_that_were_changed_are_made_again_before_they_are_used(
    undisturbed: Runs, disturbed: Runs, caplog: pytest.LogCaptureFixture, make: object
) -> None:
    (made, job), (_, as_ever) = make(disturbed), make(undisturbed)  # type: ignore[operator]
    before = weights(made)
    [file] = [*made.result.glob("*/*.safetensors")]
    _flip(file, len(before) // 2, 400)
    answers = disturbed.run(job).answers()
    assert weights(made) == before
    assert answers == undisturbed.run(as_ever).answers()
    [said] = caplog.messages
    assert f"{file} was changed: it is done again" in said and made.identity[:12] in said


def test_weights_that_were_changed_and_that_nobody_can_make_again_are_refused(disturbed: Runs) -> None:
    made, job = _adapted(disturbed)
    _flip(made.result / "adapter" / "adapter_config.json", 20)
    (made.result.parent / "job.json").write_text('{"kind": "sft"', "utf-8")
    with pytest.raises(Changed, match=r"adapter_config\.json was changed, and .* materialise what comes before"):
        disturbed.run(job)
    assert not (disturbed.store.artefact(disturbed.jobs.identity(job)) / "log.txt").exists(), "no worker was started"


def _change_a_word(runner: Runs, name: str) -> Path:
    file = runner.store.root / "datasets" / f"{name}.jsonl"
    content = file.read_bytes()
    file.write_bytes(content.replace(b"council", b"counsel", 1))
    assert file.read_bytes() != content
    return file


def test_a_dataset_with_another_word_is_refused_by_name(disturbed: Runs) -> None:
    prompts = dataset(disturbed)
    file = _change_a_word(disturbed, prompts)
    with pytest.raises(Changed, match=f"{file} was changed: materialise the asset"):
        disturbed.run(GenerateJob(base=BASE, prompts=prompts, sampling=GREEDY))


def test_a_dataset_with_another_word_is_written_again_where_its_rows_are_at_hand(
    disturbed: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    name = dataset(disturbed)
    file = disturbed.store.root / "datasets" / f"{name}.jsonl"
    before = file.read_bytes()
    _change_a_word(disturbed, name)
    assert dataset(disturbed) == name
    assert file.read_bytes() == before
    assert caplog.messages == [f"{file} was changed, and is written again"]


def test_an_answer_under_way_that_cannot_be_read_is_asked_again(undisturbed: Runs, disturbed: Runs) -> None:
    job = GenerateJob(base=BASE, prompts=dataset(disturbed), sampling=DRAWN)
    dataset(undisturbed)
    _, folder = disturbed.break_off(job, after("answered", 4), signal.SIGTERM)
    file = folder / "work" / "result" / "answers.jsonl"
    first, *others = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(first[:9] + b"\xff" + first[10:] + b"".join(others))
    assert disturbed.run(job).answers() == undisturbed.run(job).answers()
    assert "answers.jsonl: 1 lines cannot be read and are answered again" in (folder / "log.txt").read_text("utf-8")


def test_a_base_model_that_changes_while_a_process_uses_it_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    registry = tmp_path / "registry.yaml"
    source = {"kind": "folder", "path": str(tiny_model)}
    registry.write_text(json.dumps({"tiny": {"licence": "-", "origin": "-", "source": source}}), "utf-8")
    model = ModelLibrary(tmp_path / "models", registry=registry).ensure("tiny")
    runner = Runs(tmp_path, model.path, None)  # type: ignore[arg-type]
    jobs = JobRunner(runner.store, ENVIRONMENT, {model.digest: model.path}, lambda folder: {})
    _flip(model.path / "generation_config.json", 10)
    with pytest.raises(Changed, match=r"generation_config\.json was changed: run again"):
        jobs.run(GenerateJob(base=model.digest, prompts=dataset(runner), sampling=GREEDY), "answers")


@pytest.mark.parametrize("kind", KINDS)
def test_a_trained_model_has_no_pickle_in_it(undisturbed: Runs, kind: str) -> None:
    done = undisturbed.run(training(undisturbed, **KINDS[kind]))
    files = [path.name for path in done.result.rglob("*") if path.is_file()]
    assert files and not [name for name in files if not name.endswith((".safetensors", ".json", ".jinja", ".md"))]


def test_what_is_made_again_is_said_in_the_dagster_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_DAGSTER", str(tmp_path / "dagster"))
    jobs = JobRunner(Store(tmp_path), ENVIRONMENT, {}, lambda folder: {})
    name = jobs.dataset(ROWS)
    (tmp_path / "datasets" / f"{name}.jsonl").write_bytes(b"other")

    @dg.asset
    def asks() -> None:
        jobs.dataset(ROWS)

    with dg.DagsterInstance.from_config(str(PROJECT)) as instance:
        run = dg.materialize([asks], instance=instance)
        said = [entry.user_message for entry in instance.all_logs(run.run_id)]
    assert f"{tmp_path}/datasets/{name}.jsonl was changed, and is written again" in said
