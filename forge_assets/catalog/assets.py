"""Define the asset `framework_catalog`: each country's law, validated against statute text, one partition a country."""

import warnings

import dagster as dg

from forge_assets.catalog.snapshot import save_snapshot
from forge_assets.catalog.tables import catalog_tables
from forge_assets.code_version import code_version
from forge_assets.law.checks.faults import CHECKS, Check, Fault
from forge_assets.law.checks.run import check_country
from forge_assets.law.country import country_files, country_of, read_country_file
from forge_assets.law.loading import load_domain
from forge_assets.law.verification import Verification
from forge_resources.forge import Forge
from forge_resources.storage.table_metadata import row_counts, table_metadata

JURISDICTIONS = dg.DynamicPartitionsDefinition(name="jurisdictions")


def _check_specs() -> list[dg.AssetCheckSpec]:
    """Partitioned as the asset is, or the country that ran last would hide every other one's failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitioned checks are new in Dagster
        return [
            dg.AssetCheckSpec(name, asset="framework_catalog", description=says, partitions_def=JURISDICTIONS)
            for name, says in (CHECKS | {"verified": "Every provision may be taught."}).items()
        ]


@dg.asset(
    partitions_def=JURISDICTIONS,
    group_name="law",
    kinds={"yaml", "polars"},
    owners=["team:legal-engineering"],
    tags={"stage": "law"},
    code_version=code_version("law", "citations", "catalog"),
    metadata=table_metadata("catalog.provisions"),
    check_specs=_check_specs(),
)
def framework_catalog(context: dg.AssetExecutionContext, forge: Forge) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Frameworks, provisions, rules, bodies, escalation and statute units of one jurisdiction."""
    code = context.partition_key
    path = country_files(forge.pack_path).get(code)
    if path is None:
        raise dg.Failure(
            f"no file jurisdictions/{code.lower()}.yaml in {forge.pack}: restore it or delete the partition"
        )
    domain = load_domain(forge.pack_path)
    file = read_country_file(forge.pack_path, domain, path)
    country = country_of(domain, file)
    tables = catalog_tables(country)
    for table, rows in tables.items():
        forge.store.write(table, rows, code)
    save_snapshot(forge, country)
    faults = check_country(forge.pack_path, domain, file)
    unproven = {name: found for name, found in country.checked.items() if found.status != "verified"}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(country.version),
        metadata=row_counts("catalog.provisions", {table: rows.height for table, rows in tables.items()})
        | {
            "rules": len(country.checked) - len(country.framework.provisions),
            "verified": len(country.checked) - len(unproven),
            "laws": ", ".join(f"{law.short} (text of {law.text_as_of})" for law in country.framework.laws),
        },
        check_results=[*(_check(name, faults) for name in CHECKS), _verified(unproven)],
    )


def _check(name: Check, faults: list[Fault]) -> dg.AssetCheckResult:
    found = [fault for fault in faults if fault.check == name]
    return dg.AssetCheckResult(
        check_name=name,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=str(found[0]) if found else None,
        metadata={"faults": dg.MetadataValue.md("\n".join(f"- {fault}" for fault in found))} if found else {},
    )


def _verified(unproven: dict[str, Verification]) -> dg.AssetCheckResult:
    lines = [f"- {name}: {found.status} {'; '.join(found.problems)}" for name, found in unproven.items()]
    return dg.AssetCheckResult(
        check_name="verified",
        passed=not unproven,
        severity=dg.AssetCheckSeverity.WARN,
        description="Provisions that are shown but never taught" if unproven else None,
        metadata={"not verified": dg.MetadataValue.md("\n".join(lines))} if lines else {},
    )
