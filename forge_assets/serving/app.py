"""Serve the page, its interface and an OpenAI-compatible one, on the loopback address, all under the same guard."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from forge_assets.serving.answering import Answering, Event
from forge_assets.serving.asked import Asked, AskedError, read_asked
from forge_assets.serving.notice import HEADERS, NOTICE, mark

HOSTS = ("127.0.0.1", "localhost")
"""Names by which the server may be asked."""
MOST_BYTES = 8_000
"""Of a question."""
_PAGE = Path(__file__).with_name("page.html")
_NO_PAGE = "<!doctype html><title>Model Forge</title><p>This server has no page; ask it with POST /ask.</p>"


class TooMuch(Exception):
    """A request is larger than any question."""


class App:
    """The endpoints over one model.

    Attributes:
        asgi: what a server runs.
    """

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._free = answering.model.slots
        self.asgi = Starlette(
            routes=[
                Route("/", self._page),
                Route("/health", self._health),
                Route("/domain", self._domain),
                Route("/ask", self._ask, methods=["POST"]),
                Route("/v1/models", self._models),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
            ],
            # A page of elsewhere whose name is made to point here would else read what is asked.
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)],
        )

    async def _page(self, _: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        text = _PAGE.read_text("utf-8") if _PAGE.is_file() else _NO_PAGE
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        headers = {
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        return HTMLResponse(text.replace("{{nonce}}", nonce), headers=headers)

    async def _health(self, _: Request) -> Response:
        if self._answering.model.alive:
            return JSONResponse({"status": "ok"})
        message = "the model's process has stopped; it is started again when somebody asks"
        return JSONResponse({"status": "stopped", "message": message}, 503)

    async def _domain(self, _: Request) -> Response:
        library, served = self._answering.library, self._answering.served
        facts = [
            {"id": name, "title": kind.label, "kind": kind.type}
            for name, kind in library.domain.facts.items()
            if kind.drawn
        ]
        return JSONResponse(
            {
                "title": library.domain.title,
                "notice": list(NOTICE),
                "model": {"name": served.name, "digest": served.digest},
                "jurisdictions": [
                    {"id": code, "name": name, "taught": self._answering.is_taught(code)}
                    for code, name in library.names.items()
                ],
                "changes": [{"id": name, "title": kind.title} for name, kind in library.domain.change_types.items()],
                "facts": facts,
                "max_question_bytes": MOST_BYTES,
            },
            headers=HEADERS,
        )

    async def _ask(self, request: Request) -> Response:
        try:
            asked = read_asked(self._answering.library, await _body(request))
            _check_size(asked.question)
        except TooMuch:
            return _too_much()
        except AskedError as error:
            return _refused(400, str(error), "invalid_request", error.field)
        if not self._free:
            return self._busy()
        self._free -= 1
        headers = {**HEADERS, "Cache-Control": "no-store"}
        return StreamingResponse(self._events(asked), media_type="text/event-stream", headers=headers)

    async def _events(self, asked: Asked) -> AsyncGenerator[str, None]:
        try:
            async with aclosing(self._answering.answer(asked)) as events:
                async for event in events:
                    yield f"event: {event.name}\ndata: {json.dumps(event.data, ensure_ascii=False)}\n\n"
        finally:
            self._free += 1

    def _busy(self) -> Response:
        message = f"all {self._answering.model.slots} places to answer are taken: ask again in a moment"
        return _refused(429, message, "busy", None, {"Retry-After": "5"})

    async def _models(self, _: Request) -> Response:
        served = self._answering.served
        return JSONResponse({"object": "list", "data": [{"id": served.name, "object": "model", "owned_by": "local"}]})

    async def _chat(self, request: Request) -> Response:
        try:
            body = await _body(request)
            asked = Asked(question=_last_question(body))
            _check_size(asked.question)
        except TooMuch:
            return _too_much()
        except AskedError as error:
            return _refused(400, str(error), "invalid_request_error", error.field)
        if not self._free:
            return self._busy()
        self._free -= 1
        name, made = f"chatcmpl-{secrets.token_hex(12)}", int(time.time())
        if body.get("stream"):
            return StreamingResponse(self._chunks(asked, name, made), media_type="text/event-stream", headers=HEADERS)
        try:
            found = {event.name: event.data async for event in self._answering.answer(asked)}
        finally:
            self._free += 1
        if "error" in found:
            return _refused(503, found["error"]["message"], "server_error", None)
        message = {"role": "assistant", "content": _content(found["done"])}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        told = {name: data for name, data in found.items() if name in ("reading", "citations", "engine")}
        said = self._envelope(name, made, "chat.completion") | {"choices": [choice], "forge": told}
        return JSONResponse(mark(said), headers=HEADERS)

    async def _chunks(self, asked: Asked, name: str, made: int) -> AsyncGenerator[str, None]:
        """Stream a chat. What was sent cannot be taken back there, so an answer is sent when it is whole and judged."""
        try:
            last: Event | None = None
            async with aclosing(self._answering.answer(asked)) as events:
                async for event in events:
                    last = event
            envelope = mark(self._envelope(name, made, "chat.completion.chunk"))
            if last is None or last.name == "error":
                why = last.data["message"] if last else "the model said nothing"
                yield f"data: {json.dumps({'error': {'message': why, 'type': 'server_error', 'param': None}})}\n\n"
                return
            delta = {"role": "assistant", "content": _content(last.data)}
            for change, reason in ((delta, None), ({}, "stop")):
                choice = {"index": 0, "delta": change, "finish_reason": reason}
                yield f"data: {json.dumps(envelope | {'choices': [choice]}, ensure_ascii=False)}\n\n"
            yield "data: [DONE]\n\n"
        finally:
            self._free += 1

    def _envelope(self, name: str, made: int, kind: str) -> dict[str, Any]:
        return {"id": name, "object": kind, "created": made, "model": self._answering.served.name}


def _content(done: Mapping[str, Any]) -> str:
    return str(done["answer"] if done["status"] == "answered" else done["message"])


def _last_question(body: Mapping[str, Any]) -> str:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise AskedError("messages", "messages: give a list of messages, the last of the role `user`")
    last = messages[-1]
    if not isinstance(last, dict) or last.get("role") != "user" or not isinstance(last.get("content"), str):
        raise AskedError("messages", "messages: the last must have the role `user` and a text as `content`")
    if not last["content"].strip():
        raise AskedError("messages", "messages: write a question")
    return str(last["content"])


async def _body(request: Request) -> dict[str, Any]:
    """Read a request's JSON object.

    Raises:
        TooMuch: it is larger than any question.
        AskedError: it is none.
    """
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > 2 * MOST_BYTES + 4_000:  # of a question whose signs are escaped, and what stands beside it
            raise TooMuch
    try:
        found = await asyncio.to_thread(json.loads, content)
    except (ValueError, RecursionError) as error:
        raise AskedError("body", "the request must be a JSON object in UTF-8") from error
    if not isinstance(found, dict):
        raise AskedError("body", 'the request must be a JSON object, e.g. {"question": "..."}')
    return found


def _check_size(question: str) -> None:
    if len(question.encode("utf-8", "replace")) > MOST_BYTES:
        raise TooMuch


def _too_much() -> Response:
    return _refused(413, f"the question is too long: give at most {MOST_BYTES:,} bytes", "too_large", "question")


def _refused(
    status: int, message: str, kind: str, field: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    return JSONResponse({"error": {"message": message, "type": kind, "param": field}}, status, headers=headers)
