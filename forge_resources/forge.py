"""The Dagster resource every asset gets: data folder, domain pack, profile, tables and models."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import dagster as dg
from pydantic import Field

from forge_resources.config.chosen import pack_folder, profile_name
from forge_resources.config.data_folder import check_data_folder, claim, data_folder
from forge_resources.config.model_registry import Makers, ModelLibrary
from forge_resources.config.profile import Profile, load_profile
from forge_resources.config.settings import read_settings
from forge_resources.config.strict_yaml import SourceError, read_text
from forge_resources.storage.canonical_json import digest
from forge_resources.storage.record import Record
from forge_resources.storage.store import Store

WORKER_LIBRARIES = (
    "accelerate",
    "bitsandbytes",
    "datasets",
    "numpy",
    "peft",
    "safetensors",
    "tokenizers",
    "torch",
    "transformers",
    "trl",
)

R = TypeVar("R", bound=Record)


def check_storage(url: str) -> str:
    """Return the URL of a storage of searches.

    Raises:
        ValueError: it is no URL that SQLAlchemy reads.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(url)
    except ArgumentError as error:
        raise ValueError(
            f"FORGE_STUDIES={url}: no storage URL: write one such as sqlite:////folder/studies.db"
        ) from error
    return url


def worker_libraries() -> dict[str, str]:
    """Name to version of the installed libraries that a worker's result depends on.

    Builds of one version for different devices (`2.13.0+cpu`) are the same: a job has one identity on every machine.
    """
    found = {}
    for name in WORKER_LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name).split("+")[0]
    return found


def _is_text(path: Path) -> bool:
    """Whether a file of the pack can be read, hidden ones aside."""
    try:
        return not path.name.startswith(".") and bool(read_text(path))
    except SourceError:
        return False


class Forge(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Data folder, pack and profile by name; what they hold is read when it is asked for.

    Attributes:
        makers: fields of `Makers`, as Dagster's config has them; empty where no base model is to be made.
    """

    data: str
    pack: str
    profile_name: str
    makers: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def from_environment(cls, makers: Makers | None = None) -> Forge:
        """The resource that FORGE_DATA, FORGE_PACK and FORGE_PROFILE describe when it is called.

        Args:
            makers: what makes base models, for those who need models that may not be there yet.

        Raises:
            ValueError: there is no pack, FORGE_DATA is no folder, or FORGE_STUDIES is no URL.
        """
        check_data_folder(data_folder())
        check_storage(read_settings().studies or "sqlite://")
        made_by = asdict(makers) if makers else {}
        return cls(data=str(data_folder()), pack=str(pack_folder()), profile_name=profile_name(), makers=made_by)

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
        texts = [path for path in sorted(self.pack_path.glob("**/*.yaml")) if _is_text(path)]
        makers = Makers(**self.makers) if self.makers else None
        return ModelLibrary(Path(self.data) / "models", texts, makers=makers)

    @property
    def studies(self) -> str:
        """Storage of searches: FORGE_STUDIES, an URL as SQLAlchemy's, or a SQLite file in the data folder."""
        if given := read_settings().studies:
            return check_storage(given)
        # `%` and `?` of a path mean something else in an URL.
        return f"sqlite:///{quote(str(Path(self.data) / 'search' / 'studies.db'), safe='/ ')}"

    @cached_property
    def environment(self) -> str:
        """Digest of the libraries that workers compute with: part of every job's identity."""
        return digest(worker_libraries())

    def save(self, record: Record, partition: str | None = None) -> None:
        """Write what an asset hands to the next ones."""
        claim(self.store.root)
        record.write(self._state, partition)

    def load(self, kind: type[R], partition: str | None = None) -> R:
        """Read what an asset handed on.

        Raises:
            NotMaterialised: it was not materialised yet, or its record cannot be used.
        """
        return kind.read(self._state, partition)

    def find(self, kind: type[R], partition: str | None = None) -> R | None:
        """Read what an asset handed on; None where it was not made, or cannot be used and is to be made again."""
        return kind.find(self._state, partition)

    def has(self, kind: type[Record], partition: str | None = None) -> bool:
        """Whether an asset handed something on, be it of another form or torn."""
        return kind.exists(self._state, partition)

    def drop(self, kind: type[Record], partition: str | None = None) -> None:
        """Remove an asset's record before what it speaks of changes: a killed asset then counts as not made."""
        kind.drop(self._state, partition)

    @property
    def _state(self) -> Path:
        return Path(self.data) / "state"
