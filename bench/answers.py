"""Count and measure composed answers by task, depth and language, and print one of each to be read.

    python bench/scenarios.py --samples 100000 --keep FOLDER
    python bench/answers.py FOLDER [--print DE FR ES AT SE]

FOLDER is a store's folder: `tables/scenarios/samples/*.parquet` under it. Prints Markdown: for each task and depth how
many samples there are, and the median and the 95th percentile of the words of their answers; for each language of the
answers the same; with `--print`, one question with its answer of each task and depth for each country named, in the
country's language where there is one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from forge_resources.presentation.markdown import markdown

WORDS = pl.col("response").str.split(" ").list.len()
DEPTH = pl.col("depth").replace_strict({"note": 0, "advice": 1, "memo": 2}, return_dtype=pl.Int64)


def main() -> None:
    """Print the tables, and what is to be read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--print", nargs="+", default=[], metavar="COUNTRY", dest="printed")
    given = parser.parse_args()
    samples = pl.read_parquet(given.folder / "tables" / "scenarios" / "samples" / "*.parquet")
    for keys in (["task_type", "depth"], ["answer_language", "depth"], ["register", "language"]):
        print(markdown(_measured(samples, keys)), end="\n\n")
    for country in given.printed:
        for row in _one_of_each(samples, country).iter_rows(named=True):
            print(f"### {country} · {row['task_type']} · {row['depth']}\n\n```text\n{row['prompt']}\n```\n")
            print(f"```text\n{row['response']}\n```\n")


def _measured(samples: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    measured = samples.with_columns(WORDS.alias("words"))
    table = measured.group_by(keys).agg(
        pl.len().alias("samples"),
        pl.col("words").median().cast(pl.Int64).alias("median words"),
        pl.col("words").quantile(0.95).cast(pl.Int64).alias("95% within"),
    )
    return table.sort(keys[0], DEPTH if "depth" in keys else pl.col(keys[1]))


def _one_of_each(samples: pl.DataFrame, country: str) -> pl.DataFrame:
    here = samples.filter(pl.col("jurisdictions").list.first() == country)
    own = (pl.col("answer_language") != "en").cast(pl.Int64)
    ranked = here.sort(own, pl.col("variant") == "plain", pl.col("question_id"), descending=[True, True, False])
    return ranked.unique(["task_type", "depth"], keep="first", maintain_order=True).sort("task_type", DEPTH)


if __name__ == "__main__":
    main()
