"""What Dagster shows of an asset that writes tables: name, columns with their comments, and rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from forge_resources.storage.tables import TABLES


def table_metadata(name: str) -> dict[str, Any]:
    """Describe a declared table for an asset's definition: table name and column schema, under Dagster's own keys."""
    table = TABLES[name]
    columns = [
        dg.TableColumn(column, str(declared.type), description=declared.comment)
        for column, declared in table.columns.items()
    ]
    return {"dagster/table_name": name, "dagster/column_schema": dg.TableSchema(columns), "grain": table.grain}


def row_counts(first: str, rows: Mapping[str, int]) -> dict[str, Any]:
    """Say how many rows a materialisation wrote.

    Args:
        first: the table that the asset's definition describes, whose rows Dagster plots.
        rows: table to its rows, every table that was written.
    """
    counts = {f"rows of {name}": count for name, count in rows.items() if name != first}
    return {"dagster/row_count": rows[first], **counts}
