"""Define the asset `scenario_dataset`: one country's scenarios and the samples composed from them."""

import dagster as dg

from forge_assets.catalog.assets import JURISDICTIONS
from forge_assets.catalog.snapshot import live_country
from forge_assets.code_version import code_version
from forge_assets.law.country import Country
from forge_assets.law.loading import load_domain
from forge_assets.law.model import Framework
from forge_assets.scenarios.composition.judged_cells import Volume
from forge_assets.scenarios.composition.single_country import LawLineage, compose_country
from forge_assets.scenarios.freshness import ScenariosRecord, source_version
from forge_assets.scenarios.pack.files import load_pack
from forge_resources.forge import Forge
from forge_resources.presentation.markdown import markdown
from forge_resources.storage.table_metadata import row_counts, table_metadata


def asked_framework(forge: Forge, country: Country) -> Framework:
    """Select the provisions of a country that the profile's scenarios ask about."""
    return country.framework.core() if forge.profile.provisions == "core" else country.framework


def profile_volume(forge: Forge) -> Volume:
    """Return how much the profile composes."""
    return Volume(forge.profile.data.draws, forge.profile.data.kept)


@dg.asset(
    partitions_def=JURISDICTIONS,
    deps=["framework_catalog"],
    group_name="scenarios",
    kinds={"polars"},
    owners=["team:data-engineering"],
    tags={"stage": "data"},
    code_version=code_version("law", "citations", "catalog", "scenarios"),
    metadata=table_metadata("scenarios.samples"),
)
def scenario_dataset(context: dg.AssetExecutionContext, forge: Forge) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Scenarios of one jurisdiction and the samples composed from them."""
    code = context.partition_key
    domain = load_domain(forge.pack_path)
    country = live_country(forge, domain, code)
    pack = load_pack(forge.pack_path, domain)
    law = LawLineage.of([country], forge.profile.taught)
    scenarios, samples = compose_country(domain, pack, asked_framework(forge, country), law, profile_volume(forge))
    forge.store.write("scenarios.scenarios", scenarios, code)
    forge.store.write("scenarios.samples", samples, code)
    version = forge.store.version("scenarios.samples", code)
    forge.save(ScenariosRecord(version=version, source=source_version(forge, pack, country)), code)
    splits = dict(samples.group_by("split").len().sort("split").iter_rows())
    counts = samples.group_by("variant", "task_type").len().pivot(on="task_type", index="variant", values="len")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(version),
        metadata=row_counts(
            "scenarios.samples", {"scenarios.scenarios": scenarios.height, "scenarios.samples": samples.height}
        )
        | {
            **splits,
            "by variant and task": dg.MetadataValue.md(markdown(counts.sort("variant"))),
        },
    )
