"""How fast the scenario engine composes, and in how much memory.

    python bench/scenarios.py --samples 10000 100000 1000000

Every size runs in a process of its own: it reads the pack, composes every country and across countries, and writes one
Parquet file a partition, as the assets do. Prints a line of JSON for each: samples, seconds, samples per second, peak
resident memory, and the SHA-256 of all rows in order. `bench/scenarios_peer.py` does a like job without the engine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PACK = Path(__file__).parents[1] / "frameworks" / "labour"
PER_DRAW = 4000
"""Samples that one draw a company and change gives over the whole pack, about."""


def compose_all(wanted: int, folder: Path, notes: bool) -> dict[str, object]:
    """Compose about so many samples into a folder.

    Args:
        notes: whether all answers are notes, as a profile for a small machine takes them.
    """
    started = time.perf_counter()
    from forge_assets.law.country import country_files, read_country
    from forge_assets.law.loading import load_domain
    from forge_assets.scenarios.composition.cross_border import compose_cross_border
    from forge_assets.scenarios.composition.judged_cells import Volume
    from forge_assets.scenarios.composition.single_country import LawLineage, compose_country
    from forge_assets.scenarios.pack.files import Depths, load_pack
    from forge_resources.storage.store import Store

    store = Store(folder)
    domain = load_domain(PACK)
    pack = load_pack(PACK, domain)
    if notes:
        short = [t.model_copy(update={"depths": t.depths and Depths(note=t.depths.note)}) for t in pack.tasks]
        pack = pack.model_copy(update={"tasks": tuple(short)})
    countries = [read_country(PACK, domain, path) for path in country_files(PACK).values()]
    law = LawLineage.of(countries)
    draws = max(8, wanted // PER_DRAW)
    volume = Volume(draws, max(1, draws // 4))
    number = 0
    for country in countries:
        scenarios, samples = compose_country(domain, pack, country.framework, law, volume)
        store.write("scenarios.scenarios", scenarios, country.framework.jurisdiction)
        store.write("scenarios.samples", samples, country.framework.jurisdiction)
        number += samples.height
    scenarios, samples = compose_cross_border(domain, pack, [c.framework for c in countries], law, volume)
    store.write("scenarios.scenarios", scenarios, "cross_border")
    store.write("scenarios.samples", samples, "cross_border")
    number += samples.height
    seconds = time.perf_counter() - started
    sums = hashlib.sha256()
    for path in sorted((folder / "tables" / "scenarios").rglob("*.parquet")):
        sums.update(path.read_bytes())
    return {
        "samples": number,
        "draws": volume.draws,
        "kept": volume.kept,
        "seconds": round(seconds, 1),
        "samples_per_second": round(number / seconds),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "sha256": sums.hexdigest(),
    }


def main() -> None:
    """Run the sizes asked for, each in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--keep", type=Path, help="keep the tables of the last size in this folder")
    parser.add_argument("--notes", action="store_true", help="all answers are notes")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(compose_all(given.samples[0], given.keep or Path(folder), given.notes)), flush=True)
        return
    for size in given.samples:
        more = ["--keep", str(given.keep)] if given.keep and size == given.samples[-1] else []
        more += ["--notes"] if given.notes else []
        subprocess.run([sys.executable, __file__, "--here", "--samples", str(size), *more], check=True)


if __name__ == "__main__":
    main()
