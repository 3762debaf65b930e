"""What the two sensors ask for after edits of a real pack. Catalog and scenarios run for real, the chain does not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from forge_assets.automation import OF_A_CHAIN, RECORDS, chain_made_from, chain_wanted, framework_watch, retrain
from forge_assets.definitions import defs
from forge_assets.scenarios.assets import warehouse
from forge_resources.data_folder import PROJECT
from forge_resources.forge import Forge
from forge_resources.tables import TABLES

DEADLINE = "deadline: before introduction"


class World:
    """A copied pack, a Dagster instance, and the sensors' cursors."""

    def __init__(self, root: Path, instance: dg.DagsterInstance) -> None:
        self.pack = root / "labour"
        shutil.copytree(PROJECT / "frameworks" / "labour", self.pack)
        for path in (self.pack / "jurisdictions").glob("*.yaml"):
            if path.stem not in ("at", "de"):
                path.unlink()
        self.forge = Forge(data=str(root / "data"), pack=str(self.pack), profile_name="tiny")
        self.instance = instance
        self.cursors: dict[str, str | None] = {}

    def edit(self, code: str, old: str, new: str) -> None:
        path = self.pack / "jurisdictions" / f"{code}.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def tick(self, sensor: dg.SensorDefinition) -> Any:
        """One look of a sensor, its partition requests carried out."""
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursors.get(sensor.name), resources={"forge": self.forge}
        )
        result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursors[sensor.name] = result.cursor
        for request in result.dynamic_partitions_requests or []:
            if isinstance(request, dg.AddDynamicPartitionsRequest):
                self.instance.add_dynamic_partitions("jurisdictions", request.partition_keys)
            else:
                for key in request.partition_keys:
                    self.instance.delete_dynamic_partition("jurisdictions", key)
        return result

    def watch(self) -> list[str]:
        """Jurisdictions that framework_watch asks for; each is then run."""
        asked = [request.partition_key for request in self.tick(framework_watch).run_requests or []]
        for code in asked:
            job = defs.resolve_job_def("country")
            resources = {"forge": self.forge}
            done = job.execute_in_process(instance=self.instance, partition_key=code, resources=resources)
            assert done.success
        return asked

    def warehouse(self) -> bool:
        """Whether the chain's first asset, run alone, succeeds."""
        resources = {"forge": self.forge}
        done = dg.materialize([warehouse], instance=self.instance, resources=resources, raise_on_error=False)
        return done.success

    def training_asked(self) -> bool:
        return bool(self.tick(retrain).run_requests)

    def finish_chain(self) -> None:
        """What benchmark_report leaves behind."""
        made_from = chain_wanted(self.forge).split(":", 1)[1]
        for table in OF_A_CHAIN:
            self.forge.store.write(table, TABLES[table].empty())
        page = self.forge.store.root / "report" / "index.html"
        page.parent.mkdir(exist_ok=True)
        page.write_text("<p>A report.</p>", encoding="utf-8")
        self.forge.store.publish()
        for name in RECORDS:
            self.forge.remember(name, {"fingerprint": made_from, "page": str(page)})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "dagster").mkdir()
    quiet = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster"), overrides=quiet) as instance:
        world = World(tmp_path, instance)
        assert world.watch() == ["AT", "DE"]
        world.finish_chain()
        assert not world.training_asked()
        yield world


def test_nothing_changed_runs_nothing(world: World) -> None:
    assert world.watch() == []
    assert not world.training_asked()


def test_a_comment_edit_runs_nothing_and_retrains_nothing(world: World) -> None:
    world.edit("de", "jurisdiction: DE", "# a comment\njurisdiction: DE")
    assert world.watch() == []
    assert [world.training_asked() for _ in range(3)] == [False] * 3


def test_one_provision_runs_its_country_only_and_then_the_chain_once(world: World) -> None:
    world.edit("de", DEADLINE, "deadline: before the system is introduced")
    assert world.watch() == ["DE"]
    assert world.watch() == []
    assert [world.training_asked() for _ in range(4)] == [False, True, False, False]


def test_a_revert_counts_as_an_edit(world: World) -> None:
    world.edit("de", DEADLINE, "deadline: some day")
    world.watch()
    world.finish_chain()
    world.training_asked()
    world.edit("de", "deadline: some day", DEADLINE)
    assert world.watch() == ["DE"]
    assert [world.training_asked() for _ in range(3)] == [False, True, False]


def test_an_edit_taken_back_before_training_trains_nothing(world: World) -> None:
    world.edit("de", DEADLINE, "deadline: some day")
    world.watch()
    world.training_asked()
    world.edit("de", "deadline: some day", DEADLINE)
    world.watch()
    assert [world.training_asked() for _ in range(3)] == [False] * 3


def test_a_broken_file_is_named_with_line_and_mend_and_holds_nobody_back(world: World) -> None:
    world.edit("de", "level: co_determination", "level: codetermination")
    world.edit("at", "level: consultation", "level: information")
    result = world.tick(framework_watch)
    assert [request.partition_key for request in result.run_requests] == ["AT"]
    (check,) = result.asset_events
    assert not check.passed
    line = next(
        i
        for i, t in enumerate((world.pack / "jurisdictions" / "de.yaml").read_text().splitlines(), 1)
        if "codetermination" in t
    )
    assert f"de.yaml:{line}:" in check.description
    assert "co_determination" in check.description
    assert world.tick(framework_watch).asset_events == []
    assert world.forge.knows("catalog/DE")


def test_a_mended_file_passes_its_check_again(world: World) -> None:
    world.edit("de", "level: co_determination", "level: codetermination")
    world.tick(framework_watch)
    world.edit("de", "level: codetermination", "level: co_determination")
    result = world.tick(framework_watch)
    assert [(event.passed, event.check_name) for event in result.asset_events] == [(True, "readable")]
    assert not result.run_requests


def test_a_deleted_country_loses_its_partition_and_counts_for_training(world: World) -> None:
    (world.pack / "jurisdictions" / "at.yaml").unlink()
    assert world.watch() == []
    assert world.instance.get_dynamic_partitions("jurisdictions") == ["DE"]
    assert [world.training_asked() for _ in range(2)] == [False, True]


def test_a_country_that_was_deleted_and_comes_back_is_made_again(world: World) -> None:
    file = world.pack / "jurisdictions" / "at.yaml"
    text = file.read_text()
    file.unlink()
    world.watch()
    assert not world.warehouse(), "the tiny profile trains on Austria too"
    file.write_text(text)
    assert world.watch() == [], "a chain that was refused has dropped nothing"
    world.forge.store.keep_only("scenarios.samples", {"DE"})  # as a chain that does without Austria leaves it
    assert world.watch() == ["AT"]
    assert world.warehouse()
    assert set(world.forge.store.read("scenarios.sets")["jurisdictions"].explode()) == {"AT", "DE"}


def test_training_that_failed_is_asked_for_again_only_after_another_edit(world: World) -> None:
    world.edit("de", DEADLINE, "deadline: some day")
    world.watch()
    assert [world.training_asked() for _ in range(4)] == [False, True, False, False]
    world.edit("de", "deadline: some day", DEADLINE)
    world.watch()
    assert [world.training_asked() for _ in range(3)] == [False] * 3, "the report is that of the text as it is again"
    world.edit("de", DEADLINE, "deadline: some day")
    world.watch()
    assert [world.training_asked() for _ in range(3)] == [False, True, False]


def test_training_waits_while_a_country_runs(world: World) -> None:
    world.edit("de", DEADLINE, "deadline: some day")
    world.watch()
    run = world.instance.create_run_for_job(defs.resolve_job_def("country"), status=dg.DagsterRunStatus.STARTED)
    assert not any(world.training_asked() for _ in range(3))
    world.instance.report_run_canceled(run)
    assert [world.training_asked() for _ in range(2)] == [False, True]


def test_a_version_that_failed_is_not_asked_for_again(world: World) -> None:
    world.edit("de", DEADLINE, "deadline: some day")
    assert [r.partition_key for r in world.tick(framework_watch).run_requests] == ["DE"]
    assert not world.tick(framework_watch).run_requests
    assert json.loads(world.cursors["framework_watch"] or "")["asked"].keys() == {"DE"}


@pytest.mark.parametrize(
    "gone",
    [
        "report/index.html",
        "forge.duckdb",
        "tables/benchmark/scores",
        "tables/scenarios/sets",
        "state/benchmark_report.json",
        "state/student_adapter.json",
    ],
)
def test_what_is_no_longer_there_is_made_again(world: World, gone: str) -> None:
    """Up to date is what is there, not what is remembered."""
    path = world.forge.store.root / gone
    if path.is_dir():
        shutil.rmtree(path)
    elif path.suffix == ".json":
        path.write_text(path.read_text()[:40])
    else:
        path.unlink()
    if gone == "state/benchmark_report.json":  # the sensor leaves a first chain to a person
        assert chain_made_from(world.forge) is None
    else:
        assert sum(world.training_asked() for _ in range(3)) == 1


def test_a_country_whose_tables_are_gone_runs_again(world: World) -> None:
    shutil.rmtree(world.forge.store.root / "tables" / "catalog" / "statute_units")
    world.cursors.clear()
    assert world.watch() == ["AT", "DE"]
