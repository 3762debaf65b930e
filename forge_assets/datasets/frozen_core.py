"""Draw and read the benchmark's frozen core: ids of questions, kept in the pack, so that figures compare over time."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from forge_assets.datasets.selection import BENCHMARK_SIZE, benchmark_set
from forge_assets.law.country import country_files, read_country
from forge_assets.law.loading import load_domain
from forge_assets.scenarios.composition.cross_border import compose_cross_border
from forge_assets.scenarios.composition.judged_cells import Volume
from forge_assets.scenarios.composition.single_country import LawLineage, compose_countries
from forge_assets.scenarios.pack.files import load_pack
from forge_resources.config.profile import DRAWS, KEPT
from forge_resources.storage.atomic import atomic

HEADER = """\
# The frozen core of the benchmark: question ids, one a line, with what each asks. `forge freeze` writes this file.
# The question is frozen, not the answer: where the law changes, the reference does. A question that is no longer
# composed (its prompt depends on a fact that the law now asks for) is missing from the core until the next freeze.
"""


def compose_pack(pack_dir: Path) -> pl.DataFrame:
    """Compose all samples of a pack, with every provision: table `scenarios.samples`."""
    volume = Volume(DRAWS, KEPT)
    domain = load_domain(pack_dir)
    pack = load_pack(pack_dir, domain)
    countries = [read_country(pack_dir, domain, path) for path in country_files(pack_dir).values()]
    law = LawLineage.of(countries, "reviewed")
    frameworks = [country.framework for country in countries]
    national = compose_countries(domain, pack, frameworks, law, volume)[1]
    return pl.concat([national, compose_cross_border(domain, pack, frameworks, law, volume)[1]])


def load_core(pack_dir: Path) -> list[str]:
    """Read the question ids of `benchmark/core.txt`; none where there is no such file."""
    path = pack_dir / "benchmark" / "core.txt"
    if not path.is_file():
        return []
    return [line.split()[0] for line in path.read_text("utf-8").splitlines() if line.strip() and line[0] != "#"]


def freeze(pack_dir: Path) -> Path:
    """Draw a new core from all that the pack composes, and write it in the place of the old one."""
    path = pack_dir / "benchmark" / "core.txt"
    text = format_core(compose_pack(pack_dir))
    with atomic(path) as draft:
        draft.write_text(text, "utf-8")
    return path


def format_core(samples: pl.DataFrame, size: int = BENCHMARK_SIZE) -> str:
    """Format the file of a new core, drawn over task types, countries and variants."""
    countries = samples["jurisdictions"].explode().unique().sort().to_list()
    rows = benchmark_set(samples, countries, size)
    lines = [
        f"{r['question_id']}  {r['task_type']}  {'+'.join(r['jurisdictions'])}  {r['variant']}  {r['language']}"
        for r in rows.iter_rows(named=True)
    ]
    return HEADER + "\n".join(sorted(lines)) + "\n"
