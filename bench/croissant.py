"""Holds an export's croissant.json against the standard's own library, and reads every record through it.

The library is no dependency of the project; give it an environment of its own:

    python3 -m venv ENVIRONMENT && ENVIRONMENT/bin/pip install 'mlcroissant[parquet]'
    .venv/bin/forge export FOLDER
    ENVIRONMENT/bin/python bench/croissant.py FOLDER
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import mlcroissant
import pandas


def main(folder: Path) -> int:
    """Print what the library says; 1 if it finds an error or reads other records than the Parquet files hold."""
    dataset = mlcroissant.Dataset(jsonld=folder / "croissant.json")
    issues = dataset.metadata.ctx.issues
    print(f"mlcroissant {version('mlcroissant')}: {len(issues.errors)} errors, {len(issues.warnings)} warnings")
    print("".join(f"  {told}\n" for told in sorted(issues.errors | issues.warnings)), end="")
    wrong = len(issues.errors)
    for record_set in dataset.metadata.record_sets:
        name = record_set.id
        table = pandas.read_parquet(folder / "data" / f"{name}.parquet").to_dict("records")
        read = 0
        for record, row in zip(dataset.records(name), table, strict=True):
            plain = {key.removeprefix(f"{name}/"): _plain(value) for key, value in record.items()}
            wrong += plain != {key: _plain(value) for key, value in row.items()}
            read += 1
        print(f"{name}: {read} records of {len(record_set.fields)} fields read, {len(table)} rows in the file")
    print("differs" if wrong else "agrees")
    return bool(wrong)


def _plain(value: object) -> object:
    """Bytes as text and arrays as lists, so that records compare with rows."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return value
    return [_plain(each) for each in value]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
