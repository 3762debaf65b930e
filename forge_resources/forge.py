"""The Dagster resource every asset gets: data folder, domain pack, profile, tables and models."""

from __future__ import annotations

import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg

from forge_resources.models import ModelLibrary
from forge_resources.profile import Profile, load_profile
from forge_resources.store import Store, atomic, digest

PROJECT = Path(__file__).resolve().parents[1]


def data_folder() -> Path:
    """Where everything that is made lies: FORGE_DATA, or `.forge` in the project."""
    return Path(os.environ.get("FORGE_DATA", PROJECT / ".forge")).resolve()


def pack_folder() -> Path:
    """The domain pack: FORGE_PACK, or the labour pack of the project."""
    return Path(os.environ.get("FORGE_PACK", PROJECT / "frameworks" / "labour")).resolve()


def profile_name() -> str:
    """FORGE_PROFILE, or `cpu`."""
    return os.environ.get("FORGE_PROFILE", "cpu")


class Forge(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Names are read from the environment when the code location loads."""

    data: str
    pack: str
    profile_name: str

    @classmethod
    def from_environment(cls) -> Forge:
        """The resource that FORGE_DATA, FORGE_PACK and FORGE_PROFILE describe."""
        return cls(data=str(data_folder()), pack=str(pack_folder()), profile_name=profile_name())

    @property
    def pack_path(self) -> Path:
        """The domain pack's folder."""
        return Path(self.pack)

    @cached_property
    def profile(self) -> Profile:
        """The chosen profile.

        Raises:
            ProfileError: unknown or invalid profile.
        """
        return load_profile(self.profile_name)

    @cached_property
    def store(self) -> Store:
        """Tables and artefacts."""
        return Store(Path(self.data))

    @cached_property
    def models(self) -> ModelLibrary:
        """Base models; `make clean` leaves them."""
        return ModelLibrary(Path(self.data) / "models", sorted(self.pack_path.glob("**/*.yaml")))

    @property
    def studies(self) -> str:
        """Storage of searches: FORGE_STUDIES, an URL as SQLAlchemy's, or a SQLite file in the data folder."""
        if given := os.environ.get("FORGE_STUDIES"):
            return given
        # `%` and `?` of a path mean something else in an URL.
        return f"sqlite:///{quote(str(Path(self.data) / 'search' / 'studies.db'), safe='/ ')}"

    @cached_property
    def environment(self) -> str:
        """Digest of the pinned dependencies: part of every job's identity."""
        return digest((PROJECT / "constraints.txt").read_text())

    def remember(self, name: str, facts: dict[str, Any]) -> None:
        """Write what an asset hands to the next ones (digests, choices) atomically."""
        with atomic(self._state(name)) as draft:
            draft.write_text(json.dumps(facts, indent=1, ensure_ascii=False))

    def recall(self, name: str) -> dict[str, Any]:
        """Read what an asset handed on.

        Raises:
            FileNotFoundError: the asset was not materialised yet.
        """
        path = self._state(name)
        if not path.exists():
            raise FileNotFoundError(f"{name} was not materialised yet: run `make forge`, or materialise it in the UI")
        facts: dict[str, Any] = json.loads(path.read_text())
        return facts

    def knows(self, name: str) -> bool:
        """Whether something was remembered under that name."""
        return self._state(name).exists()

    def _state(self, name: str) -> Path:
        return Path(self.data) / "state" / f"{name}.json"
