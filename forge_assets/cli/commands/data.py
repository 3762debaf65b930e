"""`forge export`, `forge freeze`, `forge metrics` and `forge clean`."""

from __future__ import annotations

import re
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from forge_assets.cli.app import Refused, reads
from forge_resources.config.chosen import pack_folder
from forge_resources.config.data_folder import clean as clean_folder
from forge_resources.config.data_folder import data_folder


class Samples(StrEnum):
    """Which samples are exported."""

    ALL = "all"
    CHAIN = "chain"


def port(text: str) -> int:
    """A port to listen on.

    Raises:
        ValueError: it is none.
    """
    if not (re.fullmatch("[0-9]{1,5}", text) and 1 <= int(text) <= 65535):
        raise ValueError(f"{text} is no port: give a number from 1 to 65535")
    return int(text)


def export(
    folder: Annotated[Path, typer.Argument(help="new, empty, or an earlier export, which is replaced")],
    chosen: Annotated[Samples, typer.Option("--set", help="all samples, or the last chain's sets")] = Samples.ALL,
) -> int:
    """Write the samples as a dataset for other tools."""
    from forge_assets.catalog.snapshot import live_countries
    from forge_assets.datasets.export.dataset_card import dataset_info
    from forge_assets.datasets.export.writer import export_dataset
    from forge_resources.forge import Forge

    forge = Forge.from_environment()
    parts = forge.store.files({Samples.ALL: "scenarios.samples", Samples.CHAIN: "scenarios.sets"}[chosen])
    if not parts:
        raise ValueError("nothing was composed yet: run `forge run`")
    domain, countries = live_countries(forge)
    sources = forge.pack_path / "statutes" / "SOURCES.md"
    told = sources.read_text("utf-8") if sources.exists() else ""
    print(export_dataset(parts, folder, dataset_info(domain, [country.framework for country in countries], told)))
    return 0


def freeze() -> int:
    """Draw a new core of the benchmark into the pack.

    Figures on the old core no longer compare.
    """
    from forge_assets.datasets.frozen_core import freeze as freeze_core

    print(f"written: {freeze_core(pack_folder())}")
    return 0


def metrics(
    listen: Annotated[
        int, typer.Option("--port", metavar="N", parser=reads(port), help="to listen on, 1 to 65535")
    ] = 9464,
    address: Annotated[str, typer.Option(help="0.0.0.0: also to other machines, without a password")] = "127.0.0.1",
) -> int:
    """Serve figures of jobs and the last benchmark to Prometheus.

    It serves until somebody stops it.
    """
    from forge_resources.forge import Forge
    from forge_resources.monitoring.prometheus import serve

    forge = Forge.from_environment()
    try:
        serve(forge.store, {forge.profile.name: forge.profile.hardware.memory_gb * 1e9}, address, listen)
    except OSError as error:
        raise Refused(f"{address}:{listen}: {error}") from error
    print(f"metrics on http://{address}:{listen}/metrics", flush=True)
    while True:
        time.sleep(3600)


def clean() -> int:
    """Remove everything that was made, all but the base models."""
    removed = clean_folder(data_folder())
    print(f"removed from {data_folder()}: {', '.join(removed) or 'nothing, there was nothing'}")
    return 0
