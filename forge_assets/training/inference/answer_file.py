"""The answers of a generate job on disk: each kept as it ends, so that none is asked for twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from forge_resources.storage.atomic import atomic
from forge_resources.storage.json_lines import drop_torn_tail, whole_lines


class Cited(NamedTuple):
    """A place that an answer cites by its token, and the probability that the model gave it."""

    text: str
    probability: float


_KEYS = ({"sample_id", "answer"}, {"cited", "held"})
"""Of a line: those that it has, and those that it may have."""


class AnswerFile:
    """JSON lines of sample_id and answer, in UTF-8.

    `cited` are the places cited by a token with their probabilities, in order; `held` is how many tokens the guard
    changed. Both stand only where there are any.

    A line that a kill left half-written is cut off, and one that cannot be read any more is dropped: its prompt is
    asked again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        drop_torn_tail(path)
        lines = whole_lines(path.read_bytes()) if path.exists() else []
        found = {name: line for line in lines if (name := _sample(line)) is not None}
        if dropped := len(lines) - len(found):
            print(f"{path.name}: {dropped} lines cannot be read and are answered again", flush=True)
        with atomic(path) as draft:
            draft.write_bytes(b"".join(found.values()))
        self.done = set(found)

    def keep(self, sample_id: str, answer: str, cited: Sequence[Cited] = (), held: int = 0) -> None:
        """Append one answer."""
        line: dict[str, Any] = {"sample_id": sample_id, "answer": answer}
        line |= {"cited": [list(each) for each in cited]} if cited else {}
        line |= {"held": held} if held else {}
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.done.add(sample_id)

    def put_in_order(self, names: list[str]) -> None:
        """Rewrite the file in that order: the same answers are the same bytes, however often they were interrupted."""
        found = {_sample(line): line for line in whole_lines(self._path.read_bytes())}
        with atomic(self._path) as draft:
            draft.write_bytes(b"".join(found[name] for name in names))


def _sample(line: bytes) -> str | None:
    """Whose answer a line is; None where it is none."""
    try:
        row = json.loads(line.decode("utf-8"))
    except ValueError:
        return None
    whole = isinstance(row, dict) and _KEYS[0] <= row.keys() <= _KEYS[0] | _KEYS[1]
    return str(row["sample_id"]) if whole else None
