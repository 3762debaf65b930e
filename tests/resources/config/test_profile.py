"""Every shipped profile loads; a wrong one is refused with one sentence that names file, field and mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from forge_resources.config.model_registry import ModelLibrary
from forge_resources.config.profile import FOLDER, ProfileError, load_profile, profile_names
from forge_resources.config.strict_yaml import SourceError
from tests.helpers import edit_copy


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


def _edited(folder: Path, old: str, new: str) -> int:
    """Write tiny.yaml with one replacement made; the line it stands on."""
    return edit_copy(FOLDER / "tiny.yaml", folder / "mine.yaml", old, new)


GRID = "rank: [2, 4]"
BAD = [
    ("trials: 3", "trials: 3\n  trials: 30", 1, "`trials` is given twice: keep one of them"),
    ("learning_rate: 1.0e-3", "learning_rat: 1.0e-3", 0, "`student.learning_rat` is not a known field: remove it or"),
    ("teacher:\n", "name: other\nteacher:\n", 0, "`name` is not a known field"),
    ("  steps: 4\n", "", -2, "`teacher.steps` is missing: add it"),
    ("[DE, AT]", "[]", 0, "`jurisdictions` is not accepted: tuple should have at least 1 item"),
    ("[DE, AT]", "[DE, AT, DE]", 0, "`DE` is listed twice: keep one of them"),
    ("[plain, note]", "[]", 0, "`data.registers` is not accepted: tuple should have at least 1 item"),
    ("device: cpu", "device: tpu", 0, "`hardware.device: tpu` is not accepted: input should be 'cpu' or 'cuda'"),
    ("memory_gb: 4", "memory_gb: 0", 0, "`hardware.memory_gb: 0` is not accepted: input should be greater than 0"),
    (
        "memory_gb: 4",
        "memory_gb: .inf",
        0,
        "`hardware.memory_gb: .inf` is not accepted: input should be a valid number",
    ),
    ("memory_gb: 4", "memory_gb: 1e999", 0, "`1e999` is too large: write a number that a computer can hold"),
    ("memory_gb: 4", "memory_gb: 40", 0, "`hardware` is not accepted: memory_gb 40 is more than the 24 GB of a cpu"),
    ("max_length: 512", "max_lenght: 512", 0, "`max_lenght` is not a known field"),
    ("max_length: 512", "max_length: 15", 0, "`max_length: 15` is not accepted: input should be greater than or equal"),
    ("max_length: 512", "max_length: 0512", 0, "`max_length: 0512` is not accepted: input should be a valid integer"),
    ("max_length: 512", "max_length: 8:32", 0, "`max_length: 8:32` is not accepted: input should be a valid integer"),
    ("max_length: 512", 'max_length: "512"', 0, "`max_length: 512` is not accepted: input should be a valid integer"),
    ("max_length: 512", "max_length: 512\nseed: -1", 1, "`seed: -1` is not accepted: input should be greater than or"),
    ("max_length: 512", f"max_length: 512\nseed: {2**70}", 1, f"`seed: {2**70}` is not accepted: input should be less"),
    ("max_length: 512", f"max_length: 512\nseed: {'9' * 5000}", 1, "is no int: write a shorter number"),
    ("learning_rate: 1.0e-3", "learning_rate: 0", 0, "`student.learning_rate: 0` is not accepted: input should be gre"),
    ("learning_rate: 1.0e-3", "learning_rate: -0.1", 0, "`student.learning_rate: -0.1` is not accepted: input should"),
    ("learning_rate: 1.0e-3", "learning_rate: .nan", 0, "`student.learning_rate: .nan` is not accepted"),
    ("keep_share: 0.0", "keep_share: 1.1", 0, "`student.keep_share: 1.1` is not accepted: input should be less than"),
    ("keep_share: 0.0", "keep_share: -0.1", 0, "`student.keep_share: -0.1` is not accepted"),
    ("keep_share: 0.0", "lora_rank: 0", 0, "`student.lora_rank: 0` is not accepted"),
    ("cut_layers: 1", "cut_layers: 0", 0, "`student.cut_from: teacher`, and no layer is removed: give `cut_layers`"),
    ("cut_layers: 1", "cut_layers: -1", 0, "`student.cut_layers: -1` is not accepted"),
    ("batch_size: 2\n", "batch_size: 0\n", 0, "`teacher.batch_size: 0` is not accepted"),
    ("group: 2", "group: 3", 0, "batch_size x accumulation is 4: make it a multiple of group 3"),
    ("train: 24", "train: 0", 0, "`data.train: 0` is not accepted"),
    (
        "student: {model: tiny-llama",
        "student: {model: tiny-llama, accumulation: 20",
        2,
        "`data.train: 24` is less than the 40 rows of",
    ),
    ("responses: 12", "responses: 25", 0, "`data.responses: 25` is more than data.train, 24: ask for no more"),
    ("questions: 8", "questions: 80", 0, "`teacher.grpo.questions: 80` is more than data.train, 24: ask for no more"),
    ("trials: 3", "trials: 2", 0, "`search.trials: 2` is not accepted: input should be greater than or equal to 3"),
    ("trials: 3", "trials: 3\n  sampler: bayes", 1, "`search.sampler: bayes` is not accepted: input should be 'three-"),
    (GRID, "ranks: [2, 4]", 0, "`search.space.ranks` cannot be searched: did you mean `rank`?"),
    (GRID, "rank: [4, 2]", 0, "`search.space.rank` has 2 after 4: list its values ascending"),
    (GRID, "rank: [2, 2]", 0, "`search.space.rank` has 2 twice: keep one of them"),
    (GRID, "rank: []", 0, "`search.space.rank` is empty: list at least one value"),
    (GRID, "rank: [2, all]", 0, "`search.space.rank: all` is not accepted: give a whole number from 1"),
    (GRID, "rank: [0, 2]", 0, "`search.space.rank: 0` is not accepted: give a whole number from 1"),
    (GRID, "rank: [2.5, 4]", 0, "`search.space.rank: 2.5` is not accepted: give a whole number from 1"),
    (GRID, "rank: [true]", 0, "`search.space.rank.0: true` is not accepted"),
    (GRID, "batch_size: [0, 2]", 0, "`search.space.batch_size: 0` is not accepted: give a whole number from 1"),
    (GRID, "alpha_ratio: [0, 1]", 0, "`search.space.alpha_ratio: 0` is not accepted: give a number above 0"),
    (GRID, "dropout: [0.0, 1.0]", 0, "`search.space.dropout: 1` is not accepted: give a number from 0 to below 1"),
    (GRID, "dropout: [-0.1]", 0, "`search.space.dropout: -0.1` is not accepted: give a number from 0 to below 1"),
    (GRID, "warmup_ratio: [1.5]", 0, "`search.space.warmup_ratio: 1.5` is not accepted: give a number from 0 to 1"),
    (GRID, "weight_decay: [-1]", 0, "`search.space.weight_decay: -1` is not accepted: give a number from 0"),
    (GRID, "weight_decay: [.inf]", 0, "`search.space.weight_decay: .inf` is not accepted: give a number from 0"),
    (GRID, "scheduler: [linear, sine]", 0, "`search.space.scheduler: sine` is not accepted: did you mean `cosine`?"),
    (GRID, "target_modules: [7]", 0, "`search.space.target_modules: 7` is not accepted: list names, each once"),
    (GRID, "target_modules: [[]]", 0, "`search.space.target_modules: []` is not accepted: list names, each once"),
    (GRID, "target_modules: [[lm_head]]", 0, "teacher.grpo cannot train lm_head: leave lm_head out, or teacher.grpo"),
    ("[0.001, 0.01]", "[0, 0.01]", 0, "`search.space.learning_rate: 0` is not accepted: give a number above 0"),
    ("learning_rate: [0.001, 0.01], ", "", 0, "`search.space.learning_rate` is missing: add it"),
    ("  model: tiny-llama", "  model: tiny-llama\n  lora: false", 0, "rank is searched, and teacher.lora is false"),
]


@pytest.mark.parametrize(("old", "new", "further", "says"), BAD, ids=[new[:40] for _, new, _, _ in BAD])
def test_a_mistake_is_one_sentence_with_file_line_field_value_and_mend(
    tmp_path: Path, old: str, new: str, further: int, says: str
) -> None:
    line = _edited(tmp_path, old, new) + further
    with pytest.raises(SourceError) as caught:
        load_profile("mine", tmp_path)
    message = str(caught.value)
    assert says in message
    assert "\n" not in message
    if "lora: false" in new:
        line = (tmp_path / "mine.yaml").read_text("utf-8").split("rank:")[0].count("\n") + 1
    assert message.startswith(f"{tmp_path / 'mine.yaml'}:{line}: ")


def test_norway_is_a_country(tmp_path: Path) -> None:
    _edited(tmp_path, "[DE, AT]", "[NO, SE]")
    assert load_profile("mine", tmp_path).jurisdictions == ("NO", "SE")


@pytest.mark.parametrize("text", ["", "- cpu\n", "cpu\n", "a: [\n"])
def test_a_file_that_is_no_mapping_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.yaml").write_text(text, "utf-8")
    with pytest.raises(SourceError, match=r"mine.yaml:\d: "):
        load_profile("mine", tmp_path)


def test_a_lock_that_an_editor_leaves_is_no_profile(tmp_path: Path) -> None:
    (tmp_path / ".#mine.yaml").symlink_to("somebody@somewhere.1")
    with pytest.raises(ProfileError, match="FORGE_PROFILE=.#mine: no such profile; choose one of $"):
        load_profile(".#mine", tmp_path)


def test_a_profile_cannot_be_changed_after_it_was_read() -> None:
    profile = load_profile("tiny")
    with pytest.raises(ValueError, match="frozen"):
        profile.seed = 1


def test_every_shipped_profile_says_what_it_is_for() -> None:
    for name in profile_names():
        assert len(load_profile(name).description) > 20
