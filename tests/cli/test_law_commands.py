"""`forge probe` and `forge check --changed`, as a legal engineer uses them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from forge_assets.cli.main import main
from tests.shipped import PACK


def test_probe_shows_where_each_headline_begins(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "SK", "--change", "collective_redundancy"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Slovakia (numbers at and beside every bound were tried")
    assert "employees 21 to 100: [" in told
    assert ", affected from 10 [" in told
    assert "consultation, employees, § 73 ods. 2 Zákonníka práce: " in told
    assert "! " not in told


def test_probe_refuses_what_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "XX"]) != 0
    assert main(["probe", "DE", "--change", "party"]) != 0
    told = capsys.readouterr().err
    assert "XX: no such jurisdiction; choose from AT" in told
    assert "--change party: no such kind of change; choose from ai_system" in told


@pytest.fixture
def committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pack in a checkout of its own, with nothing changed."""
    pack = tmp_path / "checkout" / "law"
    shutil.copytree(PACK, pack)
    run = ["git", "-C", str(tmp_path / "checkout"), "-c", "user.name=n", "-c", "user.email=e"]
    subprocess.run([*run, "init", "-q"], check=True)
    subprocess.run([*run, "add", "."], check=True)
    subprocess.run([*run, "commit", "-q", "-m", "law"], check=True)
    monkeypatch.chdir(tmp_path)
    return pack


def test_only_countries_that_differ_from_the_last_commit_are_checked(
    committed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(committed), "--changed"]) == 0
    assert capsys.readouterr().out == "nothing differs from the last commit\n"
    edited = committed / "jurisdictions" / "de.yaml"
    edited.write_text(edited.read_text("utf-8").replace("Verhalten oder die", "Benehmen oder die", 1), "utf-8")
    with (committed / "statutes" / "lv" / "darba_likums.jsonl").open("a", encoding="utf-8") as text:
        text.write("{")
    assert main(["check", str(committed), "--changed"]) == 1
    told = capsys.readouterr().out
    assert "the quote does not stand in DE:betrvg:87:1:6" in told
    assert "not a statute unit" in told
    assert "AT:" not in told


def test_a_country_that_is_gone_makes_every_other_one_be_checked(
    committed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (committed / "jurisdictions" / "eu.yaml").unlink()
    assert main(["check", str(committed), "--changed"]) == 1
    assert "the file is missing, though `implements` of other countries names its law" in capsys.readouterr().out


def test_facts_that_cannot_be_together_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "DE", "--change", "ai_system", "--cameras", "--no-monitoring"]) != 0
    assert "DE: cameras cannot be without monitoring: correct one of them" in capsys.readouterr().err


def test_a_pack_that_git_does_not_know_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(PACK, tmp_path / "law")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert main(["check", str(tmp_path / "law"), "--changed"]) != 0
    assert "--changed compares with the last commit, and git has none: name the file" in capsys.readouterr().err
