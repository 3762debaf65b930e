"""Ask the model at the command line, and serve it to others."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from forge_assets.delivery.deployment import Deployments
from forge_assets.law.stated_facts import read_facts
from forge_assets.serving.answering import Answering
from forge_assets.serving.asked import Asked, read_asked
from forge_assets.serving.library import Library
from forge_assets.serving.live import find_model
from forge_assets.serving.model.process import ModelProcess
from forge_assets.serving.notice import NOTICE, mark

FAILED, UNANSWERED = 3, 2
_GOOD = ("required", "relevant", "real")
_WIDTH = 100


def ask(
    pack: Path,
    data: Path,
    given: Mapping[str, Any],
    facts: Sequence[str],
    as_json: bool,
    file: Path | None,
    kind: str | None,
    threads: int | None,
) -> int:
    """Ask one question and print what comes; returns the exit status.

    Raises:
        ValueError: an unknown country, change or fact.
        ModelError: the model cannot be asked.
        DeploymentError: the deployment is not whole.
    """
    library = Library(pack)
    asked = read_asked(library, {**given, "facts": read_facts(library.domain, facts)})
    path, served, context = find_model(library, Deployments(data / "deployments"), file, kind)
    model = ModelProcess(path, 1, context, threads)
    try:
        answering = Answering(library, model, served)
        _, read, _, _ = answering.read(asked)
        if answering.refusal(read) is None:
            answering.start(read.jurisdictions)
        found = asyncio.run(_print(answering, asked, quiet=as_json))
    finally:
        model.stop()
    if as_json:
        about = {"question": asked.question, "model": {"name": served.name, "digest": served.digest}}
        print(json.dumps(mark({**about, "notice": list(NOTICE), **found}), ensure_ascii=False, indent=1))
    if "error" in found:
        return 1
    if found["done"]["status"] != "answered":
        return UNANSWERED
    return FAILED if any(one["verdict"] not in _GOOD for one in found["citations"]["citations"]) else 0


async def _print(answering: Answering, asked: Asked, quiet: bool) -> dict[str, Any]:
    """Print events as they come; returns them by name."""
    found: dict[str, Any] = {}
    show = (lambda *_, **__: None) if quiet else print
    async for event in answering.answer(asked):
        name, data = event
        if name == "text":
            show(data["delta"], end="", flush=True)
            continue
        found[name] = data
        if name == "reading":
            show(_reading(data, answering.library))
        elif name == "withdrawn":
            show(f"\n\n(withdrawn: {data['reason']})\n")
        elif name == "citations":
            show(f"\n\n{_citations(data)}")
        elif name == "engine":
            show(f"\n{_engine(data)}")
        elif name == "error":
            print(f"\n{data['message']}", file=sys.stderr)
        elif data["message"]:
            show(f"\nNot answered: {data['message']}" if data["status"] != "answered" else f"\n{data['message']}")
    show("\n" + "\n".join(NOTICE))
    return found


def _reading(data: Mapping[str, Any], library: Library) -> str:
    domain = library.domain
    named = ", ".join(library.names[code] for code in data["jurisdictions"]) or "no country"
    change = domain.change_types[data["change"]].title if data["change"] else "no kind of change"
    facts = ", ".join(f"{name}={str(value).lower()}" for name, value in data["facts"].items()) or "no facts"
    lines = [f"Read as: {named}; {change}; {facts}", "(correct it with --jurisdiction, --change, --facts)"]
    lines += [f"Asked as: {data['asked']}"] if data["asked"] else []
    return "\n".join([*lines, *(f"Note: {note}" for note in data["notes"]), ""])


def _citations(data: Mapping[str, Any]) -> str:
    lines = ["Citations"] if data["citations"] else ["The answer cites nothing."]
    for one in data["citations"]:
        lines.append(f"- {one['text']}: {one['verdict'].replace('_', ' ')}")
        if one["law"]:
            lines.append(f"    {one['law']}, text of {one['as_of']}, {one['status']}")
        if one["words"]:
            said = one["words"] if len(one["words"]) <= 600 else f"{one['words'][:600]} […]"
            lines += textwrap.wrap(f"«{said}»", _WIDTH, initial_indent="    ", subsequent_indent="    ")
    lines.append(f"{data['seen']} seen, {data['judged']} judged. Not checked: {'; '.join(data['unchecked'])}.")
    return "\n".join(lines)


def _engine(data: Mapping[str, Any]) -> str:
    certain = [duty for duty in data["duties"] if duty["certain"]]
    open_ = len(data["duties"]) - len(certain)
    lines = (
        ["The law engine, on the facts stated:"]
        if certain
        else ["The law engine finds nothing that applies for certain."]
    )
    lines += [f"- {duty['citation']} [{duty['level'].replace('_', '-')}]: {duty['text']}" for duty in certain]
    lines += [f"- {open_} more may apply (`forge explain` lists them)"] if open_ else []
    lines += (
        ["Where the answer differs:", *(f"- {said}" for said in data["differences"])] if data["differences"] else []
    )
    return "\n".join(lines)


def serve(
    pack: Path, data: Path, port: int, slots: int, file: Path | None, kind: str | None, threads: int | None
) -> int:
    """Serve until a signal asks to stop.

    Raises:
        ModelError: the model cannot be loaded, or its guard does not hold.
        DeploymentError: the deployment is not whole.
        ValueError: the port is taken.
    """
    import uvicorn

    from forge_assets.serving.app import App

    library = Library(pack)
    path, served, context = find_model(library, Deployments(data / "deployments"), file, kind)
    listener = _listener(port)
    model = ModelProcess(path, slots, context, threads)
    try:
        answering = Answering(library, model, served)
        answering.start(served.jurisdictions or tuple(library.names))
        answering.reader.read(library.domain.title)  # reads the wordings, which the first question would wait for
        config = uvicorn.Config(
            App(answering).asgi, log_level="critical", access_log=False, timeout_graceful_shutdown=3
        )

        class Server(uvicorn.Server):
            """Takes the model away when it is to stop, so that answers end with a word and not after minutes."""

            def handle_exit(self, sig: int, frame: FrameType | None) -> None:
                model.close()
                super().handle_exit(sig, frame)

        server = Server(config)
        listener.listen()  # whoever reads the address may call at once
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        print(f"{served.name} ({served.digest[:12]}) answers at {address}")
        print("its guard was proven; Ctrl-C stops it", flush=True)
        asyncio.run(server.serve([listener]))
    except KeyboardInterrupt:
        pass
    finally:
        model.stop()
        listener.close()
    print("stopped", file=sys.stderr)
    return 0


def _listener(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise ValueError(
            f"--port {port}: {(error.strerror or 'cannot be had').lower()}: give another, or 0 for a free one"
        ) from error
    return listener
