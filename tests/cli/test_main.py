"""The program `forge` as a shell sees it: what it removes, what it takes for a value, and how it ends."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from forge_assets.cli.main import app
from forge_resources.config.chosen import pack_folder, profile_name
from forge_resources.config.data_folder import MARK, PROJECT, DataFolderError, claim, clean, data_folder

FORGE = [sys.executable, "-m", "forge_assets.cli.main"]


def forge(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run([*FORGE, *arguments], env=environment, capture_output=True, encoding="utf-8")


def invoked(*arguments: str, **variables: str) -> Result:
    """What a command that needs no process of its own prints."""
    return CliRunner().invoke(app, arguments, env=variables)


def completed(words: str, **variables: str) -> list[str]:
    """What bash offers at the end of a line."""
    at = str(len(words.split(" ")) - 1)
    done = invoked(**variables, _FORGE_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=at)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.fixture
def broken_pack(tmp_path: Path) -> str:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "domain.yaml").write_text("facts: [\n", "utf-8")
    return str(tmp_path / "pack")


COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_each_of_its_options_says_what_it_does(name: str) -> None:
    listed = invoked("--help").stdout
    assert re.search(rf"^  {name} +[A-Z].*[^.]\.$", listed, re.MULTILINE), "a sentence that was not cut"
    told = invoked(name, "--help")
    assert told.exit_code == 0 and told.stdout.startswith(f"Usage: forge {name} ")
    for option in re.split(r"\n  (?=-)", told.stdout.partition("Options:")[2])[1:]:
        assert re.search(r"\S\s{2,}\w", option), option


def test_without_a_command_it_prints_its_help() -> None:
    done = invoked()
    assert done.exit_code == 0 and done.stdout == invoked("-h").stdout
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


def test_a_broken_pack_takes_nobody_the_help(broken_pack: str) -> None:
    assert invoked("--help", FORGE_PACK=broken_pack).exit_code == 0
    assert invoked("check", "--help", FORGE_PACK=broken_pack).exit_code == 0
    done = invoked("explain", "--help", FORGE_PACK=broken_pack)
    assert done.exit_code == 1 and f"{broken_pack}/domain.yaml:" in done.stderr and done.stderr.count("\n") == 1


def test_a_fact_that_is_called_as_an_option_of_explain_is_refused(tmp_path: Path) -> None:
    text = (pack_folder() / "domain.yaml").read_text("utf-8")
    fact = "\nfacts:\n  in: {type: boolean, label: anything}\n"
    (tmp_path / "domain.yaml").write_text(text.replace("\nfacts:\n", fact), "utf-8")
    done = invoked("explain", "DE", "--change", "ai_system", FORGE_PACK=str(tmp_path))
    assert done.exit_code == 1 and "`forge explain` has --in of its own: give the fact `in` another" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["chek"], "forge: no such command 'chek'. Did you mean 'check'"),
        (["--json", "check"], "forge: no such option: --json (`forge --help` shows how)"),
        (["check", "--jsn"], "forge check: no such option: --jsn (Possible options: --json)"),
        (["check", "--json", "--json"], "forge check: --json: given twice: keep one of them (`forge check --help` sh"),
        (["cite", "x", "--country", "DE", "--country=AT"], "forge cite: --country: given twice: keep one of them"),
        (["cite"], "forge cite: missing argument 'text'"),
        (["run", "now"], "forge run: got unexpected extra argument(s) (now)"),
        (["metrics", "--port"], "forge metrics: option '--port' requires an argument"),
        (["metrics", "--port", "70000"], "forge metrics: --port: 70000 is no port: give a number from 1 to 65535"),
        (["export", "out", "--set", "al"], "forge export: --set: 'al' is not one of 'all', 'chain'"),
        (["check", "/nowhere"], "/nowhere: no such file or folder; give a country's YAML file or a pack"),
        (["plan", "none"], "FORGE_PROFILE=none: no such profile; choose one of cpu-gemma, "),
    ],
)
def test_a_command_line_that_cannot_be_read_is_one_sentence(arguments: list[str], says: str) -> None:
    done = invoked(*arguments)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert done.stderr.startswith(says)


def test_a_shell_completes_commands_options_profiles_countries_and_facts(broken_pack: str) -> None:
    assert completed("forge me") == ["metrics"]
    assert completed("forge plan tin") == ["tiny"]
    assert completed("forge cite x --country d") == ["de", "dk"]
    assert completed("forge explain DE F") == ["FI", "FR"]
    assert completed("forge explain DE --change ai") == ["ai_system"]
    assert completed("forge explain DE --aff") == ["--affected"]
    assert completed("forge explain DE --aff", FORGE_PACK=broken_pack) == []


def test_help_loads_neither_dagster_nor_what_reads_the_law() -> None:
    code = (
        "import sys; from forge_assets.cli.main import main; assert main(['--help']) == 0\n"
        "print([name for name in ('dagster', 'polars', 'torch', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def filled(folder: Path) -> Path:
    """A data folder of ours that holds things."""
    claim(folder)
    for name in ("tables/law/rows/AT.parquet", "state/warehouse.json", "models/tiny/config.json", ".hidden"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("made", "utf-8")
    return folder


def below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


@pytest.mark.parametrize("name", ["My Data", "a$b", "a#b", "a'b", "a*", "-rf"])
def test_clean_empties_the_folder_that_is_named_and_no_other(tmp_path: Path, name: str) -> None:
    for sibling in ("My", "a", "ab", "Data"):
        (tmp_path / sibling).mkdir()
        (tmp_path / sibling / "precious").write_text("mine", "utf-8")
    before = below(tmp_path)
    data = filled(tmp_path / name / ".forge")
    done = subprocess.run(
        ["make", "clean"],
        cwd=PROJECT,
        env={**os.environ, "FORGE_DATA": str(data)},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert below(data) == [MARK, "models/tiny/config.json"]
    assert [path for path in below(tmp_path) if ".forge" not in path] == before


def test_a_folder_that_is_not_ours_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine", "utf-8")
    done = forge("clean", FORGE_DATA=str(tmp_path))
    assert done.returncode == 1 and done.stderr.startswith(f"{tmp_path} is not a data folder of Model Forge")
    assert claim(tmp_path) and below(tmp_path) == ["precious"], "a folder with other things in it is never marked"
    with pytest.raises(DataFolderError):
        clean(tmp_path)
    assert below(tmp_path) == ["precious"]


def test_an_empty_variable_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORGE_DATA", "FORGE_PACK", "FORGE_PROFILE"):
        monkeypatch.setenv(name, "")
    assert (data_folder(), pack_folder(), profile_name()) == (
        PROJECT / ".forge", PROJECT / "frameworks" / "labour", "cpu",
    )  # fmt: skip


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_text("mine", "utf-8")
    data = filled(tmp_path / "data")
    (data / "report").symlink_to(tmp_path / "outside")
    clean(data)
    assert below(data) == [MARK, "models/tiny/config.json"] and below(tmp_path / "outside") == ["precious"]


@pytest.mark.parametrize("lock", ["chain.lock", "artefacts/a/.worker.lock"])
def test_a_folder_in_which_something_works_is_not_emptied(tmp_path: Path, lock: str) -> None:
    data = filled(tmp_path / "data")
    (data / lock).parent.mkdir(parents=True, exist_ok=True)
    before = below(data)
    with (data / lock).open("w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(DataFolderError, match="something works in"):
            clean(data)
    assert below(data) == sorted([*before, lock])


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"FORGE_DATA": "{file}"}, "data folder {file}: File exists: set FORGE_DATA to a folder that can be written"),
        pytest.param(
            {"FORGE_DATA": "/proc/forge"},
            "data folder /proc/forge: No such file or directory: set FORGE_DATA",
            marks=pytest.mark.slow,
        ),
        ({"FORGE_PACK": "{folder}/none"}, "FORGE_PACK={folder}/none: no domain.yaml there"),
        ({"FORGE_LAUNCHER": "condor"}, "FORGE_LAUNCHER=condor: no such launcher; choose one of local, "),
        ({"FORGE_PROFILE": "none"}, "FORGE_PROFILE=none: no such profile; choose one of"),
        (
            {"FORGE_DAGSTER": "{folder}/a%20b"},
            "FORGE_DAGSTER={folder}/a%20b: Dagster keeps nothing below",
        ),
        ({"FORGE_STUDIES": "sqlite//x"}, "FORGE_STUDIES=sqlite//x: no storage URL"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_sentence(tmp_path: Path, variables: dict[str, str], says: str) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    names = {"file": str(tmp_path / "file"), "folder": str(tmp_path)}
    given = {"FORGE_PROFILE": "tiny", "FORGE_DATA": str(tmp_path / "data")}
    done = forge("run", **given | {name: value.format(**names) for name, value in variables.items()})
    assert done.returncode == 1
    assert done.stderr.startswith(says.format(**names)) and done.stderr.count("\n") == 1, done.stderr


def test_a_command_whose_reader_goes_away_does_its_work_and_ends_as_it_would_have(tmp_path: Path) -> None:
    pack = tmp_path / "labour"
    shutil.copytree(PROJECT / "frameworks" / "labour", pack, ignore=shutil.ignore_patterns("statutes"))
    for arguments, status in ((["check", str(pack)], 1), (["schema"], 0), (["--help"], 0)):
        process = subprocess.Popen(
            [*FORGE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )
        assert process.stdout and process.stderr
        process.stdout.close()
        assert "Traceback" not in (said := process.stderr.read()) and "Broken pipe" not in said, said
        assert process.wait() == status


BARE = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""A locale whose encoding is ASCII, as cron jobs and minimal containers have."""

ANSWERS = """
import sys
from pathlib import Path
from forge_assets.training.inference.answer_file import AnswerFile
from forge_resources.storage.json_lines import read_json_lines
path = Path(sys.argv[1])
AnswerFile(path).keep("a", "\\u00a7 87 Abs. 1 BetrVG, \\u0447\\u043b. 130\\u0432")
again = AnswerFile(path)
again.keep("b", "\\u00a7 90")
again.put_in_order(["b", "a"])
assert [row["sample_id"] for row in read_json_lines(path)] == ["b", "a"]
assert read_json_lines(path)[1]["answer"] == "\\u00a7 87 Abs. 1 BetrVG, \\u0447\\u043b. 130\\u0432"
"""


def test_answers_that_were_interrupted_go_on_in_a_locale_without_their_letters(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ANSWERS, str(tmp_path / "answers.jsonl")]
    done = subprocess.run(command, env={**os.environ, **BARE}, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert "чл. 130в" in (tmp_path / "answers.jsonl").read_text("utf-8")


def test_citations_are_read_and_written_in_a_locale_without_their_letters() -> None:
    done = forge("cite", "чл. 130в, ал. 1 КТ und § 87 Abs. 1 Nr. 6 BetrVG", **BARE)
    assert done.returncode == 0, done.stderr
    assert "DE:betrvg:87:1:6" in done.stdout and "§ 87 Abs. 1 Nr. 6 BetrVG" in done.stdout


@pytest.mark.slow
def test_a_run_that_is_asked_to_stop_says_so_ends_in_order_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    shutil.copy(PROJECT / "dagster.yaml", tmp_path)
    environment = {
        **os.environ, "FORGE_PROFILE": "tiny", "FORGE_DATA": str(data), "FORGE_DAGSTER": str(data / "dagster"),
        "DAGSTER_HOME": str(tmp_path), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    for number in (signal.SIGTERM, signal.SIGINT):
        known = len(_steps(data))
        process = subprocess.Popen(
            [*FORGE, "search" if known else "run"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        end = time.monotonic() + 120
        while len(_steps(data)) <= known and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate(timeout=120)
        assert process.returncode == 128 + number, said
        assert said.splitlines()[-1] == "stopped; the same command goes on from here"
        assert "Traceback" not in said
        for lock in data.glob("artefacts/*/.worker.lock"):
            with lock.open(encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    monkeypatch.setenv("FORGE_DAGSTER", str(data / "dagster"))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE}


def _steps(data: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in data.glob("artefacts/*/metrics.jsonl"):
        whole = [line for line in file.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]
        found += [line for line in map(json.loads, whole) if "step" in line]
    return found
