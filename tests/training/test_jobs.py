"""The job desk: what was finished is not done again, and what a job rests on is found or named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forge_assets.training.job import CutJob, GenerateJob, Sampling, identity, parse_job
from forge_assets.training.jobs import Jobs
from forge_resources.store import Store

BASE = "b" * 64
ENVIRONMENT = "e" * 64
SAMPLING = Sampling(max_new_tokens=8, batch_size=2)


class Launches:
    """Stands in for worker processes: finishes every job at once and remembers which."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self.fails = False

    def __call__(self, folder: Path) -> dict[str, Any]:
        self.folders.append(folder)
        if self.fails:
            raise ConnectionError("killed")
        (folder / "result").mkdir()
        (folder / "result" / "answers.jsonl").write_text('{"sample_id": "1", "answer": "§ 87 BetrVG"}\n')
        record = {
            "identity": folder.name, "kind": "generate", "attempts": 1, "seconds": 2.5,
            "peak_rss_bytes": 1000, "generate_tokens_per_second": 40.0,
        }  # fmt: skip
        (folder / "record.json").write_text(json.dumps(record))
        return record


@pytest.fixture
def launches() -> Launches:
    return Launches()


@pytest.fixture
def jobs(tmp_path: Path, launches: Launches) -> Jobs:
    (tmp_path / "models" / "tiny").mkdir(parents=True)
    return Jobs(Store(tmp_path), ENVIRONMENT, {BASE: tmp_path / "models" / "tiny"}, launches)


def _prompts(jobs: Jobs, *texts: str) -> str:
    return jobs.dataset({"sample_id": str(i), "prompt": text} for i, text in enumerate(texts))


def test_equal_rows_are_one_dataset_and_other_rows_another(jobs: Jobs, tmp_path: Path) -> None:
    one = jobs.dataset([{"sample_id": "1", "prompt": "§ 87"}])
    same = jobs.dataset([{"prompt": "§ 87", "sample_id": "1"}])
    other = jobs.dataset([{"sample_id": "1", "prompt": "§ 90"}])
    assert one == same != other
    assert {path.stem for path in (tmp_path / "datasets").iterdir()} == {one, other}


def test_a_job_is_given_its_spec_and_where_its_inputs_lie(jobs: Jobs, launches: Launches, tmp_path: Path) -> None:
    prompts = _prompts(jobs, "a question")
    job = GenerateJob(base=BASE, prompts=prompts, sampling=SAMPLING)
    done = jobs.run(job, "answers")
    [folder] = launches.folders
    assert done.identity == folder.name == identity(job, ENVIRONMENT)
    assert parse_job((folder / "job.json").read_text()) == job
    paths = json.loads((folder / "launch.json").read_text())["paths"]
    assert paths == {
        BASE: str(tmp_path / "models" / "tiny"),
        prompts: str(tmp_path / "datasets" / f"{prompts}.jsonl"),
    }
    assert done.answers() == [{"sample_id": "1", "answer": "§ 87 BetrVG"}]


def test_a_finished_job_is_not_launched_again(jobs: Jobs, launches: Launches) -> None:
    job = GenerateJob(base=BASE, prompts=_prompts(jobs, "a question"), sampling=SAMPLING)
    assert jobs.run(job, "first") == jobs.run(job, "second")
    assert len(launches.folders) == 1


def test_a_job_that_failed_is_launched_again_in_the_same_folder(jobs: Jobs, launches: Launches) -> None:
    job = GenerateJob(base=BASE, prompts=_prompts(jobs, "a question"), sampling=SAMPLING)
    launches.fails = True
    with pytest.raises(ConnectionError):
        jobs.run(job, "answers")
    launches.fails = False
    jobs.run(job, "answers")
    assert len(launches.folders) == 2
    assert len(set(launches.folders)) == 1


def test_a_later_job_finds_the_result_of_an_earlier_one(jobs: Jobs, launches: Launches) -> None:
    prompts = _prompts(jobs, "a question")
    cut = jobs.run(CutJob(base=BASE, texts=prompts, remove=1), "cut")
    jobs.run(GenerateJob(base=cut.identity, prompts=prompts, sampling=SAMPLING), "answers")
    paths = json.loads((launches.folders[-1] / "launch.json").read_text())["paths"]
    assert paths[cut.identity] == str(cut.result)


def test_a_job_on_weights_that_nobody_made_is_refused_before_it_starts(jobs: Jobs, launches: Launches) -> None:
    job = GenerateJob(base="c" * 64, prompts=_prompts(jobs, "a question"), sampling=SAMPLING)
    with pytest.raises(FileNotFoundError, match="nothing is stored under cccccccccccc: materialise"):
        jobs.run(job, "answers")
    assert launches.folders == []


def test_a_result_without_a_record_does_not_count(jobs: Jobs, tmp_path: Path) -> None:
    unfinished = "d" * 64
    (tmp_path / "artefacts" / unfinished / "work").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="dddddddddddd"):
        jobs.run(GenerateJob(base=unfinished, prompts=_prompts(jobs, "x"), sampling=SAMPLING), "answers")


def test_every_job_is_a_row_of_ops_jobs(jobs: Jobs, tmp_path: Path) -> None:
    job = GenerateJob(base=BASE, prompts=_prompts(jobs, "a question"), sampling=SAMPLING)
    done = jobs.run(job, "answers")
    jobs.run(job, "answers")
    [row] = Store(tmp_path).read("ops.jobs").to_dicts()
    assert (row["title"], row["identity"], row["kind"]) == ("answers", done.identity, "generate")
    assert (row["seconds"], row["peak_memory_bytes"], row["tokens_per_second"]) == (2.5, 1000, 40.0)
    assert parse_job(row["spec"]) == job
