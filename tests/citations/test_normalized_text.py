"""A citation is read whatever the normal form of its letters and wherever its lines break."""

from __future__ import annotations

import shutil
import textwrap
import unicodedata
from pathlib import Path

import pytest

from forge_assets.citations.evaluation.labelled_set import LabelledText, read_set
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.law.country import read_country
from forge_assets.law.loading import load_domain

FOLDER = Path(__file__).parent / "citation_set"


@pytest.fixture(scope="module")
def rows() -> list[LabelledText]:
    return read_set(FOLDER)


def _nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def _wrapped(width: int, end: str) -> object:
    def wrap(text: str) -> str:
        return end.join(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False))

    return wrap


FORMS = {
    "NFD": _nfd,
    "soft hyphens": lambda text: text.replace("e", "e\u00ad"),
    "zero width": lambda text: "\ufeff" + text.replace(" ", " \u200b"),
    "hyphens that do not break": lambda text: text.replace("-", "\u2011"),
    "wrapped at 40": _wrapped(40, "\n"),
    "wrapped at 20": _wrapped(20, "\n"),
    "wrapped, CRLF": _wrapped(40, "\r\n"),
    "wrapped and quoted": _wrapped(40, "\n> "),
    "wrapped and indented": _wrapped(40, "\n    "),
    "NFD and wrapped": lambda text: _wrapped(30, "\n")(_nfd(text)),  # type: ignore[operator]
}


@pytest.mark.parametrize("form", FORMS)
def test_the_labelled_strings_are_read_alike_in_every_form(rows: list[LabelledText], laws: LawIndex, form: str) -> None:
    """Texts of several paragraphs or with a line that begins as an item of a list does are left out when wrapped."""
    change, differ, count = FORMS[form], [], 0
    for row in rows:
        text = change(row.text)  # type: ignore[operator]
        if "\n" in row.text or ("\n" in text and any(line.lstrip("> ")[:1] in "-*+(#" for line in text.split("\n"))):
            continue
        count += 1
        plain, changed = parse(row.text, laws, row.default), parse(text, laws, row.default)
        if [(one.key, one.status) for one in plain] != [(one.key, one.status) for one in changed]:
            differ.append((row.text, text, [one.key for one in changed]))
        assert all(text[slice(*one.span)] == one.text for one in changed), text
    assert count > 900
    assert len(differ) <= 0.004 * count, differ[:20]


def test_a_span_is_of_the_text_as_given(laws: LawIndex) -> None:
    text = _nfd("Das Mitbestimmungsrecht für Überwachung folgt aus § 87\n  Abs. 1 Nr. 6 BetrVG.")
    [found] = parse(text, laws)
    assert str(found.key) == "DE:betrvg:87:1:6"
    assert found.text == text[slice(*found.span)] == "§ 87\n  Abs. 1 Nr. 6 BetrVG"


def test_what_stands_in_two_blocks_is_no_one_citation(laws: LawIndex) -> None:
    for between in ("\n\n", "\n- ", "\n2. ", "\n## ", "\n> \n> "):
        keys = [str(one.key) for one in parse(f"1. Siehe § 87{between}Abs. 1 Nr. 6 BetrVG", laws)]
        assert "DE:betrvg:87:1:6" not in keys, between


def test_a_numbered_list_goes_on_whatever_its_items_end_with(laws: LawIndex) -> None:
    wrapped = "1. consultation on changes of work\norganisation, art. 64.5 ET\n2. consultation period, art. 41.4 ET"
    found = [str(citation.key) for citation in parse(wrapped, laws, "ES")]
    assert found == ["ES:estatuto_trabajadores:64:5", "ES:estatuto_trabajadores:41:4"]


@pytest.mark.parametrize("code", ["hr", "pt", "sk", "gr", "bg"])
@pytest.mark.parametrize("form", ["NFD", "CRLF", "trailing spaces"])
def test_law_files_mean_the_same_however_an_editor_saves_them(pack: Path, tmp_path: Path, code: str, form: str) -> None:
    domain = load_domain(pack)
    original = read_country(pack, domain, pack / "jurisdictions" / f"{code}.yaml")
    copy = tmp_path / "labour"
    for law in original.framework.laws:
        (copy / law.statute).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pack / law.statute, copy / law.statute)
    (copy / "jurisdictions").mkdir()
    shutil.copy(pack / "jurisdictions" / f"{code}.yaml", copy / "jurisdictions")
    for file in [*copy.rglob("*.yaml"), *copy.rglob("*.jsonl")]:
        text = file.read_text("utf-8")
        changed = {
            "NFD": _nfd(text),
            "CRLF": text.replace("\n", "\r\n"),
            "trailing spaces": text.replace("\n", "  \n"),
        }[form]
        file.write_bytes(changed.encode())
    again = read_country(copy, domain, copy / "jurisdictions" / f"{code}.yaml")
    assert again.version == original.version
    assert again.checked == original.checked
