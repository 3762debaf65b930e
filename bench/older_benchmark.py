"""Ask a model of this chain the benchmark of an earlier chain, whose tables lie in another data folder.

Run: FORGE_PROFILE=cpu python -m bench.older_benchmark OLDER_DATA_FOLDER [--model student] [--out FILE]
Questions, due citations and levels are those of then. Answers are decoded greedily, and scored by those metrics of now
that need no more. Prints their means with intervals; `--out` writes every question with its answer.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import polars as pl

from bench.plain_questions import MEANS, answered, chosen_model
from forge_assets.catalog.snapshot import live_countries
from forge_assets.citations.law_index import law_index
from forge_assets.datasets.roles import messages
from forge_assets.scenarios.pack.files import load_pack
from forge_assets.scenarios.pack.language import ENGLISH
from forge_assets.scoring.bootstrap import clustered_mean
from forge_assets.scoring.metrics import METRICS
from forge_assets.scoring.score import score
from forge_assets.training.models.makers import MAKERS
from forge_resources.config.chosen import pack_folder
from forge_resources.forge import Forge

SCORED = (
    "citation_f1",
    "citation_precision",
    "citation_recall",
    "structure",
    "level",
    "clean",
    "fabricated_rate",
    "wrong_country_rate",
    "repeats",
)


def main() -> None:
    """Ask, score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("older", type=Path, metavar="OLDER_DATA_FOLDER")
    parser.add_argument("--model", default="student", help="a model of the chain, or digests: BASE or BASE:ADAPTER")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    forge = Forge.from_environment(MAKERS)
    domain, countries = live_countries(forge)
    levels = load_pack(pack_folder(), domain).answers[ENGLISH].level_words
    sets = pl.read_parquet(given.older / "tables" / "scenarios" / "sets" / "**" / "*.parquet")
    asked = sets.filter((pl.col("role") == "benchmark") & (pl.col("language") == ENGLISH)).sort("position")
    rows: list[dict[str, Any]] = [
        row
        | {"level_words": [{"level": level, "said": list(said)} for level, said in levels.items()]}
        | {"expected_fields": [], "output_schema": ""}
        for row in asked.iter_rows(named=True)
    ]
    prompts = [{"sample_id": row["sample_id"], "prompt": messages(row)} for row in rows]
    answers = answered(forge, chosen_model(forge, given.model), prompts, "an older benchmark")
    laws = law_index(domain, list(countries))
    scores = {row["sample_id"]: score(answers[row["sample_id"]], row, laws) for row in rows}
    print("\n".join(MEANS))
    for name in SCORED:
        found = {sample: each[name] for sample, each in scores.items() if name in each}
        mean = clustered_mean(list(found.values()), list(found))
        print(f"| {METRICS[name].label} | {mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}] | {mean.items} |")
    if given.out:
        told = [f"## {row['sample_id']}\n\n{row['prompt']}\n\n{answers[row['sample_id']]}\n" for row in rows]
        given.out.write_text("\n".join(told), "utf-8")


if __name__ == "__main__":
    main()
