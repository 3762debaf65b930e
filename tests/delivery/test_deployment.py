"""The pointer moves only to what holds its checks and is whole, can go back, and old deployments make room."""

from __future__ import annotations

from pathlib import Path

import pytest

from forge_assets.delivery.deployment import DeploymentError, Deployments
from tests.delivery.deployments import GOOD, WORSE, planted


@pytest.fixture
def kept(tmp_path: Path) -> Deployments:
    return Deployments(tmp_path / "deployments")


def test_nothing_is_live_before_the_first_is_promoted(kept: Deployments, tmp_path: Path) -> None:
    assert kept.live() is None
    made = planted(kept, tmp_path, "one", 1)
    assert kept.live() is None
    assert kept.promote(made.digest[:8]) == made
    assert kept.live() == made
    assert kept.file(made).read_text("utf-8") == "one"


def test_a_worse_model_is_not_promoted_and_the_live_one_stays(kept: Deployments, tmp_path: Path) -> None:
    good = planted(kept, tmp_path, "good", 1)
    kept.promote(good.digest)
    worse = planted(kept, tmp_path, "worse", 2, checks=(GOOD, WORSE))
    with pytest.raises(DeploymentError, match=r"no_regression: -0\.200"):
        kept.promote(worse.digest)
    assert kept.live() == good


def test_a_model_that_is_worse_than_what_went_live_since_is_not_promoted(kept: Deployments, tmp_path: Path) -> None:
    older = planted(kept, tmp_path, "older", 1)
    better = planted(kept, tmp_path, "better", 2, composites={f"s{i}": 0.7 + 0.01 * (i % 2) for i in range(40)})
    kept.promote(better.digest)
    with pytest.raises(DeploymentError, match=r"-0\.205 \[.*\] on 40 questions against .* live now"):
        kept.promote(older.digest)
    assert kept.live() == better


def test_rollback_goes_back_through_what_was_live_and_is_logged(kept: Deployments, tmp_path: Path) -> None:
    made = [planted(kept, tmp_path, name, at) for at, name in enumerate(("one", "two", "three"))]
    for each in made:
        kept.promote(each.digest)
    assert [kept.rollback(), kept.rollback()] == [made[1], made[0]]
    with pytest.raises(DeploymentError, match="nothing to go back to"):
        kept.rollback()
    moves = [(move.action, move.digest, move.before) for move in kept.history() if move.action != "made"]
    one, two, three = (each.digest for each in made)
    assert moves == [
        ("promoted", one, None),
        ("promoted", two, one),
        ("promoted", three, two),
        ("rolled back", two, three),
        ("rolled back", one, two),
    ]


def test_the_last_three_are_kept_and_the_live_one_among_them(kept: Deployments, tmp_path: Path) -> None:
    first = planted(kept, tmp_path, "first", 0)
    kept.promote(first.digest)
    others = [planted(kept, tmp_path, f"later {at}", at) for at in range(1, 6)]
    assert {made.digest for made in kept.all()} == {first.digest, others[-1].digest, others[-2].digest}
    assert kept.live() == first


def test_weights_that_were_changed_are_neither_asked_nor_promoted(kept: Deployments, tmp_path: Path) -> None:
    made = planted(kept, tmp_path, "one", 1)
    path = kept.folder(made.digest) / "labour.q8_0.gguf"
    path.unlink()
    path.write_text("onf", "utf-8")
    with pytest.raises(DeploymentError, match="is not as it was made"):
        kept.promote(made.digest)
    assert kept.live() is None


def test_a_record_cut_short_is_no_deployment(kept: Deployments, tmp_path: Path) -> None:
    made = planted(kept, tmp_path, "one", 1)
    record = kept.folder(made.digest) / "deployment.json"
    record.write_text(record.read_text("utf-8")[:200], "utf-8")
    assert kept.all() == []
    assert not kept.is_whole(made.digest)
    with pytest.raises(DeploymentError, match="none yet"):
        kept.get(made.digest)


def test_what_was_cut_short_before_its_record_makes_room(kept: Deployments, tmp_path: Path) -> None:
    made = planted(kept, tmp_path, "one", 1)
    (kept.folder(made.digest) / "deployment.json").unlink()
    other = planted(kept, tmp_path, "other", 2)
    assert [path.name for path in kept.root.iterdir() if path.is_dir()] == [other.digest]
    assert planted(kept, tmp_path, "one", 3).digest == made.digest
