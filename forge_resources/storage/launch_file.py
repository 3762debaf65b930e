"""`launch.json` of a job's folder: what the job is for, what its processes run, and where its inputs lie here.

Nothing in it is part of the job's identity; it is written anew whenever the job is started.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from forge_resources.storage.atomic import atomic

NAME = "launch.json"


@dataclass(frozen=True)
class Entry:
    """What each process of a job runs.

    Attributes:
        function: `module:function`; it is called with the job's folder and gives the exit status.
        preload: modules that take long to import; a fork server imports them once for all jobs.
    """

    function: str
    preload: tuple[str, ...] = ()

    def load(self) -> Callable[[Path], int]:
        """Import the function.

        Raises:
            ImportError, AttributeError: there is no such module or function.
        """
        module, _, name = self.function.partition(":")
        found: Callable[[Path], int] = getattr(importlib.import_module(module), name)
        return found


class LaunchFileError(ValueError):
    """A `launch.json` that does not say what to run; the message names the file and the mend."""


@dataclass(frozen=True)
class LaunchFile:
    """What the file says.

    Attributes:
        title: what the job is for.
        paths: digest of each input to where it lies on this machine.
    """

    title: str
    paths: dict[str, Path]
    entry: Entry

    def write(self, folder: Path) -> None:
        """Write it whole or not at all: others look at the folder meanwhile."""
        said = {
            "title": self.title,
            "entry": self.entry.function,
            "preload": self.entry.preload,
            "paths": {digest: str(path) for digest, path in self.paths.items()},
        }
        with atomic(folder / NAME) as draft:
            draft.write_text(json.dumps(said), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> LaunchFile:
        """Read a job's file.

        Raises:
            OSError: it is not there.
            LaunchFileError: it does not say all that it has to.
        """
        try:
            said = json.loads((folder / NAME).read_text("utf-8"))
            paths = {digest: Path(path) for digest, path in said["paths"].items()}
            return cls(str(said["title"]), paths, Entry(str(said["entry"]), tuple(said["preload"])))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LaunchFileError(
                f"{folder / NAME}: cannot be used ({type(error).__name__}: {error}): ask for the job again, which "
                "writes it anew"
            ) from error
