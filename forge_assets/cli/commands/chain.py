"""`forge models`, `forge plan`, `forge run`, `forge search` and `forge report`."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from forge_assets.cli.app import Refused
from forge_assets.cli.completions import profiles
from forge_resources.config.chosen import pack_folder, profile_name
from forge_resources.config.data_folder import check_dagster_folder, check_data_folder, claim, data_folder

if TYPE_CHECKING:
    import dagster as dg

    from forge_resources.forge import Forge


def models() -> int:
    """Make the profile's base models ready, print their licences."""
    from forge_assets.training.models.makers import MAKERS
    from forge_resources.forge import Forge

    _unpack(Forge.from_environment(MAKERS))
    return 0


def plan(
    profile: Annotated[str | None, typer.Argument(help="default FORGE_PROFILE", autocompletion=profiles)] = None,
) -> int:
    """Print memory, time and cost of every job of a profile.

    Nothing runs. The exit status is 1 if something does not fit.
    """
    from forge_assets.cli.chain_plan import planned
    from forge_assets.cli.profile_checks import ProfileChecks
    from forge_assets.cli.tables import show
    from forge_assets.training.models.makers import MAKERS
    from forge_resources.config.model_registry import ModelLibrary

    check_data_folder(data_folder())
    library = ModelLibrary(data_folder() / "models", makers=MAKERS)
    table, fits = planned(ProfileChecks(pack_folder(), library).read(profile or profile_name()), library)
    show(table)
    return 0 if fits else 1


def run(
    all_countries: Annotated[
        bool, typer.Option("--all-countries", help="compose samples of every country, not only of the profile's")
    ] = False,
) -> int:
    """Bring all assets up to date, and print the report's table.

    Of countries that the profile asks nothing about only the law is read, so that citations of it are judged.
    """
    from forge_assets.training.models.makers import MAKERS
    from forge_resources.forge import Forge

    started, forge = time.time(), Forge.from_environment(MAKERS)
    _make_ready(forge)
    from forge_assets.cli.chain_run import bring_up_to_date

    with _dagster() as instance:
        for line in bring_up_to_date(forge, instance, all_countries):
            print(f"[{time.time() - started:6.0f} s] {line}", flush=True)
    print(f"[{time.time() - started:6.0f} s] done\n")
    status = report()
    from forge_assets.cli.commands.delivery import delivered
    from forge_assets.delivery.deployment import Deployments
    from forge_assets.delivery.record import Delivery

    print(delivered(Deployments.of(forge), forge.load(Delivery).digest))
    return status


def search() -> int:
    """Search hyper-parameters, or join a search under way.

    The sets must have been drawn before, by `forge run` or in the UI.
    """
    from forge_assets.training.models.makers import MAKERS
    from forge_resources.forge import Forge

    forge = Forge.from_environment(MAKERS)
    _make_ready(forge)
    from forge_assets.cli.chain_run import search as search_trials
    from forge_assets.search.result import SearchResult

    with _dagster() as instance:
        search_trials(forge, instance)
    print(forge.load(SearchResult).sentence)
    return 0


def report() -> int:
    """Print the last report's table and the path of its page."""
    import polars as pl

    from forge_assets.automation import chain_made_from
    from forge_assets.benchmark.record import Report
    from forge_assets.benchmark.statistics import summary
    from forge_assets.benchmark.text_table import terminal_table
    from forge_assets.cli.tables import show
    from forge_assets.distillation.records import Student
    from forge_resources.forge import Forge

    forge = Forge.from_environment()
    try:
        made, student = forge.load(Report), forge.load(Student)
    except FileNotFoundError as error:
        raise Refused(error) from error
    if chain_made_from(forge) is None:
        raise Refused(f"{made.page} is of an earlier chain, of which not all is there any more: run `forge run`")
    samples = forge.store.read("scenarios.sets").filter(pl.col("role") == "benchmark")
    show(terminal_table(summary(forge.store.read("benchmark.scores"), samples)))
    print(f"\n{student.reason}\nreport: {made.page}\ntables: {forge.store.database}")
    return 0


def _unpack(forge: Forge) -> None:
    claim(forge.store.root)
    for name in sorted({forge.profile.teacher.model, forge.profile.student.model}):
        model = forge.models.ensure(name)
        print(f"{model.name}: {model.path} (licence: {model.licence})")


def _make_ready(forge: Forge) -> None:
    """Refuse settings and a profile that could not be run to their end, and make the profile's models ready.

    Raises:
        DataFolderError, Refused: a folder or a launcher that cannot be used.
        ModelError: a model that cannot be made ready.
        ProfileError, SourceError: see `ProfileChecks.read`.
    """
    from forge_assets.cli.profile_checks import ProfileChecks
    from forge_resources.launchers.base import LauncherError
    from forge_resources.launchers.registry import launcher_from_environment

    check_dagster_folder()
    try:
        launcher_from_environment()
    except LauncherError as error:
        raise Refused(error) from error
    checks = ProfileChecks(forge.pack_path, forge.models)
    checks.read(forge.profile_name)
    _unpack(forge)
    checks.read(forge.profile_name)  # now with the models' tokenizers


@contextmanager
def _dagster() -> Iterator[dg.DagsterInstance]:
    """The Dagster instance that the UI shows; a run that was asked to stop is a Ctrl-C."""
    import dagster as dg

    from forge_assets.cli.chain_run import RunStopped

    warnings.filterwarnings("ignore", message=".*expected_writer_count.*")  # Dagster's own use of its preview
    try:
        with dg.DagsterInstance.get() as instance:
            yield instance
    except (dg.DagsterExecutionInterruptedError, RunStopped) as stopped:
        raise KeyboardInterrupt from stopped
