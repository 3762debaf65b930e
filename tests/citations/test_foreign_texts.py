"""Citations as courts, law firms and other statutes write them: the right law or none, and no wrong one is real."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forge_assets.citations import load
from forge_assets.citations import parse as public_parse
from forge_assets.citations.citation import UNKNOWN
from forge_assets.citations.evaluation.cross_table import crossed_texts, read_crossed
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.law.model import Framework
from forge_assets.law.statutes import Statutes
from tests.shipped import PACK

ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in (Path(__file__).parent / "foreign_texts.jsonl").read_text("utf-8").splitlines()
]
"""Texts, the places of held laws in them, whose law a bare place means, and why it is hard."""
CODES = sorted(path.stem.upper() for path in (PACK / "jurisdictions").glob("*.yaml"))


def _held(text: str, laws: LawIndex, default: str | None = None) -> list[str]:
    return [str(c.key) for c in parse(text, laws, default) if c.jurisdiction != UNKNOWN]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["text"][:40])
def test_the_places_of_held_laws_are_read_and_no_others(laws: LawIndex, row: dict[str, Any]) -> None:
    assert _held(row["text"], laws, row.get("default")) == row["keys"]


DAMAGE: dict[str, Callable[[str], str]] = {
    "decomposed letters": lambda text: unicodedata.normalize("NFD", text),
    "soft hyphens": lambda text: text.replace("e", "e\u00ad"),
    "zero-width spaces": lambda text: text.replace(" ", " \u200b"),
    "marks of direction": lambda text: f"\u202a{text}\u202c".replace("§", "\u200e§"),
    "ligatures": lambda text: text.replace("fi", "\ufb01").replace("fl", "\ufb02"),
    "full-width digits": lambda text: "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isdigit() else c for c in text),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "HTML entities": lambda text: text.replace("§ ", "&sect;&nbsp;").replace("ä", "&auml;"),
    "bold": lambda text: text.replace("§ ", "**§** "),
    "quoted": lambda text: f"\u2019{text}\u2019",
    "tags": lambda text: f"<p><b>{text}</b></p>",
}


@pytest.mark.parametrize("form", DAMAGE)
def test_damage_to_the_text_changes_no_reading(laws: LawIndex, form: str) -> None:
    changed = DAMAGE[form]
    rows = [row for row in ROWS if not ("**" in row["text"] or "&" in row["text"] or "<" in row["text"])]
    differ = [row["text"] for row in rows if _held(changed(row["text"]), laws, row.get("default")) != row["keys"]]
    assert len(differ) <= 0.02 * len(rows), differ


@pytest.mark.parametrize("code", CODES)
def test_a_place_is_never_given_to_the_law_beside_the_one_it_is_of(
    laws: LawIndex, frameworks: dict[str, Framework], statutes: dict[str, Statutes], code: str
) -> None:
    readings = read_crossed(crossed_texts(frameworks[code], statutes[code]), laws)
    assert [r.case.text for r in readings if r.wrongly_real] == []
    wrong = [(r.case.text, r.read) for r in readings if not r.right]
    assert len(wrong) <= 0.02 * len(readings), wrong
    assert len(readings) >= 60


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("§ 4 ArbZG", "unheld"),
        ("7 § semesterlagen", "unheld"),
        ("section 98 of the Employment Rights Act 1996", "unheld"),
        ("art. 8 della legge n. 604/1966", "unheld"),
        ("§ 90 BetrVG. Das KSchG gilt auch. § 17 Abs. 1 regelt es.", "ambiguous"),
        ("BetrVG § 102 KSchG", "ambiguous"),
        ("§ 87 Abs. 1", "unverifiable"),
        ("Das BetrVG gilt. Nach § 90 ist zu beraten.", "ambiguous"),
        ("§ 90 BetrVG gilt. Nach § 90 Abs. 1 ist zu unterrichten.", "real"),
        ("(2) § 90 BetrVG gilt. Nach § 92 ist zu beraten.", "unverifiable"),
    ],
)
def test_what_is_not_held_or_only_guessed_is_told_so(laws: LawIndex, text: str, status: str) -> None:
    assert parse(text, laws)[-1].status == status


def test_a_place_that_only_the_country_given_explains_is_a_guess(laws: LawIndex) -> None:
    assert [c.status for c in parse("§ 111 Satz 1", laws, "DE")] == ["ambiguous"]


@pytest.mark.parametrize("code", ["XX", "", "GERMANY"])
def test_a_country_that_there_is_not_is_refused(laws: LawIndex, code: str) -> None:
    with pytest.raises(ValueError, match="no such jurisdiction; choose from AT"):
        parse("§ 5", laws, code)


def test_the_code_of_a_country_may_be_written_small(laws: LawIndex) -> None:
    assert parse("§ 111", laws, "de") == parse("§ 111", laws, "DE") != parse("§ 111", laws)


def test_a_reader_of_citations_needs_two_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_DATA", str(tmp_path / "data"))
    first, again = load(), load()
    for laws in (first, again):
        (found,) = public_parse("§ 87 Abs. 1 Nr. 6 BetrVG", laws)
        assert (str(found.key), found.status) == ("DE:betrvg:87:1:6", "real")
    (kept,) = (tmp_path / "data" / "citations").glob("*.pickle")
    kept.write_bytes(b"broken")
    assert public_parse("§ 90 BetrVG", load()) == public_parse("§ 90 BetrVG", first)
