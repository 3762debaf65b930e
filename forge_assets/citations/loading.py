"""Read the laws of a pack for the parser, and keep what was built of them until a file changes."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from forge_assets.citations.law_index import LawIndex
from forge_assets.law.country import country_files
from forge_assets.law.loading import load_domain, read_framework
from forge_assets.law.model import Framework
from forge_assets.law.statutes import load_statutes
from forge_resources.config.chosen import pack_folder
from forge_resources.config.data_folder import DataFolderError, claim, data_folder

_FOLDER = "citations"
_CODE = (Path(__file__).parent, Path(__file__).parents[1] / "law")
_UNUSED = ("provisions", "minor", "escalation", "data_protection", "collective_agreements")
"""Fields of a framework that neither parser nor rendering reads."""


@dataclass(frozen=True)
class LoadedLaws:
    """The index of a pack's laws, and how each country writes a citation."""

    index: LawIndex
    frameworks: Mapping[str, Framework]
    """Without provisions."""


def load(pack: Path | None = None) -> LawIndex:
    """Read the laws of a pack, by which `parse` judges citations.

    Args:
        pack: folder of the domain pack; None: FORGE_PACK, or the pack of the project.

    Raises:
        SourceError: a file cannot be read; names file, line and mend.
        ValueError: there is no pack.
    """
    return load_laws(pack_folder() if pack is None else pack).index


def load_laws(pack: Path) -> LoadedLaws:
    """Read the laws of a pack, or take what the data folder keeps of them.

    What is kept is named by the size and time of every file of the pack and of the code that reads it.

    Raises:
        SourceError: a file cannot be read; names file, line and mend.
    """
    kept = data_folder() / _FOLDER / f"{_state(pack)}.pickle"
    with suppress(OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError):
        found = pickle.loads(kept.read_bytes())
        if isinstance(found, LoadedLaws):
            return found
    domain = load_domain(pack)
    frameworks = [read_framework(path, domain)[0] for path in country_files(pack).values()]
    index = LawIndex.build(domain, frameworks, {f.jurisdiction: load_statutes(pack, f) for f in frameworks})
    slim = {f.jurisdiction: f.model_copy(update=dict.fromkeys(_UNUSED, ())) for f in frameworks}
    loaded = LoadedLaws(index, slim)
    _keep(kept, loaded)
    return loaded


def _keep(path: Path, loaded: LoadedLaws) -> None:
    """Write what was built, in place of what was kept before; where nothing can be written, nothing is kept."""
    with suppress(OSError, DataFolderError):
        claim(data_folder())
        path.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(pickle.dumps(loaded, protocol=5))
        os.replace(file.name, path)
        for other in path.parent.glob("*.pickle"):
            if other != path:
                other.unlink(missing_ok=True)


def _state(pack: Path) -> str:
    """Digest of the size and time of the files that an index rests on."""
    found = hashlib.sha256(f"{sys.version}\0{pack}".encode())
    for path in _files(pack):
        stat = path.stat()
        found.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return found.hexdigest()[:24]


def _files(pack: Path) -> Iterable[Path]:
    yield pack / "domain.yaml"
    for folder, pattern in ((pack / "jurisdictions", "*.yaml"), (pack / "statutes", "*/*.jsonl")):
        yield from sorted(path for path in folder.glob(pattern) if path.is_file())
    for folder in _CODE:
        yield from sorted(folder.glob("*.py"))
