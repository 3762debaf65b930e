"""scenario_dataset: one country's scenarios and samples. warehouse: all of them, the sets drawn from them, DuckDB."""

import time

import dagster as dg
import polars as pl

from forge_assets.law.assets import JURISDICTIONS
from forge_assets.law.catalog import TABLES
from forge_assets.law.country import Country
from forge_assets.law.live import live_codes, live_countries, live_country
from forge_assets.law.load import load_domain
from forge_assets.law.model import Framework
from forge_assets.scenarios.comments import COMMENTS
from forge_assets.scenarios.compose import compose, compose_cross_border
from forge_assets.scenarios.freshness import fingerprint, source_version
from forge_assets.scenarios.pack import load_pack
from forge_assets.scenarios.sets import draw_sets
from forge_resources.forge import Forge
from forge_resources.markdown import markdown

BORDERS = "cross_border"


def asked(forge: Forge, country: Country) -> Framework:
    """The provisions of a country that the profile's scenarios ask about."""
    return country.framework.core() if forge.profile.provisions == "core" else country.framework


@dg.asset(partitions_def=JURISDICTIONS, deps=["framework_catalog"], group_name="scenarios", kinds={"polars"})
def scenario_dataset(context: dg.AssetExecutionContext, forge: Forge) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Scenarios of one jurisdiction and the samples composed from them."""
    code = context.partition_key
    domain = load_domain(forge.pack_path)
    country = live_country(forge, domain, code)
    pack = load_pack(forge.pack_path, domain)
    scenarios, samples = compose(domain, pack, asked(forge, country), country.statuses, country.version)
    forge.store.write("scenarios.scenarios", scenarios, code)
    forge.store.write("scenarios.samples", samples, code)
    version = forge.store.version("scenarios.samples", code)
    forge.remember(f"scenarios/{code}", {"version": version, "source": source_version(forge, pack, country)})
    splits = dict(samples.group_by("split").len().sort("split").iter_rows())
    return dg.MaterializeResult(
        data_version=dg.DataVersion(version),
        metadata={"scenarios": scenarios.height, "samples": samples.height, **splits},
    )


@dg.asset(
    deps=[dg.AssetDep("scenario_dataset", partition_mapping=dg.AllPartitionMapping())],
    group_name="scenarios",
    kinds={"duckdb", "polars"},
)
def warehouse(forge: Forge) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Cross-border samples, the training, validation and benchmark sets, and `forge.duckdb` for analysts."""
    made_from = fingerprint(forge)
    domain, countries = live_countries(forge)
    compared = [c for c in countries if c.framework.jurisdiction in (forge.profile.jurisdictions or live_codes(forge))]
    scenarios, samples = compose_cross_border(
        domain,
        load_pack(forge.pack_path, domain),
        [asked(forge, c) for c in compared],
        {name: status for c in countries for name, status in c.statuses.items()},
        {c.framework.jurisdiction: c.version for c in countries},
    )
    codes = [c.framework.jurisdiction for c in countries]
    made = [code for code in codes if forge.store.has("scenarios.samples", code)]
    everything = pl.concat([*(forge.store.read("scenarios.samples", code) for code in made), samples])
    sets = draw_sets(everything, forge.profile, codes)  # refuses before anything is written
    forge.store.write("scenarios.scenarios", scenarios, BORDERS)
    forge.store.write("scenarios.samples", samples, BORDERS)
    for table in ("scenarios.scenarios", "scenarios.samples"):
        forge.store.keep_only(table, {*codes, BORDERS})
    for table in TABLES:
        forge.store.keep_only(f"catalog.{table}", set(codes))
    forge.store.write("scenarios.sets", sets)
    forge.store.publish(COMMENTS)
    forge.remember("warehouse", {"fingerprint": made_from, "at": time.time()})
    sizes = dict(sets.group_by("role").len().sort("role").iter_rows())
    counts = everything.group_by("task_type", "split").len().pivot(on="split", index="task_type", values="len")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(made_from),
        metadata={
            "samples": everything.height,
            **sizes,
            "by task and split": dg.MetadataValue.md(markdown(counts.sort("task_type"))),
            "database": dg.MetadataValue.path(forge.store.database),
        },
    )
