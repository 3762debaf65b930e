"""Base models: unpacked from a wheel of the package index, taken from a local folder, fetched from a hub, or made.

Every model ends as one folder of safetensors, config and tokenizer with a chat template; its digest is the SHA-256
of weights and tokenizer, and jobs name it by that.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

REGISTRY = Path(__file__).with_name("base_models.yaml")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WheelSource(_Strict):
    """A GGUF file inside wheels, possibly in parts; `sha256` is that of the whole file."""

    kind: Literal["wheel"]
    packages: tuple[str, ...]
    parts: tuple[str, ...]
    sha256: str


class FolderSource(_Strict):
    """A local folder in Hugging Face layout."""

    kind: Literal["folder"]
    path: Path


class HubSource(_Strict):
    """A model hub; refused unless FORGE_ALLOW_HUB=1."""

    kind: Literal["hub"]
    id: str
    revision: str


class RandomSource(_Strict):
    """A miniature made on the spot."""

    kind: Literal["random"]
    family: Literal["llama", "qwen3", "gemma3", "gpt_oss"] = "llama"
    layers: int
    hidden: int


class ModelEntry(_Strict):
    """One line of the registry."""

    licence: str
    origin: str
    source: Annotated[WheelSource | FolderSource | HubSource | RandomSource, Field(discriminator="kind")]
    config: dict[str, Any] | None = None
    """Of the model's config.json, what `forge plan` needs; without it the model must be here to be planned."""
    chat_template: str | None = None
    eos_token: str | None = None


@dataclass(frozen=True)
class BaseModelFolder:
    """A model that is ready to load."""

    name: str
    digest: str
    path: Path
    licence: str


class ModelError(Exception):
    """A base model cannot be had; the message says why and what to do."""


class ModelLibrary:
    """The base models of one data folder.

    Args:
        root: where the models lie.
        texts: files a miniature's tokenizer is trained on.
    """

    def __init__(self, root: Path, texts: list[Path] | None = None, registry: Path = REGISTRY) -> None:
        self._root = root
        self._texts = texts or []
        raw = yaml.safe_load(registry.read_text())
        self.entries = {name: ModelEntry.model_validate(entry) for name, entry in raw.items()}

    def ensure(self, name: str) -> BaseModelFolder:
        """The model's folder, made first if it is not there yet.

        Raises:
            ModelError: unknown name, package not found, wrong SHA-256, hub access not allowed, unreadable weights.
        """
        entry = self.entries.get(name)
        if entry is None:
            raise ModelError(f"no base model {name!r}; known: {', '.join(sorted(self.entries))}")
        folder = self._root / name
        if not (folder / "digest.json").exists():
            self._make(entry, folder)
        digest = json.loads((folder / "digest.json").read_text())["sha256"]
        return BaseModelFolder(name, digest, folder, entry.licence)

    def config(self, name: str) -> dict[str, Any]:
        """What is known of a model's config.json: from its folder if it is here, else from the registry.

        Raises:
            ModelError: unknown name, or a model that is neither here nor described.
        """
        entry = self.entries.get(name)
        if entry is None:
            raise ModelError(f"no base model {name!r}; known: {', '.join(sorted(self.entries))}")
        folder = entry.source.path if isinstance(entry.source, FolderSource) else self._root / name
        if (folder / "config.json").exists():
            found: dict[str, Any] = json.loads((folder / "config.json").read_text())
            return found
        if entry.config is None:
            raise ModelError(f"{name} is not here to be read: run `forge models`, or give its `config` in {REGISTRY}")
        return entry.config

    def _make(self, entry: ModelEntry, folder: Path) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._root, prefix=f".{folder.name}-") as scratch:
            draft = Path(scratch) / "model"
            match entry.source:
                case WheelSource() as source:
                    gguf = _unpack(source, Path(scratch))
                    _python("forge_assets.training.dequantise", gguf, draft)
                case RandomSource(family=family, layers=layers, hidden=hidden):
                    _python("forge_assets.training.tiny", draft, family, layers, hidden, *self._texts)
                case FolderSource(path=path):
                    if not path.is_dir():
                        raise ModelError(f"{path}: no such model folder")
                    shutil.copytree(path, draft)
                case HubSource(id=identifier, revision=revision):
                    _download(identifier, revision, draft)
            if not (draft / "config.json").exists() or not any(draft.glob("*.safetensors")):
                raise ModelError(f"{folder.name} ({entry.origin}): no config.json and *.safetensors in what was found")
            _give_chat_template(entry, draft)
            digest = hashlib.sha256()
            for file in sorted([*draft.glob("*.safetensors"), *draft.glob("tokenizer.json"), draft / "config.json"]):
                with file.open("rb") as stream:
                    digest.update(hashlib.file_digest(stream, "sha256").digest())
            (draft / "digest.json").write_text(json.dumps({"sha256": digest.hexdigest(), "origin": entry.origin}))
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(draft, folder)


def _unpack(source: WheelSource, scratch: Path) -> Path:
    wheels = scratch / "wheels"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(wheels)]
    done = subprocess.run([*command, *source.packages], capture_output=True, text=True)
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
    with gguf.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != source.sha256:
        raise ModelError(f"{source.parts[0]}: SHA-256 is {found}, the registry says {source.sha256}: not used")
    return gguf


def _download(identifier: str, revision: str, draft: Path) -> None:
    if os.environ.get("FORGE_ALLOW_HUB") != "1":
        raise ModelError(f"{identifier} is on a model hub, and hub access is off: set FORGE_ALLOW_HUB=1 to allow it")
    from huggingface_hub import snapshot_download

    snapshot_download(
        identifier, revision=revision, local_dir=draft, allow_patterns=["*.json", "*.safetensors", "*.jinja"]
    )


def _give_chat_template(entry: ModelEntry, draft: Path) -> None:
    if entry.chat_template is None:
        return
    (draft / "chat_template.jinja").write_text(entry.chat_template)
    if entry.eos_token:
        file = draft / "tokenizer_config.json"
        config = json.loads(file.read_text())
        file.write_text(json.dumps({**config, "eos_token": entry.eos_token}, indent=1))


def _python(module: str, *arguments: object) -> None:
    """Run a module that needs torch in a process of its own, so that its memory is given back."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    if done.returncode:
        raise ModelError(f"{module} failed:\n{done.stderr.strip()[-2000:]}")
