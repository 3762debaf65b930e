"""Define the asset `warehouse`: cross-border samples, and the sets drawn from all samples."""

import dagster as dg
import polars as pl

from forge_assets.catalog.snapshot import live_codes, live_countries
from forge_assets.code_version import code_version
from forge_assets.datasets.fingerprint import WarehouseRecord, fingerprint
from forge_assets.datasets.frozen_core import load_core
from forge_assets.datasets.leakage import leakage
from forge_assets.datasets.roles import HELD_OUT, draw_sets, short_of
from forge_assets.scenarios.assets import asked_framework, profile_volume
from forge_assets.scenarios.composition.cross_border import compose_cross_border
from forge_assets.scenarios.composition.single_country import LawLineage
from forge_assets.scenarios.freshness import is_composed
from forge_assets.scenarios.pack.files import load_pack
from forge_resources.forge import Forge
from forge_resources.presentation.markdown import markdown
from forge_resources.storage.table_metadata import row_counts, table_metadata
from forge_resources.storage.tables import TABLES

CROSS_BORDER = "cross_border"


@dg.asset(
    deps=[dg.AssetDep("scenario_dataset", partition_mapping=dg.AllPartitionMapping())],
    check_specs=[
        dg.AssetCheckSpec("no_leakage", asset="warehouse", blocking=True),
        dg.AssetCheckSpec("core_is_whole", asset="warehouse"),
    ],
    group_name="scenarios",
    kinds={"duckdb", "polars"},
    owners=["team:data-engineering"],
    tags={"stage": "data"},
    code_version=code_version("law", "citations", "catalog", "scenarios", "datasets"),
    metadata=table_metadata("scenarios.sets"),
)
def warehouse(context: dg.AssetExecutionContext, forge: Forge) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Samples on several countries' law, the training, validation and benchmark sets, and `forge.duckdb`."""
    made_from = fingerprint(forge)
    domain, countries = live_countries(forge)
    compared = [
        c
        for c in countries
        if c.framework.members or c.framework.jurisdiction in (forge.profile.jurisdictions or live_codes(forge))
    ]
    pack, law = load_pack(forge.pack_path, domain), LawLineage.of(countries, forge.profile.taught)
    scenarios, samples = compose_cross_border(
        domain, pack, [asked_framework(forge, c) for c in compared], law, profile_volume(forge)
    )
    codes = [c.framework.jurisdiction for c in countries]
    made = [code for code in codes if is_composed(forge, code) and forge.store.has("scenarios.samples", code)]
    everything = pl.concat([*(forge.store.read("scenarios.samples", code) for code in made), samples])
    core = load_core(forge.pack_path)
    sets = draw_sets(everything, forge.profile, codes, core)  # refuses before anything is written
    forge.drop(WarehouseRecord)
    forge.store.write("scenarios.scenarios", scenarios, CROSS_BORDER)
    forge.store.write("scenarios.samples", samples, CROSS_BORDER)
    for table in ("scenarios.scenarios", "scenarios.samples"):
        forge.store.keep_only(table, {*codes, CROSS_BORDER})
    for table in (name for name in TABLES if name.startswith("catalog.")):
        forge.store.keep_only(table, set(codes))
    forge.store.write("scenarios.sets", sets)
    forge.store.publish()
    versions = {country.framework.jurisdiction: country.version for country in countries}
    drawn = forge.store.version("scenarios.sets", "all")
    forge.save(WarehouseRecord(fingerprint=made_from, sets=drawn, versions=versions))
    short = short_of(sets, forge.profile)
    for sentence in short:
        context.log.warning(sentence)
    sizes = dict(sets.group_by("role").len().sort("role").iter_rows())
    counts = everything.group_by("task_type", "split").len().pivot(on="split", index="task_type", values="len")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(made_from),
        metadata=row_counts("scenarios.sets", {"scenarios.samples": everything.height, "scenarios.sets": sets.height})
        | {
            **sizes,
            **({"short of": " ".join(f"{sentence}." for sentence in short)} if short else {}),
            "by task and split": dg.MetadataValue.md(markdown(counts.sort("task_type"))),
            "database": dg.MetadataValue.path(forge.store.database),
        },
        check_results=[_no_leakage(sets), _core_is_whole(sets, len(core))],
    )


def _no_leakage(sets: pl.DataFrame) -> dg.AssetCheckResult:
    """Whether a training prompt equals or nearly equals one that is held out: nothing is trained on such sets."""
    held_out = sets.filter(pl.col("role").is_in(HELD_OUT)).unique("sample_id", maintain_order=True)
    found = leakage(sets.filter(pl.col("role") == "train"), held_out)
    return dg.AssetCheckResult(
        check_name="no_leakage",
        passed=found.clean,
        metadata={
            "training prompts": found.taught,
            "held-out prompts": found.held_out,
            "exact": found.exact.flagged,
            "same scenario": found.scenario.flagged,
            "13-gram containment, highest": found.ngram.maximum,
            "3-shingle Jaccard, highest": found.near.maximum,
            "nearest pairs": dg.MetadataValue.md(markdown(found.pairs.head(5))),
        },
    )


def _core_is_whole(sets: pl.DataFrame, size: int) -> dg.AssetCheckResult:
    """Whether every question of the frozen core is still composed; a profile with few countries has few of them."""
    held = sets.filter(pl.col("role") == "core").height
    return dg.AssetCheckResult(
        check_name="core_is_whole",
        passed=held == size,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"frozen questions": size, "composed": held},
    )
