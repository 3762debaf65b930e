"""Peers of the scenario engine: the same kind of job as a distilabel pipeline, and as plain Python over dicts.

Run: python3.11 -m venv .peer-venv && .peer-venv/bin/pip install distilabel requests
     .peer-venv/bin/python bench/scenarios_peer.py --peer distilabel --rows 10000
     python bench/scenarios_peer.py --peer dicts --rows 100000
Neither needs the project; distilabel (1.5.3, which imports `requests` without requiring it) is no part of it.

The job: read a Parquet file of draws (company, sector, country, change, phrases of facts), and for each row judge three
threshold rules, pick a prompt frame, fill it and an answer, hash ids, split by hash, and write Parquet. The draws are
made first, untimed. Prints one line of JSON: seconds from opening the draws to the file written, rows a second, seconds
with start-up and imports, and the peak resident memory of the whole process tree (parts that processes share counted
once a process in `peak_rss_mib`, once in all in `peak_pss_mib`).
"""

import argparse
import hashlib
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

CHUNK = 50_000
COMPANIES = tuple(
    (f"{first} {last}", sector)
    for last, sector in (
        ("Logistik", "parcel delivery"),
        ("Bearings", "car parts"),
        ("Service", "call centre"),
        ("Hotels", "hotels"),
        ("Plus", "retail"),
        ("Bank", "banking"),
    )
    for first in ("Mercado", "Vox", "Kurivelo", "Rotalene", "Ebenista", "Corvalina", "Tamarin", "Ostrava")
)
COUNTRIES = {
    "AT": "Austria", "BE": "Belgium", "CZ": "Czechia", "DE": "Germany", "DK": "Denmark", "ES": "Spain",
    "FI": "Finland", "FR": "France", "IE": "Ireland", "IT": "Italy", "NL": "the Netherlands", "PL": "Poland",
}  # fmt: skip
CHANGES = {
    "collective_redundancy": ("make part of the staff redundant", "lay people off", "cut jobs"),
    "ai_system": ("introduce an AI system", "bring in software that ranks applicants", "roll out an AI assistant"),
    "restructuring": ("close a site", "merge two sites", "move a department"),
    "working_time": ("move start and end times", "introduce new shift times", "change daily working hours"),
}
ASKS = (
    "Who must be involved, and when?",
    "What must we do first?",
    "By when must we act, and what if we do not?",
    "List every duty with its legal basis.",
)
FRAMES = (
    "{company} ({sector}) in {country} plans to {plan}. Facts: {facts}. {ask} Sections: Highest duty; Steps.",
    "{country}. {company}, {sector}: {facts}. Plan: {plan}. {ask} Please use the sections: Highest duty; Steps.",
    "I work at {company}, a company in {sector} in {country}. We have {facts} and are going to {plan}. {ask} "
    "Answer under the headings: Highest duty; Steps.",
    "Dear colleagues,\n\n{company} ({sector}, {country}) wants to {plan}. The situation: {facts}. {ask} Answer under "
    "the headings: Highest duty; Steps.\n\nKind regards",
)
RULES = (
    ("information", "employees", 20, "§ {0}1 ({1})", "information of the employee representatives in writing"),
    ("consultation", "affected", 10, "§ {0}7 ({1})", "consultation before the decision, with a view to agreement"),
    ("co_determination", "employees", 200, "§ {0}9 ({1})", "agreement on a social plan with the works council"),
)
"""Level, fact, threshold, citation, duty: weakest first. The last holds only where there is a works council."""
SYSTEM = "You are a European labour lawyer. Cite every applicable provision exactly."
COLUMNS = (
    "sample_id", "scenario_id", "jurisdictions", "split", "system", "prompt", "response", "expected_citations",
    "expected_level", "change_type",
)  # fmt: skip


def write_draws(rows: int, path: Path, seed: int) -> None:
    """Facts of companies that plan a change, one a row, their number facts both as numbers and in words."""
    draw = random.Random(seed)
    writer = None
    for start in range(0, rows, CHUNK):
        found = []
        for _ in range(min(CHUNK, rows - start)):
            company, sector = draw.choice(COMPANIES)
            employees = draw.randint(5, 3000)
            affected = max(1, employees * draw.randint(1, 30) // 100)
            council = draw.random() < 0.6
            staff = draw.choice(("{} employees", "headcount {}", "workforce of {}"))
            found.append(
                {
                    "company": company,
                    "sector": sector,
                    "country": draw.choice(tuple(COUNTRIES)),
                    "change": draw.choice(tuple(CHANGES)),
                    "employees": employees,
                    "affected": affected,
                    "works_council": council,
                    "employees_phrase": staff.format(employees),
                    "affected_phrase": draw.choice(("{} affected", "{} jobs concerned", "touches {}")).format(affected),
                    "council_phrase": "elected works council" if council else "no works council",
                }
            )
        table = pa.Table.from_pylist(found)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def compose(row: dict[str, Any]) -> dict[str, Any]:
    """The sample of one row of draws: what both peers do, so that they differ in nothing else."""
    place = COUNTRIES[row["country"]]
    facts = (row["employees_phrase"], row["affected_phrase"], row["council_phrase"])
    scenario = digest(row["company"], row["country"], row["change"], *facts)
    draw = random.Random(scenario)
    applying = [
        (level, cites.format(1 + len(row["change"]), row["country"]), duty)
        for level, fact, threshold, cites, duty in RULES
        if row[fact] >= threshold and (level != "co_determination" or row["works_council"])
    ][::-1]
    level = applying[0][0] if applying else "none"
    prompt = draw.choice(FRAMES).format(
        company=row["company"],
        sector=row["sector"],
        country=place,
        plan=draw.choice(CHANGES[row["change"]]),
        facts=", ".join(draw.sample(facts, len(facts))),
        ask=draw.choice(ASKS),
    )
    title = row["change"].replace("_", " ")
    if applying:
        steps = "\n".join(f"- {duty}, {cited}" for _, cited, duty in applying)
        response = f"## Highest duty\n{place}, {title}: {level.replace('_', '-')}.\n## Steps\n{steps}"
    else:
        response = f"## Highest duty\n{place}, {title}: no provision applies.\n## Steps\n- none is required by law"
    percent = int(digest("split", row["company"], row["change"], str(row["employees"] // 50)), 16) % 100
    return {
        "sample_id": digest(scenario, prompt, response),
        "scenario_id": scenario,
        "jurisdictions": [row["country"]],
        "split": "train" if percent < 70 else "validation" if percent < 80 else "benchmark",
        "system": SYSTEM,
        "prompt": prompt,
        "response": response,
        "expected_citations": [cited for _, cited, _ in applying],
        "expected_level": level,
        "change_type": row["change"],
    }


def digest(*parts: str) -> str:
    """24 hexadecimal digits of SHA-256."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]


def run_dicts(draws: Path, out: Path) -> None:
    """The job over a list of dicts."""
    samples = [compose(row) for row in pq.read_table(draws).to_pylist()]
    pq.write_table(pa.Table.from_pylist(samples), out)


def run_distilabel(draws: Path, out: Path, batch: int) -> None:
    """The job as a distilabel pipeline of a loader and one step, its cache in the folder of `out`."""
    from distilabel.pipeline import Pipeline
    from distilabel.steps import LoadDataFromFileSystem, Step, StepInput
    from distilabel.typing import StepOutput

    global Compose  # the step's process finds its class by this name in the module

    class Compose(Step):
        """Adds a sample's columns to each row of draws."""

        @property
        def inputs(self) -> list[str]:
            return list(pq.read_schema(draws).names)

        @property
        def outputs(self) -> list[str]:
            return list(COLUMNS)

        def process(self, inputs: StepInput) -> StepOutput:
            yield [compose(row) for row in inputs]

    with Pipeline(name="scenarios", cache_dir=out.parent / "cache") as pipeline:
        load = LoadDataFromFileSystem(data_files=str(draws), filetype="parquet", batch_size=batch)
        load >> Compose(input_batch_size=batch)
    distiset = pipeline.run(use_cache=False)
    distiset["default"]["train"].select_columns(list(COLUMNS)).to_parquet(str(out))


def worker(peer: str, draws: Path, out: Path, batch: int) -> None:
    """Do the job in this process and print the seconds it took, imports left out."""
    if peer == "distilabel":
        import distilabel.steps  # noqa: F401
    started = time.perf_counter()
    if peer == "distilabel":
        run_distilabel(draws, out, batch)
    else:
        run_dicts(draws, out)
    print(f"\n{time.perf_counter() - started}")


def memory(root: int) -> tuple[int, int]:
    """Resident and proportional KiB of a process and all below it."""
    children = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                children[int((entry / "stat").read_text("utf-8").rpartition(")")[2].split()[1])].append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended
    resident = proportional = 0
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        waiting += children[pid]
        try:
            sizes = dict(
                line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()[1:]
            )
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended
        if sizes:
            resident += int(sizes["Rss"].split()[0])
            proportional += int(sizes["Pss"].split()[0])
    return resident, proportional


def main() -> None:
    """Make the draws, do the job in a process of its own and watch its memory."""
    parser = argparse.ArgumentParser(description="Peers of the scenario engine.")
    parser.add_argument("--peer", choices=("dicts", "distilabel"), default="dicts")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=1000, help="rows a batch of distilabel, whose own default is 50")
    parser.add_argument("--seed", type=int, default=20261125)
    parser.add_argument("--worker", nargs=2, type=Path, metavar=("DRAWS", "OUT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        draws, out = arguments.worker
        worker(arguments.peer, draws, out, arguments.batch)
        return
    with tempfile.TemporaryDirectory() as folder:
        draws, out, log = (Path(folder, name) for name in ("draws.parquet", "samples.parquet", "log"))
        write_draws(arguments.rows, draws, arguments.seed)
        offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": folder, "NO_COLOR": "1"}
        command = [sys.executable, __file__, "--peer", arguments.peer, "--batch", str(arguments.batch)]
        started, resident, proportional = time.perf_counter(), 0, 0
        with (
            log.open("w", encoding="utf-8") as output,
            subprocess.Popen(
                [*command, "--worker", draws, out],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **offline},
            ) as process,
        ):
            while process.poll() is None:
                found = memory(process.pid)
                resident, proportional = max(resident, found[0]), max(proportional, found[1])
                time.sleep(0.2)
        wall = time.perf_counter() - started
        if process.returncode:
            sys.exit(log.read_text("utf-8"))
        written = pq.read_metadata(out)
        if written.num_rows != arguments.rows:
            sys.exit(f"{written.num_rows} rows written of {arguments.rows}\n{log.read_text(encoding='utf-8')}")
        seconds = float(log.read_text("utf-8").splitlines()[-1])
        result = {
            "peer": arguments.peer,
            "version": metadata.version("distilabel") if arguments.peer == "distilabel" else platform.python_version(),
            "rows": arguments.rows,
            "batch": arguments.batch if arguments.peer == "distilabel" else None,
            "rows_per_s": round(arguments.rows / seconds, 1),
            "seconds": round(seconds, 3),
            "seconds_with_imports": round(wall, 3),
            "peak_rss_mib": round(resident / 1024),
            "peak_pss_mib": round(proportional / 1024),
            "bytes_written": out.stat().st_size,
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
