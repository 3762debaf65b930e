"""The pictures of the last search of a data folder, and its trials as a table, written for people to look at.

FORGE_PROFILE=cpu-search FORGE_DATA=... python -m bench.search_pictures FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from forge_assets.search.figures.figure_set import pictures
from forge_assets.search.figures.wording import format_name, format_value, parse_changes, parse_config
from forge_assets.search.result import SearchResult
from forge_resources.forge import Forge


def main(folder: Path) -> None:
    forge = Forge.from_environment()
    found, trials = forge.load(SearchResult), forge.store.read("search.trials").sort("trial")
    sets = forge.store.read("scenarios.sets")
    drawn = pictures(
        trials,
        forge.store.read("search.answers"),
        found.importances,
        forge.profile.hardware.memory_gb * 1e9,
        found.chosen,
        dict(sets.select("sample_id", "scenario_id").iter_rows()),
    )
    folder.mkdir(parents=True, exist_ok=True)
    for title, picture in drawn.items():
        file = folder / f"{title.replace(' ', '-')}.png"
        picture.figure.savefig(file, dpi=80)
        print(f"![{picture.alt}]({folder.name}/{file.name})\n")
    print(found.sentence + "\n")
    print("| trial | phase | status | score | ran | guard | steps | predicted GB | measured GB | s |")
    print("|---:|---|---|---:|---|---|---:|---:|---:|---:|")
    for row in trials.iter_rows(named=True):
        ran = ", ".join(
            f"{format_name(name)} {format_value(value)}" for name, value in parse_config(row["ran"]).items()
        )
        spoke = "; ".join(f"{one.rule}: {one.step}" for one in parse_changes(row["guard"]))
        score = "-" if row["score"] is None else f"{row['score']:.3f} ± {row['standard_error']:.3f}"
        memory = [f"{row[name] / 1e9:.2f}" if row[name] else "-" for name in ("predicted_bytes", "measured_bytes")]
        cells = [row["trial"], row["phase"], row["status"], score, ran, spoke, len(row["losses"]), *memory]
        print("| " + " | ".join(map(str, [*cells, round(row["seconds"] or 0)])) + " |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
