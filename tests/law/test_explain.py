"""`forge explain`: what a legal engineer or a works council reads."""

from __future__ import annotations

import pytest

from forge_assets.cli import main

Output = pytest.CaptureFixture[str]


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
    assert "Germany: restructuring of operations (employees 120" in printed.replace("\n", " ")
    assert "Austria: restructuring of operations (employees 15" in printed.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["XY", "--change", "ai_system"], "XY: no such jurisdiction; choose from AT"),
        (["DE", "--change", "ai_system", "--in", "DE:employes=5"], "no fact `employes`"),
        (["DE", "--change", "ai_system", "--in", "FR:employees=5"], "FR is not asked about"),
        (["DE", "--change", "ai_system", "--in", "DE:employees=many"], "employees is a number"),
    ],
)
def test_a_question_that_cannot_be_asked_says_why(arguments: list[str], says: str, capsys: Output) -> None:
    assert main(["explain", *arguments]) == 1
    assert says in capsys.readouterr().err


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
