"""The Dagster resource every asset gets: data folder, domain pack, profile, tables and models."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg
from pydantic import Field

from forge_resources.config.data_folder import PROJECT, claim, data_folder
from forge_resources.config.environment import setting
from forge_resources.config.model_registry import Makers, ModelLibrary
from forge_resources.config.profile import Profile, load_profile
from forge_resources.config.strict_yaml import SourceError, read_text
from forge_resources.storage.store import Store, atomic, digest


def pack_folder() -> Path:
    """The domain pack: FORGE_PACK, or the labour pack of the project."""
    return Path(setting("FORGE_PACK", str(PROJECT / "frameworks" / "labour"))).resolve()


def profile_name() -> str:
    """FORGE_PROFILE, or `cpu`."""
    return setting("FORGE_PROFILE", "cpu")


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
            ValueError: there is no pack, or FORGE_STUDIES is no URL.
        """
        if not (pack_folder() / "domain.yaml").is_file():
            raise ValueError(f"FORGE_PACK={pack_folder()}: no domain.yaml there: name the folder of a domain pack")
        check_storage(setting("FORGE_STUDIES", "sqlite://"))
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
        if given := setting("FORGE_STUDIES", ""):
            return check_storage(given)
        # `%` and `?` of a path mean something else in an URL.
        return f"sqlite:///{quote(str(Path(self.data) / 'search' / 'studies.db'), safe='/ ')}"

    @cached_property
    def environment(self) -> str:
        """Digest of the pinned dependencies: part of every job's identity."""
        return digest((PROJECT / "constraints.txt").read_text("utf-8"))

    def remember(self, name: str, facts: dict[str, Any]) -> None:
        """Write what an asset hands to the next ones (digests, choices) atomically."""
        claim(self.store.root)
        with atomic(self._state(name)) as draft:
            draft.write_text(json.dumps(facts, indent=1, ensure_ascii=False), "utf-8")

    def recall(self, name: str) -> dict[str, Any]:
        """Read what an asset handed on.

        Raises:
            FileNotFoundError: the asset was not materialised yet.
        """
        facts = self._known(name)
        if facts is None:
            raise FileNotFoundError(f"{name} was not materialised yet: run `make forge`, or materialise it in the UI")
        return facts

    def knows(self, name: str) -> bool:
        """Whether something was remembered under that name and can be read."""
        return self._known(name) is not None

    def _known(self, name: str) -> dict[str, Any] | None:
        """What was remembered; None where nothing was, or where the file is torn: what makes it makes it again."""
        try:
            facts = json.loads(self._state(name).read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return facts if isinstance(facts, dict) else None

    def _state(self, name: str) -> Path:
        return Path(self.data) / "state" / f"{name}.json"
