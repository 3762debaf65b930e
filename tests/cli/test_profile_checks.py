"""A profile that cannot be run to its end is refused by `forge check`, `forge plan` and the start of `forge run`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import forge_resources.config.profile as profiles
from forge_assets.cli.main import main
from forge_assets.cli.profile_checks import ProfileChecks
from forge_resources.config.data_folder import PROJECT
from forge_resources.config.model_registry import ModelLibrary
from forge_resources.config.strict_yaml import SourceError
from tests.helpers import tiered

PACK = PROJECT / "frameworks" / "labour"
Edit = Callable[[str, str], int]


@pytest.fixture
def edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Edit:
    """Make `mine`, tiny.yaml with one replacement, the only profile; gives the line of the replacement."""
    shipped = (profiles.FOLDER / "tiny.yaml").read_text("utf-8")
    folder = tmp_path / "profiles"
    folder.mkdir()
    monkeypatch.setattr(profiles, "FOLDER", folder)
    monkeypatch.setenv("FORGE_PROFILE", "mine")
    monkeypatch.setenv("FORGE_DATA", str(tmp_path / "data"))

    def apply(old: str, new: str) -> int:
        assert old in shipped
        (folder / "mine.yaml").write_text(shipped.replace(old, new, 1), "utf-8")
        return shipped[: shipped.index(old)].count("\n") + 1

    return apply


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def checks(models: Path) -> ProfileChecks:
    return ProfileChecks(PACK, ModelLibrary(models))


BAD = [
    ("[DE, AT]", "[DE, XX]", 0, "`jurisdictions` has `XX`, which the pack does not have: use one of AT, BE"),
    ("[DE, AT]", "[de, AT]", 0, "`jurisdictions` has `de`, which the pack does not have: did you mean `DE`?"),
    ("[en]", "[eng]", 0, "`data.languages` has `eng`, which the pack does not have: did you mean `en`?"),
    (
        "[plain, note]",
        "[note, nota]",
        0,
        "`data.registers` has `nota`, which the pack does not have: did you mean `note`?",
    ),
    (
        "[plain, nothing",
        "[plane, nothing",
        0,
        "`data.variants` has `plane`, which the pack does not have: did you mean `plain`?",
    ),
    ("model: tiny-llama", "model: tiny-lama", 0, "`teacher.model: tiny-lama` is no base model: did you mean `tiny-ll"),
    (
        "{model: tiny-llama",
        "{model: smollm2-135m-instruct",
        0,
        "`student.model: smollm2-135m-instruct` is not the teacher's, which the student is cut from: name the same",
    ),
    ("cut_layers: 1", "cut_layers: 99", 0, "`student.cut_layers: 99` of the 4 layers of tiny-llama: cut 2 at most"),
    ("cut_layers: 1", "cut_layers: 3", 0, "`student.cut_layers: 3` of the 4 layers of tiny-llama: cut 2 at most"),
    ("rank: [2, 4]", "target_modules: [[q_prj]]", 0, "`search.space.target_modules`: 'q_prj' is no matrix of this ll"),
    ("train: 24", "train: 12", 0, "12 samples cannot teach every citation: "),
    ("validation: 20", "validation: 5000", 0, " validation samples asked for, "),
    ("benchmark: 132", "benchmark: 100000", 0, "100000 benchmark samples asked for, "),
    ("confirm: 12", "confirm: 3", 0, "search.race.confirm is 3, 3 samples are left for it and 10 are needed: ask for"),
]


@pytest.mark.parametrize(
    ("old", "new", "further", "says"),
    [*BAD[:10], *(pytest.param(*case, marks=pytest.mark.slow) for case in BAD[10:])],
    ids=[new for _, new, _, _ in BAD],
)
def test_what_the_pack_and_the_models_do_not_have_is_refused_with_its_line(
    edit: Edit, checks: ProfileChecks, old: str, new: str, further: int, says: str
) -> None:
    line = edit(old, new) + further
    with pytest.raises(SourceError) as caught:
        checks.read("mine")
    assert f"mine.yaml:{line}: " in str(caught.value)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_prompts_longer_than_a_row_are_refused_once_the_tokenizer_is_here(
    edit: Edit, checks: ProfileChecks, tiny_model: Path, models: Path
) -> None:
    line = edit("max_length: 512", "max_length: 64")
    checks.read("mine")
    shutil.copytree(tiny_model, models / "tiny-llama")
    with pytest.raises(
        SourceError, match=rf"mine.yaml:{line}: `max_length: 64` leaves no answer to a prompt of \d+ tok"
    ):
        checks.read("mine")


@pytest.mark.parametrize("command", tiered(["check", "plan", "run", "search"]))
def test_every_command_that_uses_a_profile_refuses_it_before_anything_is_made(
    edit: Edit, tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = edit("cut_layers: 1", "cut_layers: 99")
    assert main([command]) == 1
    printed = capsys.readouterr()
    told = [text for text in f"{printed.out}{printed.err}".splitlines() if "mine.yaml" in text]
    assert len(told) == 1
    assert f"mine.yaml:{line}: `student.cut_layers: 99` of the 4 layers" in told[0]
    assert not (tmp_path / "data").exists()


def test_a_country_that_was_deleted_is_missed_before_anything_is_made(
    edit: Edit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = edit("[DE, AT]", "[DE, AT]")
    copy = tmp_path / "labour"
    shutil.copytree(PACK, copy)
    (copy / "jurisdictions" / "at.yaml").unlink()
    monkeypatch.setenv("FORGE_PACK", str(copy))
    for command in ("check", "run"):
        assert main([command]) == 1
        printed = capsys.readouterr()
        assert f"mine.yaml:{line}: `jurisdictions` has `AT`, which the pack does not have" in printed.out + printed.err
    assert not (tmp_path / "data").exists()


def test_a_run_that_is_refused_needs_neither_torch_nor_dagster_runs(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "import forge_resources.config.profile as profiles\n"
        "from pathlib import Path\n"
        "profiles.FOLDER = Path(sys.argv[1])\n"
        "from forge_assets.cli.main import main\n"
        "assert main(['run']) == 1\n"
        "print([name for name in ('torch', 'transformers', 'forge_assets.definitions') if name in sys.modules])\n"
    )
    text = (profiles.FOLDER / "tiny.yaml").read_text("utf-8").replace("[plain, note]", "[letter]")
    (tmp_path / "tiny.yaml").write_text(text, "utf-8")
    environment = {"FORGE_PROFILE": "tiny", "FORGE_DATA": str(tmp_path / "data"), "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.stdout == "[]\n", done.stderr
    assert "`data.registers` has `letter`" in done.stderr
