"""Serialize the law index as rows, from which a worker on another machine builds the same index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from forge_assets.citations.law_index import LawIndex
from forge_assets.law.country import Country
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import Statutes, StatuteUnit


def law_rows(domain: Domain, countries: Sequence[Country], jurisdictions: Sequence[str] | None) -> list[dict[str, Any]]:
    """List the domain, then each country's framework and the statute text held of it, as rows.

    Args:
        jurisdictions: countries wanted; unions of countries always come too. None: all.

    Returns:
        Rows that are the same after a way through JSON: `kind` is domain, framework or unit.
    """
    wanted = [
        c
        for c in countries
        if jurisdictions is None or c.framework.members or c.framework.jurisdiction in jurisdictions
    ]
    rows: list[dict[str, Any]] = [{"kind": "domain", **domain.model_dump(mode="json", by_alias=True)}]
    for country in wanted:
        framework = country.framework
        rows.append({"kind": "framework", **framework.model_dump(mode="json", by_alias=True)})
        rows += [
            {"kind": "unit", "jurisdiction": framework.jurisdiction, **_unit(unit)}
            for units in country.statutes.values()
            for unit in units.values()
        ]
    return rows


def read_laws(rows: Iterable[Mapping[str, Any]]) -> LawIndex:
    """Rebuild the index that `law_rows` was written from.

    Raises:
        ValueError: a row is none of `law_rows`, or there is no domain among them.
    """
    domain: Domain | None = None
    frameworks: dict[str, Framework] = {}
    statutes: dict[str, Statutes] = {}
    for row in rows:
        said = {name: value for name, value in row.items() if name != "kind"}
        if row.get("kind") == "domain":
            domain = Domain.model_validate(said)
        elif row.get("kind") == "framework":
            framework = Framework.model_validate(said)
            frameworks[framework.jurisdiction] = framework
            statutes[framework.jurisdiction] = {law.id: {} for law in framework.laws}
        elif row.get("kind") == "unit":
            code, law_id = said.pop("jurisdiction"), said["law_id"]
            held = next(law for law in frameworks[code].laws if law.id == law_id)
            unit = StatuteUnit(**said, layout=held.layout or frameworks[code].layout)
            statutes[code][law_id][unit.number] = unit
        else:
            raise ValueError(f"a law row of kind {row.get('kind')!r}: make the rows with law_rows")
    if domain is None:
        raise ValueError("the law rows hold no domain: make them with law_rows")
    return LawIndex.build(domain, list(frameworks.values()), statutes)


def _unit(unit: StatuteUnit) -> dict[str, str]:
    """A unit's own fields; its layout is the framework's."""
    return {name: value for name, value in asdict(unit).items() if name != "layout"}
