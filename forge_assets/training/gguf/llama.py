"""Run a GGUF file in llama.cpp inside this process: answers of chats, and token ids."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

Messages = Sequence[dict[str, str]]


class Token(NamedTuple):
    """A token of an answer.

    Attributes:
        text: what it stands for.
        ahead: nats by which it was likelier than the next one.
    """

    text: str
    ahead: float


class Reply(NamedTuple):
    """An answer of llama.cpp.

    Attributes:
        tokens: empty where they were not asked for.
        first_seconds: until the first token.
        new_tokens: how many there are.
    """

    text: str
    tokens: tuple[Token, ...]
    first_seconds: float
    new_tokens: int


class Llama:
    """llama.cpp with one model, on the processor; its own server listens on the loopback address meanwhile.

    Args:
        slots: answers at a time.
        context: tokens of a question and its answer.

    Raises:
        ValueError: the file cannot be loaded.
    """

    def __init__(self, file: Path, slots: int, context: int, threads: int | None = None) -> None:
        import xllamacpp

        given = xllamacpp.CommonParams()
        given.model.path = str(file)
        given.n_parallel, given.n_ctx = slots, slots * context
        given.hostnames, given.port = ["127.0.0.1"], 0
        given.use_jinja, given.warmup, given.verbosity, given.offline = True, False, 0, True
        given.cache_ram_mib = 0
        if threads:
            given.cpuparams.n_threads = given.cpuparams_batch.n_threads = threads
        try:
            self._server: Any = xllamacpp.Server(given)
        except RuntimeError as error:
            raise ValueError(f"{file}: llama.cpp cannot load it: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server = None  # its end stops the threads

    def answer(self, messages: Messages, max_new_tokens: int, schema: str | None = None, tokens: bool = False) -> Reply:
        """Answer a chat greedily.

        Args:
            schema: JSON Schema that the answer keeps to.
            tokens: also how likely each token was beside the next one.

        Raises:
            ValueError: the question is longer than the context, or cannot be answered.
        """
        asked: dict[str, Any] = {
            "messages": list(messages),
            "temperature": 0,
            "max_tokens": max_new_tokens,
            "cache_prompt": False,
        }
        if tokens:
            asked |= {"logprobs": True, "top_logprobs": 2}
        if schema:
            asked["response_format"] = {"type": "json_schema", "json_schema": {"schema": json.loads(schema)}}
        said = self._server.handle_chat_completions(asked)
        if "error" in said or not said.get("choices"):
            raise ValueError(f"llama.cpp did not answer: {said.get('error', said)}")
        choice, timings = said["choices"][0], said["timings"]
        listed = (choice.get("logprobs") or {}).get("content") or ()
        return Reply(
            text=choice["message"]["content"] or "",
            tokens=tuple(Token(one["token"], _ahead(one["top_logprobs"])) for one in listed),
            first_seconds=timings["prompt_ms"] / 1000,
            new_tokens=timings["predicted_n"],
        )

    def token_ids(self, messages: Messages) -> list[int]:
        """Render a question by the file's own template, as it is asked for an answer, and give its token ids."""
        prompt = self._post("/apply-template", {"messages": list(messages)})["prompt"]
        ids = self._post("/tokenize", {"content": prompt, "add_special": True, "parse_special": True})["tokens"]
        return [int(number) for number in ids]

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            self._server.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as reply:
            said: dict[str, Any] = json.load(reply)
        return said


def _ahead(likeliest: Sequence[dict[str, Any]]) -> float:
    if len(likeliest) < 2 or likeliest[1]["logprob"] is None:
        return float("inf")
    return float(likeliest[0]["logprob"] - likeliest[1]["logprob"])
