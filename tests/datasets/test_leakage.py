"""What counts as a leak, and what does not."""

from __future__ import annotations

import random
import re

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from forge_assets.datasets import leakage as module
from forge_assets.datasets.leakage import NGRAM, SHINGLE, THRESHOLDS, Leakage, clear_of, leakage

FRAME = "Reply with the sections Subject and Statutory frame, and name every legal basis on a line of its own."
CASE = (
    "Hotel Aurora in Denmark employs 131 people and has a works council which was elected in spring. "
    "Management wants to close the laundry in autumn and to move its work to a contractor in the harbour. "
    "Nineteen colleagues of the laundry would lose their posts and twelve more would change their shifts. "
    "The director asks who must be told first, which papers are owed and how long the talks may take. "
    "She would like to announce the plan at the summer party before anybody reads of it in a newspaper. "
)
OTHER = (
    "Oak and Sons is a joinery of 16 hands near Graz without elected representatives of any kind. "
    "The owner has bought cameras for the yard since timber went missing twice last winter. "
    "He asks whether he may switch them on at once or needs the consent of somebody beforehand. "
)
THIRD = (
    "A hospital in Lisbon wants its 2,300 nurses to sign in with their palm from January on. "
    "The ministry has asked for figures by ward, and the union has written a sharp letter to the board. "
    "Its lawyer asks whether the palms may be stored at all and who has to assess the risk before the first one is. "
)


def rows(*prompts: str, name: str, scenarios: list[str] | None = None) -> pl.DataFrame:
    ids = [f"{name}{i:03d}" for i in range(len(prompts))]
    return pl.DataFrame({"sample_id": ids, "scenario_id": scenarios or ids, "prompt": list(prompts)})


def compared(taught: str, held_out: str) -> Leakage:
    """One held-out prompt against one taught prompt and a bystander."""
    return leakage(rows(OTHER + FRAME, taught, name="t"), rows(held_out, name="h"))


def brute(taught: str, held_out: str) -> tuple[float, float]:
    """n-gram and near-duplicate values of one pair, by sets."""

    def grams(text: str, size: int) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.casefold())
        return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}

    def shingles(text: str) -> set[tuple[str, ...]]:
        return grams(text, SHINGLE) or {tuple(text.split())} - {()}

    size = min(NGRAM, len(held_out.split()))
    asked = grams(held_out, size) if size else set()
    mine, theirs = shingles(held_out), shingles(taught)
    ngram = len(asked & grams(taught, size)) / len(asked) if asked else 0.0
    return ngram, len(mine & theirs) / len(mine | theirs) if mine | theirs else 0.0


def random_rows(name: str, count: int, seed: int) -> pl.DataFrame:
    """Prompts of 0 to 40 words out of few, so that grams of every length are shared by some."""
    draw = random.Random(seed)
    clauses = [" ".join(draw.choices("abcdefg", k=draw.randint(1, 14))) for _ in range(12)]
    prompts = [" ".join(draw.choices(clauses, k=draw.randint(0, 4))) for _ in range(count)]
    return rows(*prompts, name=name, scenarios=[f"s{draw.randint(0, 200)}" for _ in range(count)])


def same(one: Leakage, other: Leakage) -> None:
    assert (one.exact, one.scenario, one.ngram, one.near) == (other.exact, other.scenario, other.ngram, other.near)
    assert_frame_equal(one.pairs, other.pairs)


def test_a_copy_in_other_case_spacing_and_code_points_is_exact() -> None:
    copy = (CASE + FRAME).upper().replace(" ", "\n \t").replace("1", "\uff11")
    found = compared(copy, CASE + FRAME)
    assert found.exact.flagged == 1
    assert not found.clean
    pair = found.pairs.filter(pl.col("measure") == "exact").row(0, named=True)
    assert (pair["sample_id"], pair["taught_id"], pair["value"]) == ("h000", "t001", 1.0)
    assert (pair["prompt"], pair["taught_prompt"]) == (CASE + FRAME, copy)


def test_sharp_s_and_double_s_are_the_same_letter() -> None:
    assert compared("DIE MASSE DER STRASSE", "die Maße der Straße").exact.flagged == 1


def test_one_number_changed_in_a_long_prompt_is_found() -> None:
    found = compared((CASE + FRAME).replace("131", "132"), CASE + FRAME)
    assert found.exact.flagged == 0
    assert found.ngram.flagged == found.near.flagged == 1
    assert 0.85 < found.near.maximum < 1


def test_a_number_with_a_separator_is_one_word() -> None:
    base = "A B C D E F 1,200 G H I J K L"
    assert compared(base.replace("1,200", "1,300"), base).near.maximum == pytest.approx(8 / 14)


def test_a_reordered_sentence_is_found() -> None:
    sentences = CASE.strip().split(". ")
    moved = ". ".join([sentences[0], sentences[2], sentences[1], *sentences[3:]])
    found = compared(f"{moved} {FRAME}", CASE + FRAME)
    assert found.exact.flagged == 0
    assert found.near.flagged == 1


def test_a_prompt_copied_into_a_longer_one_is_found_by_its_ngrams_alone() -> None:
    found = compared(f"{OTHER} {CASE} {OTHER}", CASE)
    assert found.ngram.maximum == 1.0
    assert found.near.flagged == 0
    assert not found.clean


def test_ngrams_spread_over_several_taught_prompts_do_not_add_up() -> None:
    first, second = CASE[: len(CASE) // 2], CASE[len(CASE) // 2 :]
    found = leakage(rows(first, second, name="t"), rows(CASE, name="h"))
    assert 0.3 < found.ngram.maximum < 0.6
    assert found.clean


def test_a_short_prompt_is_looked_for_whole() -> None:
    assert compared(OTHER + "Who must be told first? " + FRAME, "Who must be told first?").ngram.flagged == 1
    assert compared(OTHER + "Who must be told? " + FRAME, "Who must be told first?").ngram.maximum == 0.0


def test_the_same_scenario_in_other_words_is_found() -> None:
    taught = rows(CASE + FRAME, name="t", scenarios=["shared"])
    held_out = rows(OTHER + FRAME, name="h", scenarios=["shared"])
    found = leakage(taught, held_out)
    assert (found.scenario.flagged, found.exact.flagged, found.near.flagged) == (1, 0, 0)
    assert not found.clean
    assert clear_of(taught, held_out).is_empty()


def test_another_case_in_the_same_frame_is_clean() -> None:
    found = compared(CASE + FRAME, THIRD + FRAME)
    assert found.clean
    assert 0 < found.near.maximum < 0.5
    assert 0 < found.ngram.maximum < 0.5


def test_every_value_agrees_with_counting_by_sets() -> None:
    taught, held_out = random_rows("t", 150, 1), random_rows("h", 60, 2)
    found = leakage(taught, held_out, worst=len(held_out), block=64)
    pairs = {row["sample_id"]: row for row in held_out.iter_rows(named=True)}
    listed = {(row["measure"], row["sample_id"]): row for row in found.pairs.iter_rows(named=True)}
    assert set(found.pairs["measure"]) == set(THRESHOLDS)
    for sample_id, row in pairs.items():
        values = np.array([brute(prompt, row["prompt"]) for prompt in taught["prompt"]])
        for measure, column in (("ngram", 0), ("near", 1)):
            best = values[:, column].max()
            assert (measure, sample_id) in listed or best == 0
            if best > 0:
                pair = listed[measure, sample_id]
                assert pair["value"] == best
                assert pair["taught_id"] == taught["sample_id"][int(values[:, column].argmax())]


def test_the_order_of_the_rows_changes_nothing() -> None:
    taught, held_out = random_rows("t", 90, 3), random_rows("h", 40, 4)
    mixed = leakage(taught.sample(fraction=1.0, shuffle=True, seed=5), held_out.reverse())
    same(mixed, leakage(taught, held_out))


@pytest.mark.parametrize("block", [1, 7, 64])
def test_the_size_of_a_block_changes_nothing(block: int) -> None:
    taught, held_out = random_rows("t", 90, 3), random_rows("h", 40, 4)
    same(leakage(taught, held_out, block=block), leakage(taught, held_out))
    assert_frame_equal(clear_of(taught, held_out, block=block), clear_of(taught, held_out))


@pytest.mark.parametrize(("share", "stretch", "width"), [(2.0, 5, 1024), (-1.0, 4_000_000, 3)])
def test_how_grams_are_counted_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, share: float, stretch: int, width: int
) -> None:
    taught, held_out = random_rows("t", 90, 3), random_rows("h", 40, 4)
    before = leakage(taught, held_out)
    monkeypatch.setattr(module, "_COMMON", share)
    monkeypatch.setattr(module, "_STRETCH", stretch)
    monkeypatch.setattr(module, "_WIDTH", width)
    same(leakage(taught, held_out), before)


def test_what_is_clear_of_the_benchmark_is_clean_and_nothing_else_is_dropped() -> None:
    taught, held_out = random_rows("t", 150, 6).reverse(), random_rows("h", 30, 7)
    clear = clear_of(taught, held_out)
    assert 0 < clear.height < taught.height
    assert leakage(clear, held_out).clean
    kept = set(clear["sample_id"])
    assert_frame_equal(clear, taught.filter(pl.col("sample_id").is_in(kept)))
    for row in taught.filter(~pl.col("sample_id").is_in(kept)).iter_rows(named=True):
        assert not leakage(pl.DataFrame([row]), held_out).clean


def test_everything_is_clear_of_nothing() -> None:
    taught = rows(CASE, OTHER, name="t")
    assert_frame_equal(clear_of(taught, taught.clear()), taught)
    assert clear_of(taught.clear(), taught).is_empty()


def test_quantiles_are_over_held_out_prompts() -> None:
    held_out = rows(*[f"{i} {OTHER}"[::-1] for i in range(9)], CASE, name="h")
    found = leakage(rows(CASE, name="t"), held_out)
    assert (found.taught, found.held_out) == (1, 10)
    assert (found.exact.p50, found.exact.maximum) == (0.0, 1.0)
    assert found.exact.p95 == pytest.approx(0.55)


def test_pairs_list_the_worst_first_and_no_more_than_asked() -> None:
    found = leakage(random_rows("t", 90, 3), random_rows("h", 40, 4), worst=5)
    near = found.pairs.filter(pl.col("measure") == "near")
    assert near.height == 5
    assert near["value"].is_sorted(descending=True)
    assert near["value"][0] == found.near.maximum


def test_empty_prompts_are_equal_to_each_other_only() -> None:
    found = leakage(rows("", "...", CASE, name="t"), rows(" ", name="h"))
    assert (found.exact.flagged, found.ngram.maximum, found.near.maximum) == (1, 0.0, 0.0)


@pytest.mark.parametrize("side", ["taught", "held_out"])
def test_a_comparison_with_nothing_is_refused(side: str) -> None:
    frames = {"taught": rows(CASE, name="t"), "held_out": rows(CASE, name="h")}
    frames[side] = frames[side].clear()
    with pytest.raises(ValueError, match=f"no {side} rows"):
        leakage(frames["taught"], frames["held_out"])


def test_missing_columns_nulls_and_empty_blocks_are_refused() -> None:
    good = rows(CASE, name="t")
    with pytest.raises(ValueError, match="held_out has no column scenario_id"):
        leakage(good, good.drop("scenario_id"))
    with pytest.raises(ValueError, match="taught has a null in column prompt"):
        clear_of(good.with_columns(prompt=pl.lit(None, dtype=pl.String)), good)
    with pytest.raises(ValueError, match="block is 0"):
        leakage(good, good, block=0)
