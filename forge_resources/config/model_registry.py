"""Base models: unpacked from a wheel of the package index, taken from a local folder, fetched from a hub, or made.

Every model ends as one folder of safetensors, config and tokenizer with a chat template. `digest.json` there lists
SHA-256 and size of every file that decides what the model does; the digest is that of the list, and jobs name the model
by it. A process hashes the files when it first asks for the model: 1 s for 516 MB in the page cache, 2.5 s from disk. A
model that is not as it was made is made again where that gives the same files, and refused where only its owner can say
what is right.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from forge_resources.config.settings import read_settings
from forge_resources.config.strict_yaml import read_yaml, validate
from forge_resources.storage.file_sums import Changed, Sums, fault, names, read_sealed, seal_of, sealed, sha256, sums
from forge_resources.storage.locks import locked
from forge_resources.storage.strict import Strict

LOG = logging.getLogger("forge")
"""Also seen in Dagster's runs, see `dagster.yaml`."""
REGISTRY = Path(__file__).with_name("base_models.yaml")
DIGEST = "digest.json"
UNREAD = (".md", "LICENSE", "NOTICE")
"""How names end of files that are for people; a loader may read any other."""


class WheelSource(Strict):
    """A GGUF file inside wheels, possibly in parts; `sha256` is that of the whole file."""

    kind: Literal["wheel"]
    packages: tuple[str, ...]
    parts: tuple[str, ...]
    sha256: str


class FolderSource(Strict):
    """A local folder in Hugging Face layout."""

    kind: Literal["folder"]
    path: Path


class HubSource(Strict):
    """A model hub; refused unless FORGE_ALLOW_HUB=1."""

    kind: Literal["hub"]
    id: str
    revision: str


class RandomSource(Strict):
    """A miniature made on the spot."""

    kind: Literal["random"]
    family: Literal["llama", "qwen3", "gemma3", "gpt_oss"] = "llama"
    layers: Annotated[int, Field(ge=1)]
    hidden: Annotated[int, Field(ge=1)]


class ModelEntry(Strict):
    """One line of the registry."""

    licence: str
    origin: str
    source: Annotated[WheelSource | FolderSource | HubSource | RandomSource, Field(discriminator="kind")]
    config: dict[str, Any] | None = None
    """Of the model's config.json, what `forge plan` needs; without it the model must be here to be planned."""
    chat_template: str | None = None
    eos_token: str | None = None


class _Registry(RootModel[dict[str, ModelEntry]]):
    """The whole file."""


@dataclass(frozen=True)
class BaseModelFolder:
    """A model that is ready to load."""

    name: str
    digest: str
    path: Path
    licence: str


@dataclass(frozen=True)
class Makers:
    """Modules that make a model's folder, each run as a program: this package knows no machine learning.

    Attributes:
        gguf: `python -m MODULE GGUF_FILE FOLDER`.
        miniature: `python -m MODULE FOLDER FAMILY LAYERS HIDDEN TEXT_FILE...`.
    """

    gguf: str
    miniature: str


class ModelError(Exception):
    """A base model cannot be had; the message says why and what to do."""


class ModelLibrary:
    """The base models of one data folder.

    Args:
        root: where the models lie.
        texts: files a miniature's tokenizer is trained on.
        makers: without them, models that have to be unpacked or made are refused.

    Raises:
        SourceError: the registry does not say what a model is.
    """

    def __init__(
        self, root: Path, texts: list[Path] | None = None, registry: Path = REGISTRY, makers: Makers | None = None
    ) -> None:
        self._root = root
        self._texts = texts or []
        self._makers = makers
        data, lines = read_yaml(registry)
        self.entries = validate(_Registry, registry, data, lines).root

    def ensure(self, name: str) -> BaseModelFolder:
        """The model's folder, made first if it is not there yet or not as it was made.

        Raises:
            ModelError: unknown name, package not found, wrong SHA-256, hub access not allowed, unreadable weights, or
                a file of a model that was copied or fetched was changed.
        """
        entry = self.entries.get(name)
        if entry is None:
            raise ModelError(f"no base model {name!r}; known: {', '.join(sorted(self.entries))}")
        folder = self._root / name
        if _not_as_made(folder):
            self._root.mkdir(parents=True, exist_ok=True)
            with locked(self._root.with_name(f".{self._root.name}.lock")):
                if found := _not_as_made(folder):  # unless another process has made it meanwhile
                    self._make(entry, folder, found)
        return BaseModelFolder(name, read_sealed(folder / DIGEST)["model"], folder, entry.licence)

    def config(self, name: str) -> dict[str, Any]:
        """What is known of a model's config.json: from its folder if it is here, else from the registry.

        Raises:
            ModelError: unknown name, a model that is neither here nor described, or as `ensure` says.
        """
        entry = self.entries.get(name)
        if entry is None:
            raise ModelError(f"no base model {name!r}; known: {', '.join(sorted(self.entries))}")
        folder = self._folder(name)
        if changed_file(folder):
            folder = self.ensure(name).path
        if (folder / "config.json").exists():
            found: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
            return found
        if entry.config is None:
            raise ModelError(f"{name} is not here to be read: run `forge models`, or give its `config` in {REGISTRY}")
        return entry.config

    def tokenizer(self, name: str) -> Path | None:
        """A model's tokenizer.json; None where it is not here yet."""
        file = self._folder(name) / "tokenizer.json"
        return file if file.is_file() else None

    def _maker(self, name: str) -> Makers:
        if self._makers is None:
            raise ModelError(f"{name} has to be made first: run `forge models`")
        return self._makers

    def _folder(self, name: str) -> Path:
        source = self.entries[name].source
        return source.path if isinstance(source, FolderSource) else self._root / name

    def _make(self, entry: ModelEntry, folder: Path, why: str) -> None:
        if folder.exists():
            if changed_file(folder) and isinstance(entry.source, FolderSource | HubSource):
                raise ModelError(
                    f"base model {folder.name}: {why}: put it back, or remove {folder} to have it made anew"
                )
            LOG.warning("base model %s: %s: it is made again", folder.name, why)
        with tempfile.TemporaryDirectory(dir=self._root, prefix=f".{folder.name}-") as scratch:
            draft = Path(scratch) / "model"
            match entry.source:
                case WheelSource() as source:
                    maker = self._maker(folder.name).gguf
                    _python(maker, _unpack(source, Path(scratch)), draft)
                case RandomSource(family=family, layers=layers, hidden=hidden):
                    _python(self._maker(folder.name).miniature, draft, family, layers, hidden, *self._texts)
                case FolderSource(path=path):
                    if not path.is_dir():
                        raise ModelError(f"{path}: no such model folder")
                    shutil.copytree(path, draft)
                case HubSource(id=identifier, revision=revision):
                    _download(identifier, revision, draft)
            if not (draft / "config.json").exists() or not any(draft.glob("*.safetensors")):
                raise ModelError(f"{folder.name} ({entry.origin}): no config.json and *.safetensors in what was found")
            _give_chat_template(entry, draft)
            (draft / DIGEST).unlink(missing_ok=True)  # of a folder that was another library's
            listed = sums(draft, _deciding(draft))
            said = sealed({"model": _digest(listed), "origin": entry.origin, "files": listed})
            (draft / DIGEST).write_text(json.dumps(said, indent=1), "utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(draft, folder)


def changed_file(folder: Path) -> str:
    """Which file of a model is not as it was when the model was made; "" when all are, or none was listed.

    Reads the whole model, once in a process.
    """
    try:
        listed = read_sealed(folder / DIGEST)["files"]
    except (FileNotFoundError, Changed):
        return ""
    return fault(folder, listed, _deciding(folder))


def _not_as_made(folder: Path) -> str:
    """Why a model has to be made; "" where it is there as it was made."""
    try:
        read_sealed(folder / DIGEST)
    except FileNotFoundError:
        return f"{folder / DIGEST} is missing"
    except Changed as found:  # or of an older layout
        return str(found)
    return changed_file(folder)


def _deciding(folder: Path) -> list[str]:
    """Files that a loader may read: weights, config, generation config, tokenizer, chat template."""
    files = [name for name in names(folder) if name != DIGEST and not name.endswith(UNREAD)]
    return [name for name in files if not any(part.startswith(".") for part in Path(name).parts)]


def _digest(listed: Sums) -> str:
    """Of names and contents, equal for equal models wherever they came from."""
    return seal_of({name: found["sha256"] for name, found in listed.items()})


def _unpack(source: WheelSource, scratch: Path) -> Path:
    wheels = scratch / "wheels"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(wheels)]
    done = subprocess.run([*command, *source.packages], capture_output=True, encoding="utf-8")
    if done.returncode:
        raise ModelError(f"pip could not download {', '.join(source.packages)}:\n{done.stderr.strip()}")
    gguf = scratch / "model.gguf"
    archives = [zipfile.ZipFile(w) for w in sorted(wheels.glob("*.whl"))]
    with gguf.open("wb") as out:
        for part in source.parts:
            archive = next((a for a in archives if part in a.namelist()), None)
            if archive is None:
                raise ModelError(f"{part} is in none of {', '.join(source.packages)}")
            with archive.open(part) as stream:
                shutil.copyfileobj(stream, out)
    if (found := sha256(gguf)) != source.sha256:
        raise ModelError(f"{source.parts[0]}: SHA-256 is {found}, the registry says {source.sha256}: not used")
    return gguf


def _download(identifier: str, revision: str, draft: Path) -> None:
    if not read_settings().hub_allowed:
        raise ModelError(f"{identifier} is on a model hub, and hub access is off: set FORGE_ALLOW_HUB=1 to allow it")
    from huggingface_hub import snapshot_download

    snapshot_download(
        identifier, revision=revision, local_dir=draft, allow_patterns=["*.json", "*.safetensors", "*.jinja"]
    )


def _give_chat_template(entry: ModelEntry, draft: Path) -> None:
    if entry.chat_template is None:
        return
    (draft / "chat_template.jinja").write_text(entry.chat_template, "utf-8")
    if entry.eos_token:
        file = draft / "tokenizer_config.json"
        config = json.loads(file.read_text("utf-8"))
        file.write_text(json.dumps({**config, "eos_token": entry.eos_token}, indent=1), "utf-8")


def _python(module: str, *arguments: object) -> None:
    """Run a module that needs torch in a process of its own, so that its memory is given back."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    if done.returncode:
        raise ModelError(f"{module} failed:\n{done.stderr.strip()[-2000:]}")
