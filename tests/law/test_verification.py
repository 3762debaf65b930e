"""A provision is taught only if the statute text says what it claims."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forge_assets.law.citation_key import CitationKey
from forge_assets.law.model import Framework
from forge_assets.law.statutes import Statutes, load_statutes, subdivisions
from forge_assets.law.verification import Verification, missing_bases, verify
from forge_resources.config.strict_yaml import SourceError


def _judge(framework: Framework, statutes: Statutes, **change: str | CitationKey) -> Verification:
    """Verify the framework with its first provision changed."""
    first, *others = framework.provisions
    changed = framework.model_copy(update={"provisions": (first.model_copy(update=change), *others)})
    return verify(changed, statutes)[first.id]


@pytest.fixture
def german(frameworks: dict[str, Framework]) -> Framework:
    return frameworks["DE"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"cite": CitationKey.parse("DE:betrvg:999:1:6")}, "no unit 999"),
        ({"cite": CitationKey.parse("DE:betrvg:87:9:6")}, "no paragraph 9"),
        ({"cite": CitationKey.parse("DE:betrvg:87:1:66")}, "no point 66"),
        ({"cite": CitationKey.parse("DE:betrvg:87:1:7")}, "quote"),
        ({"cite": CitationKey.parse("DE:betrvg:87:2")}, "quote"),
        ({"quote": "Einführung und Anwendung von technischen Anlagen"}, "quote"),
        ({"quote": "einführung und Anwendung von technischen Einrichtungen"}, "quote"),
    ],
)
def test_a_wrong_place_or_quote_is_unverified(
    german: Framework, statutes: dict[str, Statutes], change: dict[str, str | CitationKey], says: str
) -> None:
    found = _judge(german, statutes["DE"], **change)
    assert found.status == "unverified"
    assert says in found.problems[0]


@pytest.mark.parametrize("cite", ["DE:betrvg:87:1:6", "DE:betrvg:87:1", "DE:betrvg:87"])
def test_a_quote_may_be_cited_by_point_paragraph_or_unit(
    german: Framework, statutes: dict[str, Statutes], cite: str
) -> None:
    assert _judge(german, statutes["DE"], cite=CitationKey.parse(cite)).status == "verified"


def test_line_breaks_and_double_spaces_in_a_quote_do_not_matter(
    german: Framework, statutes: dict[str, Statutes]
) -> None:
    quote = "Einführung  und\nAnwendung von technischen Einrichtungen"
    assert _judge(german, statutes["DE"], quote=quote).status == "verified"


def test_a_text_marked_outdated_is_never_verified(german: Framework, statutes: dict[str, Statutes]) -> None:
    old = [law.model_copy(update={"text_status": "outdated"}) for law in german.laws]
    found = verify(german.model_copy(update={"laws": tuple(old)}), statutes["DE"])
    assert {verification.status for verification in found.values()} == {"text_outdated"}


def test_a_wrong_quote_in_an_outdated_text_is_unverified(
    frameworks: dict[str, Framework], statutes: dict[str, Statutes]
) -> None:
    assert _judge(frameworks["NL"], statutes["NL"], quote="iets anders").status == "unverified"


def test_an_escalation_step_without_a_basis_in_the_text_is_named(
    german: Framework, statutes: dict[str, Statutes]
) -> None:
    step = german.escalation[0].model_copy(update={"basis": CitationKey.parse("DE:betrvg:76:99")})
    problems = missing_bases(german.model_copy(update={"escalation": (step,)}), statutes["DE"])
    assert problems == {("escalation", 0, "basis"): "DE:betrvg:76:99: no paragraph 99 in § 76"}


@pytest.mark.parametrize(
    ("jurisdiction", "law", "unit", "paragraph", "point", "opens"),
    [
        ("DE", "betrvg", "87", "1", "6", "6. Einführung und Anwendung"),
        ("DE", "betrvg", "111", "-", "5", "5. Einführung grundlegend neuer"),
        ("DE", "betrvg", "80", "1", "2a", "2a. die Durchsetzung"),
        ("AT", "arbvg", "109", "1", "1a", "1a. die Auflösung"),
        ("FR", "code_du_travail", "L2312-8", "II", "4", "4° L'introduction de nouvelles technologies"),
        ("FR", "code_du_travail", "L2312-37", "-", "3bis", "3° bis Opération de concentration"),
        ("NL", "wor", "25", "1", "k", "k. invoering of wijziging"),
        ("ES", "estatuto_trabajadores", "64", "4", "d", "d) Ser informado por la empresa"),
        ("ES", "estatuto_trabajadores", "34", "1", None, "1.La duración de la jornada"),
    ],
)
def test_statute_text_is_split_at_the_labels_its_lines_open_with(
    statutes: dict[str, Statutes],
    jurisdiction: str,
    law: str,
    unit: str,
    paragraph: str,
    point: str | None,
    opens: str,
) -> None:
    found = subdivisions(statutes[jurisdiction][law][unit])[paragraph]
    assert (found.points[point] if point else found.text).startswith(opens)


UNIT = {"jurisdiction": "DE", "law_id": "bgb", "law_short": "BGB", "law_title": "t", "unit": "§ 1",
        "number": "1", "heading": "", "text": "x", "language": "de"}  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "line", "says"),
    [
        ([json.dumps(UNIT), json.dumps(UNIT)], 2, "twice"),
        ([json.dumps(UNIT | {"law_id": "kschg"})], 1, "DE:kschg"),
        ([json.dumps(UNIT), "{"], 2, "not a statute unit"),
        ([json.dumps({"jurisdiction": "DE"})], 1, "not a statute unit"),
        (None, 1, "missing"),
    ],
)
def test_a_broken_statute_file_is_refused_at_its_line(
    german: Framework, tmp_path: Path, rows: list[str] | None, line: int, says: str
) -> None:
    law = next(law for law in german.laws if law.id == "bgb")
    path = tmp_path / law.statute
    if rows is not None:
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(rows), "utf-8")
    with pytest.raises(SourceError, match=says) as caught:
        load_statutes(tmp_path, german.model_copy(update={"laws": (law,)}))
    assert (caught.value.path, caught.value.line) == (path, line)
