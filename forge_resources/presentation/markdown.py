"""Frames as Markdown tables, for Dagster metadata."""

from __future__ import annotations

import polars as pl


def markdown(frame: pl.DataFrame) -> str:
    """Every row and column, untruncated."""
    with pl.Config(
        tbl_formatting="MARKDOWN",
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        tbl_rows=-1,
        tbl_cols=-1,
        fmt_str_lengths=1000,
        tbl_width_chars=10000,
    ):
        return str(frame)
