"""Sentences of courts, law firms, authorities and statutes are read no worse than when they were first measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forge_assets.citations.evaluation.found_sentences import (
    FoundSentence,
    agreement,
    read_sentences,
    score_sentences,
)
from forge_assets.citations.evaluation.labelled_set import Tally
from forge_assets.citations.law_index import LawIndex
from forge_assets.law.model import Framework

FOLDER = Path(__file__).parent / "found_sentences"
ROWS = read_sentences(FOLDER / "sentences.jsonl")
SEEN = [row for row in ROWS if row.half == "seen"]
UNSEEN = [row for row in ROWS if row.half == "unseen"]


@pytest.mark.parametrize(
    ("rows", "precision", "recall", "mistakes"),
    [(SEEN, 0.975, 0.978, 0), (UNSEEN, 0.852, 0.888, 8)],
    ids=["seen", "unseen"],
)
@pytest.mark.parametrize("told", [False, True], ids=["alone", "country given"])
def test_sentences_of_others_are_read_no_worse_than_measured(
    laws: LawIndex,
    frameworks: dict[str, Framework],
    rows: list[FoundSentence],
    precision: float,
    recall: float,
    mistakes: int,
    told: bool,
) -> None:
    scored = score_sentences(rows, laws, frameworks if told else ())
    wrong = [(r.row.text, r.missed, r.extra) for r in scored.score.mistakes]
    assert scored.score.whole.precision >= precision, wrong
    assert scored.score.whole.recall >= recall, wrong
    assert len(scored.mistakes) <= mistakes, [(m.sentence.text, m.key, m.status) for m in scored.mistakes]


def test_both_halves_have_texts_of_every_country(frameworks: dict[str, Framework]) -> None:
    assert min(len(SEEN), len(UNSEEN)) >= 240
    assert {row.country for row in ROWS} >= set(frameworks)
    assert not {row.id for row in SEEN} & {row.id for row in UNSEEN}


def test_two_readers_agree_on_the_labels() -> None:
    kept = map(json.loads, (FOLDER / "sentences.jsonl").read_text("utf-8").splitlines())
    first = {row["id"]: tuple(row["expected"]) for row in kept}
    second = [json.loads(line) for line in (FOLDER / "second_labels.jsonl").read_text("utf-8").splitlines()]
    assert len(second) == 100
    assert agreement((first[r["id"]] for r in second), (tuple(r["expected"]) for r in second)) >= 0.98


def test_a_place_counts_once_and_a_guess_is_no_sure_mistake(laws: LawIndex) -> None:
    twice = FoundSentence(1, "DE", "court", "§ 90 BetrVG und wieder § 90 BetrVG", ("DE:betrvg:90", "DE:betrvg:91"))
    wrong = FoundSentence(2, "DE", "court", "§ 90 BetrVG", ())
    guess = FoundSentence(3, "DE", "court", "Das BetrVG gilt. Nach § 90 ist zu beraten.", ())
    scored = score_sentences([twice, wrong, guess], laws)
    assert scored.score.whole == Tally(texts=3, found=1, missed=1, extra=2)
    assert [m.key for m in scored.mistakes] == ["DE:betrvg:90"]
