"""What the two sensors ask for after edits of a real pack. Catalog and scenarios run for real, the chain does not."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from forge_assets.automation import OF_A_CHAIN, chain_made_from, framework_watch, out_of_date, retrain
from forge_assets.benchmark.assets import benchmark_report
from forge_assets.benchmark.record import Report
from forge_assets.catalog.assets import framework_catalog
from forge_assets.catalog.snapshot import CatalogRecord, live_countries
from forge_assets.cli.main import main
from forge_assets.datasets.assets import warehouse
from forge_assets.datasets.fingerprint import WarehouseRecord, fingerprint
from forge_assets.definitions import defs
from forge_assets.delivery.deployment import Deployments
from forge_assets.delivery.record import Delivery
from forge_assets.distillation.records import Student, StudentBase, Teacher, TeacherResponses
from forge_assets.law.country import country_files
from forge_assets.scenarios.freshness import sources
from forge_assets.search.result import SearchResult
from forge_assets.training.base_models import BaseModels
from forge_assets.training.jobs.model_ref import ModelRef
from forge_assets.training.jobs.spec import SftJob
from forge_assets.training.made_from import ChainRecord, MadeFrom, settings
from forge_resources.config.data_folder import PROJECT
from forge_resources.forge import Forge
from forge_resources.launchers.local import LocalLauncher
from forge_resources.storage.tables import TABLES
from tests.delivery.deployments import planted
from tests.helpers import edit_copy, tiered

Odd = Callable[[Path], object]

DEADLINE = "deadline: before the dismissals"


def chain_records(made_from: MadeFrom, page: Path) -> list[ChainRecord]:
    """What a whole chain leaves behind."""
    digest = "a" * 64
    job = SftJob(base=digest, dataset=digest, lora=None, learning_rate=1e-4, batch_size=1, steps=1)
    model = ModelRef.of_training(job, digest)
    named = {"made_from": made_from, "model": model, "untuned": model.untrained(digest), "training": digest}
    return [
        BaseModels(made_from=made_from, models={"tiny-llama": digest}),
        SearchResult(
            made_from=made_from, job=job, dataset=digest, study="s", chosen=0, sentence="It won.", importances={}
        ),
        Teacher(**named),
        TeacherResponses(made_from=made_from),
        StudentBase(made_from=made_from, uncut=digest, cut=None),
        Student(**named, cut=False, reason="Not cut.", compared={}),
        Report(made_from=made_from, page=str(page)),
    ]


class World:
    """A copied pack, a Dagster instance, and the sensors' cursors."""

    def __init__(self, root: Path, instance: dg.DagsterInstance) -> None:
        self.pack = root / "labour"
        self.forge = Forge(data=str(root / "data"), pack=str(self.pack), profile_name="tiny")
        self.instance = instance
        self.cursors: dict[str, str | None] = {}

    def edit(self, code: str, old: str, new: str) -> None:
        path = self.pack / "jurisdictions" / f"{code}.yaml"
        edit_copy(path, path, old, new)

    def quote(self, code: str) -> str:
        """The first quote of a provision that is written on one line."""
        text = (self.pack / "jurisdictions" / f"{code}.yaml").read_text("utf-8")
        provisions = text.split("\nprovisions:", 1)[1]
        return next(
            line.split("quote: ")[1] for line in provisions.splitlines() if "quote: " in line and ">-" not in line
        )

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
        return [code for _, code in self.watch_jobs()]

    def watch_jobs(self) -> list[tuple[str, str]]:
        """Job and jurisdiction of each run that framework_watch asks for; each is then run."""
        asked = [(request.job_name, request.partition_key) for request in self.tick(framework_watch).run_requests or []]
        for name, code in asked:
            job = defs.resolve_job_def(name)
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
        """What the chain leaves behind."""
        made_from = MadeFrom(fingerprint=fingerprint(self.forge), sets="drawn", settings=settings(self.forge))
        for table in OF_A_CHAIN:
            self.forge.store.write(table, TABLES[table].empty())
        page = self.forge.store.root / "report" / "index.html"
        page.parent.mkdir(exist_ok=True)
        page.write_text("<p>A report.</p>", "utf-8")
        self.forge.store.publish()
        self.forge.save(WarehouseRecord(fingerprint=made_from.fingerprint, sets=made_from.sets, versions={}))
        scratch = self.forge.store.root / "artefacts"
        scratch.mkdir(exist_ok=True)
        made = planted(Deployments.of(self.forge), scratch, "weights", 1)
        for record in (*chain_records(made_from, page), Delivery(made_from=made_from, digest=made.digest)):
            self.forge.save(record)


def _instance(root: Path) -> dg.DagsterInstance:
    return dg.DagsterInstance.local_temp(str(root / "dagster"), overrides={"telemetry": {"enabled": False}})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of two countries whose catalog and scenarios were run for real; every test changes a copy."""
    root = tmp_path_factory.mktemp("made")
    shutil.copytree(PROJECT / "frameworks" / "labour", root / "labour")
    for path in (root / "labour" / "jurisdictions").glob("*.yaml"):
        if path.stem not in ("at", "de"):
            path.unlink()
    (root / "dagster").mkdir()
    with _instance(root) as instance:
        assert World(root, instance).watch() == ["AT", "DE"]
    return root


@pytest.fixture
def world(tmp_path: Path, made: Path) -> Iterator[World]:
    root = tmp_path / "world"
    shutil.copytree(made, root)
    with _instance(root) as instance:
        world = World(root, instance)
        assert world.watch() == []
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
    world.edit("de", DEADLINE, "deadline: before the dismissals take effect")
    assert world.watch() == ["DE"]
    assert world.watch() == []
    assert [world.training_asked() for _ in range(4)] == [False, True, False, False]


@pytest.mark.slow
def test_a_revert_counts_as_an_edit(world: World) -> None:
    world.edit("de", DEADLINE, "deadline: some day")
    world.watch()
    world.finish_chain()
    world.training_asked()
    world.edit("de", "deadline: some day", DEADLINE)
    assert world.watch() == ["DE"]
    assert [world.training_asked() for _ in range(3)] == [False, True, False]


@pytest.mark.slow
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
        for i, t in enumerate((world.pack / "jurisdictions" / "de.yaml").read_text("utf-8").splitlines(), 1)
        if "codetermination" in t
    )
    assert f"de.yaml:{line}:" in check.description
    assert "co_determination" in check.description
    assert world.tick(framework_watch).asset_events == []
    assert world.forge.find(CatalogRecord, "DE")


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


@pytest.mark.slow
def test_a_country_that_was_deleted_and_comes_back_is_made_again(world: World) -> None:
    file = world.pack / "jurisdictions" / "at.yaml"
    text = file.read_text("utf-8")
    file.unlink()
    world.watch()
    assert not world.warehouse(), "the tiny profile trains on Austria too"
    file.write_text(text, "utf-8")
    assert world.watch() == [], "a chain that was refused has dropped nothing"
    world.forge.store.keep_only("scenarios.samples", {"DE"})  # as a chain that does without Austria leaves it
    assert world.watch() == ["AT"]
    assert world.warehouse()
    assert set(world.forge.store.read("scenarios.sets")["jurisdictions"].explode()) == {"AT", "DE"}


@pytest.mark.slow
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
        "deployments",
    ],
)
def test_what_is_no_longer_there_is_made_again(world: World, gone: str) -> None:
    """Up to date is what is there, not what is remembered."""
    path = world.forge.store.root / gone
    if path.is_dir():
        shutil.rmtree(path)
    elif path.suffix == ".json":
        path.write_text(path.read_text("utf-8")[:40])
    else:
        path.unlink()
    assert chain_made_from(world.forge) is None
    assert sum(world.training_asked() for _ in range(3)) == 1


@pytest.mark.slow
def test_a_country_whose_tables_are_gone_runs_again(world: World) -> None:
    shutil.rmtree(world.forge.store.root / "tables" / "catalog" / "statute_units")
    world.cursors.clear()
    assert world.watch() == ["AT", "DE"]


def replaced(by: Odd) -> Odd:
    """Take the file away and put something else in its place."""

    def apply(path: Path) -> None:
        path.unlink()
        by(path)

    return apply


def unreadable(path: Path) -> None:
    path.chmod(0)


ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")

NO_COUNTRY: dict[str, tuple[str, Odd]] = {
    "an Emacs lock": (".#de.yaml", lambda path: path.symlink_to("somebody@somewhere.1")),
    "a Mac's shadow": ("._de.yaml", lambda path: path.write_bytes(b"\0\5\26\7\0\2")),
    "a hidden country": (".fr.yaml", lambda path: path.write_text("jurisdiction: FR", "utf-8")),
    "a backup": ("de.yaml~", lambda path: path.write_text("jurisdiction: [", "utf-8")),
    "a folder": ("xx.yaml", lambda path: path.mkdir()),
    "a longer name": ("germany.yaml", lambda path: path.write_text("jurisdiction: DE", "utf-8")),
    "capitals": ("FR.yaml", lambda path: path.write_text("jurisdiction: FR", "utf-8")),
    "a loop of folders": ("yy.yaml", lambda path: path.symlink_to(".", target_is_directory=True)),
}

BROKEN: dict[str, tuple[str, Odd, str]] = {
    "Latin-1": ("jurisdictions/at.yaml", lambda path: path.write_bytes(b"name: \xd6sterreich\n"), "1: not UTF-8: save"),
    "empty": (
        "jurisdictions/at.yaml",
        lambda path: path.write_text("", "utf-8"),
        "1: the file is empty: restore its content",
    ),
    "huge": (
        "jurisdictions/at.yaml",
        lambda path: os.truncate(path, 10**12),
        "1: the file has more than 1000000 bytes",
    ),
    "deep": (
        "jurisdictions/at.yaml",
        lambda path: path.write_text("a: " + "[" * 9999, "utf-8"),
        "1: nested too deeply: write",
    ),
    "link to nothing": (
        "jurisdictions/at.yaml",
        replaced(lambda path: path.symlink_to("gone")),
        "1: a link to nothing: restore it, or remove what names it",
    ),
    "link to itself": (
        "jurisdictions/at.yaml",
        replaced(lambda path: path.symlink_to(path.name)),
        "1: cannot be read (too many levels of symbolic links): make it a readable file",
    ),
    "pipe": (
        "jurisdictions/at.yaml",
        replaced(lambda path: os.mkfifo(path)),
        "1: not a regular file: remove it, or put",
    ),
    "statute in Latin-1": ("statutes/at/arbvg.jsonl", lambda path: path.write_bytes(b"{}\n\xa7\n"), "2: not UTF-8"),
    "statute cut off": (
        "statutes/at/arbvg.jsonl",
        lambda path: path.write_text(path.read_text("utf-8")[:-9], "utf-8"),
        "not a statute unit (Unterminated string",
    ),
    "statute empty": (
        "statutes/at/arbvg.jsonl",
        lambda path: path.write_text("", "utf-8"),
        "1: the file is empty",
    ),
    "statute huge": ("statutes/at/arbvg.jsonl", lambda path: os.truncate(path, 10**12), "more than 50000000 bytes"),
    "statute deep": (
        "statutes/at/arbvg.jsonl",
        lambda path: path.write_text('{"law_id": ' + "[" * 100_000, "utf-8"),
        "1: nested too deeply: write one flat JSON object a line",
    ),
    "statute of numbers": (
        "statutes/at/arbvg.jsonl",
        lambda path: path.write_text(
            '{"jurisdiction": 5, "law_id": 1, "unit": 1, "heading": 1, "text": 1, "number": 1}', encoding="utf-8"
        ),
        "1: the unit is of 5:1: keep units of AT:arbvg in this file",
    ),
    "statute with half a letter": (
        "statutes/at/arbvg.jsonl",
        lambda path: path.write_text(path.read_text("utf-8").replace('"text": "', '"text": "\\ud800', 1), "utf-8"),
        "1: not a statute unit (",
    ),
    "statute gone": ("statutes/at/arbvg.jsonl", lambda path: path.unlink(), "1: the statute text is missing: add the"),
    "statute a folder": ("statutes/at/arbvg.jsonl", replaced(lambda path: path.mkdir()), "1: a folder, not a file"),
    "statute a pipe": ("statutes/at/arbvg.jsonl", replaced(lambda path: os.mkfifo(path)), "1: not a regular file"),
    "statute a link to nothing": (
        "statutes/at/arbvg.jsonl",
        replaced(lambda path: path.symlink_to("gone")),
        "1: a link to nothing",
    ),
}


def and_an_edit_is_asked_for(world: World) -> None:
    world.edit("de", DEADLINE, "deadline: some day")
    assert [request.partition_key for request in world.tick(framework_watch).run_requests] == ["DE"]


@pytest.mark.parametrize("name", tiered(NO_COUNTRY, 3))
def test_what_is_no_countrys_file_is_no_country_and_holds_nobody_back(world: World, name: str) -> None:
    file, make = NO_COUNTRY[name]
    make(world.pack / "jurisdictions" / file)
    result = world.tick(framework_watch)
    assert (result.asset_events, result.run_requests, result.dynamic_partitions_requests) == ([], [], [])
    and_an_edit_is_asked_for(world)


@pytest.mark.parametrize("name", tiered(BROKEN, 5))
def test_a_country_that_cannot_be_read_fails_its_check_and_holds_nobody_back(
    world: World, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file, spoil, says = BROKEN[name]
    spoil(world.pack / file)
    result = world.tick(framework_watch)
    (check,) = result.asset_events
    assert (check.check_name, check.passed, check.metadata["jurisdiction"].value) == ("readable", False, "AT")
    assert str(check.description).startswith(f"{world.pack / file}:")
    assert says in check.description
    assert result.dynamic_partitions_requests == [], "it is broken, not deleted"
    assert world.forge.find(CatalogRecord, "AT")
    and_an_edit_is_asked_for(world)
    assert main(["check", str(world.pack)]) == 1
    printed = capsys.readouterr().out
    assert says in printed and "DE: " in printed


@ROOT
def test_a_file_without_permission_is_its_countrys_fault(world: World) -> None:
    unreadable(world.pack / "jurisdictions" / "at.yaml")
    (check,) = world.tick(framework_watch).asset_events
    assert "at.yaml:1: cannot be read (permission denied): make it a readable file" in check.description
    and_an_edit_is_asked_for(world)


def test_a_file_that_goes_between_listing_and_reading_is_its_countrys_fault(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = country_files(world.pack)
    (world.pack / "jurisdictions" / "at.yaml").unlink()
    monkeypatch.setattr("forge_assets.scenarios.freshness.country_files", lambda _: listed)
    (check,) = world.tick(framework_watch).asset_events
    assert "at.yaml:1: the file is missing: restore it" in check.description
    and_an_edit_is_asked_for(world)


@pytest.mark.parametrize(
    ("file", "spoil"),
    [
        ("domain.yaml", lambda path: path.write_text("", "utf-8")),
        ("tasks.yaml", lambda path: path.write_bytes(b"\xff")),
        ("languages/de.yaml", lambda path: path.unlink() or path.mkdir()),
    ],
)
def test_a_fault_of_the_shared_words_stops_everything_and_is_named(world: World, file: str, spoil: Odd) -> None:
    spoil(world.pack / file)
    world.edit("de", DEADLINE, "deadline: some day")
    told = framework_watch(dg.build_sensor_context(instance=world.instance, resources={"forge": world.forge}))
    assert isinstance(told, dg.SkipReason)
    assert f"nothing can run until this is mended: {world.pack / file}:1: " in str(told.skip_message)


def test_a_lock_among_the_languages_is_no_language(world: World) -> None:
    (world.pack / "languages" / ".#en.yaml").symlink_to("somebody@somewhere.1")
    and_an_edit_is_asked_for(world)


def test_a_loop_of_folders_among_the_statutes_is_walked_past(world: World) -> None:
    (world.pack / "statutes" / "at" / "again").symlink_to("..", target_is_directory=True)
    (world.pack / "statutes" / "old.jsonl").symlink_to("gone")
    and_an_edit_is_asked_for(world)


@pytest.mark.parametrize(
    "resaved",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "  \n"),
        lambda text: text.replace("\n", "\t\n"),
        lambda text: f"\ufeff{text}",
        lambda text: text.rstrip("\n"),
    ],
    ids=["CRLF", "spaces at the ends", "tabs at the ends", "byte order mark", "no last line end"],
)
def test_what_an_editor_changes_by_itself_runs_nothing(world: World, resaved: Callable[[str], str]) -> None:
    for file in ("jurisdictions/de.yaml", "jurisdictions/at.yaml", "statutes/de/betrvg.jsonl"):
        path = world.pack / file
        path.write_bytes(resaved(path.read_bytes().decode("utf-8")).encode())
    assert world.watch() == []
    assert not any(world.training_asked() for _ in range(3))


@pytest.mark.slow
def test_a_broken_union_is_named_once_and_its_members_are_catalogued(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    source = PROJECT / "frameworks" / "labour" / "jurisdictions"
    union = world.pack / "jurisdictions" / "eu.yaml"
    before, name, after = (source / "eu.yaml").read_bytes().partition(b"name: ")
    union.write_bytes(before + name + b"\xff" + after)
    place = f"{union.name}:{before.count(bytes([10])) + 1}: not UTF-8"
    shutil.copy(source / "es.yaml", world.pack / "jurisdictions")
    assert world.watch() == ["ES"]
    assert main(["check", str(world.pack)]) == 1
    faults = [line for line in capsys.readouterr().out.splitlines() if ".yaml:" in line]
    assert len(faults) == 1 and place in faults[0]
    assert main(["check", str(world.pack / "jurisdictions" / "es.yaml")]) == 1
    assert place in capsys.readouterr().out


def test_sources_that_cannot_be_read_are_told_and_stop_no_catalog(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (world.pack / "statutes" / "SOURCES.md").write_bytes(b"| de/betrvg.jsonl | \xfc |\n")
    and_an_edit_is_asked_for(world)
    assert main(["check", str(world.pack)]) == 1
    told = [line for line in capsys.readouterr().out.splitlines() if "SOURCES.md:" in line]
    assert len(told) == 1 and "SOURCES.md:1: not UTF-8: save the file as UTF-8" in told[0]


def test_the_names_among_the_countries_that_are_none_are_told_by_check(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (world.pack / "jurisdictions" / "germany.yaml").write_text("jurisdiction: DE\n", "utf-8")
    (world.pack / "jurisdictions" / ".#de.yaml").symlink_to("somebody@somewhere.1")
    assert main(["check", str(world.pack)]) == 1
    told = [line for line in capsys.readouterr().out.splitlines() if "germany" in line or ".#de" in line]
    assert len(told) == 1 and "germany.yaml:1: among the countries, and not named as one's file: name a" in told[0]


def failing(world: World) -> set[tuple[str, str]]:
    """Country and check, where the last evaluation for that country's partition failed: what the UI shows in red."""
    keys = [spec.key for spec in framework_catalog.check_specs]
    found = world.instance.event_log_storage.get_asset_check_partition_info(keys)
    failed = AssetCheckExecutionRecordStatus.FAILED
    return {(one.partition_key, one.check_key.name) for one in found if one.latest_execution_status == failed}


@pytest.mark.slow
def test_a_countrys_failed_check_stays_red_when_another_country_passes(world: World) -> None:
    before = failing(world)
    quote = "quote: " + world.quote("at")
    world.edit("at", quote, "quote: no such words stand there")
    assert world.watch() == ["AT"]
    assert failing(world) - before >= {("AT", "quotes")}
    world.edit("de", DEADLINE, "deadline: some day")
    assert world.watch() == ["DE"]
    assert failing(world) - before >= {("AT", "quotes")}
    world.edit("at", "quote: no such words stand there", quote)
    assert world.watch() == ["AT"]
    assert failing(world) == before


def test_a_file_that_cannot_be_read_is_red_for_its_country_alone(world: World) -> None:
    world.edit("at", "jurisdiction: AT", "jurisdiction: [")
    (check,) = world.tick(framework_watch).asset_events
    assert (check.partition, check.passed) == ("AT", False)


def report_alone(world: World) -> str:
    """Materialise the report alone; what it died of."""
    done = dg.materialize(
        [benchmark_report],
        instance=world.instance,
        resources={"forge": world.forge, "launcher": LocalLauncher()},
        raise_on_error=False,
    )
    (failed,) = [event for event in done.all_events if event.is_step_failure]
    error = failed.step_failure_data.error
    assert error is not None
    return (error.cause or error).message


@pytest.mark.slow
def test_a_report_of_models_that_were_trained_on_other_law_is_refused(world: World) -> None:
    world.edit("de", DEADLINE, "deadline: some day")
    world.watch()
    assert world.warehouse()
    assert chain_made_from(world.forge) is None
    page = Path(world.forge.load(Report).page)
    before = world.forge.load(Report), page.read_text("utf-8")
    said = report_alone(world)
    assert "search_results, teacher_adapter, teacher_responses, student_base, student_adapter came of other" in said
    assert "materialise search_results and all that follows it" in said
    assert (world.forge.load(Report), page.read_text("utf-8")) == before, "the last good report stays as it is"
    assert sum(world.training_asked() for _ in range(3)) == 1


def test_one_model_of_other_law_among_the_rest_is_named(world: World) -> None:
    old = world.forge.load(Student)
    other = old.made_from.model_copy(update={"sets": "other"})
    world.forge.save(old.model_copy(update={"made_from": other}))
    assert "student_adapter came of other samples" in report_alone(world)
    assert chain_made_from(world.forge) is None


def test_models_that_an_older_worker_made_are_out_of_date(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forge_assets.training.made_from.CODE_VERSION", 10**6)
    assert sum(world.training_asked() for _ in range(3)) == 1
    assert "came of another profile, libraries or code" in report_alone(world)


def test_a_record_of_another_form_is_refused_by_name_and_made_again(world: World) -> None:
    path = world.forge.store.root / "state" / "student_adapter.json"
    path.write_text(path.read_text("utf-8").replace('"form": 1', '"form": 0'), "utf-8")
    said = report_alone(world)
    assert f"{path} was written by another version of the program" in said
    assert "materialise student_adapter again" in said
    assert sum(world.training_asked() for _ in range(3)) == 1


@pytest.mark.slow
def test_a_torn_catalog_record_drops_no_country(world: World) -> None:
    path = world.forge.store.root / "state" / "catalog" / "AT.json"
    path.write_text(path.read_text("utf-8")[:100], "utf-8")
    assert world.watch() == ["AT"]
    assert world.forge.find(CatalogRecord, "AT")


def test_an_edit_of_a_unions_law_asks_for_the_chain(world: World) -> None:
    """It has no samples of its own, but those across borders are made from its law, and citations judged by it."""
    shutil.copy(PROJECT / "frameworks" / "labour" / "jurisdictions" / "eu.yaml", world.pack / "jurisdictions")
    assert world.watch() == ["EU"]
    world.finish_chain()
    assert not any(world.training_asked() for _ in range(3))
    world.edit("eu", "name: European Union", "name: Union of Europe")
    assert world.watch() == ["EU"]
    assert sum(world.training_asked() for _ in range(3)) == 1


def test_of_a_country_that_the_profile_asks_nothing_about_only_the_law_is_read(world: World) -> None:
    """Citations of it are judged, so its law is kept; no sample of it is taught, so no model is made again."""
    shutil.copy(PROJECT / "frameworks" / "labour" / "jurisdictions" / "ee.yaml", world.pack / "jurisdictions")
    assert world.watch_jobs() == [("catalog", "EE")]
    assert not world.forge.store.has("scenarios.samples", "EE")
    assert [country.framework.jurisdiction for country in live_countries(world.forge)[1]] == ["AT", "DE", "EE"]
    assert not any(world.training_asked() for _ in range(3))
    world.edit("ee", "name: Estonia", "name: Eesti")
    assert world.watch_jobs() == [("catalog", "EE")]
    assert not any(world.training_asked() for _ in range(3))


@pytest.mark.slow
def test_a_country_that_is_newly_asked_about_is_composed_and_stays_true_afterwards(world: World) -> None:
    shutil.copy(PROJECT / "frameworks" / "labour" / "jurisdictions" / "ee.yaml", world.pack / "jurisdictions")
    assert world.watch_jobs() == [("catalog", "EE")]
    found = sources(world.forge)
    assert out_of_date(world.forge, found) == {}
    assert {code: stale.job for code, stale in out_of_date(world.forge, found, everything=True).items()} == {
        "EE": "country"
    }
    done = defs.resolve_job_def("country").execute_in_process(
        instance=world.instance, partition_key="EE", resources={"forge": world.forge}
    )
    assert done.success
    assert out_of_date(world.forge, found, everything=True) == {}
    world.edit("ee", "name: Estonia", "name: Eesti")
    assert world.watch_jobs() == [("country", "EE")]


@pytest.mark.slow
def test_a_country_whose_statute_table_is_gone_is_not_read_from_its_record(world: World) -> None:
    world.forge.store.keep_only("catalog.statute_units", {"DE"})
    assert [country.framework.jurisdiction for country in live_countries(world.forge)[1]] == ["DE"]
    assert world.watch() == ["AT"]


def test_the_last_report_is_not_shown_with_another_chains_student(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_DATA", world.forge.data)
    monkeypatch.setenv("FORGE_PACK", world.forge.pack)
    old = world.forge.load(Student)
    world.forge.save(old.model_copy(update={"made_from": old.made_from.model_copy(update={"sets": "other"})}))
    assert main(["report"]) == 1
    assert "is of an earlier chain, of which not all is there any more: run `forge run`" in capsys.readouterr().err
