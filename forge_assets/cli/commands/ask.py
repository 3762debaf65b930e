"""`forge ask` and `forge serve`: the model that was made, asked here or by others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forge_assets.cli.app import Refused
from forge_assets.cli.completions import countries
from forge_resources.config.chosen import pack_folder
from forge_resources.config.data_folder import data_folder

Model = Annotated[Path | None, typer.Option("--model", metavar="FILE", help="a GGUF file; default the live deployment")]
Weights = Annotated[
    str | None, typer.Option("--weights", metavar="TYPE", help="of the deployment: f16, q8_0, q4_k_m; default its own")
]
Threads = Annotated[int | None, typer.Option(min=1, help="of the processor; default all cores but one")]


def ask(
    question: Annotated[str, typer.Argument(help="the question, or - to read standard input")],
    jurisdiction: Annotated[
        list[str] | None,
        typer.Option("--jurisdiction", metavar="CODE", help="whose law; may be repeated", autocompletion=countries),
    ] = None,
    change: Annotated[str | None, typer.Option(metavar="CHANGE", help="what is planned, e.g. site_closure")] = None,
    facts: Annotated[
        list[str] | None,
        typer.Option("--facts", metavar="NAME=VALUE", help="what is known, e.g. employees=120; may be repeated"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="everything as one JSON object")] = False,
    model: Model = None,
    weights: Weights = None,
    threads: Threads = None,
) -> int:
    """Ask the model, and show the law under every citation.

    The exit status is 3 if a citation failed (invented, of another country, repealed, not in force, not applicable or
    not to be judged), 2 if the question was not answered.
    """
    import sys

    from forge_assets.cli.asking import ask as ask_model

    text = sys.stdin.read() if question == "-" else question
    given = {"question": text, "jurisdictions": jurisdiction or [], "change": change}
    with _refusing():
        try:
            return ask_model(pack_folder(), data_folder(), given, facts or [], as_json, model, weights, threads)
        except KeyboardInterrupt:
            print("\nstopped: the question was not answered", file=sys.stderr)
            return 130


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="on 127.0.0.1; 0 takes a free one")] = 8642,
    slots: Annotated[int, typer.Option(min=1, max=64, help="answers at a time")] = 2,
    model: Model = None,
    weights: Weights = None,
    threads: Threads = None,
) -> int:
    """Serve a page and an OpenAI-compatible endpoint on 127.0.0.1.

    Both answer under the citation guard; where that does not hold, nothing is served.
    """
    from forge_assets.cli.asking import serve as serve_model

    with _refusing():
        return serve_model(pack_folder(), data_folder(), port, slots, model, weights, threads)


class _refusing:  # noqa: N801
    """Turns what stands in the way of asking into one sentence."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from forge_assets.delivery.deployment import DeploymentError
        from forge_assets.serving.model.process import ModelError

        if isinstance(error, DeploymentError | ModelError):
            raise Refused(str(error)) from error
