"""The answers of a generate job on disk: each kept as it ends, so that none is asked for twice."""

from __future__ import annotations

import json
import os
from pathlib import Path

from forge_assets.training.rows import read_lines


class AnswerFile:
    """JSON lines of sample_id and answer; a line that a kill left half-written is cut off."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = read_lines(path) if path.exists() else []
        whole = [line for line in lines if line.endswith("\n")]
        path.write_text("".join(whole))
        self.done = {json.loads(line)["sample_id"] for line in whole}

    def keep(self, sample_id: str, answer: str) -> None:
        """Append one answer."""
        with self._path.open("a") as stream:
            stream.write(json.dumps({"sample_id": sample_id, "answer": answer}, ensure_ascii=False) + "\n")
        self.done.add(sample_id)

    def put_in_order(self, names: list[str]) -> None:
        """Rewrite the file in that order: the same answers are the same bytes, however often they were interrupted."""
        found = {json.loads(line)["sample_id"]: line for line in read_lines(self._path)}
        draft = self._path.with_suffix(".draft")
        draft.write_text("".join(found[name] for name in names))
        os.replace(draft, self._path)
