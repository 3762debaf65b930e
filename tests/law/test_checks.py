"""What `forge check` tells a person about law that does not hold."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from forge_assets.cli.main import main
from forge_assets.law.checks.faults import Fault
from forge_assets.law.checks.run import check_country
from forge_assets.law.country import read_country, read_country_file
from forge_assets.law.loading import load_domain
from forge_assets.law.model import Domain
from forge_resources.config.strict_yaml import SourceError
from tests.helpers import edit_copy, tiered

Check = Callable[[str, str], list[Fault]]


@pytest.fixture
def check(pack: Path, tmp_path: Path, domain: Domain) -> Check:
    """Faults of de.yaml after one passage was replaced in a copy of the pack."""

    def apply(old: str, new: str) -> list[Fault]:
        copy = tmp_path / "labour"
        shutil.copytree(pack, copy)
        path = copy / "jurisdictions" / "de.yaml"
        edit_copy(path, path, old, new)
        return check_country(copy, domain, read_country_file(copy, domain, path))

    return apply


@pytest.mark.slow  # `make lint` asks it as well
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


@pytest.mark.parametrize(
    ("old", "new", "check_name", "says"),
    [
        ("    triggers: [monitoring]\n    consequence: without agreement",
         "    triggers: [monitoring]   # only if it was meant to\n    consequence: without agreement",
         "conditions", "«only if it was meant to» states a condition"),
        ("words: rechtzeitig unter Vorlage der erforderlichen", "words: unter rechtzeitiger Vorlage der erforderlichen",
         "evidence", "the words of `deadline` under `said_at` do not stand in DE:betrvg:90:1"),
        ("      deadline: {at: DE:betrvg:90:1, words: rechtzeitig unter Vorlage der erforderlichen Unterlagen}\n", "",
         "evidence", "no words of the text bear out deadline"),
        ("summary: co-determination on devices for monitoring", "summary: devices for monitoring",
         "wording", "no word of co_determination"),
        ("    kind: authority\n", "    kind: workforce\n", None, ""),
        ("    level: notification\n", "    level: consultation\n", "bodies", "consultation is owed to"),
    ],
)  # fmt: skip
def test_a_field_that_the_text_or_another_field_does_not_bear_out_is_told(
    check: Check, old: str, new: str, check_name: str | None, says: str
) -> None:
    faults = check(old, new)
    if check_name is None:
        assert not [f for f in faults if f.severity == "error"]
        return
    told = [f for f in faults if f.check == check_name]
    assert told, faults
    assert any(says in f.problem for f in told)


def test_a_warning_that_is_right_can_be_accepted_with_a_reason(check: Check) -> None:
    old = "    summary: co-determination on devices for monitoring"
    accepted = "    accepted: {wording: the title of the paragraph says it}\n    summary: devices for monitoring"
    assert check(old, accepted) == []


def test_a_minor_duty_that_outranks_the_principal_ones_is_a_warning(check: Check) -> None:
    passage = "    level: co_determination\n    core: true\n    body: works_council\n    triggers: [monitoring]"
    faults = check(passage, passage.replace("    core: true\n", ""))
    assert [f.check for f in faults] == ["headline"]
    assert faults[0].problem.startswith("de-monitoring-devices, on ai_system (")


def test_bands_that_overlap_are_a_warning(check: Check) -> None:
    (fault,) = check("{min: 21, max: 59}", "{min: 21, max: 70}")
    assert fault.problem == "`employees` from 60 to 70 falls in two bands"


def test_the_number_of_a_paragraph_is_no_headcount(pack: Path, domain: Domain) -> None:
    latvia = read_country_file(pack, domain, pack / "jurisdictions" / "lv.yaml")  # `(1) Darbinieku skaita …`
    assert [f.problem for f in check_country(pack, domain, latvia) if f.check == "size"] == []


def test_a_transposed_provision_that_the_union_does_not_have_is_an_error(check: Check) -> None:
    faults = check("    core: true\n", "    core: true\n    implements: [EU:dir_98_59:99]\n")
    assert [(f.check, f.severity) for f in faults] == [("references", "error")]


@pytest.fixture
def copied(pack: Path, tmp_path: Path) -> Path:
    """A pack that may be spoilt."""
    return shutil.copytree(pack, tmp_path / "labour")


def _checked(capsys: pytest.CaptureFixture[str], *given: Path) -> list[dict[str, str | int]]:
    """The faults that `forge check` finds."""
    main(["check", "--json", *map(str, given)])
    return list(json.loads(capsys.readouterr().out)["faults"])


@pytest.mark.parametrize("alone", tiered([True, False]))
def test_a_missing_union_file_is_one_fault_on_that_file_and_none_on_the_countries_that_name_its_law(
    copied: Path, alone: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    union = copied / "jurisdictions" / "eu.yaml"
    union.unlink()
    given = copied / "jurisdictions" / "de.yaml" if alone else copied
    found = [fault for fault in _checked(capsys, given) if fault["check"] in ("readable", "references")]
    assert [(f["file"], f["line"], f["severity"]) for f in found] == [(str(union), 1, "error")]
    assert found[0]["problem"] == "the file is missing, though `implements` of other countries names its law"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("jurisdictions/eu.yaml", "jurisdiction: EU", "jurisdiction: [EU"),
        ("statutes/eu/gdpr.jsonl", '{"', '{{"'),
    ],
)
def test_a_broken_union_is_one_fault_on_its_file_and_none_on_the_countries_that_name_its_law(
    copied: Path, file: str, old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copied / file
    edit_copy(path, path, old, new)
    for given in (copied / "jurisdictions" / "de.yaml", copied):
        (fault,) = _checked(capsys, given)
        assert (fault["check"], fault["file"]) == ("readable", str(path))


def test_law_of_a_country_that_is_no_union_cannot_be_transposed(check: Check) -> None:
    (fault,) = check("    core: true\n", "    core: true\n    implements: [FR:code_du_travail:L1233-3]\n")
    assert (fault.check, fault.severity) == ("references", "error")
    assert fault.problem == "`FR:code_du_travail:L1233-3` is of FR, which is no union"


def test_a_basis_that_does_not_stand_is_refused_at_its_own_line(copied: Path, domain: Domain) -> None:
    """Though a comment before it says the same words."""
    path = copied / "jurisdictions" / "de.yaml"
    text = path.read_text("utf-8")
    assert text.count("basis: DE:betrvg:76:5\n") == 1
    text = "# DE:betrvg:76:9 is nothing\n" + text.replace("basis: DE:betrvg:76:5\n", "basis: DE:betrvg:76:9\n")
    path.write_text(text, "utf-8")
    with pytest.raises(SourceError, match="no paragraph 9") as refused:
        read_country(copied, domain, path)
    assert text.splitlines()[refused.value.line - 1].strip() == "basis: DE:betrvg:76:9"


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


@pytest.mark.parametrize("name", tiered(HOSTILE, 1))
def test_a_hostile_file_is_one_fault_with_its_line_and_holds_nobody_back(
    pack: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content, line, says = HOSTILE[name]
    copy = tmp_path / "labour"
    shutil.copytree(pack, copy)
    path = copy / "jurisdictions" / "xx.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SourceError) as refused:
        read_country_file(copy, load_domain(copy), path)
    assert refused.value.line == line
    assert says in f"{refused.value.problem}: {refused.value.mend}"
    assert main(["check", str(copy)]) == 1
    printed = capsys.readouterr().out
    assert "DE: " in printed
    assert f"xx.yaml:{line}: " in printed
