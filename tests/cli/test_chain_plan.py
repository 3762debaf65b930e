"""`forge plan`: every shipped profile can be planned offline, in a moment, and what does not fit is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from forge_assets.cli.chain_plan import chain, planned
from forge_assets.training.jobs.spec import GrpoJob
from forge_resources.config.model_registry import ModelError, ModelLibrary
from forge_resources.config.profile import Profile, load_profile, profile_names


@pytest.fixture
def models(tmp_path: Path) -> ModelLibrary:
    return ModelLibrary(tmp_path)


def with_memory(profile: Profile, gigabytes: float) -> Profile:
    return profile.model_copy(update={"hardware": profile.hardware.model_copy(update={"memory_gb": gigabytes})})


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_fits_the_hardware_it_names(name: str, models: ModelLibrary) -> None:
    table, fits = planned(load_profile(name), models)
    told = table.plain()
    assert fits, told
    assert re.search(r"In all \S+ tokens, .+, \d+\.\d\d USD", told)


@pytest.mark.parametrize("name", profile_names())
def test_every_job_that_the_chain_starts_has_its_line(name: str, models: ModelLibrary) -> None:
    profile, told = load_profile(name), planned(load_profile(name), models)[0].plain()
    expected = ["search trial", "teacher", "teacher responses", "student", "student benchmark answers"]
    expected += ["teacher loss", "student loss"]
    expected += ["student as GGUF", "student answers to compare", "f16 answers", "q8_0 answers", "q4_k_m answers"]
    if profile.student.cut_layers:
        expected += ["student choice answers", "student cut"]
    if profile.teacher.grpo:
        expected.append("teacher policy")
    for title in expected:
        assert re.search(rf"^{title}( x \d+)?  ", told, re.MULTILINE), title


def test_a_line_says_memory_against_its_parts_tokens_time_and_money(models: ModelLibrary) -> None:
    profile = load_profile("cpu")
    line = next(row for row in planned(profile, models)[0].plain().splitlines() if row.startswith("teacher  "))
    peak, tokens = re.search(
        r"fp32, 4 x 1 rows +([\d.]+) .*margin [\d.]+ +([\d.]+)k +\d+ \S+ +\d+\.\d\d$", line
    ).groups()
    assert 1 < float(peak) < profile.hardware.memory_gb
    assert float(tokens) * 1000 == pytest.approx(profile.teacher.steps * 4 * profile.max_length, abs=50)


def test_a_loss_reads_the_choice_set_once_and_needs_less_than_training(models: ModelLibrary) -> None:
    profile = load_profile("cpu")
    told = planned(profile, models)[0].plain()
    peaks = {}
    for title in ("teacher", "teacher loss"):
        line = next(row for row in told.splitlines() if row.startswith(f"{title}  "))
        peak, tokens = re.search(r"rows +([\d.]+) .*margin [\d.]+ +([\d.]+)k ", line).groups()
        peaks[title] = float(peak)
    assert float(tokens) * 1000 == pytest.approx(profile.data.choice * profile.max_length, abs=50)
    assert peaks["teacher loss"] < peaks["teacher"]


def test_what_does_not_fit_is_refused_with_what_would(models: ModelLibrary) -> None:
    table, fits = planned(with_memory(load_profile("h100x8-full"), 40), models)
    told = table.plain()
    assert not fits
    assert "teacher does not fit: needs" in told and "40 GB are allowed: train an adapter" in told
    assert "In all" not in told


def test_answers_that_do_not_fit_are_told_the_batch_that_does(models: ModelLibrary) -> None:
    profile = load_profile("h100x8-full")
    many = profile.model_copy(update={"answers": profile.answers.model_copy(update={"batch_size": 64})})
    said = re.search(r"teacher responses does not fit: .*answers.batch_size (\d+)", planned(many, models)[0].plain())
    assert said
    fewer = profile.answers.model_copy(update={"batch_size": int(said[1])})
    assert planned(profile.model_copy(update={"answers": fewer}), models)[1]


def test_a_policy_is_planned_with_the_adapter_of_the_teacher(models: ModelLibrary) -> None:
    stage = next(s for s in chain(load_profile("dgx-spark"), models) if isinstance(s.job, GrpoJob))
    assert stage.adapter and stage.adapter.rank == 16


def test_a_model_that_is_neither_here_nor_described_is_named(models: ModelLibrary) -> None:
    profile = load_profile("tiny")
    unknown = profile.model_copy(update={"teacher": profile.teacher.model_copy(update={"model": "tiny-gemma3"})})
    with pytest.raises(
        ModelError, match="tiny-gemma3 is not here to be read: run `forge models`, or give its `config`"
    ):
        planned(unknown, models)


def test_the_command_needs_no_torch_and_no_network(tmp_path: Path) -> None:
    code = (
        "import socket, sys\n"
        "def no(*_): raise OSError('no network')\n"
        "socket.socket.connect = no\n"
        "from forge_assets.cli.main import main\n"
        "status = main(['plan', 'dgx-spark'])\n"
        "print([m for m in ('torch', 'transformers', 'peft', 'trl', 'datasets') if m in sys.modules])\n"
        "sys.exit(status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "FORGE_DATA": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
    assert "gpt-oss" not in done.stderr and "dgx-spark: 1 x dgx-spark, 115 GB each" in done.stdout
