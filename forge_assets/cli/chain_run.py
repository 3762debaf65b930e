"""Bring everything up to date from the command line, in the Dagster instance that the UI shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from filelock import Timeout

from forge_assets.automation import ACTIVE, chain_made_from, chain_wanted, is_running, out_of_date
from forge_assets.cli.app import Refused
from forge_assets.datasets.fingerprint import WarehouseRecord
from forge_assets.definitions import defs
from forge_assets.law.country import country_files
from forge_assets.scenarios.freshness import sources
from forge_resources.config.data_folder import CHAIN_LOCK, claim
from forge_resources.forge import Forge
from forge_resources.presentation.console import TERMINAL
from forge_resources.storage.locks import locked

STOPPED = {"DagsterExecutionInterruptedError", "KeyboardInterrupt"}
"""What a step dies of when a person or the system asks the command to stop."""

CLI = {"forge/started_by": "forge run"}
SEARCH = {"forge/started_by": "forge search"}


class RunFailed(Refused):
    """A Dagster run failed; the message names it."""


class RunStopped(Exception):
    """A Dagster run was asked to stop."""


def bring_up_to_date(forge: Forge, instance: dg.DagsterInstance, everything: bool = False) -> Iterator[str]:
    """Run what is out of date and nothing else, yielding a line for each thing done.

    Args:
        everything: compose samples of every country, not only of those that the profile asks about.

    Raises:
        RunFailed: a run failed; calling again resumes at the job it failed in.
        RunStopped: a run was asked to stop; the same.
        SourceError: the shared vocabulary cannot be read.
    """
    with _alone(forge):
        _bury(instance)
        found = sources(forge)
        for code, problem in found.broken.items():
            yield f"{code} stays at its last good version: {problem}"
        on_disk = set(country_files(forge.pack_path))
        instance.add_dynamic_partitions("jurisdictions", sorted(on_disk))
        for gone in set(instance.get_dynamic_partitions("jurisdictions")) - on_disk:
            instance.delete_dynamic_partition("jurisdictions", gone)
        only = forge.profile.jurisdictions if forge.profile.catalog == "trained" else None
        for code, stale in out_of_date(forge, found, everything).items():
            if only is None or code in only:
                yield f"catalog and scenarios of {code}" if stale.job == "country" else f"catalog of {code}"
                _execute(instance, stale.job, code)
        if chain_made_from(forge) == chain_wanted(forge):
            yield "the report is up to date"
            return
        if is_running(instance, "chain"):
            raise RunFailed("a chain run is under way in the UI: wait for it or terminate it there")
        yield f"training chain, profile {forge.profile.name}"
        _execute(instance, "chain", None)


def search(forge: Forge, instance: dg.DagsterInstance) -> None:
    """Search, or join a search that other processes are at: all of them end when its last trial has.

    Raises:
        RunFailed: nothing to search with was made yet, or the run failed; calling again goes on from there.
    """
    if not forge.find(WarehouseRecord):
        raise RunFailed("there are no samples yet: run `forge run`, or materialise `warehouse` in the UI")
    _execute(instance, "search", None, SEARCH)


def _execute(instance: dg.DagsterInstance, job: str, partition: str | None, tags: dict[str, str] = CLI) -> None:
    result = defs.resolve_job_def(job).execute_in_process(
        run_config={"loggers": {TERMINAL: {}}},
        instance=instance,
        partition_key=partition,
        tags=tags,
        raise_on_error=False,
    )
    failed = [event for event in result.all_events if event.is_step_failure and event.step_failure_data.error]
    errors = [event.step_failure_data.error for event in failed]
    if any(STOPPED & {error.cls_name, error.cause.cls_name if error.cause else None} for error in errors if error):
        raise RunStopped
    if failed:
        raise RunFailed(
            "; ".join(f"{job} {partition or ''}: {event.step_key} failed: {_why(event)}" for event in failed)
        )


def _why(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    assert error is not None
    return (error.cause or error).message.strip()


@contextmanager
def _alone(forge: Forge) -> Iterator[None]:
    """One command-line chain at a time over one data folder."""
    claim(forge.store.root)
    lock = locked(forge.store.root / CHAIN_LOCK, wait=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise RunFailed(f"another `forge run` works in {forge.store.root}: wait for it or stop it") from error
    try:
        yield
    finally:
        lock.release()


def _bury(instance: dg.DagsterInstance) -> None:
    """Runs that a killed command line left as running are failed, or sensors would wait for them for ever."""
    for run in instance.get_runs(dg.RunsFilter(tags=CLI, statuses=ACTIVE)):
        instance.report_run_failed(run, "the command line that ran it was killed")
