"""What `forge check` tells a person about law that does not hold."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from forge_assets.cli.main import main
from forge_assets.law.checks import Fault, check_country
from forge_assets.law.loading import load_domain
from forge_assets.law.model import Domain

Check = Callable[[str, str], list[Fault]]


@pytest.fixture
def check(pack: Path, tmp_path: Path, domain: Domain) -> Check:
    """Faults of de.yaml after one passage was replaced in a copy of the pack."""

    def apply(old: str, new: str) -> list[Fault]:
        copy = tmp_path / "labour"
        shutil.copytree(pack, copy)
        path = copy / "jurisdictions" / "de.yaml"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
        return check_country(copy, domain, path)

    return apply


def test_the_shipped_pack_has_no_faults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "faults": []}


def test_a_changed_word_in_a_quote_is_found_with_the_word_where_it_leaves_the_text(check: Check) -> None:
    (fault,) = check("Verhalten oder die", "Benehmen oder die")
    assert (fault.check, fault.severity) == ("quotes", "error")
    assert "DE:betrvg:87:1:6" in fault.problem
    assert "after «bestimmt sind, das» the text goes on «Verhalten oder die Leistung der Arbeitnehmer" in fault.mend


def test_a_quote_from_the_neighbouring_point_is_sent_to_where_it_stands(check: Check) -> None:
    (fault,) = check("cite: DE:betrvg:87:1:6", "cite: DE:betrvg:87:2")
    assert fault.mend == "it stands in DE:betrvg:87:1:6"


@pytest.mark.parametrize(
    ("cite", "problem", "mend"),
    [
        ("DE:betrvg:872:1:6", "no unit 872", "cite a unit that is held, such as 87"),
        ("DE:betrvg:87:5:6", "no paragraph 5", "paragraphs of § 87: 1, 2"),
        ("DE:betrvg:87:1:66", "no point 66", "points of paragraph 1: 1, 2, 3"),
    ],
)
def test_a_place_that_does_not_exist_is_named_with_those_that_do(
    check: Check, cite: str, problem: str, mend: str
) -> None:
    (fault,) = check("cite: DE:betrvg:87:1:6", f"cite: {cite}")
    assert fault.check == "places"
    assert problem in fault.problem
    assert fault.mend.startswith(mend)


def test_a_gap_between_bands_of_headcounts_is_a_warning(check: Check) -> None:
    faults = check("{min: 21, max: 59}", "{min: 21, max: 49}")
    assert [(f.check, f.severity, f.problem) for f in faults] == [
        ("thresholds", "warning", "`employees` from 50 to 59 falls in no band")
    ]


def test_bands_that_overlap_are_a_warning(check: Check) -> None:
    (fault,) = check("{min: 21, max: 59}", "{min: 21, max: 70}")
    assert fault.problem == "`employees` from 60 to 70 falls in two bands"


def test_a_transposed_provision_that_the_union_does_not_have_is_an_error(check: Check) -> None:
    faults = check("    core: true\n", "    core: true\n    implements: [EU:dir_98_59:99]\n")
    assert [(f.check, f.severity) for f in faults] == [("references", "error")]


def test_an_outdated_text_needs_a_reason(check: Check) -> None:
    faults = check("    text_as_of: 2026-08-19\n", "    text_as_of: 2026-08-19\n    text_status: outdated\n")
    assert [f.check for f in faults] == ["sources"]


def test_output_is_file_line_problem_mend(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "labour"
    shutil.copytree(pack, copy)
    path = copy / "jurisdictions" / "at.yaml"
    path.write_text(path.read_text("utf-8").replace("die Menschenwürde", "die Würde", 1), "utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["check", str(path)]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.match(r"labour/jurisdictions/at\.yaml:\d+: the quote does not stand in AT:arbvg:96:1:3: ", last)


def test_two_countries_may_not_use_one_id(pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "labour"
    shutil.copytree(pack, copy)
    path = copy / "jurisdictions" / "at.yaml"
    path.write_text(path.read_text("utf-8").replace("id: at-control-systems", "id: de-ai-planning", 1), "utf-8")
    assert main(["check", str(copy)]) == 1
    assert "id `de-ai-planning` is used in" in capsys.readouterr().out


HOSTILE = {
    "billion laughs": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", 2, "aliases are not allowed"),
    "python object": ("jurisdiction: !!python/object/apply:os.system [ls]\n", 1, "unknown tag"),
    "duplicate key": ("jurisdiction: XX\njurisdiction: DE\n", 2, "given twice"),
    "depth bomb": ("a: " + "[" * 5000 + "\n", 1, "nested too deeply"),
    "two documents": ("jurisdiction: XX\n---\njurisdiction: DE\n", 2, "expected a single document"),
    "not UTF-8": (b"jurisdiction: XX\nname: \xff\xfe\n", 2, "not UTF-8"),
    "a megabyte and more": ("name: " + "x" * 1_000_001, 1, "keep it under 1000000"),
    "a list": ("- jurisdiction: XX\n", 1, "not a mapping"),
    "path out of the pack": (
        "jurisdiction: XX\nname: X\nlanguage: en\nlaws:\n  - {id: l, short: L, title: L, english: L, "
        "statute: ../../../etc/passwd, text_as_of: 2026-01-01}\nbodies: [{id: b, name: b, english: b, basis: XX:l:1}]\n"
        "provisions:\n"
        "  - {id: x, cite: XX:l:1, quote: q, summary: s, level: information, body: b, triggers: [monitoring]}\n",
        5,
        "give a path inside the pack",
    ),
    "Norway": ("jurisdiction: no\nname: NO\n", 1, "jurisdiction"),
    "control character": ("name: \x07\n", 1, "not valid YAML"),
    "merge key": ("base: {a: 1}\nname:\n  <<: {b: 2}\n", 1, "not a known field"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_fault_with_its_line_and_holds_nobody_back(
    pack: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content, line, says = HOSTILE[name]
    copy = tmp_path / "labour"
    shutil.copytree(pack, copy)
    path = copy / "jurisdictions" / "xx.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (fault,) = check_country(copy, load_domain(copy), path)
    assert (fault.check, fault.line) == ("readable", line)
    assert says in f"{fault.problem}: {fault.mend}"
    assert main(["check", str(copy)]) == 1
    printed = capsys.readouterr().out
    assert "DE: " in printed
    assert f"xx.yaml:{line}: " in printed
