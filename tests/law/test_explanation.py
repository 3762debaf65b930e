"""`forge explain`: what a legal engineer or a works council reads."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from forge_assets.cli.main import main

Output = pytest.CaptureFixture[str]
AI = ("DE", "--change", "ai_system")
CUT = ("DE", "--change", "collective_redundancy")


def test_a_duty_is_printed_with_citation_body_reason_quote_and_the_state_of_its_text(capsys: Output) -> None:
    arguments = ["explain", "DE", "--change", "ai_system", "--employees", "120", "--works-council", "--monitoring"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    applies = printed.split("APPLIES")[1].split("DEPENDS")[0]
    assert "§ 87 Abs. 1 Nr. 6 BetrVG  [co-determination, works council (Betriebsrat)]" in applies
    assert "why: triggered by monitoring; threshold met: works_council" in applies
    assert "«Einführung und Anwendung von technischen Einrichtungen" in applies
    assert "verified, Betriebsverfassungsgesetz, text of 2026-08-19" in applies


def test_a_fact_that_was_not_stated_is_asked_for(capsys: Output) -> None:
    assert main(["explain", "DE", "--change", "ai_system", "--employees", "120", "--monitoring"]) == 0
    depends = capsys.readouterr().out.split("DEPENDS")[1]
    assert "§ 87 Abs. 1 Nr. 6 BetrVG" in depends
    assert "not stated: works_council" in depends


def test_below_a_threshold_the_reason_is_given(capsys: Output) -> None:
    arguments = ["explain", "DE", "--change", "collective_redundancy", "--employees", "18", "--affected", "10"]
    assert main([*arguments, "--works-council"]) == 0
    failing = capsys.readouterr().out.split("DOES NOT APPLY")[1]
    assert "§ 17 Abs. 1 KSchG: threshold not met: employees at least 21" in failing


def test_a_country_may_have_facts_of_its_own(capsys: Output) -> None:
    arguments = ["explain", "DE", "AT", "--change", "restructuring", "--employees", "120", "--works-council"]
    assert main([*arguments, "--in", "AT:employees=15"]) == 0
    printed = capsys.readouterr().out
    assert "Germany: reorganisation of operations (employees 120" in printed.replace("\n", " ")
    assert "Austria: reorganisation of operations (employees 15" in printed.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["XY", "--change", "ai_system"], "XY: no such jurisdiction; choose from AT"),
        (["DE", "--change", "ai_system", "--in", "DE:employes=5"], "no fact `employes`"),
        (["DE", "--change", "ai_system", "--in", "FR:employees=5"], "FR is not asked about"),
        (["DE", "--change", "ai_system", "--in", "DE:employees=many"], "employees is a number"),
        ([*AI, "--in", "DE:employees=-5"], "employees is a number: -5 is no count: give a whole number from 0"),
        ([*AI, "--in", "DE:employees=²"], "employees is a number: ² is no count"),
        ([*AI, "--in", "DE:works_council=maybe"], "works_council is true or false"),
        ([*AI, "--in", "DE:employees=5", "--in", "DE:employees=6"], "employees of DE is given twice"),
        ([*AI, "--employees", "-5"], "--employees: -5 is no count: give a whole number from 0, in digits"),
        ([*AI, "--employees=-5"], "--employees: -5 is no count"),
        ([*AI, "--employees", "1.5"], "--employees: 1.5 is no count"),
        ([*AI, "--employees", "1e3"], "--employees: 1e3 is no count"),
        ([*AI, "--employees", "١٢"], "--employees: ١٢ is no count"),
        ([*AI, "--employees", "9" * 5000], "… is too large: give a number up to 1,000,000,000"),
        ([*AI, "--employees", "5", "--employees", "6"], "--employees: given twice: keep one of them"),
        ([*AI, "--works-council", "--no-works-council"], "given twice: keep one of them"),
        ([*AI, "--staff", "5"], "no such option: --staff"),
        ([*AI, "--employees"], "option '--employees' requires an argument"),
        ([*AI, "--on", "2026-02-30"], "--on: 2026-02-30 is no day of the calendar: write YYYY-MM-DD"),
        ([*AI, "--on", "20260101"], "--on: 20260101 is no day of the calendar"),
        (["DE", "--change", "ai_sistem"], "--change: 'ai_sistem' is not one of 'ai_system'"),
        (["DE", "AT", "de", "--change", "ai_system"], "DE is named twice: name each country once"),
        (
            [*CUT, "--employees", "10", "--affected", "20"],
            "DE: affected 20 is more than employees 10, of which it is a",
        ),
        ([*CUT, "--employees", "10", "--in", "DE:affected=11"], "DE: affected 11 is more than employees 10"),
        (
            ["DE", "FR", "--change", "ai_system", "--employees", "100", "--union-employees", "150"],
            "union_employees 150 is less than the 200 that employees of DE, FR add up to",
        ),
        ([*AI, "--union-states", "40"], "union_states 40 is more than the members of European Union"),
    ],
)
def test_a_question_that_cannot_be_asked_says_why_in_one_sentence(
    arguments: list[str], says: str, capsys: Output
) -> None:
    assert main(["explain", *arguments]) == 1
    printed = capsys.readouterr()
    assert says in printed.err
    assert printed.err.count("\n") == 1 and printed.out == ""


def test_a_part_may_be_its_whole_and_a_headcount_none(capsys: Output) -> None:
    assert main(["explain", *CUT, "--employees", "0", "--affected", "0"]) == 0
    assert main(["explain", *CUT, "--employees", "30", "--affected", "30"]) == 0
    assert "affected 30" in capsys.readouterr().out


def test_a_country_that_cannot_be_read_is_named_and_holds_no_other_back(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    copy = tmp_path / "labour"
    shutil.copytree(pack, copy)
    (copy / "jurisdictions" / "eu.yaml").write_text("jurisdiction: [\n", "utf-8")
    monkeypatch.setenv("FORGE_PACK", str(copy))
    assert main(["explain", *AI, "--monitoring", "--works-council"]) == 0
    assert "left out, as it cannot be read: EU: " in capsys.readouterr().out
    assert main(["explain", "EU", "--change", "ai_system"]) == 1
    assert "eu.yaml:2: " in capsys.readouterr().err
    assert main(["cite", "§ 87 Abs. 1 Nr. 6 BetrVG"]) == 0
    printed = capsys.readouterr()
    assert "DE:betrvg:87:1:6 | real" in printed.out and "EU: " in printed.err


@pytest.mark.parametrize("number", ["0", "-1", "70000", "http", "9" * 400])
def test_a_port_that_is_none_is_refused(number: str, capsys: Output) -> None:
    assert main(["metrics", f"--port={number}"]) == 1
    assert "is no port: give a number from 1 to 65535" in capsys.readouterr().err


def test_a_citation_of_a_country_that_there_is_not_is_refused(capsys: Output) -> None:
    assert main(["cite", "§ 5", "--country", "XY"]) == 1
    assert "XY: no such jurisdiction; choose from AT" in capsys.readouterr().err


def test_citations_may_be_shown_in_english(capsys: Output) -> None:
    assert main(["explain", "DE", "--change", "ai_system", "--monitoring", "--works-council", "--english"]) == 0
    assert "Section 87(1) no. 6 of the Works Constitution Act" in capsys.readouterr().out


def test_a_text_is_told_its_citations_and_whether_they_exist(capsys: Output) -> None:
    assert main(["cite", "Nach § 87 Abs. 1 Nr. 6 BetrVG und чл. 999 КТ."]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "§ 87 Abs. 1 Nr. 6 BetrVG | DE:betrvg:87:1:6 | real | § 87 Abs. 1 Nr. 6 BetrVG",
        "чл. 999 КТ | BG:kodeks_na_truda:999 | unverifiable | чл. 999 КТ",
    ]
    assert main(["cite", "Nothing of the kind."]) == 1
