"""What an asset hands to the next ones: a typed record, written as JSON with the version of its form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ValidationError

from forge_resources.storage.atomic import atomic
from forge_resources.storage.strict import Strict


class NotMaterialised(FileNotFoundError):
    """An asset has no record, or one that cannot be used; the message says which, and what to run."""


class Record(Strict):
    """Subclass with the asset's name; one record lies there, or one per partition.

    A field that is added, dropped or means something else raises `form`: records of other forms are refused by `read`,
    and count as not made in `find`.
    """

    asset: ClassVar[str]
    form: ClassVar[int] = 1

    def write(self, folder: Path, partition: str | None = None) -> None:
        """Write the record below a folder, whole or not at all."""
        said = {"form": self.form, **self.model_dump(mode="json")}
        with atomic(self._path(folder, partition)) as draft:
            draft.write_text(json.dumps(said, indent=1, ensure_ascii=False), "utf-8")

    @classmethod
    def read(cls, folder: Path, partition: str | None = None) -> Self:
        """Read the record of the last materialisation.

        Raises:
            NotMaterialised: there is none, it is torn, or another version of the program wrote it.
        """
        path = cls._path(folder, partition)
        name = f"{cls.asset} of {partition}" if partition else cls.asset
        try:
            said = json.loads(path.read_text("utf-8"))
        except FileNotFoundError as error:
            raise NotMaterialised(
                f"{name} was not materialised yet: run `make forge`, or materialise it in the UI"
            ) from error
        except (OSError, ValueError) as error:
            raise NotMaterialised(f"{path} is torn: run `make forge`, or materialise {name} again") from error
        form = said.pop("form", None) if isinstance(said, dict) else None
        try:
            if form != cls.form:
                raise ValueError(form)
            return cls.model_validate(said)
        except (ValidationError, ValueError) as error:
            raise NotMaterialised(
                f"{path} was written by another version of the program: run `make forge`, or materialise {name} again"
            ) from error

    @classmethod
    def find(cls, folder: Path, partition: str | None = None) -> Self | None:
        """Read the record; None where it cannot be used, for what makes it makes it again."""
        try:
            return cls.read(folder, partition)
        except NotMaterialised:
            return None

    @classmethod
    def exists(cls, folder: Path, partition: str | None = None) -> bool:
        """Whether there is a record, one that cannot be used included."""
        return cls._path(folder, partition).exists()

    @classmethod
    def drop(cls, folder: Path, partition: str | None = None) -> None:
        """Remove the record: what it speaks of is about to change."""
        cls._path(folder, partition).unlink(missing_ok=True)

    @classmethod
    def _path(cls, folder: Path, partition: str | None) -> Path:
        parts: list[Any] = [cls.asset] if partition is None else [cls.asset, partition]
        return folder.joinpath(*parts).with_suffix(".json")
