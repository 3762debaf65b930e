"""A thousand labelled strings of all jurisdictions, and some written later, are read as a lawyer reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from forge_assets.citations.evaluation.labelled_set import (
    NEGATIVE,
    LabelledText,
    ParsedText,
    SetScore,
    read_set,
    score_set,
)
from forge_assets.citations.law_index import LawIndex
from forge_assets.law.model import Framework

FOLDER = Path(__file__).parent / "citation_set"
CODES = sorted(path.stem.upper() for path in FOLDER.glob("*.jsonl"))


@pytest.fixture(scope="module")
def main_set(laws: LawIndex) -> SetScore:
    return score_set(read_set(FOLDER), laws)


@pytest.fixture(scope="module")
def second(laws: LawIndex) -> SetScore:
    rows = read_set(FOLDER / "second")
    if not rows:
        pytest.skip("there is no second set")
    return score_set(rows, laws)


def _shown(readings: list[ParsedText]) -> str:
    """Mistakes as they are mended: the string, what it lacks, what was read instead."""
    return "\n".join(f"{r.row.text!r} missed {list(r.missed)} extra {list(r.extra)}" for r in readings)


def test_the_set_has_a_thousand_strings_of_every_jurisdiction(frameworks: dict[str, Framework]) -> None:
    rows = [*read_set(FOLDER), *read_set(FOLDER / "second")]
    assert len(rows) >= 1000
    assert sorted(frameworks) == CODES


def test_precision_and_recall_are_at_least_99_percent(main_set: SetScore) -> None:
    assert main_set.whole.precision >= 0.99, _shown(main_set.mistakes)
    assert main_set.whole.recall >= 0.99, _shown(main_set.mistakes)


@pytest.mark.parametrize("code", CODES)
def test_no_jurisdiction_falls_below_90_percent(main_set: SetScore, code: str) -> None:
    found = main_set.by_jurisdiction[code]
    assert min(found.precision, found.recall) >= 0.9, _shown(
        [r for r in main_set.mistakes if r.row.jurisdiction == code]
    )


def test_precision_and_recall_of_the_second_set_are_at_least_93_percent(second: SetScore) -> None:
    assert second.whole.precision >= 0.93, _shown(second.mistakes)
    assert second.whole.recall >= 0.93, _shown(second.mistakes)


def test_97_percent_of_the_look_alikes_yield_nothing(main_set: SetScore) -> None:
    negatives = [r for r in main_set.readings if r.row.form == NEGATIVE]
    assert len(negatives) >= 50
    assert not any(r.row.keys or r.row.unverifiable for r in negatives)
    assert main_set.clean_negatives >= 0.97, _shown([r for r in negatives if r.extra])


@pytest.mark.parametrize(
    ("text", "keys", "unverifiable", "found", "missed", "extra"),
    [
        ("§ 90 BetrVG", ("DE:betrvg:90",), 0, 1, 0, 0),
        ("§ 90 BetrVG", ("DE:betrvg:90", "DE:betrvg:90"), 0, 1, 1, 0),
        ("§ 90 BetrVG, § 90 BetrVG", ("DE:betrvg:90",), 0, 1, 0, 1),
        ("§ 90 BetrVG", ("DE:betrvg:91",), 0, 0, 1, 1),
        ("§ 3 ArbZG und § 4 ArbZG", (), 2, 0, 0, 0),
        ("§ 3 ArbZG und § 4 ArbZG", (), 1, 0, 0, 1),
        ("nichts", (), 1, 0, 0, 0),
    ],
)
def test_keys_count_as_often_as_they_stand_and_unknown_laws_up_to_the_number_labelled(
    laws: LawIndex, text: str, keys: tuple[str, ...], unverifiable: int, found: int, missed: int, extra: int
) -> None:
    row = LabelledText(text, keys, "statute", "DE", unverifiable=unverifiable)
    tally = score_set([row], laws).whole
    assert (tally.found, tally.missed, tally.extra) == (found, missed, extra)
