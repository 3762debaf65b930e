"""`forge explain`: its options are the facts that the pack declares, so they are read when it is called."""

from __future__ import annotations

import inspect
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.main import get_command

from forge_assets.cli.app import Command, reads
from forge_assets.cli.completions import countries
from forge_resources.config.chosen import pack_folder
from forge_resources.config.strict_yaml import SourceError

if TYPE_CHECKING:
    from forge_assets.law.model import Domain

FACT = "fact_"
"""Before a fact's name among the parameters: as an option it may have the name of a keyword of Python."""


OWN = ("change", "on", "in", "english", "help")
"""Options that are no facts."""


class ExplainCommand(Command):
    """Stands for the command with the pack's options until it is called, so a broken pack holds no other one back."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Read the arguments by the options that the pack declares.

        Raises:
            UsageMistake: they cannot be read.
            SourceError: the shared vocabulary of the pack cannot be read.
        """
        from forge_assets.law.loading import load_domain

        try:
            command = _command(load_domain(pack_folder()))
        except SourceError:
            if extra.get("resilient_parsing"):  # a shell asks what may come next: nothing that we know of
                return super().make_context(info_name, args, parent, **extra)
            raise
        return command.make_context(info_name, args, parent, **extra)


def explain() -> None:
    """Print what the law asks in a case, with reasons and quotes.

    A fact that decides and is not stated leaves a duty open; it is listed.
    """
    raise AssertionError("ExplainCommand calls the command that it makes")


def _command(domain: Domain) -> Any:
    def answer(**given: Any) -> int:
        facts = {name: given[f"{FACT}{name}"] for name in domain.facts if given[f"{FACT}{name}"] is not None}
        return _explained(domain, given, facts)

    answer.__signature__ = inspect.Signature([*_fixed(domain), *_facts(domain)])  # type: ignore[attr-defined]
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command("explain", cls=Command, help=explain.__doc__)(answer)
    return get_command(alone)


def _fixed(domain: Domain) -> list[inspect.Parameter]:
    from forge_assets.law.stated_facts import day

    changes = sorted(domain.change_types)
    return [
        _parameter(
            "countries",
            list[str],
            typer.Argument(metavar="COUNTRY", help="codes, e.g. DE, or DE FR for a group", autocompletion=countries),
        ),
        _parameter(
            "change",
            Literal[tuple(changes)],
            typer.Option("--change", metavar="CHANGE", help=f"what is planned: {', '.join(changes)}"),
        ),
        _parameter(
            "on",
            date | None,
            typer.Option("--on", metavar="DATE", parser=reads(day), help="of the change, YYYY-MM-DD; default today"),
            None,
        ),
        _parameter(
            "local",
            list[str],
            typer.Option("--in", metavar="CODE:FACT=VALUE", help="a fact of one country; may be given several times"),
            [],
        ),
        _parameter(
            "english", bool, typer.Option("--english", help="citations in English instead of the country's form"), False
        ),
    ]


def _facts(domain: Domain) -> list[inspect.Parameter]:
    from forge_assets.law.stated_facts import count

    made = []
    for name, kind in domain.facts.items():
        option = name.replace("_", "-")
        if option in OWN:
            raise ValueError(
                f"domain.yaml: `forge explain` has --{option} of its own: give the fact `{name}` another name"
            )
        if kind.type == "boolean":
            flag = typer.Option(f"--{option}/--no-{option}", help=kind.label)
            made.append(_parameter(f"{FACT}{name}", bool | None, flag, None))
        else:
            number = typer.Option(f"--{option}", metavar="N", parser=reads(count), help=kind.label)
            made.append(_parameter(f"{FACT}{name}", int | None, number, None))
    return made


def _parameter(name: str, kind: Any, how: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, how])


def _explained(domain: Domain, given: dict[str, Any], facts: dict[str, int | bool]) -> int:
    from forge_assets.cli.law import Question
    from forge_assets.cli.law import explain as explain_law
    from forge_assets.scenarios.pack.files import load_parts

    asked = Question(
        countries=tuple(given["countries"]),
        change=given["change"],
        facts=facts,
        local=tuple(given["local"]),
        on=given["on"] or date.today(),
        style="english" if given["english"] else "national",
    )
    pack = pack_folder()
    print(explain_law(pack, domain, asked, load_parts(pack, domain)))
    return 0
