"""The whole graph for real on the miniature: once from nothing, and once more with nothing to do."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from forge_assets.delivery.deployment import Deployments
from forge_resources.config.data_folder import PROJECT

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Loop:
    root: Path
    first: str
    second: str
    before: dict[str, str]

    @property
    def data(self) -> Path:
        return self.root / "data"


def digests(folder: Path) -> dict[str, str]:
    """Path to SHA-256 of everything made, Dagster's own storage aside."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and "dagster" not in path.parts)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    root = tmp_path_factory.mktemp("loop")
    shutil.copy(PROJECT / "dagster.yaml", root)
    environment = {
        **os.environ,
        "FORGE_PROFILE": "tiny",
        "FORGE_DATA": str(root / "data"),
        "FORGE_DAGSTER": str(root / "data" / "dagster"),
        "DAGSTER_HOME": str(root),
        "OMP_NUM_THREADS": "1",  # the miniature is faster on one thread, above all beside a busy neighbour
    }

    def run() -> str:
        command = [sys.executable, "-m", "forge_assets.cli.main", "run"]
        done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    first = run()
    before = digests(root / "data")
    return Loop(root, first, run(), before)


def test_the_terminal_shows_four_models_and_where_the_report_is(loop: Loop) -> None:
    for model in ("Student, untuned", "Teacher, untuned", "Teacher, tuned", "Student, tuned"):
        assert model in loop.first
    assert str(loop.data / "report" / "index.html") in loop.first


def test_a_second_run_changes_nothing(loop: Loop) -> None:
    assert "the report is up to date" in loop.second
    assert digests(loop.data) == loop.before


def test_the_report_asks_the_network_for_nothing(loop: Loop) -> None:
    page = (loop.data / "report" / "index.html").read_text("utf-8")
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    assert "Student, tuned" in page


def test_every_model_answered_the_132_questions_over_all_task_types(loop: Loop) -> None:
    with duckdb.connect(str(loop.data / "forge.duckdb"), read_only=True) as database:
        answered = database.sql("SELECT model, count(*) FROM benchmark.answers GROUP BY ALL").fetchall()
        asked, composed = (
            set(database.sql(f"SELECT task_type FROM scenarios.{table}").fetchall())
            for table in ("sets WHERE role = 'benchmark'", "samples")
        )
    assert {count for _, count in answered} == {132}
    models = {model for model, _ in answered}
    assert models == {"student_untuned", "teacher_untuned", "teacher_tuned", "student_tuned", "student_guarded"}
    assert len(answered) == len(models)
    assert asked == composed and len(asked) == 14


def test_no_scenario_is_in_two_sets_that_must_be_apart(loop: Loop) -> None:
    with duckdb.connect(str(loop.data / "forge.duckdb"), read_only=True) as database:
        shared = database.sql(
            "SELECT scenario_id FROM scenarios.sets GROUP BY ALL "
            "HAVING count(DISTINCT replace(split, 'contrast', 'benchmark')) > 1"
        ).fetchall()
        unproven = database.sql("SELECT count(*) FROM scenarios.sets WHERE split = 'withheld'").fetchall()
    assert shared == []
    assert unproven == [(0,)]


def test_the_search_tells_its_trials_apart_and_confirms_the_winner_on_samples_of_its_own(loop: Loop) -> None:
    with duckdb.connect(str(loop.data / "forge.duckdb"), read_only=True) as database:
        statuses = database.sql("SELECT status, count(*) FROM search.trials GROUP BY ALL").fetchall()
        stages = database.sql(
            "SELECT stage, count(DISTINCT trial), count(DISTINCT sample_id) FROM search.answers "
            "GROUP BY stage ORDER BY stage"
        ).fetchall()
        shared = database.sql(
            "SELECT sample_id FROM search.answers GROUP BY ALL HAVING count(DISTINCT stage) > 1"
        ).fetchall()
    assert statuses == [("finished", 3)]
    assert stages == [("confirm", 1, 12), ("race", 2, 12), ("trial", 3, 20)]
    assert shared == []
    assert "samples that nothing was chosen on" in (loop.data / "report" / "index.html").read_text("utf-8")


def test_the_wandb_run_of_a_trial_holds_its_study_and_its_score(loop: Loop) -> None:
    with duckdb.connect(str(loop.data / "forge.duckdb"), read_only=True) as database:
        trials = database.sql("SELECT study, job FROM search.trials").fetchall()
    for study, job in trials:
        written = [file.read_bytes() for file in (loop.data / "artefacts" / job / "wandb").rglob("*.wandb")]
        assert any(study.encode() in run and b"composite" in run for run in written)


def test_what_is_delivered_is_whole_and_not_live_where_nothing_was_learned(loop: Loop) -> None:
    """The miniature has random weights: its score is nothing, tuned or not."""
    kept = Deployments(loop.data / "deployments")
    [made] = kept.all()
    assert kept.live() is None
    assert [check.name for check in made.failed] == ["learned"]
    assert f"deployment {made.digest[:12]} is not live: learned: " in loop.first
    folder = kept.folder(made.digest)
    assert {path.name for path in folder.iterdir()} == {
        *("Modelfile", "README.md", "datasheet.md", "deployment.json", "model", "vllm.sh"),
        *(f"labour.{kind}.gguf" for kind in ("f16", "q8_0", "q4_k_m")),
    }
    assert f"`{made.files['q8_0'].sha256}`" in (folder / "README.md").read_text("utf-8")


@pytest.mark.parametrize("guide", ["docs/data.md", "docs/compliance.md"])
def test_queries_of_the_guides_run(loop: Loop, guide: str) -> None:
    queries = re.findall(r"```sql\n(.*?)```", (PROJECT / guide).read_text("utf-8"), re.DOTALL)
    assert queries
    with duckdb.connect(str(loop.data / "forge.duckdb"), read_only=True) as database:
        for query in queries:
            database.sql(query).fetchall()
