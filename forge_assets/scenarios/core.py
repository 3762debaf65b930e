"""The frozen core of the benchmark: ids of questions, kept in the pack, so that figures compare over time."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from forge_assets.scenarios.select import BENCHMARK_SIZE, benchmark_set

HEADER = """\
# The frozen core of the benchmark: question ids, one a line, with what each asks. `forge freeze` writes this file.
# The question is frozen, not the answer: where the law changes, the reference does. A question that is no longer
# composed (its prompt depends on a fact that the law now asks for) is missing from the core until the next freeze.
"""


def load_core(pack_dir: Path) -> list[str]:
    """Question ids of `benchmark/core.txt`; none where there is no such file."""
    path = pack_dir / "benchmark" / "core.txt"
    if not path.is_file():
        return []
    return [line.split()[0] for line in path.read_text("utf-8").splitlines() if line.strip() and line[0] != "#"]


def frozen(samples: pl.DataFrame, size: int = BENCHMARK_SIZE) -> str:
    """The file for a new core, drawn over task types, countries and variants."""
    countries = samples["jurisdictions"].explode().unique().sort().to_list()
    rows = benchmark_set(samples, countries, size)
    lines = [
        f"{r['question_id']}  {r['task_type']}  {'+'.join(r['jurisdictions'])}  {r['variant']}  {r['language']}"
        for r in rows.iter_rows(named=True)
    ]
    return HEADER + "\n".join(sorted(lines)) + "\n"
