"""`forge check`, `forge cite` and `forge schema`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forge_assets.cli.completions import countries
from forge_resources.config.chosen import pack_folder
from forge_resources.config.data_folder import data_folder

if TYPE_CHECKING:
    from forge_assets.law.checks.faults import Fault
    from forge_assets.law.model import Domain


def check(
    path: Annotated[Path | None, typer.Argument(help="one country's file, or another pack; default the pack")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="faults as JSON")] = False,
    changed: Annotated[bool, typer.Option("--changed", help="only countries that differ from the last commit")] = False,
) -> int:
    """Validate the domain pack, its quotes and every profile.

    The exit status is 1 if anything is broken, 0 if there are warnings only.
    """
    from forge_assets.cli.law import changed_countries, report_faults
    from forge_assets.cli.law import check as check_law

    only: list[Path] | None = None
    pack = Path() if path else pack_folder()
    if path is not None and path.is_dir():
        pack = path.resolve()
    elif path is not None:
        if not path.is_file():
            raise ValueError(f"{path}: no such file or folder; give a country's YAML file or a pack")
        if path.resolve().parent.name != "jurisdictions":
            raise ValueError(f"{path}: not in a pack's folder `jurisdictions`; give a country's YAML file or a pack")
        only = [path.resolve()]
        pack = only[0].parents[1]
    if changed and only is not None:
        raise ValueError("--changed looks for the countries itself: leave out the file, or --changed")
    if changed:
        only = changed_countries(pack)
    lines, faults = check_law(pack, only, lambda domain: _of_the_pack(pack, domain, ours=path is None))
    return report_faults(lines, faults, as_json, _praise(only))


def _of_the_pack(pack: Path, domain: Domain, ours: bool) -> list[Fault]:
    """Faults of the scenario vocabulary, of questions written by hand and of profiles.

    Args:
        ours: whether it is the pack that profiles are made for; another one need not have their countries.
    """
    from forge_assets.cli.profile_checks import ProfileChecks
    from forge_assets.datasets.questions import load_questions
    from forge_assets.law.checks.faults import Fault
    from forge_assets.scenarios.pack.files import load_pack
    from forge_assets.training.models.makers import MAKERS
    from forge_resources.config.model_registry import ModelLibrary
    from forge_resources.config.profile import load_profile, profile_names
    from forge_resources.config.strict_yaml import SourceError

    load_pack(pack, domain)
    broken = []
    if (pack / "benchmark" / "questions.yaml").exists():
        try:
            load_questions(pack, domain)
        except SourceError as error:
            broken.append(Fault.of(error))
    library = ModelLibrary(data_folder() / "models", makers=MAKERS)
    read = ProfileChecks(pack, library).read if ours else load_profile
    for name in profile_names():
        try:
            read(name)
        except SourceError as error:
            broken.append(Fault.of(error))
    return broken


def _praise(only: list[Path] | None) -> str:
    if only is not None:
        return "no problems" if only else "nothing differs from the last commit"
    from forge_resources.config.profile import profile_names

    return f"no problems; profiles {', '.join(profile_names())} are valid"


def probe(
    country: Annotated[str, typer.Argument(help="its code, e.g. DE", autocompletion=countries)],
    change: Annotated[str | None, typer.Option(metavar="CHANGE", help="one kind of change; default all")] = None,
) -> int:
    """Print what answers say first, over a grid of facts.

    The grid has both sides of every threshold. `!` marks a headline owed to representatives whom the facts deny.
    """
    from forge_assets.cli.law import probe as probe_law

    print("\n".join(probe_law(pack_folder(), country, change)))
    return 0


def cite(
    text: Annotated[str, typer.Argument(help="the text, or - to read standard input")],
    country: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="whose law a citation without a law's name means", autocompletion=countries),
    ] = None,
) -> int:
    """Print a text's citations, their keys and whether they exist.

    A line each: as written, key, verdict, canonical form. Verdicts: real, repealed, fabricated (the law is held and has
    no such place), unheld (the law's text is not held), ambiguous (which law is meant was guessed), unverifiable. The
    exit status is 1 if there is none.
    """
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
