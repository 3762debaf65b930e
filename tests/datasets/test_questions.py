"""Questions as people ask them: the shipped file is labelled as the law says, and a wrong label is refused."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from forge_assets.cli.main import main
from forge_assets.datasets.questions import citable, load_questions
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.engine import Facts
from forge_resources.config.strict_yaml import SourceError
from tests.helpers import edit_copy
from tests.shipped import PACK, countries, domain

SHIPPED = PACK / "benchmark" / "questions.yaml"


def edited(tmp_path: Path, old: str, new: str) -> tuple[Path, int]:
    """A pack's folder with the shipped questions, the first `old` replaced, and its line."""
    (tmp_path / "benchmark").mkdir()
    return tmp_path, edit_copy(SHIPPED, tmp_path / "benchmark" / "questions.yaml", old, new)


def test_every_label_of_the_shipped_questions_is_what_the_law_engine_says() -> None:
    file = load_questions(PACK, domain(), countries())
    assert len(file.questions) == 72


def test_the_shipped_questions_ask_two_countries_enough_in_two_languages_and_about_every_change() -> None:
    questions = load_questions(PACK, domain()).questions
    asked = Counter((q.jurisdictions[0], q.language) for q in questions)
    assert [asked[at] for at in (("DE", "de"), ("DE", "en"), ("AT", "de"), ("AT", "en"))] == [12, 12, 10, 10]
    two = [q for q in questions if q.jurisdictions[0] in ("DE", "AT")]
    assert {q.change for q in two} - {None} == set(domain().change_types)
    assert {q.kind for q in two} == {"case", "place", "who", "when", "whether", "what_if", "out_of_scope"}
    assert len({q.jurisdictions[0] for q in questions}) >= 12


@pytest.mark.parametrize(
    ("old", "new", "problem", "mend"),
    [
        ("change: ai_system", "change: ai_sistem", "ai_sistem is no change type", "did you mean `ai_system`?"),
        ("employees: 180,", "employes: 180,", "employes is no fact of domain.yaml", "did you mean `employees`?"),
        ("employees: 180,", "employees: true,", "employees is of type integer", "give a value of that type"),
        ("id: de-schichtplan-umgeworfen", "id: de-kameras-an-der-linie", "is used twice", "give each its own"),
        ("jurisdictions: [DE]", "jurisdictions: [AT]", "speaks of DE, which it does not ask about", "`jurisdictions`"),
        ("level: co_determination", "level: veto", "veto is no level", "use one of"),
        (
            "    kind: what_if",
            "    kind: whether",
            "`supposed` and the kind what_if belong together",
            "both or neither",
        ),
        ("    kind: place", "    kind: place\n    change: ai_system", "states no case", "remove `change`"),
        ("    kind: case", "    kind: hunch", "`questions.0.kind: hunch` is not accepted", "should be 'case'"),
        ("    expected: {DE: {level: co_determination, body: works_council}}\n", "", "no full label", "give `change`"),
        ("source: https://www.", "source: www.", "is not accepted", "should match pattern"),
    ],
)
def test_a_question_that_is_written_wrongly_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, problem: str, mend: str
) -> None:
    pack, _ = edited(tmp_path, old, new)
    with pytest.raises(SourceError) as refused:
        load_questions(pack, domain())
    assert refused.value.path == pack / "benchmark" / "questions.yaml"
    assert refused.value.line > 1
    assert problem in refused.value.problem
    assert mend in refused.value.mend


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"DE:betrvg:87:1:6", ', "", "DE:betrvg:87:1:6 applies and is not named"),
        ('["DE:betrvg:87:1:2"]', '["DE:betrvg:87:1:99"]', "DE:betrvg:87:1:99 is of no verified provision"),
        ('["DE:betrvg:87:1:2"]', '["DE:kschg:17:2"]', "DE:kschg:17:2 does not apply"),
        ('["AT:arbvg:109:1:1a"]', '["AT:amfg:45a:1"]', "AT:amfg:45a:1 is of no verified provision"),
        ("level: co_determination", "level: consultation", "the law engine says level='co_determination'"),
        ("employees: 60, works_council: false", "employees: 60", "the law engine says level='depends'"),
        ("    core_only_ok: true", "    core_only_ok: false", "core_only_ok is not whether"),
    ],
)
def test_a_label_that_is_not_what_the_law_says_is_refused_on_its_line(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    pack, _ = edited(tmp_path, old, new)
    assert load_questions(pack, domain()), "it is well written"
    with pytest.raises(SourceError) as refused:
        load_questions(pack, domain(), countries())
    assert problem in refused.value.problem


@pytest.mark.slow
def test_forge_check_tells_a_wrong_question_by_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack = tmp_path / "labour"
    shutil.copytree(PACK, pack)
    line = edit_copy(SHIPPED, pack / "benchmark" / "questions.yaml", "change: working_time", "change: working_times")
    assert main(["check", str(pack)]) == 1
    assert f"questions.yaml:{line}: " in capsys.readouterr().out


def test_the_line_named_is_that_of_the_wrong_field(tmp_path: Path) -> None:
    pack, line = edited(tmp_path, "change: working_time", "change: working_times")
    with pytest.raises(SourceError) as refused:
        load_questions(pack, domain())
    assert refused.value.line == line


def test_what_a_question_supposes_takes_the_place_of_what_it_states() -> None:
    questions = {q.id: q for q in load_questions(PACK, domain()).questions}
    stated: Facts = questions["de-en-adviser-at-our-cost"].stated("DE")
    assert stated == {"employees": 310, "works_council": True}


def test_an_answer_may_name_what_misses_its_threshold_and_nothing_of_another_change() -> None:
    file = load_questions(PACK, domain())
    questions = {q.id: q for q in file.questions}
    germany = countries()["DE"].framework
    four = citable(domain(), germany, questions["de-en-four-in-dresden"], file.asked_on)
    assert CitationKey.parse("DE:kschg:17:2") in four
    assert CitationKey.parse("DE:betrvg:87:1:2") not in four
    place = citable(domain(), germany, questions["de-widerspruch-bis-wann"], file.asked_on)
    assert place == {CitationKey.parse("DE:bgb:613a")}
    closing = citable(domain(), germany, questions["de-aussenstelle-dicht"], file.asked_on)
    assert CitationKey.parse("DE:kschg:17:1") in closing, "closing implies redundancies"
