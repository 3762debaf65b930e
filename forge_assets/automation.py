"""The two sensors: an edited framework runs its own partition, and settled edits run the training chain once.

Both look at levels, not at events: what is out of date is read from disk each time, so no edit is lost, a burst of
edits is one training, and a comment is none. State lies in the cursor, because a run key would swallow a revert.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg

from forge_assets.benchmark.record import Report
from forge_assets.catalog.assets import JURISDICTIONS
from forge_assets.catalog.snapshot import CatalogRecord
from forge_assets.datasets.fingerprint import WarehouseRecord, fingerprint
from forge_assets.delivery.deployment import Deployments
from forge_assets.delivery.record import Delivery
from forge_assets.distillation.records import Student, StudentBase, Teacher, TeacherResponses
from forge_assets.scenarios.freshness import ScenariosRecord, Sources, is_composed, sources
from forge_assets.search.result import SearchResult
from forge_assets.training.base_models import BaseModels
from forge_assets.training.made_from import ChainRecord, settings
from forge_resources.config.strict_yaml import SourceError
from forge_resources.forge import Forge
from forge_resources.storage.canonical_json import digest

CHAIN = (
    "warehouse",
    "base_models",
    "search_results",
    "teacher_adapter",
    "teacher_responses",
    "student_base",
    "student_adapter",
    "benchmark_report",
    "deployment",
)

# What must be there of a country, and of a whole chain: what was removed is made again, and so is a torn record.
OF_A_CATALOG = ("catalog.statute_units",)
OF_A_COUNTRY = (*OF_A_CATALOG, "scenarios.scenarios", "scenarios.samples")
OF_A_CHAIN = (
    "scenarios.sets",
    "search.trials",
    "search.answers",
    "distillation.teacher_responses",
    "benchmark.answers",
    "benchmark.scores",
)
RECORDS: tuple[type[ChainRecord], ...] = (
    BaseModels,
    SearchResult,
    Teacher,
    TeacherResponses,
    StudentBase,
    Student,
    Report,
    Delivery,
)

catalog_job = dg.define_asset_job(
    "catalog",
    dg.AssetSelection.assets("framework_catalog"),
    description="One jurisdiction's catalog alone, of a country that the profile asks nothing about.",
)
country_job = dg.define_asset_job(
    "country",
    dg.AssetSelection.assets("framework_catalog", "scenario_dataset"),
    description="One jurisdiction's catalog and scenarios.",
)
chain_job = dg.define_asset_job(
    "chain",
    dg.AssetSelection.assets(*CHAIN),
    tags={"forge/job": "chain"},
    description="From the warehouse to the deployment.",
)
search_job = dg.define_asset_job(
    "search",
    dg.AssetSelection.assets("search_results"),
    description="The hyper-parameter search alone. Several runs at once share its trials.",
)

ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class Stale(NamedTuple):
    """What of a country is out of date.

    Attributes:
        job: `country`, or `catalog` where no samples are wanted of it.
        version: that the file has now.
    """

    job: str
    version: str


def out_of_date(forge: Forge, found: Sources, everything: bool = False) -> dict[str, Stale]:
    """Find the countries whose samples, or whose catalog alone, are not of what their files say now, or are gone.

    Samples are wanted of the countries that the profile asks about; those that are there of others are kept true.
    The warehouse removes the samples of a country that was deleted: one that comes back has none.

    Args:
        everything: samples of every country are wanted.
    """
    stale = {}
    for code, version in found.versions.items():
        record = forge.find(ScenariosRecord, code)
        if everything or record or is_composed(forge, code):
            there = all(forge.store.has(table, code) for table in OF_A_COUNTRY)
            if not (there and record and record.source == version and forge.find(CatalogRecord, code)):
                stale[code] = Stale("country", version)
            continue
        law = forge.find(CatalogRecord, code)
        there = all(forge.store.has(table, code) for table in OF_A_CATALOG)
        if not (there and law and law.version == found.laws[code]):
            stale[code] = Stale("catalog", found.laws[code])
    return stale


def chain_wanted(forge: Forge) -> str:
    """Digest of what the last chain should have been made from."""
    return digest([fingerprint(forge), settings(forge)])


def chain_made_from(forge: Forge) -> str | None:
    """Digest of what the last whole chain was made from.

    None before the first, where something of it is no longer there, and where its parts came of different things.
    """
    warehouse, report = forge.find(WarehouseRecord), forge.find(Report)
    if not (warehouse and report):
        return None
    made = report.made_from
    parts = [record.made_from if record else None for record in map(forge.find, RECORDS)]
    drawn = (warehouse.fingerprint, warehouse.sets) == (made.fingerprint, made.sets)
    there = Path(report.page).is_file() and forge.store.database.is_file() and all(map(forge.store.has, OF_A_CHAIN))
    delivered = forge.find(Delivery)
    kept = delivered is not None and Deployments.of(forge).is_whole(delivered.digest)
    whole = drawn and there and kept and all(part == made for part in parts)
    return digest([made.fingerprint, made.settings]) if whole else None


def is_running(instance: dg.DagsterInstance, job: str) -> bool:
    """Whether a run of the job is queued or under way."""
    return bool(instance.get_run_records(dg.RunsFilter(job_name=job, statuses=ACTIVE), limit=1))


@dg.sensor(jobs=[country_job, catalog_job], minimum_interval_seconds=5, default_status=dg.DefaultSensorStatus.RUNNING)
def framework_watch(context: dg.SensorEvaluationContext, forge: Forge) -> dg.SensorResult | dg.SkipReason:
    """One run per changed jurisdiction; adds and removes partitions; a broken file fails `readable` and waits."""
    try:
        found = sources(forge)
    except SourceError as error:
        return dg.SkipReason(f"nothing can run until this is mended: {error}")
    cursor = json.loads(context.cursor or '{"asked": {}, "broken": {}}')
    stale = out_of_date(forge, found)
    # A version that was asked for and failed is not asked for again: a person looks at the failed run first.
    changed = {code: one for code, one in stale.items() if cursor["asked"].get(code) != one.version}
    on_disk, known = {*found.versions, *found.broken}, set(context.instance.get_dynamic_partitions("jurisdictions"))
    partitions: list[Any] = []
    if added := sorted(on_disk - known):
        partitions.append(JURISDICTIONS.build_add_request(added))
    if removed := sorted(known - on_disk):
        partitions.append(JURISDICTIONS.build_delete_request(removed))
    asked = {code: version for code, version in cursor["asked"].items() if code in stale}
    asked |= {code: one.version for code, one in changed.items()}
    turned = [code for code in on_disk if cursor["broken"].get(code) != found.broken.get(code)]
    return dg.SensorResult(
        run_requests=[dg.RunRequest(job_name=one.job, partition_key=code) for code, one in sorted(changed.items())],
        dynamic_partitions_requests=partitions,
        asset_events=[_readable(code, found.broken.get(code)) for code in sorted(turned)],
        cursor=json.dumps({"asked": asked, "broken": found.broken}),
    )


def _readable(code: str, problem: str | None) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("framework_catalog"),
        check_name="readable",
        passed=problem is None,
        description=problem or f"{code} can be read again",
        metadata={"jurisdiction": code},
        partition=code,
    )


@dg.sensor(job=chain_job, minimum_interval_seconds=10, default_status=dg.DefaultSensorStatus.RUNNING)
def retrain(context: dg.SensorEvaluationContext, forge: Forge) -> dg.SensorResult | dg.SkipReason:
    """Requests the chain once edits have settled and nothing runs that would change or share its inputs."""
    if not forge.has(Report):
        return dg.SkipReason("no chain was run yet: start with `make forge`, or materialise everything in the UI")
    wanted = chain_wanted(forge)
    cursor = json.loads(context.cursor or '{"seen": null, "asked": null}')
    if chain_made_from(forge) == wanted:
        return _wait("the report is up to date", {"seen": wanted, "asked": None})
    if cursor["asked"] == wanted:
        return _wait("requested already; if that run failed or was cancelled, re-execute it", cursor)
    for job in ("catalog", "country", "chain"):
        if is_running(context.instance, job):
            return _wait(f"a {job} run is under way", {**cursor, "seen": None})
    if cursor["seen"] != wanted:
        return _wait("edits are settling", {**cursor, "seen": wanted})
    return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=json.dumps({"seen": wanted, "asked": wanted}))


def _wait(reason: str, cursor: dict[str, Any]) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=dg.SkipReason(reason), cursor=json.dumps(cursor))
