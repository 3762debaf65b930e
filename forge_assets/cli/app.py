"""The program `forge` as Typer has it: its commands, and how a mistake in a command line is told.

The functions in `commands` are the commands. Their modules are imported at every start, so they import little; what a
command works with is imported when it is called.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from forge_resources.config.data_folder import PROJECT, data_folder

NAME = "forge"
COMPLETION = "_FORGE_COMPLETE"
"""Set where a shell asks what may come next."""

T = TypeVar("T")


class Refused(Exception):
    """A command cannot do what it was asked; the message names what stands in the way and the mend."""


class UsageMistake(Exception):
    """A command line that cannot be read; the message is one sentence that names the option and where help is."""


@contextmanager
def _one_sentence(context: Any) -> Iterator[None]:
    try:
        yield
    except typer.TyperException as error:
        command = context.command_path
        raise UsageMistake(f"{command}: {_told(error)} (`{command} --help` shows how)") from error


def _told(error: typer.TyperException) -> str:
    if isinstance(error, typer.BadParameter) and error.param is not None and error.message:
        text = f"{error.param.get_error_hint().replace(chr(39), '')}: {error.message.removeprefix('Value error, ')}"
    else:
        text = error.format_message()
        text = text[:1].lower() + text[1:]
    return " ".join(text.split()).rstrip(".")


class Command(TyperCommand):
    """A command that refuses an option which is given twice, unless it is one of which there may be several."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises:
            UsageMistake: they cannot be read.
        """
        with _one_sentence(ctx):
            if not ctx.resilient_parsing:
                _, _, given = self.make_parser(ctx).parse_args(list(args))
                for option in given:
                    if isinstance(option, TyperOption) and not option.multiple and given.count(option) > 1:
                        raise typer.BadParameter("given twice: keep one of them", param=option)
            return super().parse_args(ctx, args)


class Group(TyperGroup):
    """The program: ends with status 1 and one sentence on standard error where a command cannot do what was asked."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what stands before the command.

        Raises:
            UsageMistake: it cannot be read.
        """
        with _one_sentence(ctx):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command.

        Raises:
            UsageMistake: there is none of that name.
        """
        with _one_sentence(ctx):
            return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Do what the arguments say; returns the exit status, or exits with it in `standalone_mode`.

        Typer's own `main` would end the process at a Ctrl-C or a broken pipe; here they are the caller's.
        """
        if os.environ.get(COMPLETION):
            return super().main(args, NAME, COMPLETION, standalone_mode)
        status = self._status(list(sys.argv[1:] if args is None else args))
        if standalone_mode:
            sys.exit(status)
        return status

    def _status(self, arguments: list[str]) -> int:
        try:
            with self.make_context(NAME, arguments) as context:
                return int(self.invoke(context) or 0)
        except typer.Exit as asked:
            return asked.exit_code
        except _refusals() as error:
            print(error, file=sys.stderr)
            return 1


def _refusals() -> tuple[type[Exception], ...]:
    """What ends a command with one sentence; anything else is a fault of ours and shows its traceback."""
    from forge_resources.config.model_registry import ModelError
    from forge_resources.config.strict_yaml import SourceError

    return Refused, UsageMistake, ModelError, SourceError, ValueError


def reads(parse: Callable[[str], T]) -> Callable[[Any], T]:
    """A Typer parser of what `parse` reads; its ValueError is a mistake in the command line."""

    def read(value: Any) -> T:
        try:
            return parse(str(value))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    return read


app = typer.Typer(
    name=NAME,
    cls=Group,
    help="Check and explain the law, run what is out of date, show the report.",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def settings(context: typer.Context) -> None:
    """Tell Dagster where its settings and its history are; print the help where there is no command."""
    for name, value in (("DAGSTER_HOME", PROJECT), ("FORGE_DAGSTER", data_folder() / "dagster")):
        os.environ[name] = os.environ.get(name) or str(value)
    if context.invoked_subcommand is None:
        print(context.get_help())
