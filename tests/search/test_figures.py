"""Pictures of a search: what they say, whatever the search came to."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Sequence
from typing import Any

import polars as pl
from matplotlib.figure import Figure

from forge_assets.search.figures.figure_set import as_markdown, pictures
from forge_assets.search.figures.guard import interventions
from forge_assets.search.figures.parameters import importance, parallel_coordinates
from forge_assets.search.figures.scores import best_so_far, race
from forge_resources.presentation.figures import data_uri
from forge_resources.storage.tables import TABLES

GRID: dict[str, Sequence[Any]] = {
    "learning_rate": [5e-5, 2e-4, 8e-4],
    "rank": [8, 16, 32],
    "target_modules": ["all-linear", ["q_proj", "v_proj"], ["gate_proj", "up_proj", "down_proj"]],
    "scheduler": ["constant", "cosine"],
}
LOST = {3: "pruned", 5: "failed", 7: "diverged"}
HALVED = {"rule": "rank x sequence length", "parameter": "rank", "before": 32, "after": 16, "reason": "memory"}


def search(count: int, lost: dict[int, str] | None = None, guarded: tuple[int, ...] = ()) -> pl.DataFrame:
    """Trials whose scores rise by 0.02; those in `lost` have none, and the guard halves the rank of `guarded`."""
    drawn = random.Random(4)
    rows = []
    for i in range(count):
        asked = {name: drawn.choice(grid) for name, grid in GRID.items()}
        status = (lost or {}).get(i, "finished")
        scored = status == "finished"
        rows.append(
            {
                "trial": i,
                "phase": "explore" if i < 0.35 * count else "exploit" if i < 0.75 * count else "refine",
                "status": status,
                "score": 0.3 + 0.02 * i if scored else None,
                "standard_error": 0.05 if scored else None,
                "asked": json.dumps(asked),
                "ran": json.dumps(asked | ({"rank": 16} if i in guarded else {})),
                "guard": json.dumps([HALVED] if i in guarded else []),
                "predicted_bytes": 12_000_000_000,
                "measured_bytes": 11_000_000_000 if scored else None,
            }
        )
    schema = TABLES["search.trials"].schema
    return pl.concat([TABLES["search.trials"].empty(), pl.DataFrame(rows, schema_overrides=schema)], how="diagonal")


def raced(trials: Sequence[int], winner: int) -> pl.DataFrame:
    """Answers of four stages; the winner scores 0.5 where only it answers."""
    rows = [
        (t, stage, f"{stage}{i}", 0.7 if stage == "trial" else 0.6)
        for t in trials
        for stage in ("trial", "race")
        for i in range(8)
    ]
    rows += [(winner, "confirm", f"confirm{i}", i % 2) for i in range(8)]
    return pl.DataFrame(rows, schema=TABLES["search.answers"].schema, orient="row")


def words_in(figure: Figure) -> list[str]:
    labels = [label for axes in figure.axes for label in axes.get_yticklabels()]
    return [text.get_text() for text in [*labels, *(text for axes in figure.axes for text in axes.texts)]]


def test_the_chosen_trial_is_named_beside_a_better_one_and_in_the_alternative_text() -> None:
    picture = best_so_far(search(9, LOST), chosen=6)
    assert {"chosen: trial 6, 0.42 ± 0.05", "best: trial 8, 0.46 ± 0.05"} <= set(words_in(picture.figure))
    assert "Trial 6 was chosen" in picture.alt


def test_trials_without_a_score_lie_in_rows_named_by_what_became_of_them() -> None:
    picture = best_so_far(search(9, LOST))
    assert {"pruned", "failed", "diverged", "explore", "exploit", "refine"} <= set(words_in(picture.figure))
    assert "6 have a score, 1 diverged, 1 failed, 1 pruned without" in picture.alt


def test_configurations_show_module_sets_by_name_and_wide_ranges_on_a_log_axis() -> None:
    picture = parallel_coordinates(search(12), chosen=11)
    assert {"q v", "gate up down", "all-linear", "learning rate, log", "rank", "0.52  trial 11"} <= set(
        words_in(picture.figure)
    )


def test_importances_are_listed_largest_first() -> None:
    assert "rank 0.70, learning rate 0.30" in importance({"learning_rate": 0.3, "rank": 0.7}).alt


def test_each_change_by_the_guard_names_its_rule_and_the_memory_has_its_envelope() -> None:
    picture = interventions(search(9, guarded=(2, 4)), 16e9)
    assert {"rank 32 → 16\nrank x sequence length", "envelope 16 GB"} <= set(words_in(picture.figure))
    assert "2 of 9 trials were changed, by rank x sequence length (2)" in picture.alt


def test_a_search_that_the_guard_left_alone_says_so() -> None:
    assert "The guard changed nothing." in words_in(interventions(search(9), 16e9).figure)


def test_more_kinds_of_change_than_fit_share_a_last_row() -> None:
    guard = [json.dumps([HALVED | {"before": 2 * i + 2, "after": i + 1}]) for i in range(30)]
    picture = interventions(search(30).with_columns(guard=pl.Series(guard)), 16e9)
    assert "18 further changes" in words_in(picture.figure)


def test_the_race_tells_the_winners_score_on_samples_that_played_no_part_in_the_choice() -> None:
    picture = race(raced([2, 6, 8], winner=6), chosen=6)
    assert "Trial 6 scored 0.50 on the samples that only it answered" in picture.alt
    assert {"trial 6, chosen", "● confirm, 8 samples"} <= set(words_in(picture.figure))


def test_a_candidate_that_dropped_out_shows_on_how_many_samples_it_was_judged() -> None:
    early = pl.col("sample_id").is_in(["race0", "race1"]) | (pl.col("trial") != 8) | (pl.col("stage") != "race")
    answers = raced([2, 6, 8], winner=6).filter(early)
    assert "0.60  on 2, then out" in words_in(race(answers, chosen=6).figure)


def test_three_failed_trials_and_no_trial_at_all_are_told_in_words() -> None:
    none = TABLES["search.answers"].empty()
    failed = pictures(search(3, dict.fromkeys(range(3), "failed")), none, {}, 16e9, None)
    assert "No trial has a score." in words_in(failed["best so far"].figure)
    empty = pictures(TABLES["search.trials"].empty(), none, {}, 16e9, None)
    assert all(len(picture.figure.texts) == 1 for picture in empty.values())


def test_equal_searches_give_equal_bytes() -> None:
    def drawn() -> list[str]:
        shown = pictures(search(4, LOST), raced([0, 2], winner=2), {"rank": 1.0}, 16e9, 2)
        return [data_uri(picture.figure) for picture in shown.values()]

    assert drawn() == drawn()


def test_the_densest_picture_of_sixty_trials_fits_dagsters_metadata() -> None:
    text = as_markdown(parallel_coordinates(search(60, LOST), chosen=59))
    assert text.startswith("![Configuration of 60 trials")
    assert len(text) < 150_000
    assert base64.b64decode(text.rsplit(",", 1)[1].removesuffix(")")).startswith(b"\x89PNG")
