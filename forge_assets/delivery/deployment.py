"""Deployments: models in the form in which people ask them, kept by content, and a pointer to the one that is live.

`deployments/<digest>/` of the data folder holds a deployment's files and, written last, `deployment.json`. `live.json`
names the digest that is asked; it is replaced by rename, so that whoever reads it finds the one or the other. Every
move of it is a line of `history.jsonl`.
"""

from __future__ import annotations

import getpass
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from filelock import FileLock
from pydantic import ValidationError

from forge_assets.delivery.regression import compared
from forge_resources.storage.atomic import atomic
from forge_resources.storage.canonical_json import digest
from forge_resources.storage.file_sums import sha256
from forge_resources.storage.json_lines import JsonLines
from forge_resources.storage.locks import locked
from forge_resources.storage.strict import Strict

if TYPE_CHECKING:
    from forge_resources.forge import Forge

KEPT = 3
"""Deployments that stay on disk: the live one and those that were live or made last before."""
RECORD, LIVE, HISTORY = "deployment.json", "live.json", "history.jsonl"


class DeploymentError(Exception):
    """A deployment cannot be had or moved to; the message says why and what to do."""


class FileSum(Strict):
    """A file of a deployment."""

    name: str
    sha256: str
    bytes: int


class Check(Strict):
    """Something that must hold of a deployment before it goes live, with the figures that say whether it does."""

    name: str
    passed: bool
    said: str


class Deployment(Strict):
    """A model as it is delivered.

    Attributes:
        digest: of all that decides what is answered; names the folder.
        files: type of the weights (f16, q8_0, q4_k_m) to their GGUF file.
        served: the type that is asked unless another is named.
        jurisdictions: whose law the model was taught.
        languages: in which it was asked.
        system: what stood before each question in training.
        context: tokens of a question and its answer, at most.
        scores: mean composite on the benchmark: `transformers`, and each type of the weights.
        tokens_per_second: answering the benchmark, by type of the weights.
        composites: sample to the served type's composite, for whoever compares the next one.
        question: one of the benchmark, as an example of how to ask.
        answer: what the served type says to it.
        laws: jurisdiction to the version of its law that the model was taught from.
        made_at: when; no part of the digest.
    """

    digest: str
    profile: str
    domain: str
    base_model: str
    licence: str
    student: dict[str, str | None]
    files: dict[str, FileSum]
    served: str
    jurisdictions: tuple[str, ...]
    languages: tuple[str, ...]
    answer_languages: tuple[str, ...]
    system: str
    context: int
    max_new_tokens: int
    scores: dict[str, float]
    tokens_per_second: dict[str, float]
    composites: dict[str, float]
    checks: tuple[Check, ...]
    question: str
    answer: str
    laws: dict[str, str]
    made_at: str

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that do not hold."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def lost(self) -> dict[str, float]:
        """Composite that each type of the weights lost against the model in Transformers."""
        whole = self.scores["transformers"]
        return {kind: whole - score for kind, score in self.scores.items() if kind != "transformers"}

    @property
    def name(self) -> str:
        """What servers and lists call it."""
        return f"{self.domain}-{self.profile}-{self.digest[:12]}"

    @classmethod
    def identity(cls, files: Mapping[str, FileSum], *decides: object) -> str:
        """Digest of the weights and of what else decides an answer."""
        return digest([{kind: file.sha256 for kind, file in files.items()}, *decides])


class Move(Strict):
    """A move of the pointer, as `history.jsonl` has it."""

    action: Literal["made", "promoted", "rolled back"]
    digest: str
    before: str | None
    by: str
    at: str


class Deployments:
    """The deployments of a data folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def of(cls, forge: Forge) -> Deployments:
        """Those of the data folder that the settings name."""
        return cls(forge.store.root / "deployments")

    def folder(self, name: str) -> Path:
        """Where a deployment's files lie."""
        return self.root / name

    def file(self, made: Deployment, kind: str | None = None) -> Path:
        """Path of the GGUF file of a type, the served one by default.

        Raises:
            DeploymentError: it has no such file, or the file is not as it was made.
        """
        found = made.files.get(kind or made.served)
        if found is None:
            raise DeploymentError(f"{made.name} has no {kind}: it has {', '.join(made.files)}")
        path = self.folder(made.digest) / found.name
        if not path.is_file() or path.stat().st_size != found.bytes or sha256(path) != found.sha256:
            raise DeploymentError(f"{path} is not as it was made: run `forge run`, which makes it again")
        return path

    def is_whole(self, name: str) -> bool:
        """Whether a deployment is kept with all its files, by their sizes."""
        made = _read(self.folder(name) / RECORD)
        return made is not None and all(
            (path := self.folder(name) / file.name).is_file() and path.stat().st_size == file.bytes
            for file in made.files.values()
        )

    def all(self) -> list[Deployment]:
        """Those that are whole, the newest first."""
        found = [made for path in self.root.glob(f"*/{RECORD}") if (made := _read(path))]
        return sorted(found, key=lambda made: (made.made_at, made.digest), reverse=True)

    def get(self, name: str) -> Deployment:
        """The deployment whose digest begins so.

        Raises:
            DeploymentError: there is none, or several.
        """
        found = [made for made in self.all() if made.digest.startswith(name)] if name else []
        if len(found) != 1:
            known = ", ".join(made.digest[:12] for made in self.all()) or "none yet: `forge run` makes one"
            many = "several deployments begin" if found else "no deployment begins"
            raise DeploymentError(f"{many} with {name!r}: {known}")
        return found[0]

    def live(self) -> Deployment | None:
        """The deployment that is asked; None before the first was promoted."""
        try:
            name = json.loads((self.root / LIVE).read_text("utf-8"))["digest"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return _read(self.folder(str(name)) / RECORD)

    def add(self, made: Deployment, files: Mapping[str, Path], texts: Mapping[str, str]) -> None:
        """Keep a deployment: its weights are linked, its texts written, its record last.

        Args:
            files: names in the deployment's folder to files elsewhere in the store.
            texts: other files by name.
        """
        folder = self.folder(made.digest)
        with self._alone():
            for name, source in files.items():
                with atomic(folder / name) as draft:
                    draft.unlink()
                    try:
                        draft.hardlink_to(source)
                    except OSError:  # another file system
                        shutil.copyfile(source, draft)
            for name, text in texts.items():
                with atomic(folder / name) as draft:
                    draft.write_text(text, "utf-8")
            with atomic(folder / RECORD) as draft:
                draft.write_text(made.model_dump_json(indent=1), "utf-8")
            live = self.live()
            self._log("made", made.digest, live.digest if live else None)
            self._prune(made.digest)

    def promote(self, name: str) -> Deployment:
        """Let the deployment be asked whose digest begins so.

        Raises:
            DeploymentError: there is none, one of its checks fails, it is worse than what is live now, which may be
                another than when its checks were made, or a file is not as it was made.
        """
        with self._alone():
            made, live = self.get(name), self.live()
            if made.failed:
                why = "; ".join(f"{check.name}: {check.said}" for check in made.failed)
                raise DeploymentError(f"{made.name} is not promoted: {why}")
            against = compared(made.composites, live.composites) if live else None
            if live and against and against.worse:
                raise DeploymentError(f"{made.name} is not promoted: {against} against {live.name}, which is live now")
            self._move("promoted", made)
        return made

    def rollback(self) -> Deployment:
        """Let the deployment be asked that was live before this one.

        Raises:
            DeploymentError: none was, or it is no longer kept.
        """
        with self._alone():
            live, before = self.live(), self._before()
            if live is None or before is None:
                raise DeploymentError("there is nothing to go back to: no other deployment was live before")
            made = _read(self.folder(before) / RECORD)
            if made is None:
                raise DeploymentError(f"deployment {before[:12]}, which was live before, is no longer kept")
            self._move("rolled back", made)
        return made

    def history(self) -> list[Move]:
        """Every move, in order."""
        return [Move.model_validate(line) for line in JsonLines(self.root / HISTORY).new()]

    def _before(self) -> str | None:
        """What was live before the last promotion that was not undone."""
        stack: list[str] = []
        for move in self.history():
            if move.action == "promoted" and (not stack or stack[-1] != move.digest):
                stack.append(move.digest)
            elif move.action == "rolled back" and stack:
                stack.pop()
        return stack[-2] if len(stack) > 1 else None

    def _move(self, action: Literal["promoted", "rolled back"], made: Deployment) -> None:
        live = self.live()
        for kind in made.files:
            self.file(made, kind)
        with atomic(self.root / LIVE) as draft:
            draft.write_text(json.dumps({"digest": made.digest}) + "\n", "utf-8")
        self._log(action, made.digest, live.digest if live else None)

    def _log(self, action: Literal["made", "promoted", "rolled back"], name: str, before: str | None) -> None:
        move = Move(action=action, digest=name, before=before, by=_user(), at=now())
        with (self.root / HISTORY).open("a", encoding="utf-8") as stream:
            stream.write(move.model_dump_json() + "\n")

    def _prune(self, new: str) -> None:
        """Remove all but the new one, the live one, what was live before it, and the newest up to `KEPT`.

        So is what an earlier one left behind that was cut short before its record was written.
        """
        live = self.live()
        for folder in self.root.iterdir():
            if folder.is_dir() and not (folder / RECORD).exists():
                shutil.rmtree(folder)
        kept = {new, live.digest if live else new, self._before() or new}
        for made in self.all():
            if len(kept) < KEPT:
                kept.add(made.digest)
            if made.digest not in kept:
                (self.folder(made.digest) / RECORD).unlink()
                shutil.rmtree(self.folder(made.digest))

    def _alone(self) -> FileLock:
        self.root.mkdir(parents=True, exist_ok=True)
        return locked(self.root / ".lock")


def live(forge: Forge) -> Deployment | None:
    """The deployment of a data folder that is asked; None before the first was promoted."""
    return Deployments.of(forge).live()


def now() -> str:
    """The time, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a pod's user without a name
        return "unknown"


def _read(path: Path) -> Deployment | None:
    """A deployment's record; None where it is not there, torn or of another version of the program."""
    try:
        return Deployment.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
