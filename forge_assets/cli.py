"""`forge`: check the pack and profiles, run what is out of date, show the report."""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings

from forge_resources.forge import PROJECT, Forge, data_folder
from forge_resources.profile import ProfileError, load_profile, profile_names


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(prog="forge", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="validate the domain pack, its quotes and every profile")
    commands.add_parser("models", help="unpack the profile's base models")
    commands.add_parser("run", help="bring every asset up to date and print the report's table")
    commands.add_parser("report", help="print the last report's table and the path of its page")
    command = parser.parse_args(argv).command
    os.environ.setdefault("DAGSTER_HOME", str(PROJECT))
    os.environ.setdefault("FORGE_DAGSTER", str(data_folder() / "dagster"))
    return {"check": check, "models": models, "run": run, "report": report}[command]()


def check() -> int:
    """Validate frameworks, scenarios vocabulary and profiles; 1 if anything is broken."""
    from forge_assets.law.country import country_files, read_country
    from forge_assets.law.load import LawError, load_domain
    from forge_assets.scenarios.pack import load_pack

    forge, problems = Forge.from_environment(), []
    try:
        domain = load_domain(forge.pack_path)
        load_pack(forge.pack_path, domain)
    except LawError as error:
        print(error)
        return 1
    for code, path in country_files(forge.pack_path).items():
        try:
            country = read_country(forge.pack_path, domain, path)
        except LawError as error:
            problems.append(str(error))
            continue
        statuses = list(country.statuses.values())
        counts = ", ".join(f"{statuses.count(s)} {s}" for s in sorted(set(statuses)))
        print(f"{code}: {counts}")
        for name, found in country.checked.items():
            if found.status == "unverified":
                problems += [f"{path}: {name}: {problem}" for problem in found.problems]
    for name in profile_names():
        try:
            load_profile(name)
        except ProfileError as error:
            problems.append(str(error))
    print("\n".join(problems) or f"no problems; profiles {', '.join(profile_names())} are valid")
    return 1 if problems else 0


def models() -> int:
    """Unpack the profile's base models, showing their licences."""
    from forge_resources.models import ModelError

    forge = Forge.from_environment()
    try:
        for name in sorted({forge.profile.teacher.model, forge.profile.student.model}):
            model = forge.models.ensure(name)
            print(f"{model.name}: {model.path} (licence: {model.licence})")
    except (ModelError, ProfileError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def run() -> int:
    """Materialise what is out of date, then print the report."""
    import dagster as dg

    from forge_assets.chain import RunFailed, bring_up_to_date
    from forge_assets.law.load import LawError

    warnings.filterwarnings("ignore", message=".*expected_writer_count.*")  # Dagster's own use of its preview
    started, forge = time.time(), Forge.from_environment()
    if status := models():
        return status
    try:
        with dg.DagsterInstance.get() as instance:
            for line in bring_up_to_date(forge, instance):
                print(f"[{time.time() - started:6.0f} s] {line}", flush=True)
    except (RunFailed, LawError) as error:
        print(error, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        print("stopped; `forge run` goes on from here", file=sys.stderr)
        return 130
    print(f"[{time.time() - started:6.0f} s] done\n")
    return report()


def report() -> int:
    """Print the last report."""
    import polars as pl

    from forge_assets.benchmark.statistics import summary
    from forge_assets.benchmark.table import terminal_table

    forge = Forge.from_environment()
    try:
        made = forge.recall("benchmark_report")
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    samples = forge.store.read("scenarios.sets").filter(pl.col("role") == "benchmark")
    print(terminal_table(summary(forge.store.read("benchmark.scores"), samples)))
    print(f"\n{forge.recall('student_adapter')['reason']}\nreport: {made['page']}\ntables: {forge.store.database}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
