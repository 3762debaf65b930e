"""Name the columns of a question on several countries: one set of columns a site, home first."""

from __future__ import annotations

import polars as pl

SITES = ("", "@1", "@2", "@3")
"""Marks of the columns of each site: home, then up to three others."""


def place_of(mark: str) -> str:
    """Name the column that holds the country of a site."""
    return f"country{mark}" if mark else "home"


def sites_in(rows: pl.DataFrame) -> list[str]:
    """List the marks of the sites that the rows have columns for."""
    return [mark for mark in SITES if place_of(mark) in rows.columns]
