"""What a lawyer who edits a YAML file is told when it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forge_assets.law.loading import load_domain, load_framework
from forge_assets.law.model import Domain, Framework
from forge_resources.config.strict_yaml import SourceError, read_yaml
from tests.helpers import edit_copy

Edit = Callable[[str, str], Path]


@pytest.fixture
def edit(pack: Path, tmp_path: Path) -> Edit:
    """Replace one passage of de.yaml in a copy."""

    def apply(old: str, new: str) -> Path:
        copy = tmp_path / "de.yaml"
        edit_copy(pack / "jurisdictions" / "de.yaml", copy, old, new)
        return copy

    return apply


def _line(path: Path, words: str) -> int:
    lines = path.read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if words in line)


@pytest.mark.parametrize(
    ("old", "new", "where", "says"),
    [
        ("level: co_determination", "level: codetermination", "level: codetermination", "co_determination"),
        ("triggers: [monitoring]", "triggers: [monitring]", "triggers: [monitring]", "monitoring"),
        ("body: works_council", "body: work_council", "body: work_council", "works_council"),
        ("cite: DE:betrvg:87:1:6", "cite: DE:betrvgg:87:1:6", "cite: DE:betrvgg", "betrvg"),
        ("cite: DE:betrvg:87:1:6", "cite: AT:arbvg:96:1:3", "cite: AT:arbvg", "DE"),
        ("cite: DE:betrvg:87:1:6", "cite: DE:betrvg", "cite: DE:betrvg", "write JURISDICTION:law:unit[:paragraph"),
        ("cite: DE:betrvg:87:1:6", "cite: DE:betrvg:87:1:6:2", ":6:2", "write JURISDICTION:law:unit[:paragraph"),
        ("cite: DE:betrvg:87:1:6", "cite: 87", "cite: 87", "string"),
        ("implements: [EU:", "implements: [EU:dir_2002_14:4:2:b:1, EU:", ":4:2:b:1", "'EU:dir_2002_14:4:2:b:1' is no"),
        ("basis: DE:betrvg:76:1", "basis: DE:bvg:76:1", "basis: DE:bvg:76:1", "law"),
        ("id: de-ai-planning", "id: de-monitoring-devices", "summary: information on planned", "twice"),
        ("works_council: {is: true}", "works_counsil: {is: true}", "works_counsil", "works_council"),
        ("works_council: {is: true}", "works_council: {min: 1}", "works_council: {min: 1}", "true or false"),
        ("works_council: {is: true}", "works_council: {is: yes}", "works_council: {is: yes}", "boolean"),
        ("employees: {min: 21}", 'employees: {min: "21"}', 'employees: {min: "21"}', "integer"),
        ("    deadline: in good time,", "    deadlin: in good time,", "deadlin:", "not a known field"),
        ("language: de", "language: de\nlanguage: fr", "language: fr", "twice"),
        ("statute: statutes/de/bgb.jsonl", "statute: ../bgb.jsonl", "statute: ../bgb", "inside the pack"),
    ],
)
def test_a_mistake_is_refused_with_its_line_and_its_mend(
    edit: Edit, domain: Domain, old: str, new: str, where: str, says: str
) -> None:
    path = edit(old, new)
    with pytest.raises(SourceError) as caught:
        load_framework(path, domain)
    line = _line(path, where)
    if "id: de-monitoring-devices" in new:
        line = _line(path, "cite: DE:betrvg:90:1:3") - 1
    assert caught.value.line == line
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert says in str(caught.value)
    assert caught.value.mend


def test_a_missing_field_points_at_the_entry_that_lacks_it(edit: Edit, domain: Domain) -> None:
    path = edit("    body: works_council\n", "")
    with pytest.raises(SourceError, match=r"body` is missing: add it") as caught:
        load_framework(path, domain)
    assert caught.value.line == _line(path, "id: de-monitoring-devices")


def test_a_comment_and_another_order_of_fields_change_nothing(
    edit: Edit, domain: Domain, frameworks: dict[str, Framework]
) -> None:
    path = edit(
        "jurisdiction: DE\nname: Germany\n",
        "# note\n\nname: Germany\njurisdiction: DE\n",
    )
    assert load_framework(path, domain) == frameworks["DE"]


def _read(tmp_path: Path, content: str | bytes) -> dict[str, object]:
    path = tmp_path / "file.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_yaml(path)[0]


def test_words_that_other_readers_turn_into_something_else_stay_words(tmp_path: Path) -> None:
    text = "a: NO\nb: yes\non: off\nd: 12:30\ne: 2026-01-31\nf: 0777\ng: True\nh: 1_000\n"
    assert _read(tmp_path, text) == {
        "a": "NO", "b": "yes", "on": "off", "d": "12:30",
        "e": "2026-01-31", "f": "0777", "g": "True", "h": "1_000",
    }  # fmt: skip


def test_numbers_booleans_and_nothing_are_read_as_such(tmp_path: Path) -> None:
    text = 'a: 5\nb: -2\nc: 0.1\nd: true\ne: null\nf:\ng: "5"\n'
    assert _read(tmp_path, text) == {"a": 5, "b": -2, "c": 0.1, "d": True, "e": None, "f": None, "g": "5"}


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ("a: &x 1\nb: *x\n", 2, "aliases"),
        ("a: &x [1]\nb: [*x, *x]\n", 2, "aliases"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, "twice"),
        ("a: 1\n  b: 2\n", 2, ""),
        ("a: !!python/name:os.system x\n", 1, "tag"),
        ("a: !!int five\n", 1, "five"),
        ("? [a]\n: 1\n", 1, "field name"),
        ("- a\n", 1, "mapping"),
        ("", 1, "empty"),
        (" \n\n", 1, "empty"),
        ("a: 1e999\n", 1, "write a number that a computer can hold"),
        (f"a: {'9' * 5000}\n", 1, "write a shorter number"),
        (b"\xff\xfea\x00", 1, "UTF-8"),
        ("a: 1\n---\nb: 2\n", 2, ""),
        (b"a: 1\nb: \xff\n", 2, "UTF-8"),
        ("a: \x07\n", 1, "YAML"),
        ("a: " + "[" * 5000 + "\n", 1, "deeply"),
        ("a: " + "x" * 1_000_001, 1, "1000000"),
    ],
)
def test_a_file_that_is_no_plain_yaml_is_refused_at_its_line(
    tmp_path: Path, content: str | bytes, line: int, says: str
) -> None:
    with pytest.raises(SourceError) as caught:
        _read(tmp_path, content)
    assert caught.value.line == line
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("mitzubestimmen", ["mitzubestimmen"]),
        ("{at: DE:betrvg:87:1, words: mitzubestimmen}", ["mitzubestimmen"]),
        ("[so entscheidet, {at: DE:betrvg:87:1, words: mitzubestimmen}]", ["so entscheidet", "mitzubestimmen"]),
    ],
)
def test_evidence_is_words_alone_or_one_place_or_several(
    written: str, words: list[str], edit: Edit, domain: Domain
) -> None:
    path = edit("      level: {at: DE:betrvg:87:1, words: mitzubestimmen}\n", f"      level: {written}\n")
    changed = next(p for p in load_framework(path, domain).provisions if p.id == "de-monitoring-devices")
    said = [each.words for each in changed.said_at["level"]] if "level" in changed.said_at else []
    assert said == words


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("affected: {min_share: 0.1, share_of: works_council}", "`affected` is no share of `works_council`"),
        ("affected: {min_share: 0.1, share_of: affected}", "`affected` is no share of `affected`"),
        ("affected: {min_share: 0.3, max_share: 0.2, share_of: employees}", "exclude each other: never true"),
        ("affected: {over_share: 0.2, max_share: 0.2, share_of: employees}", "exclude each other: never true"),
        ("affected: {min_share: 0.1, over_share: 0.2, share_of: employees}", "two shares on one side"),
    ],
)
def test_a_share_that_means_nothing_is_refused(edit: Edit, domain: Domain, new: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        load_framework(edit("affected: {min_share: 0.1, share_of: employees}", new), domain)


@pytest.mark.parametrize("empty", ["only_if:", "only_if: '  '", "incomplete:"])
def test_a_field_without_a_value_is_refused(edit: Edit, domain: Domain, empty: str) -> None:
    cite = "    cite: DE:betrvg:90:1:3\n"
    with pytest.raises(SourceError, match="has no value"):
        load_framework(edit(cite, f"{cite}    {empty}\n"), domain)


def test_evidence_for_what_is_no_field_is_refused(edit: Edit, domain: Domain) -> None:
    path = edit("      deadline: {at: DE:betrvg:90:1, words: re", "      dedline: {at: DE:betrvg:90:1, words: re")
    with pytest.raises(SourceError, match="unknown field or tested fact `dedline`: did you mean `deadline`"):
        load_framework(path, domain)


def test_a_domain_that_names_an_undeclared_trigger_is_refused(pack: Path, tmp_path: Path) -> None:
    text = (pack / "domain.yaml").read_text("utf-8")
    (tmp_path / "domain.yaml").write_text(
        text.replace("triggers: [working_time]", "triggers: [work_time]"), encoding="utf-8"
    )
    with pytest.raises(SourceError, match="did you mean `working_time`") as caught:
        load_domain(tmp_path)
    assert caught.value.line == _line(tmp_path / "domain.yaml", "[work_time]")


def test_a_fact_said_of_an_undeclared_change_is_refused_at_its_line(pack: Path, tmp_path: Path) -> None:
    text = (pack / "domain.yaml").read_text("utf-8")
    (tmp_path / "domain.yaml").write_text(text.replace("changes: [working_time]", "changes: [work_time]"), "utf-8")
    with pytest.raises(SourceError, match="did you mean `working_time`") as caught:
        load_domain(tmp_path)
    assert caught.value.line == _line(tmp_path / "domain.yaml", "[work_time]")
