"""Citations are marked for what they are and the text around them stays as written."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from forge_assets.benchmark.highlight import LONGEST, Line, lines, mark
from forge_assets.law.citation_key import CitationKey


class Found(NamedTuple):
    key: CitationKey
    span: tuple[int, int]
    status: str


def found(key: str, span: tuple[int, int], status: str) -> Found:
    return Found(CitationKey.parse(key), span, status)


def text_of(shown: tuple[Line, ...]) -> str:
    return "\n".join("".join(piece.text for piece in line.pieces) for line in shown)


@given(
    st.text(alphabet="ab §\n#", max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=6),
)
def test_any_marking_gives_back_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    citations = [found("DE:x:1", (a, a + n), "real") for a, n in spans]
    assert text_of(lines(text, citations, [], ["DE"])) == text


def test_each_kind_of_citation_gets_its_mark() -> None:
    places, expected = ["DE"], [CitationKey.parse("DE:betrvg:87:1:6")]
    assert mark(found("DE:betrvg:87:1:6", (0, 1), "real"), expected, places) == "expected"
    assert mark(found("DE:betrvg:90:1", (0, 1), "real"), expected, places) == "other"
    assert mark(found("AT:arbvg:96:1", (0, 1), "real"), expected, places) == "foreign"
    assert mark(found("DE:betrvg:999", (0, 1), "fabricated"), expected, places) == "fabricated"
    assert mark(found("DE:kvg:4", (0, 1), "unverifiable"), expected, places) == "unverifiable"


def test_the_marked_words_are_the_citation_and_no_more() -> None:
    text = "## Legal basis\n- § 87 BetrVG: agreement"
    heading, line = lines(text, [found("DE:betrvg:87", (17, 28), "real")], [CitationKey.parse("DE:betrvg:87")], ["DE"])
    assert heading.heading
    assert not line.heading
    assert [(p.text, p.mark) for p in line.pieces] == [
        ("- ", None),
        ("§ 87 BetrVG", "expected"),
        (": agreement", None),
    ]


def test_a_rambling_answer_is_cut_and_says_by_how_much() -> None:
    text = "word " * 1000
    *shown, last = lines(text, [], [], ["DE"])
    kept = len(text_of(tuple(shown)))
    assert kept <= LONGEST
    assert last.pieces[0].text == f"… {len(text) - kept:,} more characters"
