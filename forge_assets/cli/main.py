"""`forge`: check and explain the law, run what is out of date, show the report."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
import warnings
from pathlib import Path
from typing import NoReturn

from forge_assets.cli.terminal import PatientOutput, Signals
from forge_resources.config.data_folder import PROJECT, check_dagster_folder, check_data_folder, claim, data_folder
from forge_resources.config.environment import setting
from forge_resources.config.profile import ProfileError, load_profile, profile_names
from forge_resources.config.strict_yaml import SourceError
from forge_resources.forge import Forge, pack_folder, profile_name
from forge_resources.launchers.base import LauncherError
from forge_resources.launchers.registry import launcher_from_environment


class Parser(argparse.ArgumentParser):
    """Refuses what it cannot read as every other mistake is refused: with one sentence, and exit status 1."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{self.prog}: {message} (`{self.prog} --help` shows how)")


def port(text: str) -> int:
    """A port to listen on."""
    if not (re.fullmatch("[0-9]{1,5}", text) and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text} is no port: give a number from 1 to 65535")
    return int(text)


def command() -> int:
    """Entry point of the program `forge`."""
    for stream in (sys.stdout, sys.stderr):  # citations are written with signs that not every locale has
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    sys.stdout = PatientOutput(sys.stdout)
    signals = Signals()
    try:
        with signals.watched():
            return main([os.fsencode(one).decode("utf-8", "backslashreplace") for one in sys.argv[1:]])
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return signals.status()
    finally:
        sys.stdout.flush()


def main(argv: list[str] | None = None) -> int:
    """Do what the arguments say; returns the exit status.

    Raises:
        KeyboardInterrupt: somebody asked it to stop.
    """
    parser = Parser(prog="forge", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    checked = commands.add_parser("check", help="validate the domain pack, its quotes and every profile")
    checked.add_argument("path", nargs="?", type=Path, help="one country's file, or another pack; default the pack")
    checked.add_argument("--json", action="store_true", help="faults as JSON")
    explained = commands.add_parser("explain", help="what the law asks in one situation, with reasons and quotes")
    cited = commands.add_parser("cite", help="the citations of a text: as written, key, status, canonical form")
    cited.add_argument("text", help="the text, or - to read standard input")
    cited.add_argument("--country", metavar="CODE", help="whose law a citation without a law's name means")
    commands.add_parser("freeze", help="draw a new core of the benchmark from the pack and write it there")
    commands.add_parser("schema", help="print the JSON Schema of the pack's jurisdiction files")
    commands.add_parser("models", help="unpack the profile's base models")
    commands.add_parser("run", help="bring every asset up to date and print the report's table")
    commands.add_parser("search", help="search hyper-parameters, or join a search that another process is at")
    commands.add_parser("clean", help="remove everything that was made, all but the base models")
    commands.add_parser("report", help="print the last report's table and the path of its page")
    measured = commands.add_parser("metrics", help="serve figures of jobs and the last benchmark to Prometheus")
    measured.add_argument("--port", type=port, default=9464)
    measured.add_argument("--address", default="127.0.0.1", help="0.0.0.0: also to other machines, without a password")
    planned = commands.add_parser("plan", help="memory, time and cost of every job of a profile, before anything runs")
    planned.add_argument("profile", nargs="?", help="default FORGE_PROFILE")
    exported = commands.add_parser("export", help="write the samples as a dataset for other tools")
    exported.add_argument("folder", type=Path, help="new, empty, or an earlier export, which is replaced")
    exported.add_argument(
        "--set", choices=("all", "chain"), default="all", help="all samples, or the last chain's sets"
    )
    for name, value in (("DAGSTER_HOME", PROJECT), ("FORGE_DAGSTER", data_folder() / "dagster")):
        os.environ[name] = setting(name, str(value))
    arguments = sys.argv[1:] if argv is None else argv
    try:
        if arguments[:1] == ["explain"]:
            _add_facts(explained)
        given = parser.parse_args(arguments)
        match given.command:
            case "check":
                return check(given.path, given.json)
            case "explain":
                return explain(given)
            case "cite":
                return cite(given.text, given.country)
            case "schema":
                return schema()
            case "freeze":
                return freeze()
            case "clean":
                return clean()
            case "metrics":
                return metrics(given.address, given.port)
            case "plan":
                return plan(given.profile)
            case "export":
                return export(given.folder, given.set)
        return {"models": models, "run": run, "search": search, "report": report}[given.command]()
    except (LauncherError, ProfileError, SourceError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


def _add_facts(parser: argparse.ArgumentParser) -> None:
    """The facts to explain by are those that the pack declares."""
    from forge_assets.cli.law import add_explain
    from forge_assets.law.loading import load_domain

    add_explain(parser, load_domain(pack_folder()))


def check(path: Path | None, as_json: bool) -> int:
    """Validate frameworks, scenario vocabulary and profiles; 1 if anything is broken."""
    from forge_assets.cli.law import check as check_law
    from forge_assets.cli.law import shown
    from forge_assets.cli.profile_checks import ProfileChecks
    from forge_assets.law.checks import Fault
    from forge_assets.law.model import Domain
    from forge_assets.scenarios.pack.files import load_pack
    from forge_assets.training.models.makers import MAKERS
    from forge_resources.config.model_registry import ModelLibrary

    pack, only = pack_folder(), None
    if path is not None and path.is_dir():
        pack = path.resolve()
    elif path is not None:
        if not path.is_file():
            raise ValueError(f"{path}: no such file or folder; give a country's YAML file or a pack")
        only = path.resolve()
        pack = only.parents[1]

    def further(domain: Domain) -> list[Fault]:
        load_pack(pack, domain)
        broken = []
        # Profiles are made for the pack that is used; another one need not have their countries.
        library = ModelLibrary(data_folder() / "models", makers=MAKERS)
        read = ProfileChecks(pack, library).read if path is None else load_profile
        for name in profile_names():
            try:
                read(name)
            except SourceError as error:
                broken.append(Fault.of(error))
        return broken

    lines, faults = check_law(pack, only, further)
    profiles = f"; profiles {', '.join(profile_names())} are valid" if only is None else ""
    return shown(lines, faults, as_json, f"no problems{profiles}")


def explain(given: argparse.Namespace) -> int:
    """Print the obligations of one situation."""
    from forge_assets.cli.law import explain as explain_law
    from forge_assets.law.loading import load_domain
    from forge_assets.scenarios.pack.files import load_parts

    pack = pack_folder()
    domain = load_domain(pack)
    print(explain_law(pack, domain, given, load_parts(pack, domain)))
    return 0


def cite(text: str, country: str | None) -> int:
    """Print the citations of a text; 1 if there is none."""
    from forge_assets.cli.law import cite as cite_law

    found, left_out = cite_law(pack_folder(), sys.stdin.read() if text == "-" else text, country)
    for line in left_out:
        print(line, file=sys.stderr)
    print("\n".join(found) or "no citation found")
    return 0 if found else 1


def schema() -> int:
    """Print the JSON Schema of the pack's jurisdiction files."""
    from forge_assets.cli.law import schema as law_schema

    print(law_schema(pack_folder()), end="")
    return 0


def freeze() -> int:
    """Draw a new core of the benchmark; figures on the old one no longer compare."""
    from forge_assets.datasets.frozen_core import freeze as freeze_core

    print(f"written: {freeze_core(pack_folder())}")
    return 0


def clean() -> int:
    """Empty the data folder, if it is one of ours."""
    from forge_resources.config.data_folder import clean as clean_folder

    removed = clean_folder(data_folder())
    print(f"removed from {data_folder()}: {', '.join(removed) or 'nothing, there was nothing'}")
    return 0


def plan(profile: str | None) -> int:
    """Print what a profile's jobs need; 1 if something does not fit."""
    from forge_assets.cli.chain_plan import planned
    from forge_assets.cli.profile_checks import ProfileChecks
    from forge_assets.training.models.makers import MAKERS
    from forge_resources.config.model_registry import ModelError, ModelLibrary

    library = ModelLibrary(data_folder() / "models", makers=MAKERS)
    try:
        told, fits = planned(ProfileChecks(pack_folder(), library).read(profile or profile_name()), library)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    print(told)
    return 0 if fits else 1


def models() -> int:
    """Unpack the profile's base models, showing their licences."""
    from forge_assets.training.models.makers import MAKERS
    from forge_resources.config.model_registry import ModelError

    forge = Forge.from_environment(MAKERS)
    claim(forge.store.root)
    try:
        for name in sorted({forge.profile.teacher.model, forge.profile.student.model}):
            model = forge.models.ensure(name)
            print(f"{model.name}: {model.path} (licence: {model.licence})")
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def ready(forge: Forge) -> int:
    """Refuse settings and a profile that could not be run to their end, and make the profile's models ready.

    Returns:
        The exit status.

    Raises:
        DataFolderError, LauncherError: a folder or a launcher that cannot be used.
        ProfileError, SourceError: see `ProfileChecks.read`.
    """
    from forge_assets.cli.profile_checks import ProfileChecks

    check_dagster_folder()
    check_data_folder(forge.store.root)
    launcher_from_environment()
    checks = ProfileChecks(forge.pack_path, forge.models)
    checks.read(forge.profile_name)
    status = models()
    if not status:
        checks.read(forge.profile_name)  # now with the models' tokenizers
    return status


def run() -> int:
    """Materialise what is out of date, then print the report."""
    from forge_assets.training.models.makers import MAKERS

    started, forge = time.time(), Forge.from_environment(MAKERS)
    if status := ready(forge):
        return status
    import dagster as dg

    from forge_assets.cli.chain_run import RunFailed, RunStopped, bring_up_to_date

    warnings.filterwarnings("ignore", message=".*expected_writer_count.*")  # Dagster's own use of its preview
    try:
        with dg.DagsterInstance.get() as instance:
            for line in bring_up_to_date(forge, instance):
                print(f"[{time.time() - started:6.0f} s] {line}", flush=True)
    except RunFailed as error:
        print(error, file=sys.stderr)
        return 1
    except (dg.DagsterExecutionInterruptedError, RunStopped) as stopped:
        raise KeyboardInterrupt from stopped
    print(f"[{time.time() - started:6.0f} s] done\n")
    return report()


def search() -> int:
    """Search, and print what was chosen."""
    from forge_assets.training.models.makers import MAKERS

    forge = Forge.from_environment(MAKERS)
    if status := ready(forge):
        return status
    import dagster as dg

    from forge_assets.cli.chain_run import RunFailed, RunStopped
    from forge_assets.cli.chain_run import search as search_trials

    warnings.filterwarnings("ignore", message=".*expected_writer_count.*")
    try:
        with dg.DagsterInstance.get() as instance:
            search_trials(forge, instance)
    except RunFailed as error:
        print(error, file=sys.stderr)
        return 1
    except (dg.DagsterExecutionInterruptedError, RunStopped) as stopped:
        raise KeyboardInterrupt from stopped
    print(forge.recall("search_results")["sentence"])
    return 0


def report() -> int:
    """Print the last report."""
    import polars as pl

    from forge_assets.benchmark.statistics import summary
    from forge_assets.benchmark.text_table import terminal_table

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


def metrics(address: str, port: int) -> int:
    """Serve Prometheus until somebody stops it."""
    from forge_resources.monitoring.prometheus import serve

    forge = Forge.from_environment()
    try:
        serve(forge.store, {forge.profile.name: forge.profile.hardware.memory_gb * 1e9}, address, port)
    except OSError as error:
        print(f"{address}:{port}: {error}", file=sys.stderr)
        return 1
    print(f"metrics on http://{address}:{port}/metrics", flush=True)
    while True:
        time.sleep(3600)


def export(folder: Path, chosen: str) -> int:
    """Write the composed samples, or the last chain's sets, as a dataset for other tools."""
    from forge_assets.catalog.snapshot import live_countries
    from forge_assets.datasets.export.dataset_card import dataset_info
    from forge_assets.datasets.export.writer import export_dataset

    forge = Forge.from_environment()
    parts = forge.store.files({"all": "scenarios.samples", "chain": "scenarios.sets"}[chosen])
    if not parts:
        raise ValueError("nothing was composed yet: run `forge run`")
    domain, countries = live_countries(forge)
    sources = forge.pack_path / "statutes" / "SOURCES.md"
    told = sources.read_text("utf-8") if sources.exists() else ""
    print(export_dataset(parts, folder, dataset_info(domain, [country.framework for country in countries], told)))
    return 0


if __name__ == "__main__":
    sys.exit(command())
