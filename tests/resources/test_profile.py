"""Every shipped profile loads; a wrong one is refused with one sentence that names file, field and mend."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from forge_resources.models import ModelLibrary
from forge_resources.profile import FOLDER, ProfileError, load_profile, profile_names


@pytest.mark.parametrize("name", profile_names())
def test_a_shipped_profile_loads_and_names_models_of_the_registry(name: str, tmp_path: Path) -> None:
    profile = load_profile(name)
    known = ModelLibrary(tmp_path).entries
    assert profile.name == name
    assert {profile.teacher.model, profile.student.model} <= set(known)


def test_the_default_and_the_test_profile_are_shipped() -> None:
    assert {"cpu", "tiny"} <= set(profile_names())


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ProfileError, match="FORGE_PROFILE=gpu: no such profile; choose one of cpu") as caught:
        load_profile("gpu")
    assert "tiny" in str(caught.value)


def _edited(folder: Path, old: str, new: str) -> None:
    text = (FOLDER / "tiny.yaml").read_text()
    assert old in text
    (folder / "mine.yaml").write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "field", "says"),
    [
        ("learning_rate: 1.0e-3", "learning_rat: 1.0e-3", "student.learning_rate", "required"),
        ("{device: cpu, memory_gb: 4}", "{device: tpu, memory_gb: 4}", "hardware.device", "cpu"),
        ("memory_gb: 4", "memory_gb: 0", "hardware.memory_gb", "greater than 0"),
        ("max_length: 512", "max_lenght: 512", "max_lenght", "not permitted"),
        ("trials: 3", "trials: 2", "search.trials", "greater than or equal to 3"),
        ("rank: [2, 4]", "ranks: [2, 4]", "search.space", "choose from learning_rate, rank"),
        ("rank: [2, 4]", "rank: [4, 2]", "search.space", "rank: list its values ascending"),
        ("rank: [2, 4]", "rank: [2, 2]", "search.space", "without repeats"),
        ("rank: [2, 4]", "rank: []", "search.space", "rank: list at least one value"),
        ("rank: [2, 4]", "rank: [2, all]", "search.space", "rank: 'all' is no number"),
        ("rank: [2, 4]", "scheduler: [linear, sine]", "search.space", "'sine' is none of constant, linear, cosine"),
        ("rank: [2, 4]", "target_modules: [7]", "search.space", "target_modules: 7 is a number"),
        ("trials: 3", "trials: 3\n  sampler: bayes", "search.sampler", "'three-phase', 'tpe'"),
        ("learning_rate: [0.001, 0.01], ", "", "search.space", "learning_rate is missing"),
    ],
)
def test_a_mistake_is_one_sentence_with_file_and_field(
    tmp_path: Path, old: str, new: str, field: str, says: str
) -> None:
    _edited(tmp_path, old, new)
    with pytest.raises(ProfileError) as caught:
        load_profile("mine", tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'mine.yaml'}: {field}: ")
    assert says in message
    assert "\n" not in message


@pytest.mark.parametrize("text", ["", "- cpu\n", "cpu\n", "a: [\n"])
def test_a_file_that_is_no_mapping_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ProfileError, match="mine.yaml"):
        load_profile("mine", tmp_path)


def test_a_profile_cannot_be_changed_after_it_was_read() -> None:
    profile = load_profile("tiny")
    with pytest.raises(ValueError, match="frozen"):
        profile.seed = 1


def test_every_shipped_profile_says_what_it_is_for() -> None:
    for name in profile_names():
        assert len(yaml.safe_load((FOLDER / f"{name}.yaml").read_text())["description"]) > 20
