"""Write samples as a dataset that other tools load: Parquet, chat messages, card, Croissant metadata, check sums.

`forge export FOLDER` calls it. Equal samples and info give equal bytes, however the samples are cut into files. DuckDB
sorts them on disk, so there may be more of them than fit in memory.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb

from forge_assets.datasets.export.croissant import MARK, croissant
from forge_assets.datasets.export.dataset_card import ColumnInfo, Contents, DatasetInfo, File, Split, card
from forge_resources.storage.file_sums import sha256
from forge_resources.storage.paths import duckdb_folder, plain_path

SPLITS = {"train": "train", "validation": "validation", "benchmark": "test"}
"""Split of a sample to its name in an export; a sample of any other is withheld."""

NEEDED = (
    *("sample_id", "split", "language", "jurisdictions", "task_type", "variant"),
    *("system", "prompt", "response", "expected_citations"),
)
FIRST = ("prompt", "response", "system")
OF_SETS = ("position", "role", "pair")
"""Columns that only the sets of a chain have; they are not exported."""

SUMS = "SHA256SUMS"
CROISSANT = "croissant.json"
MEMORY = "1GB"
ROW_GROUP = 10_000
MESSAGES = """\
SELECT sample_id, [
    {'role': 'system', 'content': system}, {'role': 'user', 'content': prompt},
    {'role': 'assistant', 'content': completion},
] AS messages"""


def export_dataset(parts: Sequence[Path], folder: Path, info: DatasetInfo) -> Path:
    """Write the samples of Parquet files to a folder that `datasets.load_dataset` and Croissant tools read.

    The folder appears, or replaces an earlier export, once it is complete. A split without samples gets no file.

    Args:
        parts: files of `scenarios.samples`, or of `scenarios.sets`, whose rows count where the role is the split: other
            roles repeat samples.
        folder: absent, empty, or an earlier export.
        info: what is not counted from the samples.

    Returns:
        The folder, absolute.

    Raises:
        ValueError: the folder holds something else, a needed column is missing, a sample comes twice, or none is left.
    """
    folder = folder.resolve()
    _refuse_foreign(folder)
    with (
        _replaced(folder) as draft,
        duckdb_folder(draft.parent) as scratch,
        _plain(parts) as given,
        _gathered(given, scratch / "rows") as samples,
    ):
        for kind in ("data", "messages"):
            (draft / kind).mkdir()
        counted = dict(samples.execute("SELECT split, count(*) FROM exported GROUP BY split").fetchall())
        splits = [_write(samples, draft, name, counted[name]) for name in SPLITS.values() if name in counted]
        contents = _contents(samples, splits)
        described = json.dumps(croissant(info, contents), indent=1, ensure_ascii=False)
        texts = {"README.md": card(info, contents), CROISSANT: described + "\n", "SOURCES.md": info.sources}
        for name, text in texts.items():
            if text:
                (draft / name).write_text(text, "utf-8", newline="\n")
        sums = [f"{_file(draft, name).sha256}  {name}\n" for name in sorted(_names(draft))]
        (draft / SUMS).write_text("".join(sums), "utf-8", newline="\n")
    return folder


@contextmanager
def _gathered(parts: Sequence[Path], scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database on disk whose table `exported` holds every row to export, ordered by sample id."""
    scratch.mkdir()
    with duckdb.connect(
        str(scratch / "rows.duckdb"),
        config={"memory_limit": MEMORY, "threads": 1, "temp_directory": str(scratch / "spill")},
    ) as samples:
        found = samples.read_parquet([str(part) for part in parts], union_by_name=True)
        missing = [name for name in NEEDED if name not in found.columns]
        if missing:
            raise ValueError(f"the samples have no column {', '.join(missing)}: compose them again with `forge run`")
        found.query("found", f"CREATE TABLE exported AS {_chosen(found.columns)}")
        rows, ids = samples.execute("SELECT count(*), count(DISTINCT sample_id) FROM exported").fetchall()[0]
        if not rows:
            raise ValueError("there is nothing to export: every sample is withheld")
        if ids < rows:
            raise ValueError(f"{rows - ids} samples come twice: compose them again with `forge run`")
        yield samples


def _chosen(columns: Sequence[str]) -> str:
    """The query for the rows and columns to export."""
    names = " ".join(f"WHEN '{ours}' THEN '{theirs}'" for ours, theirs in SPLITS.items())
    renamed = {"response": "response AS completion", "split": f"CASE split {names} END AS split"}
    order = dict.fromkeys((*FIRST, *(name for name in columns if name not in OF_SETS)))
    chosen = ", ".join(renamed.get(name, f'"{name}"') for name in order)
    role = "AND role = found.split" if "role" in columns else ""
    return f"SELECT {chosen} FROM found WHERE found.split IN {tuple(SPLITS)} {role} ORDER BY sample_id"


def _write(samples: duckdb.DuckDBPyConnection, draft: Path, split: str, rows: int) -> Split:
    """Write one split as a table and as chat messages."""
    of_split = f"FROM exported WHERE split = '{split}'"
    parquet = f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"

    def copy(query: str, name: str, options: str) -> File:
        target = str(draft / name).replace("'", "''")
        samples.execute(f"COPY ({query}) TO '{target}' {options}")
        return _file(draft, name)

    return Split(
        name=split,
        rows=rows,
        table=copy(f"SELECT * {of_split}", f"data/{split}.parquet", parquet),
        messages=copy(f"{MESSAGES} {of_split}", f"messages/{split}.parquet", parquet),
        lines=copy(f"{MESSAGES} {of_split}", f"messages/{split}.jsonl", "(FORMAT json)"),
    )


def _contents(samples: duckdb.DuckDBPyConnection, splits: Sequence[Split]) -> Contents:
    counts = samples.sql(
        "SELECT task_type, array_to_string(jurisdictions, ' + ') AS jurisdictions, variant, count(*) AS samples "
        "FROM exported GROUP BY ALL"
    ).pl()
    table = samples.table("exported")
    return Contents(
        splits=tuple(splits),
        columns=tuple(ColumnInfo(name, str(type_)) for name, type_ in zip(table.columns, table.types, strict=True)),
        languages=_values(samples, "language"),
        jurisdictions=frozenset(
            (
                *_values(samples, "unnest(jurisdictions)"),
                *_values(samples, "split_part(unnest(expected_citations), ':', 1)"),
            )
        ),
        counts=counts.sort("variant")
        .pivot(on="variant", index=["task_type", "jurisdictions"], values="samples")
        .fill_null(0)
        .sort("task_type", "jurisdictions"),
    )


def _values(samples: duckdb.DuckDBPyConnection, expression: str) -> tuple[str, ...]:
    found = samples.execute(f"SELECT DISTINCT {expression} AS value FROM exported ORDER BY value").fetchall()
    return tuple(value for (value,) in found)


def _file(folder: Path, name: str) -> File:
    path = folder / name
    return File(name, path.stat().st_size, sha256(path))


def _names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]


def _refuse_foreign(folder: Path) -> None:
    """An export is known by its keyword, and holds nothing but what its check sums name.

    Raises:
        ValueError: something is there that is neither an export nor an empty folder.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        keywords = json.loads((folder / CROISSANT).read_text("utf-8"))["keywords"]
        named = {line.split("  ", 1)[1] for line in (folder / SUMS).read_text("utf-8").splitlines()}
    except (OSError, ValueError, LookupError, TypeError):
        keywords, named = [], set()
    strange = sorted(set(_names(folder)) - named - {SUMS}) if folder.is_dir() else [folder.name]
    if MARK not in keywords or strange:
        what = f"holds {strange[0]}, which no export wrote" if strange else "is not an earlier export"
        raise ValueError(f"{folder} {what}: name a new folder, or move it away")


@contextmanager
def _plain(parts: Sequence[Path]) -> Iterator[list[Path]]:
    """The same files by paths in which DuckDB finds no pattern."""
    with ExitStack() as links:
        folders = {folder: links.enter_context(plain_path(folder)) for folder in {part.parent for part in parts}}
        yield [folders[part.parent] / part.name for part in parts]


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """Yield a new folder; on success it takes the place of `folder`, on error nothing changes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
        draft, old = Path(scratch, "new"), Path(scratch, "old")
        draft.mkdir()
        yield draft
        if folder.exists():
            os.rename(folder, old)
        try:
            os.rename(draft, folder)
        except OSError:
            if old.exists():
                os.rename(old, folder)
            raise
