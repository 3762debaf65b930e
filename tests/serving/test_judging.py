"""What is said of an answer's citations, and that an invented one is held back."""

from __future__ import annotations

import pytest

from forge_assets.serving.judged_stream import InventedError, JudgedStream
from forge_assets.serving.judging import Judge
from forge_assets.serving.library import Library

STATED = {"employees": 688, "monitoring": True, "works_council": True}


@pytest.fixture(scope="module")
def judge(library: Library) -> Judge:
    return Judge.of(library, ["DE"], "ai_system", STATED)


def test_each_citation_has_its_verdict_the_statutes_words_their_date_and_status(judge: Judge) -> None:
    answer = "Owed: § 87 Abs. 1 Nr. 6 BetrVG. Not § 999 BetrVG, § 102 Abs. 1 BetrVG, s. 188 TULRCA 1992 or § 4 ArbZG."
    found = judge.judge(answer)
    assert [(one.key, one.verdict) for one in found.citations] == [
        ("DE:betrvg:87:1:6", "required"),
        ("DE:betrvg:999", "invented"),
        ("DE:betrvg:102:1", "not_applicable"),
        ("GB:tulrca_1992:188", "other_country"),
        (None, "unheld"),
    ]
    first = found.citations[0]
    assert answer[first.start : first.end] == first.text == "§ 87 Abs. 1 Nr. 6 BetrVG"
    assert first.words is not None and "technischen Einrichtungen" in first.words
    assert first.status == "current" and first.as_of is not None
    assert (found.seen, found.judged, found.failed) == (5, 4, True)
    assert any("§ 4 ArbZG" in said for said in found.unchecked)


def test_without_a_kind_of_change_a_place_is_real_or_foreign_and_no_more(library: Library) -> None:
    found = Judge.of(library, ["DE"], None, {}).judge("§ 87 Abs. 1 Nr. 6 BetrVG and s. 188 TULRCA 1992")
    assert [one.verdict for one in found.citations] == ["real", "other_country"]


def test_only_judged_text_is_given_on_and_an_invented_citation_never(judge: Judge) -> None:
    answer = (
        "## Assessment\nThere is a duty: § 87 Abs. 1 Nr. 6 BetrVG.\nThat Act has more: § 999 BetrVG applies here. So."
    )
    for size in (1, 3, 7, len(answer)):
        stream, shown = JudgedStream(judge.invented), ""
        with pytest.raises(InventedError, match="§ 999 BetrVG"):
            for at in range(0, len(answer), size):
                shown += stream.feed(answer[at : at + size])
            stream.close()
        assert "999" not in shown and answer.startswith(shown)


def test_a_good_answer_comes_whole_and_before_its_end(judge: Judge) -> None:
    answer = "There is a duty towards employees. It stands in § 87 Abs. 1 Nr. 6 BetrVG, as 5 people said\nNothing else."
    stream = JudgedStream(judge.invented)
    pieces = [stream.feed(sign) for sign in answer]
    assert "".join(pieces) + stream.close() == answer
    assert sum(map(bool, pieces)) == 2


def test_what_is_read_to_judge_an_answer_grows_with_its_length_and_not_faster() -> None:
    read = {}
    for lines in (100, 1000):
        letters = 0

        def invented(text: str) -> None:
            nonlocal letters
            letters += len(text)

        stream = JudgedStream(invented)
        for _ in range(lines):
            stream.feed("- a duty towards 12 people, § 87 Abs. 1 Nr. 6 BetrVG\n")
        stream.close()
        read[lines] = letters
    assert read[1000] < 12 * read[100]
