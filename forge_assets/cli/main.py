"""`forge`: check and explain the law, run what is out of date, show the report."""

from __future__ import annotations

import os
import sys

from typer.main import get_command

from forge_assets.cli.app import Command, app
from forge_assets.cli.commands.ask import ask, serve
from forge_assets.cli.commands.chain import models, plan, report, run, search
from forge_assets.cli.commands.data import clean, export, freeze, metrics
from forge_assets.cli.commands.delivery import deployments, promote, rollback
from forge_assets.cli.commands.explain import ExplainCommand, explain
from forge_assets.cli.commands.law import check, cite, probe, schema
from forge_assets.cli.terminal import PatientOutput, Signals

COMMANDS = (
    *(check, explain, probe, cite, schema, freeze),
    *(models, plan, run, search, report, deployments, promote, rollback),
    *(metrics, export, clean, ask, serve),
)
for one in COMMANDS:
    app.command(cls=ExplainCommand if one is explain else Command)(one)


def command() -> int:
    """Entry point of the program `forge`."""
    for stream in (sys.stdout, sys.stderr):  # citations are written with signs that not every locale has
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    sys.stdout = PatientOutput(sys.stdout)
    signals = Signals()
    try:
        with signals.watched():
            return main([os.fsencode(given).decode("utf-8", "backslashreplace") for given in sys.argv[1:]])
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return signals.status()
    finally:
        sys.stdout.flush()


def main(argv: list[str]) -> int:
    """Do what the arguments say; returns the exit status.

    Raises:
        KeyboardInterrupt: somebody asked it to stop.
    """
    return int(get_command(app).main(argv, standalone_mode=False) or 0)


if __name__ == "__main__":
    sys.exit(command())
