"""Citations are marked for what they are and the text around them stays as written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forge_assets.benchmark.highlight import LONGEST, Line, lines
from forge_assets.citations.citation import Citation
from forge_assets.citations.parser import parse
from forge_assets.law.citation_key import CitationKey
from forge_assets.scoring.score import score
from tests.benchmark.conftest import laws


def text_of(found: tuple[Line, ...]) -> str:
    return "\n".join("".join(piece.text for piece in line.pieces) for line in found)


@given(
    st.text(alphabet="ab §\n#", max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=6),
)
def test_any_marking_gives_back_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    citations = [Citation(CitationKey.parse("DE:x:1"), (a, a + n), text[a : a + n], "real") for a, n in spans]
    assert text_of(lines(text, citations, [], ["DE"])) == text


def test_each_kind_of_citation_gets_its_mark() -> None:
    text = "§ 87 Abs. 1 Nr. 6 BetrVG; § 90 Abs. 1 BetrVG; § 96 Abs. 1 ArbVG; § 999 BetrVG; § 4 KVG; Art. 26(7) AI Act"
    found = parse(text, laws(), "DE")
    home = laws().at_home(["DE"])
    (line,) = lines(text, found, [CitationKey.parse("DE:betrvg:87:1:6")], home)
    marks = [piece.mark for piece in line.pieces if piece.mark]
    assert marks == ["required", "not_applicable", "wrong_country", "fabricated", "unheld", "not_applicable"]


def test_what_scoring_counts_as_right_is_shown_as_expected() -> None:
    """Union law binds its members: an answer about Germany that cites the AI Act as its reference does is right."""
    key, answer = CitationKey.parse("EU:ai_act:26:7"), "Art. 26(7) AI Act"
    sample = {
        "jurisdictions": ["DE"],
        "expected_citations": [str(key)],
        "response": answer,
        "sections": [],
        "level_words": [],
        "expected_fields": [],
        "task_type": "legal_advisory",
        "system": "",
        "prompt": "Which law applies?",
        "expected_level": "",
    }
    scores = score(answer, sample, laws())
    assert (scores["citation_f1"], scores["wrong_country_rate"]) == (1.0, 0.0)
    (citation,) = parse(answer, laws(), "DE")
    assert citation.key == key
    home = laws().at_home(["DE"])
    for expected, at_home, marked in (
        ([key], home, "required"),
        ([], home, "not_applicable"),
        ([], ["DE"], "wrong_country"),
    ):
        (line,) = lines(answer, [citation], expected, at_home)
        assert [piece.mark for piece in line.pieces] == [marked]


def test_the_marked_words_are_the_citation_and_no_more() -> None:
    text = "## Legal basis\n- § 87 BetrVG: agreement"
    key = CitationKey.parse("DE:betrvg:87")
    heading, line = lines(text, [Citation(key, (17, 28), "§ 87 BetrVG", "real")], [key], ["DE"])
    assert heading.heading
    assert not line.heading
    assert [(p.text, p.mark) for p in line.pieces] == [
        ("- ", None),
        ("§ 87 BetrVG", "required"),
        (": agreement", None),
    ]


def test_a_rambling_answer_is_cut_and_says_by_how_much() -> None:
    text = "word " * 1000
    *shown, last = lines(text, [], [], ["DE"])
    kept = len(text_of(tuple(shown)))
    assert kept <= LONGEST
    assert last.pieces[0].text == f"… {len(text) - kept:,} more characters"
