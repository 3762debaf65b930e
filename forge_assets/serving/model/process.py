"""Start, watch and stop the process that runs the model, and ask it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import httpx

_START = 120.0
"""Seconds that a model may take to load."""
_STOP = 5.0
_PLACE = "QUESTIONSTANDSHERE"
"""What a template is filled with, to find where a question stands in it."""
_GONE = "the model's process stopped while it answered: ask again, and it is started anew"
_LEAST_ANSWER = 64
"""Tokens that are left for an answer."""


class ModelError(RuntimeError):
    """The model cannot be asked; the message says why and the mend."""


class ModelProcess:
    """A model in a process of its own, on the loopback address.

    Args:
        slots: answers at a time.
        context: tokens of a question and its answer.
        threads: None leaves one core to others: where all are taken, llama.cpp's threads wait for one another.
    """

    def __init__(self, file: Path, slots: int, context: int, threads: int | None = None) -> None:
        self.file, self.slots, self.context = file, slots, context
        self._threads = threads or max(1, (os.cpu_count() or 2) - 1)
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""
        self._lock = Lock()
        self._closed = False

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Of the process, if it was started."""
        return self._process.pid if self._process else None

    @property
    def address(self) -> str:
        """Of llama.cpp's own server."""
        return self._address

    def start(self) -> None:
        """Start the process if it does not run, and wait until it can be asked.

        Raises:
            ModelError: the file is missing or cannot be loaded.
        """
        with self._lock:
            if self._closed:
                raise ModelError("the server is stopping: start it again")
            if self.alive:
                return
            if not self.file.is_file():
                raise ModelError(f"{self.file}: no such file: name a GGUF file")
            given = [str(self.file), str(self.slots), str(self.context), str(self._threads)]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "forge_assets.serving.model.worker", *given],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is for whoever started it
            )
            self._address = self._greeting(self._process)

    def _greeting(self, process: subprocess.Popen[bytes]) -> str:
        """Read the line with the address; what llama.cpp prints besides is dropped."""
        assert process.stdout is not None
        found: dict[str, str] = {}

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith(b'{"') and not found:
                    with suppress(ValueError):
                        found.update(json.loads(line))
                        greeted.release()

        greeted = Lock()
        greeted.acquire()
        Thread(target=read, daemon=True).start()
        for _ in range(int(_START * 10)):
            if greeted.acquire(timeout=0.1):
                break
            if process.poll() is not None:
                greeted.acquire(timeout=0.5)
                break
        if "address" not in found:
            self.stop()
            why = found.get("error") or "it ended or gave no sign within two minutes"
            raise ModelError(f"{self.file}: llama.cpp cannot load it ({why}): name a whole GGUF file")
        return found["address"]

    def close(self) -> None:
        """Kill the process at once, whatever it does, and let it not be started again."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()

    def stop(self) -> None:
        """End the process; one that does not end by itself is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        try:
            process.wait(_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask llama.cpp's server something small.

        Raises:
            ModelError: it refuses, or does not answer.
        """
        try:
            with httpx.Client(trust_env=False, timeout=120) as client:
                said = client.post(self._address + path, json=dict(body))
        except httpx.HTTPError as error:
            raise ModelError("the model's process has stopped: ask again, and it is started anew") from error
        if said.status_code != 200:
            raise ModelError(f"llama.cpp refused {path}: {_why(said.content)}")
        found: dict[str, Any] = said.json()
        return found

    def prompt(self, system: str, question: str) -> list[int]:
        """Render a question by the file's own template, as token ids; no text of a question is a sign of the template.

        Raises:
            ModelError: there is no room for the question and an answer.
        """
        messages = [{"role": "system", "content": system}, {"role": "user", "content": _PLACE}]
        rendered = str(self.post("/apply-template", {"messages": messages})["prompt"])
        before, place, after = rendered.partition(_PLACE)
        if not place:
            raise ModelError(f"{self.file}: its chat template has no place for a question")
        ids = [*self.tokens(before, special=True), *self.tokens(question.strip())]
        ids += self._tokens(after, add=False, parse=True)
        if len(ids) > self.context - _LEAST_ANSWER:
            room = self.context - _LEAST_ANSWER
            raise ModelError(f"the question has {len(ids)} tokens, and the model has room for {room}: shorten it")
        return ids

    def tokens(self, text: str, special: bool = False) -> list[int]:
        """Give a text's token ids."""
        return self._tokens(text, add=special, parse=special)

    def _tokens(self, text: str, add: bool, parse: bool) -> list[int]:
        body = {"content": text, "add_special": add, "parse_special": parse}
        return [int(one) for one in self.post("/tokenize", body)["tokens"]]

    async def answer(
        self, prompt: Sequence[int], most: int, grammar: str, temperature: float = 0.0, seed: int = 0
    ) -> AsyncGenerator[str, None]:
        """Answer a rendered question under a grammar, in pieces.

        Raises:
            ModelError: the process goes away, or it refuses.
        """
        body = {
            "prompt": list(prompt),
            "n_predict": most,
            "grammar": grammar,
            "temperature": temperature,
            "seed": seed,
            "stream": True,
            "cache_prompt": True,
        }
        try:
            async with (
                httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(300, connect=5)) as client,
                client.stream("POST", f"{self._address}/completion", json=body) as said,
            ):
                if said.status_code != 200:
                    raise ModelError(f"llama.cpp refused the question: {_why(await said.aread())}")
                ended = False
                async for line in said.aiter_lines():
                    if line.startswith("data: "):
                        event = json.loads(line[6:])
                        ended = ended or bool(event.get("stop"))
                        yield event.get("content", "")
                    elif line.startswith("error: "):
                        raise ModelError(f"llama.cpp stopped answering: {_why(line[7:].encode())}")
                if not ended:
                    raise ModelError(_GONE)
        except httpx.HTTPError as error:
            raise ModelError(
                "the model's process stopped while it answered: ask again, and it is started anew"
            ) from error


def _why(content: bytes) -> str:
    try:
        said = json.loads(content)
        return str(said.get("error", said).get("message", said))[:300]
    except (ValueError, AttributeError):
        return content[:300].decode("utf-8", "replace")
