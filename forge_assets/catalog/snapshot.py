"""Store and read the last valid version of each country, which everything downstream works from."""

from __future__ import annotations

from typing import Any

from forge_assets.catalog.tables import statutes_of_table
from forge_assets.law.country import Country, checked_country, country_files
from forge_assets.law.loading import load_domain
from forge_assets.law.model import Domain, Framework
from forge_resources.forge import Forge
from forge_resources.storage.record import Record


class CatalogRecord(Record):
    """A country's last good version."""

    asset = "catalog"

    version: str
    framework: dict[str, Any]
    """The validated framework, as JSON by its aliases."""


def save_snapshot(forge: Forge, country: Country) -> None:
    """Store a country's version as its last valid one."""
    model = country.framework.model_dump(mode="json", by_alias=True)
    forge.save(CatalogRecord(version=country.version, framework=model), country.framework.jurisdiction)


def live_codes(forge: Forge) -> list[str]:
    """List countries in the catalog whose file still exists, in code order."""
    return [
        code
        for code in country_files(forge.pack_path)
        if forge.store.has("catalog.statute_units", code) and forge.find(CatalogRecord, code)
    ]


def live_country(forge: Forge, domain: Domain, code: str) -> Country:
    """Read a country's last valid version.

    Raises:
        NotMaterialised: it was never catalogued.
    """
    framework = Framework.model_validate(forge.load(CatalogRecord, code).framework)
    units = forge.store.read("catalog.statute_units", code)
    return checked_country(domain, framework, statutes_of_table(framework, units))


def live_countries(forge: Forge) -> tuple[Domain, list[Country]]:
    """Read the domain and the last valid version of every live country."""
    domain = load_domain(forge.pack_path)
    return domain, [live_country(forge, domain, code) for code in live_codes(forge)]
